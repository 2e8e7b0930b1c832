"""The engine: plans of a network for whatever batch comes, their memory, and the shards that run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..capacity import ensure_parameters_fit
from ..codegen.emit import Emitter, Program
from ..data.dataset import Scaling, Stored
from ..ir import Graph
from ..kernels.update import clip_scale
from ..ops.costs import Cost
from ..ops.leaves import Target
from ..passes import INFERENCE, MEASURE, TRAINING, run
from ..passes.bands import worth_bands
from ..passes.expand import attach_costs
from ..passes.methods import Times
from ..settings.optimisers import Optimiser
from .blas import single_thread
from .load import Bound, bind
from .parameters import Block, View, initial, parameters_of
from .update import Update
from .workers import Processes, Task, shared_memory, workers

Arrays = Mapping[str, np.ndarray | Stored]
Counts = tuple[int, int]  # right answers: by class, by label (`model/targets.py`)
Scalings = tuple[tuple[str, np.dtype[Any], Scaling], ...]  # input, type, and how it is scaled


@dataclass
class Plan:
    """A network bound for batches of one size: a program for each shard, and where the batch is put.

    `prepared` tells which parameters, of all that there have been, what they alone decide was made for. `staged` is
    where images are put that the workers scale, by input and type.
    """

    graph: Graph
    cuts: tuple[slice, ...]
    shards: list[Bound]
    given: dict[str, np.ndarray]
    taken: dict[str, np.ndarray]
    costs: np.ndarray
    right: np.ndarray
    prepared: int = -1
    staged: dict[tuple[str, np.dtype[Any]], np.ndarray] = field(default_factory=dict)
    tasks: dict[tuple[str, Scalings], Task] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The source of the first shard's plan."""
        return self.shards[0].program.source

    @property
    def bands(self) -> int:
        """How many shards share each image."""
        return self.graph.band[1]

    @property
    def result(self) -> tuple[float, Counts]:
        """The cost and the right answers of all shards; of so few numbers Python's sums are quicker."""
        right = self.right.flat
        return float(sum(self.costs.flat)), (int(sum(right[::2])), int(sum(right[1::2])))

    @property
    def arena_bytes(self) -> int:
        return sum(bound.program.arena_bytes for bound in self.shards)


class Engine:
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
        parallel: str = "threads",
        seed: int = 0,
        dtype: str = "float32",
        measured: Mapping[str, Times] | None = None,
    ) -> None:
        single_thread()
        self.words, self.optimiser, self.dtype, self.seed = words, optimiser, dtype, seed
        self.judged = attach_costs(words, costs) if costs else None
        self.shard_count = shards
        self.measured = measured or {}
        self.workers = workers(min(workers_wanted, shards), parallel)
        every = parameters_of(words)
        self.trained = {name: p for name, p in every.items() if p.trained}
        self.state = {name: p for name, p in every.items() if not p.trained}
        count = sum(p.type.elements for p in self.trained.values())
        kept = sum(p.type.elements for p in self.state.values())
        copies = 1 + len(optimiser.moments) + shards
        ensure_parameters_fit((count * copies + kept) * np.dtype(dtype).itemsize, count)
        self.p = Block(self.trained, self._array(count))
        self.s = Block(self.state, self._array(kept))
        self.arrays = {**self.p.arrays, **self.s.arrays}
        self.changes = 0  # how often parameters have changed
        self.parameters = View(every, {name: self.arrays[name] for name in every}, self._changed)
        self.moments: dict[str, np.ndarray] = {name: self._array(count) for name in optimiser.moments}
        self.gradients = [Block(self.trained, self._array(count)) for _ in range(shards)]
        self.update = Update(optimiser, self.p.flat, self.moments, [g.flat for g in self.gradients])
        self.squares = self._array(len(self.update.chunks), "float64")
        self.clock = self._array(2, "int64")
        self.clock[0] = seed
        self.rate = self._array(1, "float64")
        self.arena = shared_memory(0)
        self.graphs: dict[tuple[str, int, tuple[int, int]], Graph] = {}
        self.programs: dict[tuple[str, int, int, tuple[int, int]], Program] = {}
        self.plans: dict[tuple[str, int, int], Plan] = {}
        self.begin(seed)

    def _array(self, size: int, dtype: DTypeLike | None = None) -> np.ndarray:
        """A zeroed array that every worker sees."""
        kind = np.dtype(dtype or self.dtype)
        return shared_memory(size * kind.itemsize)[: size * kind.itemsize].view(kind)

    def _batch(self, n: int, shape: tuple[int, ...]) -> np.ndarray:
        """A zeroed array (n, ...) that every worker sees.

        A plan turns a batch so that images are innermost. Images that lie a multiple of a kilobyte apart, as
        3x32x32 do, would meet in the same few sets of the cache and take six times as long to turn; they are
        put a little further apart.
        """
        size = prod(shape)
        apart = size if size * np.dtype(self.dtype).itemsize % 1024 else size + 16
        return self._array(n * apart).reshape(n, apart)[:, :size].reshape(n, *shape)

    def _changed(self) -> None:
        self.changes += 1

    def begin(self, seed: int) -> None:
        """Set the parameters to how they begin.

        Each has a generator of its own, so adding a layer moves no other.
        """
        for name, parameter in {**self.trained, **self.state}.items():
            generator = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
            self.parameters[name] = initial(parameter, generator)

    # ---- plans -------------------------------------------------------------------------------------

    def graph(self, mode: str, n: int = 128, band: tuple[int, int] = (0, 1)) -> Graph:
        """The graph of primitives for `train`, `measure` (cost without dropout), `infer` or `show` (every value).

        How a layer is computed best depends on the images of a shard, so each size of batch has its own graph, and
        each band of rows where workers share one image.
        """
        images = max(self.sizes(n))
        if (mode, images, band) not in self.graphs:
            words, passes = self.words, INFERENCE
            if mode in ("train", "measure"):
                assert self.judged is not None, "a network without a cost cannot be judged"
                words, passes = self.judged, TRAINING if mode == "train" else MEASURE
            elif mode == "show":
                words = replace(words, outputs=tuple(node.name for node in words))
            measured = self.measured.get("train" if mode == "train" else "infer", {})
            found = replace(words, images=images, measured=measured, band=band)
            self.graphs[mode, images, band] = run(found, passes)
        return self.graphs[mode, images, band]

    def sizes(self, n: int) -> tuple[int, ...]:
        """How many images each shard gets; empty shards are left out."""
        share, more = divmod(n, self.shard_count)
        return tuple(size for k in range(self.shard_count) if (size := share + (k < more)))

    def program(self, mode: str, size: int, n: int, band: tuple[int, int] = (0, 1)) -> Program:
        key = (mode, size, n, band)
        if key not in self.programs:
            self.programs[key] = Emitter(self.graph(mode, n, band), size, n, self.dtype).run()
        return self.programs[key]

    def parts(self, mode: str, n: int, bands: int = 1) -> list[Program]:
        """The programs of all shards of a batch."""
        return [self.program(mode, size, n, (k, bands)) for size in self.sizes(n) for k in range(bands)]

    def plan(self, mode: str, n: int, bands: int = 1) -> Plan:
        """The plan for a batch of n images, each shared by so many shards, bound to memory."""
        key = (mode, n, bands)
        if key not in self.plans:
            programs = self.parts(mode, n, bands)
            total = sum(program.arena_bytes for program in programs)
            if total > self.arena.size:  # plans never run at once, so they share one arena
                self.plans.clear()
                self.workers.forget()
                self.arena = shared_memory(total)
            self.plans[key] = self._bind(programs, n)
        return self.plans[key]

    def _bind(self, programs: list[Program], n: int) -> Plan:
        graph = programs[0].graph
        _, bands = graph.band
        targets = [node.name for node in graph if isinstance(node.op, Target)]
        given = {name: self._batch(n, graph.type(name).shape) for name in (*graph.inputs, *targets)}
        taken = {name: self._batch(n, graph.type(name).shape) for name in graph.outputs}
        count = len(programs)
        meetings = {
            name: self._array(count * prod(shape), dtype).reshape(count, *shape)
            for shared, dtype in ((programs[0].meetings, "float64"), (programs[0].together, self.dtype))
            for name, shape in shared.items()
        }
        costs = self._array(count * max(1, programs[0].costs), "float64").reshape(count, -1)
        right = self._array(2 * count, "int64").reshape(count, 2)
        kept = self._array(max(program.kept_bytes for program in programs), "uint8")
        shards = []
        offset = 0
        sizes = [program.n for program in programs[::bands]]
        ends = accumulate(sizes)
        cuts = tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True) for _ in range(bands))
        for k, (cut, program) in enumerate(zip(cuts, programs, strict=True)):
            shards.append(
                bind(
                    program,
                    self.dtype,
                    self.arena[offset : offset + program.arena_bytes],
                    kept,
                    self.arrays,
                    self.gradients[k].arrays if graph.gradients else None,
                    meetings,
                    {name: array[cut] for name, array in given.items()},
                    {name: array[cut] for name, array in taken.items()},
                    {"costs": costs[k], "right": right[k], "clock": self.clock, "shard": k},
                )
            )
            offset += program.arena_bytes
        return Plan(graph, cuts, shards, given, taken, costs, right)

    # ---- running -----------------------------------------------------------------------------------

    def _task(self, what: str, plan: Plan, scalings: Scalings) -> Task:
        """What a worker does for one call; made once, since forked workers know only what was there."""
        if (what, scalings) in plan.tasks:
            return plan.tasks[what, scalings]
        count, barrier = self.workers.count, self.workers.barrier
        shards = len(plan.shards)
        meets = plan.shards[0].program.meets

        def together(worker: int, phase: Callable[[Bound], object], meetings: int) -> None:
            """Run a phase of this worker's shards, from one meeting of all to the next."""
            running = [phase(bound) for bound in plan.shards[worker::count]]
            for _ in range(meetings):
                for part in running:
                    next(part)  # type: ignore[call-overload]
                barrier(worker)
            if meetings:
                for part in running:
                    next(part, None)  # type: ignore[call-overload]

        def scale(worker: int) -> None:
            """This worker's shards of the images that came as they are stored."""
            for name, kind, scaling in scalings:
                staged, given = plan.staged[name, kind], plan.given[name]
                for k in range(worker, shards, count):
                    scaling.apply(staged[plan.cuts[k]], given[plan.cuts[k]])

        def forward(worker: int) -> None:
            scale(worker)
            together(worker, lambda bound: bound.forward(bound.b, bound.p), meets[0])

        def differentiate(worker: int) -> None:
            forward(worker)
            if plan.graph.gradients:  # else nothing before the cost can be learnt
                together(worker, lambda bound: bound.backward(bound.b, bound.p, bound.g), meets[1])  # type: ignore[misc]
            barrier(worker)
            self.update.collect(worker, count, shards)

        def learn(worker: int) -> None:
            differentiate(worker)
            if not all(map(isfinite, plan.costs.flat)):  # all workers see the same costs, so all of them stop here
                return
            scale = None
            if self.optimiser.clip is not None:
                barrier(worker)  # chunks reach into the parts of others
                self.update.squares(worker, count, self.squares)
                barrier(worker)
                scale = clip_scale(float(self.squares.sum()), self.optimiser.clip)
            self.update.apply(worker, count, int(self.clock[1]), float(self.rate[0]), scale)
            if worker == 0 and plan.shards[0].settle is not None:
                plan.shards[0].settle(plan.shards[0].b, plan.shards[0].p)

        task = {"learn": learn, "differentiate": differentiate}.get(what, forward)
        # a number that is not finite is found in the cost and told with its layer; NumPy need not warn as well
        plan.tasks[what, scalings] = np.errstate(over="ignore", invalid="ignore", divide="ignore")(task)
        return plan.tasks[what, scalings]

    def _give(self, plan: Plan, arrays: Arrays) -> Scalings:
        """Put the batch in its place; what the workers still have to scale."""
        scalings: Scalings = ()
        for name, array in arrays.items():
            if not isinstance(array, Stored):
                np.copyto(plan.given[name], array, casting="same_kind")
                continue
            if plan.bands > 1:  # workers who share an image cannot each scale a part of it
                array.scaling.apply(array.images, plan.given[name])
                continue
            kind = array.dtype
            if (name, kind) not in plan.staged:
                own = kind == self.dtype  # then they are scaled where they are
                new = plan.given[name] if own else self._array(array.images.size, kind).reshape(array.shape)
                plan.staged[name, kind] = new
            np.copyto(plan.staged[name, kind], array.images)
            scalings += ((name, kind, array.scaling),)
        return scalings

    def _ready(self, what: str, arrays: Arrays) -> tuple[Plan, Task]:
        """The plan and the task for a batch, the batch in its place, and what the parameters alone decide made."""
        learning = what in ("learn", "differentiate")
        n = len(next(iter(arrays.values())))
        bands = self.workers.count if what == "infer" and n == 1 and self.share_an_image() else 1
        plan = self.plan("train" if learning else what, n, bands)
        task = self._task(what, plan, self._give(plan, arrays))
        first = plan.shards[0]
        if not learning and first.prepare is not None and plan.prepared != self.changes:
            first.prepare(first.b, first.p)
            plan.prepared = self.changes
        return plan, task

    def learn(self, arrays: Arrays, rate: float) -> tuple[float, Counts]:
        """One step on a batch (inputs and targets by name); the mean cost before it, and how many were right."""
        plan, task = self._ready("learn", arrays)
        self.clock[1] += 1
        self.rate[0] = rate
        self._changed()
        self.workers.run(task)
        return plan.result

    def measure(self, arrays: Arrays) -> tuple[float, Counts]:
        """Mean cost and number of right answers, as the network is after training."""
        plan, task = self._ready("measure", arrays)
        self.workers.run(task)
        return plan.result

    def differentiate(self, arrays: Arrays) -> tuple[float, View]:
        """The mean cost of a batch and its gradient; nothing is changed but the gradient's memory."""
        plan, task = self._ready("differentiate", arrays)
        self.workers.run(task)
        return plan.result[0], View(self.trained, self.gradients[0].arrays)

    def forward(self, arrays: Arrays, mode: str = "infer") -> tuple[np.ndarray, ...]:
        """The outputs (or, with mode `show`, every word's value) in order, for a batch; the plan's own memory."""
        plan, task = self._ready(mode, arrays)
        if len(plan.shards) > 1:
            self.workers.run(task)
        else:  # one image, say: workers who would idle are not woken
            task(0)
        return tuple(plan.taken[value] for value in plan.graph.outputs)

    def share_an_image(self) -> bool:
        """Whether workers share the work of one image now, each making some of the rows; no bit depends on it.

        Not threads: at each call they hand the interpreter's lock around.
        """
        return isinstance(self.workers, Processes) and self._worth_sharing and self.workers.awake()

    @cached_property
    def _worth_sharing(self) -> bool:
        return worth_bands(self.words, self.graph("infer", 1, (0, self.workers.count)))

    def layout(self, flat: np.ndarray) -> View:
        """An array as long as the trained parameters (a moment), seen like them."""
        return View(self.trained, Block(self.trained, flat).arrays)

    @property
    def described(self) -> str:
        """What it runs on, for people."""
        shards, workers = self.shard_count, self.workers.count
        return f"{shards} shard{'s' * (shards > 1)} on {workers} worker{'s' * (workers > 1)}"

    @property
    def steps(self) -> int:
        return int(self.clock[1])

    @steps.setter
    def steps(self, count: int) -> None:
        self.clock[1] = count

    def close(self) -> None:
        """End the workers."""
        self.workers.close()

    def memory(self, n: int, mode: str = "train") -> dict[str, int]:
        """Bytes that a step on n images holds, by what they are for; known before any is taken."""
        graph = self.graph(mode, n)
        programs = self.parts(mode, n)
        size = np.dtype(self.dtype).itemsize
        targets = [node.name for node in graph if isinstance(node.op, Target)]
        staged = sum(graph.type(name).elements for name in (*graph.inputs, *targets, *graph.outputs))
        return {
            "arena": sum(program.arena_bytes for program in programs),
            "parameters": self.p.flat.nbytes + self.s.flat.nbytes,
            "gradients": sum(g.flat.nbytes for g in self.gradients),
            "moments": sum(array.nbytes for array in self.moments.values()),
            "batch": n * staged * size,
        }
