"""The engine: plans of a network for batches of any size, and the workers that run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from math import isfinite
from threading import RLock, get_ident
from typing import TypeVar

import numpy as np

from ..capacity import ensure_parameters_fit, processors
from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph
from ..ir.owned import parameters_of
from ..lazy import lazy
from ..passes.bands import LONG, WORTH, WORTH_OF_THREADS, shared_work
from ..passes.decompose import WEIGHTS
from ..passes.methods import Times
from ..settings.optimiser import Optimiser
from ..settings.tuning import PLAIN, Tuning, groups
from ..words.costs import Cost
from .blas import single_thread
from .call import Batch, Call
from .compiler import LEARNING, Compiler
from .forks import survive
from .parameters import ChangeCounter, ParameterBlock, View, initial
from .plans import Counts, Plan, Room, Scalings, array, give, judged, lay_out, outputs, result
from .processes import Processes
from .turns import Turn
from .update import Update, numbers, rule
from .words import WorkerDied
from .workers import SerialWorkers, Threads, workers

Answer = TypeVar("Answer")
A_GO = 1 << 40  # above any count of steps: the goes of a step draw apart
SEVERAL = 1 << 14  # numbers a layer: with fewer, concurrent calls lose more to the interpreter's lock than gain


class Engine(Compiler):
    """Runs a graph of words: forward, backward and update, on shards of the batch.

    The bits of a result depend on the seed, on `shards` and on what was `measured` of convolutions (see `tune`),
    which decides how they are computed; never on the number of workers.
    """

    name = "numpy"
    scales = True
    devices = None

    def __init__(
        self,
        words: Graph,
        costs: tuple[Cost, ...],
        optimiser: Optimiser,
        *,
        shards: int = 1,
        workers_wanted: int = 1,
        parallel: str = "processes",
        seed: int = 0,
        dtype: str = "float32",
        measured: Mapping[str, Times] | None = None,
        tuning: Tuning = PLAIN,
    ) -> None:
        single_thread()
        super().__init__(words, costs, shards, dtype, measured or {}, tuning)
        self.optimiser, self.seed = optimiser, seed
        self.every = parameters_of(words)
        self.groups = groups(self.every, optimiser, tuning)
        self.trained = {name: self.every[name] for group in self.groups for name in group.names}
        self.state = {name: p for name, p in self.every.items() if name not in self.trained}
        count, state = self._counts
        copies = 1 + len(optimiser.moments) + shards + (tuning.ema is not None) + (tuning.accumulate > 1)
        ensure_parameters_fit((count * copies + state) * np.dtype(dtype).itemsize, count)
        self.arrays: dict[str, np.ndarray] = {}
        self.stepped: dict[str, np.ndarray] = {}  # what steps move, where the parameters are an average of it
        self.changes = ChangeCounter()
        self._allocate(workers(min(workers_wanted, shards), parallel))
        lanes = 1 if self.workers.count > 1 else processors()  # several workers are busy with one answer
        self.turn = Turn(partial(Room, self.workers.memory), lanes)
        self.parameters = View(self.every, self.arrays, self.changes, self.turn, self.stepped)
        self.clock[0] = seed
        self.begin(seed)
        survive(self)

    @property
    def _counts(self) -> tuple[int, int]:
        """How many numbers are trained, and how many are state."""
        trained, state = (sum(p.type.elements for p in part.values()) for part in (self.trained, self.state))
        return trained, state

    def _allocate(self, workers: SerialWorkers | Threads | Processes) -> None:
        """Take the memory that all workers see."""
        self.workers = workers
        take = partial(array, workers.memory)
        count, state = self._counts
        self.p = ParameterBlock(self.trained, take(count, self.dtype))
        self.s = ParameterBlock(self.state, take(state, self.dtype))
        self.arrays.update({**self.p.arrays, **self.s.arrays})
        self.moments = {name: take(count, self.dtype) for name in self.optimiser.moments}
        p, average = self.p.flat, {}
        if self.tuning.ema is not None:  # then steps move others than those that are used, which are their average
            p = self.moments["stepped"] = take(count, self.dtype)
            average = {"e": self.p.flat}
            self.stepped.update(ParameterBlock(self.trained, p).arrays)
        self.gradients = [ParameterBlock(self.trained, take(count, self.dtype)) for _ in range(self.shard_count)]
        # the seed, the steps taken, and for each of `thaws` the steps since then
        self.clock = take(2 + len(self.tuning.thaws), "int64")
        sizes = [(group, sum(self.every[name].type.elements for name in group.names)) for group in self.groups]
        told = rule(self.optimiser, sizes, self.tuning.ema is not None)
        squares = take(sum(-(-size // told.chunk) for _, size in sizes), "float64")
        scalars = take(sum(len(part.scalars) for part in told.parts) + 2, "float64")
        moments = {name: self.moments[name] for name in self.optimiser.moments} | average
        total = take(count, self.dtype) if self.tuning.accumulate > 1 else None
        gradients = tuple(b.flat for b in self.gradients)
        self.update = Update(told, p, moments, gradients, squares, scalars, total, take(1, "int64"))

    @property
    def _total(self) -> tuple[ParameterBlock, ...]:
        return () if self.update.total is None else (ParameterBlock(self.trained, self.update.total),)

    @property
    def _lasting(self) -> list[np.ndarray]:
        return [self.p.flat, self.s.flat, *self.moments.values(), self.clock]

    def before_fork(self) -> list[np.ndarray]:
        """What a child needs, copied where it would share it with this process."""
        return [values.copy() if self.workers.memory.shared else values for values in self._lasting]

    def after_fork(self, saved: list[np.ndarray] | None) -> None:
        """In a child: workers of its own when they are needed, and memory where it is not already."""
        assert saved is not None
        self.compiling = RLock()
        if not isinstance(self.workers, Processes):
            self.workers.close()
            return
        self._allocate(Processes(self.workers.count))
        for mine, values in zip(self._lasting, saved, strict=True):
            mine[...] = values
        self.turn.make = partial(Room, self.workers.memory)
        self.turn.lanes, self.turn.within = [self.turn.make()], []

    def begin(self, seed: int) -> None:
        """Set the parameters to how they begin.

        Each has a generator of its own, so adding a layer moves no other.
        """
        for name, parameter in {**self.trained, **self.state}.items():
            generator = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
            self.parameters[name] = initial(parameter, generator)

    def plan(self, mode: str, n: int, bands: int = 1, epoch: int = 0) -> Plan:
        """The plan for a batch of n images, each shared by so many shards, bound to memory.

        Of a training step on more images than are computed at a time, the plan of one go.
        """
        with self.turn:
            train = mode in LEARNING
            thawed = self.tuning.thawed(epoch) if train else 0
            return self._plan(mode, self.goes(n)[0] if train else n, bands, self.turn.lanes[0], thawed)

    def _plan(self, mode: str, n: int, bands: int, room: Room, thawed: int = 0) -> Plan:
        key = (mode, n, bands, thawed)
        plan = room.plans.get(key)
        if plan is None:
            programs = self.parts(mode, n, bands, thawed)
            # programs bind their own shards
            here = range(0, len(programs), self.workers.count if self.workers.memory.shared else 1)
            total = sum(programs[k].arena_bytes for k in here)
            if total > room.arena.size:
                self.workers.forget()
                room.grow(total)
            arrays = {**self.arrays, **self.stepped} if mode in LEARNING else self.arrays
            plan = lay_out(programs, n, room, self.dtype, arrays, self.gradients, self.clock, here)
            room.plans[key] = plan
        return plan

    @property
    def arena(self) -> np.ndarray:
        """The memory that the plans of one thread share."""
        return self.turn.lanes[0].arena

    # ---- running -----------------------------------------------------------------------------------

    def _ready(self, what: str, arrays: Batch, room: Room, thawed: int = 0, bands: int = 1) -> tuple[Plan, Call]:
        """The plan and the call for a batch, the batch in its place, and what the parameters alone decide made."""
        learning = what in ("learn", "gather", "differentiate")
        n = len(next(iter(arrays.values())))
        mode = what if not learning else "weighted" if WEIGHTS in arrays else "train"
        plan = self._plan(mode, n, bands, room, thawed)
        call = self._call(what, plan, give(plan, arrays, self.dtype, room), thawed)
        first = plan.shards[0]
        if not learning and first.prepare is not None and plan.prepared != self.changes.count:
            first.prepare(first.b, first.p)
            plan.prepared = self.changes.count
        return plan, call

    def _call(self, what: str, plan: Plan, scalings: Scalings, thawed: int = 0) -> Call:
        """What workers do for one call; made once, for what programs are told of it takes longer than a step."""
        call = plan.calls.get((what, scalings))
        if call is None:
            learning = sum(group.thaw <= thawed for group in self.groups)
            order = plan.order(what, scalings, self.dtype, learning, self.update.told)
            call = Call(order, plan.shards, self.update, self.workers.count, self.workers.barrier)
            plan.calls[what, scalings] = call
        return call

    def learn(self, arrays: Batch, rate: float, epoch: int = 0) -> tuple[float, Counts]:
        """One step on a batch (inputs and targets by name); the mean cost before it, and how many were correct.

        With `WEIGHTS` (n, 1) the cost of each image is multiplied by its own.
        `epoch` is how many are done, which decides what is frozen.
        """
        with self.turn:
            thawed, before = self.tuning.thawed(epoch), self.clock.tolist()
            seed, *steps = before
            steps = [count + (k <= thawed) for k, count in enumerate(steps)]
            self.clock[:] = [seed, *steps]
            self.update.scalars[:-2] = numbers(self.groups, steps, rate, self.tuning.ema)
            self.update.begun = False
            try:
                if self.tuning.accumulate == 1:
                    return self._go("learn", arrays, thawed)
                return self._in_goes(arrays, thawed)
            except BaseException:
                if not self.update.begun:
                    self.clock[:] = before
                raise

    def _go(self, what: str, arrays: Batch, thawed: int) -> tuple[float, Counts]:
        """A step, or one of the goes that it is made in."""
        plan, call = self._ready(what, arrays, self.turn.lanes[0], thawed)
        if what != "differentiate":
            self.changes()
        made = self._run(call)
        assert made, "a step is made however late the workers are"
        return plan.result

    def _in_goes(self, arrays: Batch, thawed: int) -> tuple[float, Counts]:
        """A step on some images after the others, whose gradients are added up.

        Each go normalises by its own images, and moves the running statistics. Where a cost is not finite all
        stays as it was.
        """
        step, statistics = int(self.clock[1]), self.s.flat.copy()
        goes = self._cut(arrays)
        cost, by_class, by_label = 0.0, 0, 0
        try:
            for k, (fraction, part) in enumerate(goes):
                last = k == len(goes) - 1
                self.update.scalars[-2:] = fraction, k
                self.clock[1] = step if last else step + (k + 1) * A_GO  # each go drops others
                mean, counts = self._go("learn" if last else "gather", part, thawed)
                cost, by_class, by_label = cost + mean * fraction, by_class + counts[0], by_label + counts[1]
                if not isfinite(mean):
                    break
        finally:
            self.clock[1] = step
            if not self.update.begun:
                self.s.flat[:] = statistics
        return cost, (by_class, by_label)

    def _cut(self, arrays: Batch) -> list[tuple[float, Batch]]:
        """The images of each go, and their share of the batch."""
        n = len(next(iter(arrays.values())))
        ends = list(accumulate(self.goes(n)))
        cuts = [slice(start, stop) for start, stop in pairwise([0, *ends])]
        return [((cut.stop - cut.start) / n, {name: a[cut] for name, a in arrays.items()}) for cut in cuts]

    def measure(self, arrays: Batch) -> tuple[float, Counts]:
        """Mean cost and number of correct answers, as the network is after training."""
        return self._ask("measure", arrays, result)

    def judge(self, arrays: Batch) -> tuple[float, Counts, tuple[np.ndarray, ...]]:
        """The same, and the outputs."""
        return self._ask("judge", arrays, judged)

    def differentiate(self, arrays: Batch, epoch: int = 0) -> tuple[float, Mapping[str, np.ndarray]]:
        """The mean cost of a batch and its gradient with respect to what learns by then; nothing is changed."""
        with self.turn:
            thawed = self.tuning.thawed(epoch)
            cost, total = 0.0, np.zeros_like(self.p.flat)
            goes = self._cut(arrays)
            for share, part in goes:
                mean, _ = self._go("differentiate", part, thawed)
                cost += mean * share
                total += self.gradients[0].flat * total.dtype.type(share)
            found = self.layout(total)
            learning = {name for group in self.groups if group.thaw <= thawed for name in group.names}
            return cost, {name: found[name] for name in self.every if name in learning}

    def forward(
        self, arrays: Batch, mode: str = "infer", out: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, ...]:
        """The outputs (or, with mode `show`, every word's value) in order, for a batch; into `out` if given."""
        return self._ask(mode, arrays, outputs, out)

    def _ask(
        self,
        what: str,
        arrays: Batch,
        take: Callable[[Plan, Sequence[np.ndarray] | None], Answer],
        out: Sequence[np.ndarray] | None = None,
    ) -> Answer:
        """Run a plan that changes nothing, and take the answer before another thread runs it."""
        me, n, room = get_ident(), len(next(iter(arrays.values()))), self.turn.lanes[0]
        if self.turn.owner == me or not self._by_caller(what, n):
            with self.turn:
                if shared := what == "infer" and n == 1 and self.share_an_image():
                    self._plan(what, n, 1, room)  # room for both: to grow waits for who is left behind
                for bands in (self.workers.count, 1) if shared else (1,):  # alone where others are not there
                    plan, call = self._ready(what, arrays, room, bands=bands)
                    if self._run(call):
                        return take(plan, out)
        room = self.turn.lane(self._size * n >= SEVERAL)
        with room.lock:
            room.owner = me
            try:
                plan, call = self._ready(what, arrays, room)
                call(0)
                answer = take(plan, out)
            finally:
                room.owner = 0
        if room.memory is not self.workers.memory:  # forked amid it, from a process that writes there too
            return self._ask(what, arrays, take, out)
        return answer

    def _by_caller(self, what: str, n: int) -> bool:
        """Whether the caller alone makes the answer: there is no other worker, or one image that none shares."""
        return self.workers.count == 1 or (n == 1 and not (what == "infer" and self._shared_work))

    def _run(self, call: Call) -> bool:
        """Make a call, or not: an image to share, where other workers are not there."""
        update = call.order.what in ("learn", "gather", "differentiate")
        if len(call.order.shards) == 1 and not update:  # one image, say: workers who would idle are not woken
            call(0)
            return True
        try:
            return self.workers.run(call)
        except WorkerDied as error:
            half = update and self.update.begun
            raise SpecError((Diagnostic.of("CNN316", case="half" if half else "", worker=error),)) from error

    @lazy
    def _size(self) -> float:
        """How many numbers a layer makes of an image, on average."""
        return sum(node.type.elements for node in self.words) / len(self.words)

    def share_an_image(self) -> bool:
        """Whether workers make some rows each of one image; bits are alike."""
        work = self._shared_work
        return work > 0 and (not isinstance(self.workers, Processes) or self.workers.awake(patient=work >= LONG))

    @lazy
    def _shared_work(self) -> int:
        worth = WORTH if isinstance(self.workers, Processes) else WORTH_OF_THREADS
        return shared_work(self.graph("infer", 1), self.graph("infer", 1, (0, self.workers.count)), worth)

    def moment_views(self) -> dict[str, View]:
        """The optimiser's arrays by name, each seen like the parameters."""
        return {name: self.layout(flat) for name, flat in self.moments.items()}

    def layout(self, flat: np.ndarray) -> View:
        """An array as long as the trained parameters, seen like them."""
        return View(self.trained, ParameterBlock(self.trained, flat).arrays)

    @property
    def described(self) -> str:
        """What it runs on, for people."""
        shards, workers = self.shard_count, self.workers.count
        return f"{shards} shard{'s' * (shards > 1)} on {workers} worker{'s' * (workers > 1)}"

    @property
    def steps(self) -> int:
        return int(self.clock[1]) % A_GO  # another thread may be amid a step

    @steps.setter
    def steps(self, count: int) -> None:
        self.clock[1] = count

    def close(self) -> None:
        """End the workers; what is asked next starts them anew."""
        with self.turn:
            self.workers.close()

    def memory(self, n: int, mode: str = "train") -> dict[str, int]:
        """Bytes that a step on n images holds, by what they are for; known before any is taken."""
        thawed = len(self.tuning.thaws) if mode in LEARNING else 0  # when most is differentiated
        n = self.goes(n)[0] if mode in LEARNING else n
        programs = self.parts(mode, n, thawed=thawed)
        unused = sum(self.p.arrays[name].nbytes for name in programs[0].joint) * (self.shard_count - 1)
        return {
            "arena": sum(program.arena_bytes for program in programs),
            "parameters": self.p.flat.nbytes + self.s.flat.nbytes,
            "gradients": sum(g.flat.nbytes for g in (*self.gradients, *self._total)) - unused,
            "moments": sum(array.nbytes for array in self.moments.values()),
            "batch": self.batch_bytes(mode, n, thawed),
        }
