"""The interface of loggers, and the known ones by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, runtime_checkable

from ...diagnostics import Diagnostic, SpecError

Setting = str | int | float | bool
KNOWN = {  # name: the class, and what installs its package
    "tensorboard": ("TensorBoard", 'pip install "cnnspec[tensorboard]"'),
    "mlflow": ("MLflow", "pip install mlflow"),
    "wandb": ("WeightsAndBiases", "pip install wandb"),
}


@dataclass(frozen=True)
class Begun:
    """A run that begins to be logged: its folder, and its settings by dotted names, `train.optimiser.lr`."""

    folder: Path
    settings: Mapping[str, Setting]

    @property
    def name(self) -> str:
        return self.folder.name


@runtime_checkable
class Logger(Protocol):
    """Hears of a run: once that it begins, then figures at steps, which grow, and once how it ended."""

    def begin(self, run: Begun) -> None: ...

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Finite figures, named as the columns of results.csv; `step_cost` is a mean over the last steps."""

    def end(self, status: str, figures: Mapping[str, float]) -> None:
        """`finished`, `interrupted` or `failed`, and what was tested: test_accuracy, test_cost, test.f1."""


def loggers_of(asked: Iterable[str | Logger]) -> tuple[Logger, ...]:
    """Loggers by their names, or as they are given.

    Raises SpecError where the package of one is not installed, ValueError for what is no logger.
    """
    if isinstance(asked, str):
        raise ValueError(f'log is a sequence of loggers, such as ["tensorboard"]; got {asked!r:.60}')
    found: list[Logger] = []
    for one in asked:
        if not isinstance(one, str):
            if not isinstance(one, Logger):
                raise ValueError(f"a logger has the methods begin, log and end; got {one!r:.60}")
            found.append(one)
            continue
        if one not in KNOWN:
            raise ValueError(f"a logger is {', '.join(KNOWN)}, or an object of yours; got {one!r:.60}")
        name, install = KNOWN[one]
        try:
            made = getattr(import_module(f".{one}", __package__), name)()
        except ImportError as error:
            raise SpecError((Diagnostic.of("CNN527", logger=one, reason=error, install=install),)) from None
        assert isinstance(made, Logger)
        found.append(made)
    return tuple(found)
