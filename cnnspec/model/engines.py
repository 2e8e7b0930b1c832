"""The engines that a model may run on, and what it asks of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from ..diagnostics import Diagnostic, SpecError
from ..lang import Spec
from ..passes.methods import Times
from ..runtime.engine import Engine as NumpyEngine
from ..runtime.parameters import ChangeCounter
from ..runtime.turns import Lane, Turn

if TYPE_CHECKING:
    from ..jax.devices import Devices

ENGINES = ("numpy", "jax")
Arrays = Mapping[str, np.ndarray]
Counts = tuple[int, int]  # correct answers: by class, by label (`targets.py`)


class Plan(Protocol):
    @property
    def source(self) -> str: ...


class Engine(Protocol):
    """Runs a network: `plan.engine.Engine` on NumPy, `jax.engine.Engine` on JAX's devices."""

    clock: np.ndarray  # the seed, the steps taken, and those since each of `Tuning.thaws`
    name: str
    changes: ChangeCounter  # of the parameters, each counted within the turn of the thread that makes it
    scales: bool  # whether images may come as they are stored, `data.dataset.Stored`

    @property
    def devices(self) -> Devices | None:
        """Of JAX."""

    @property
    def turn(self) -> Turn[Lane]:
        """Of the thread that may change what the engine holds."""

    @property
    def described(self) -> str:
        """What it runs on, for people."""

    @property
    def parameters(self) -> MutableMapping[str, np.ndarray]: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, count: int) -> None: ...

    def learn(self, arrays: Arrays, rate: float, epoch: int = 0) -> tuple[float, Counts]: ...

    def measure(self, arrays: Arrays) -> tuple[float, Counts]: ...

    def judge(self, arrays: Arrays) -> tuple[float, Counts, tuple[np.ndarray, ...]]: ...

    def differentiate(self, arrays: Arrays, epoch: int = 0) -> tuple[float, Mapping[str, np.ndarray]]: ...

    def forward(
        self, arrays: Arrays, mode: str = "infer", out: Sequence[np.ndarray] | None = None
    ) -> tuple[np.ndarray, ...]: ...

    def plan(self, mode: str, n: int, *, epoch: int = 0) -> Plan: ...

    def memory(self, n: int, mode: str = "train") -> dict[str, int]: ...

    def moment_views(self) -> Mapping[str, MutableMapping[str, np.ndarray]]:
        """The optimiser's arrays by name, each seen like the parameters."""

    def close(self) -> None: ...


@runtime_checkable
class Concurrent(Protocol):
    """An engine whose steps run while this process does something else."""

    def start(self, arrays: Arrays, rate: float, epoch: int = 0) -> Callable[[], tuple[float, Counts]]:
        """Begin what `Engine.learn` does; the answer waits for its end."""

    def hold(self, arrays: Arrays) -> Arrays:
        """A batch where the steps on it look for it; it may be on its way yet."""


def begin(
    name: str,
    spec: Spec,
    *,
    seed: int,
    dtype: str,
    precision: str,
    shards: int,
    workers: int,
    parallel: str,
    devices: int | None,
    measured: Mapping[str, Times] | None = None,
) -> Engine:
    """The engine of a name, for a spec's network, costs and optimiser."""
    train = spec.train
    if name == "jax":
        need_jax()
        from ..jax.engine import Engine as JaxEngine

        return JaxEngine(
            spec.graph, train.cost, train.optimiser, seed=seed, dtype=dtype, precision=precision, devices=devices,
            tuning=spec.tuning,
        )  # fmt: skip
    if name not in ENGINES:
        raise ValueError(f"engine is {' or '.join(ENGINES)}, got {name!r}")
    if parallel not in ("processes", "threads"):
        raise ValueError(f"parallel is processes or threads, got {parallel!r}")
    if precision != "float32":
        raise SpecError((Diagnostic.of("CNN310", precision=precision),))
    return NumpyEngine(
        spec.graph,
        train.cost,
        train.optimiser,
        shards=shards,
        workers_wanted=workers,
        parallel=parallel,
        seed=seed,
        dtype=dtype,
        measured=measured,
        tuning=spec.tuning,
    )


def need_jax() -> None:
    """Refuse with words where JAX is not installed."""
    if find_spec("jax") is None:
        raise SpecError((Diagnostic.of("CNN311"),))
