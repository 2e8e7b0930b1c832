"""The engine: a network's arrays on devices, and the compiled functions that a model asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import DTypeLike

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph
from ..ir.leaves import Target
from ..ir.op import Parameter
from ..ir.owned import parameters_of
from ..passes.decompose import WEIGHTS, attach_costs
from ..runtime.forks import survive
from ..runtime.parameters import ChangeCounter, initial
from ..runtime.turns import Lane, Turn
from ..runtime.update import numbers
from ..settings.optimiser import Optimiser
from ..settings.tuning import PLAIN, ParameterGroup, Tuning, groups, in_goes
from ..targets.jax.layout import filters_first
from ..words.costs import Cost
from .devices import Devices, abstract, nbytes
from .failure import told
from .forward import forward
from .held import Held
from .step import gathered, make_step

Arrays = Mapping[str, Array]
Learned = Callable[[], tuple[float, tuple[int, int]]]  # the mean cost of a step, the correct answers


LEARNING = {"train": "learn", "weighted": "learn"}  # modes of the other engine


@dataclass(frozen=True)
class Lowered:
    """A function for one size of batch, lowered to what XLA compiles; `source` is its text."""

    lowered: jax.stages.Lowered

    @property
    def source(self) -> str:
        return self.lowered.as_text()


class Engine:
    """Runs a graph of words on JAX's devices; `plan.engine.Engine` is its twin on NumPy.

    dtype      of the parameters, moments and costs
    precision  of images and activations: the dtype of a name that PyTorch and JAX share, or "" for `dtype`
    devices    how many of each process (default: all)

    A result repeats to the bit on the same devices; on another number of them sums are added in another
    order, so it agrees to a tolerance.
    """

    name = "jax"
    scales = False

    def __init__(
        self,
        words: Graph,
        costs: tuple[Cost, ...],
        optimiser: Optimiser,
        *,
        seed: int = 0,
        dtype: str = "float32",
        precision: str = "",
        devices: int | None = None,
        tuning: Tuning = PLAIN,
    ) -> None:
        if dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.words, self.optimiser, self.dtype = words, optimiser, dtype
        half = precision in ("bfloat16", "float16")
        self.compute = jnp.dtype(precision if half else dtype)
        self.judged = attach_costs(words, costs) if costs else None
        self.weighted = attach_costs(words, costs, weighted=True) if costs else None
        self.devices = Devices.of(devices)
        self.workers = SimpleNamespace(count=self.devices.count)
        every = parameters_of(words)
        self.tuning, self.groups = tuning, groups(every, optimiser, tuning)
        names = {name for group in self.groups for name in group.names}
        self.trained = {name: p for name, p in every.items() if name in names}
        self.state = {name: p for name, p in every.items() if name not in names}
        self.turn, self.changes = Turn(Lane), ChangeCounter()
        self.parameters = Held(every, self.devices, dtype, self.turn, self.changes)
        self.moments = {moment: Held(self.trained, self.devices, dtype, self.turn) for moment in optimiser.moments}
        if tuning.ema is not None:  # then steps move others than those that are used, which are their average
            self.moments["stepped"] = self.parameters.also = Held(self.trained, self.devices, dtype, self.turn)
        self.clock = np.array([seed, 0, *(0 for _ in tuning.thaws)], np.int64)
        self.compiled: dict[tuple[str, int, int, bool], jax.stages.Compiled] = {}
        self.forked = False
        self.begin(seed)
        survive(self)

    def before_fork(self) -> None:
        """JAX's threads and devices stay with the parent; there is nothing to take along."""

    def after_fork(self, saved: list[np.ndarray] | None) -> None:
        """In a child: refuse what would wait for ever."""
        self.forked = True

    def begin(self, seed: int) -> None:
        """Set the parameters to how they begin, which is the same on every engine, and the moments to zero."""
        for name, parameter in {**self.trained, **self.state}.items():
            generator = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
            self.parameters[name] = initial(parameter, generator)
        for moment in self.optimiser.moments:
            held = self.moments[moment]
            for name, parameter in self.trained.items():
                held[name] = np.zeros(parameter.type.shape)

    # ---- compiling ---------------------------------------------------------------------------------

    def learning(self, thawed: int) -> tuple[ParameterGroup, ...]:
        """The groups that learn, once so many of the thaws have passed."""
        return tuple(group for group in self.groups if group.thaw <= thawed)

    def goes(self, n: int) -> tuple[int, ...]:
        """How many images of a batch are computed at a time; all, unless gradients are accumulated."""
        return in_goes(n, self.tuning.accumulate)

    def apart(self, thawed: int | None) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
        """The parameters that learn by then (None: all that ever do), and the others."""
        found = self.groups if thawed is None else self.learning(thawed)
        names = {name for group in found for name in group.names}
        every = {**self.trained, **self.state}
        return {n: every[n] for n in self.trained if n in names}, {n: p for n, p in every.items() if n not in names}

    def function(self, what: str, n: int, thawed: int, weighted: bool = False) -> Callable[..., object]:
        """The computation as a pure function of arrays."""
        if what == "infer":
            return self._values(self.words)
        if what == "show":
            return self._values(replace(self.words, outputs=tuple(self.words.nodes)))
        judged, dtype = self.weighted if weighted else self.judged, self.compute
        assert judged is not None, "a network without a cost cannot be judged"
        if what in ("learn", "differentiate"):
            judged = replace(judged, frozen=self.tuning.asleep(thawed))
        if what == "learn":
            return make_step(judged, self.optimiser, dtype, self.learning(thawed), self.tuning, self.goes(n))
        if what in ("measure", "judge"):
            wanted = judged.outputs if what == "judge" else ()

            def measure(trained: Arrays, state: Arrays, arrays: Arrays) -> tuple[Array, ...]:
                found = forward(judged, {**trained, **state}, arrays, dtype=dtype)
                return found.cost, found.correct, *(found.outputs[value].astype(self.dtype) for value in wanted)

            return measure

        def differentiate(trained: Arrays, state: Arrays, arrays: Arrays, clock: Array) -> tuple[Array, Arrays]:
            cost, _, gradients = gathered(judged, trained, state, arrays, clock, dtype, self.goes(n))
            return cost, {name: filters_first(g) for name, g in gradients.items()}

        return differentiate

    def _values(self, words: Graph) -> Callable[..., object]:
        def infer(trained: Arrays, state: Arrays, arrays: Arrays) -> tuple[Array, ...]:
            found = forward(words, {**trained, **state}, arrays, dtype=self.compute)
            return tuple(found.outputs[value].astype(self.dtype) for value in words.outputs)

        return infer

    def lower(self, what: str, n: int, thawed: int = 0, weighted: bool = False) -> jax.stages.Lowered:
        """The function for batches of n images, lowered; nothing is computed, no memory taken."""
        wide, everywhere = jnp.dtype(self.dtype), self.devices.everywhere
        graph = self.words if what in ("infer", "show") else self.weighted if weighted else self.judged
        assert graph is not None, "a network without a cost cannot be judged"
        given = [*graph.inputs, *(node.name for node in graph if isinstance(node.op, Target))]
        shapes = {name: (n, *graph.type(name).shape) for name in given}
        trained, state = (
            abstract({name: self.parameters.arrays[name].shape for name in part}, wide, everywhere)
            for part in self.apart(thawed if what in ("learn", "differentiate") else None)
        )
        arrays = abstract(shapes, wide, self.devices.batch(n))
        clock = jax.ShapeDtypeStruct((2,), jnp.uint32, sharding=everywhere)
        donated: tuple[int, ...] = ()
        arguments: tuple[object, ...] = (trained, state, arrays)
        if what == "learn":
            told = jax.ShapeDtypeStruct((len(self.numbers(1.0, thawed)),), wide, sharding=everywhere)
            arguments = (trained, state, dict.fromkeys(self.moments, trained), arrays, clock, told)
            donated = (0, 1, 2)
        elif what == "differentiate":
            arguments = (*arguments, clock)
        # float32 means float32 here: no silent TF32 on GPUs, no bfloat16 on TPUs
        exact = "highest" if self.compute.itemsize >= 4 else None
        with jax.default_matmul_precision(exact):
            jitted = jax.jit(
                self.function(what, n, thawed, weighted), donate_argnums=donated, out_shardings=everywhere
            )
            return jitted.lower(*arguments)

    def numbers(self, rate: float, thawed: int) -> list[float]:
        """What the updates of the groups that learn read at this step."""
        return numbers(self.learning(thawed), self.clock[1:].tolist(), rate, self.tuning.ema)

    def executable(self, what: str, n: int, thawed: int = 0, weighted: bool = False) -> jax.stages.Compiled:
        if self.forked:
            raise SpecError((Diagnostic.of("CNN317"),))
        key = what, n, thawed, weighted
        found = self.compiled.get(key)
        if found is None:
            found = self.compiled[key] = self.lower(*key).compile()
        return found

    def plan(self, mode: str, n: int, *, epoch: int = 0) -> Lowered:
        """What XLA is given for a batch of n images, in the modes of the other engine."""
        lowered = self.lower(LEARNING.get(mode, mode), n, self.tuning.thawed(epoch), mode == "weighted")
        return Lowered(lowered)

    def memory(self, n: int, mode: str = "train") -> dict[str, int]:
        """Bytes that a step on n images holds on each device, as XLA tells after compiling, before any is taken."""
        with told():
            last = len(self.tuning.thaws) if mode in LEARNING else 0  # when most is differentiated
            known = self.executable(LEARNING.get(mode, mode), n, last, mode == "weighted").memory_analysis()
        assert known is not None, "XLA tells this on every platform that we know"
        held = nbytes(self.parameters.arrays)
        moments = sum(nbytes(moment.arrays) for moment in self.moments.values())
        given = max(0, known.argument_size_in_bytes - held - moments)
        return {"arena": known.temp_size_in_bytes, "parameters": held, "moments": moments, "batch": given}

    # ---- running -----------------------------------------------------------------------------------

    def _put(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Array]:
        return {name: self.devices.put(a, self.devices.batch(len(a))) for name, a in arrays.items()}

    @told()
    def hold(self, arrays: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """A batch that lies on the devices already, or comes there meanwhile; to be read, not written."""
        return cast(Mapping[str, np.ndarray], self._put(arrays))

    def _small(self, values: Sequence[float] | np.ndarray, dtype: DTypeLike) -> Array:
        return self.devices.put(np.asarray(values, dtype), self.devices.everywhere)

    def _run(self, what: str, arrays: Mapping[str, np.ndarray], *more: Array, thawed: int | None = None) -> Any:
        n = len(next(iter(arrays.values())))
        held = self.parameters if thawed is None else self._stepped
        trained, state = (held.part(part) for part in self.apart(thawed))
        return self.executable(what, n, thawed or 0, WEIGHTS in arrays)(trained, state, self._put(arrays), *more)

    def learn(self, arrays: Mapping[str, np.ndarray], rate: float, epoch: int = 0) -> tuple[float, tuple[int, int]]:
        """One step on a batch (inputs and targets by name); the mean cost before it, and how many were correct.

        `epoch` is how many are done, which decides what is frozen.
        """
        return self.start(arrays, rate, epoch)()

    @told()
    def start(self, arrays: Mapping[str, np.ndarray], rate: float, epoch: int = 0) -> Learned:
        """Begin such a step; what is returned waits for its cost. Steps run in the order of their beginning.

        Until then the batch stays as it is: JAX reads a processor's arrays where they lie.
        """
        with self.turn:
            thawed = self.tuning.thawed(epoch)
            step = self.executable("learn", len(next(iter(arrays.values()))), thawed, WEIGHTS in arrays)
            learning, others = self.apart(thawed)
            moments = {moment: held.part(learning) for moment, held in self.moments.items()}
            trained, state = self.parameters.part(learning), self.parameters.part(others)
            self.changes()
            before = self.clock.copy()
            try:
                self.clock[1 : 2 + thawed] += 1
                scalars = self._small(self.numbers(rate, thawed), self.dtype)
                trained, state, moments, cost, correct = step(
                    trained, state, moments, self._put(arrays), self._small(self.clock[:2], np.uint32), scalars
                )
            except BaseException:
                self.clock[:] = before
                raise
            self.parameters.arrays.update(trained)
            self.parameters.arrays.update(state)
            for moment, held in self.moments.items():
                held.arrays.update(moments[moment])

        @told()
        def learned() -> tuple[float, tuple[int, int]]:
            by_class, by_label = np.asarray(correct).tolist()
            return float(cost), (by_class, by_label)

        return learned

    @told()
    def measure(self, arrays: Mapping[str, np.ndarray]) -> tuple[float, tuple[int, int]]:
        """Mean cost and numbers of correct answers (by class, by label), as the network is after training."""
        with self.turn:
            cost, correct = self._run("measure", arrays)
            return float(cost), tuple(np.asarray(correct).tolist())

    @told()
    def judge(self, arrays: Mapping[str, np.ndarray]) -> tuple[float, tuple[int, int], tuple[np.ndarray, ...]]:
        """The same, and the outputs."""
        with self.turn:
            cost, correct, *outputs = self._run("judge", arrays)
            return float(cost), tuple(np.asarray(correct).tolist()), tuple(np.array(one) for one in outputs)

    @told()
    def differentiate(
        self, arrays: Mapping[str, np.ndarray], epoch: int = 0
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The mean cost of a batch and its gradient with respect to what learns by then; nothing is changed."""
        with self.turn:
            thawed = self.tuning.thawed(epoch)
            clock = self._small(self.clock[:2], np.uint32)
            cost, gradients = self._run("differentiate", arrays, clock, thawed=thawed)
            return float(cost), {name: np.array(g) for name, g in gradients.items()}

    @property
    def _stepped(self) -> Held:
        """All parameters as steps move them: where an average is used, not that."""
        found = Held({**self.trained, **self.state}, self.devices, self.dtype)
        found.arrays = {**self.parameters.arrays, **(self.parameters.also.arrays if self.parameters.also else {})}
        return found

    @told()
    def forward(
        self, arrays: Mapping[str, np.ndarray], mode: str = "infer", out: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, ...]:
        """The outputs (or, with mode `show`, every word's value) in order, for a batch; into `out` if given."""
        with self.turn:
            found = tuple(np.array(values) for values in self._run(mode, arrays))
        for values, to in zip(found, out or (), strict=False):
            to[...] = values
        return found

    def moment_views(self) -> dict[str, Held]:
        """The optimiser's arrays by name, seen like the parameters; here they are kept so."""
        return self.moments

    @property
    def described(self) -> str:
        """What it runs on, and how far its bits can be trusted."""
        precision = "" if self.compute == self.dtype else f" in {self.compute}"
        return f"{self.devices}{precision}, the same bits on the same devices, on others to a tolerance"

    @property
    def steps(self) -> int:
        return int(self.clock[1])

    @steps.setter
    def steps(self, count: int) -> None:
        self.clock[1] = count

    def close(self) -> None:
        """Give the compiled functions back."""
        self.compiled.clear()
