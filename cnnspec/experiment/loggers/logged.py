"""An observer that hands a training on to loggers.

A logger that fails is left, and the training goes on. A run that is resumed is logged anew from its first epoch on,
so that each log is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from ...quoting import line
from ...train.documents import Summary
from ...train.folder import RunFolder
from ...train.loop import EpochDone, Event, Started, StepDone
from ...validation import Json
from ..by_name import by_name
from .logger import Begun, Logger, Setting

EVERY = 100  # steps between two figures of the cost


class Logged:
    """Hears the events of a run in its folder.

    summary   what came of it, to be set by the caller when it has ended
    problems  a line for each logger that failed
    """

    def __init__(self, folder: RunFolder, loggers: Sequence[Logger]) -> None:
        self.folder, self.loggers = folder, list(loggers)
        self.summary: Summary | None = None
        self.problems: list[str] = []
        self.costs: list[float] = []
        self.begun = False

    def __enter__(self) -> Logged:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if self.begun:
            failed = "finished" if kind is None else "interrupted" if not issubclass(kind, Exception) else "failed"
            told: Mapping[str, object] = self.summary or {}
            tested = {name: told.get(name) for name in ("test_accuracy", "test_cost")}
            measures = told.get("test")
            measured = measures if isinstance(measures, Mapping) else {}
            tested |= {f"test.{name}": value for name, value in measured.items() if name != "accuracy"}
            self._each("end", str(told.get("status", failed)), figures(tested))

    def __call__(self, event: Event) -> None:
        if not self.loggers:
            return
        if isinstance(event, Started):
            self.begun = True
            self._each("begin", Begun(self.folder.path, settings(by_name(self.folder.settings()))))
            columns = self.folder.columns()
            for k, epoch in enumerate(columns.get("epoch", [])):
                row = {name: values[k] for name, values in columns.items()}
                self._each("log", figures(row), round((epoch or 0) * event.steps_per_epoch))
        elif isinstance(event, StepDone):
            self.costs.append(event.cost)
            if len(self.costs) == EVERY:
                self._each("log", {"step_cost": sum(self.costs) / EVERY}, event.step)
                self.costs.clear()
        elif isinstance(event, EpochDone):
            self._each("log", figures(vars(event.row)), event.step)

    def _each(self, method: str, *told: object) -> None:
        for logger in list(self.loggers):
            try:
                getattr(logger, method)(*told)
            except Exception as error:
                self.loggers.remove(logger)
                said = line(str(error).strip().split("\n")[0])
                self.problems.append(f"{type(logger).__name__}: {type(error).__name__}: {said:.200}")


def figures(values: Mapping[str, object]) -> dict[str, float]:
    """The finite numbers among some values."""
    numbers = {name: value for name, value in values.items() if isinstance(value, (int, float))}
    return {name: float(value) for name, value in numbers.items() if isfinite(value)}


def settings(values: Mapping[str, Json]) -> dict[str, Setting]:
    """Those that are said; one that is off is left out."""
    return {name: value for name, value in values.items() if isinstance(value, (str, int, float))}
