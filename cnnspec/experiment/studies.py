"""Optuna's samplers, one round at a time, and its pruners (extra `sweep`).

Nothing of Optuna's is stored. What was asked and told before is replayed, so that a proposal, and whether a trial
stops after an epoch, are functions of the seed, of what came of the trials of the rounds before, and of the epochs
of the trial itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..diagnostics import Diagnostic, SpecError
from .space import Range, SearchAxis

if TYPE_CHECKING:
    from optuna import Study

SAMPLERS = {
    "tpe": "TPESampler", "cmaes": "CmaEsSampler", "gp": "GPSampler", "nsgaii": "NSGAIISampler", "qmc": "QMCSampler",
}  # fmt: skip
PRUNERS = {"median": "MedianPruner", "halving": "SuccessiveHalvingPruner", "hyperband": "HyperbandPruner"}


@dataclass(frozen=True)
class Past:
    """A finished trial: the values of its epochs, and its score, or None if it failed."""

    epochs: tuple[float, ...]
    score: float | None
    pruned: bool = False


@dataclass(frozen=True)
class Pruning:
    """Whether a trial is stopped before its last epoch.

    direction  `maximize` or `minimize` the values of epochs
    past       of the trials of the rounds before, in their order; the trial's own `number` counts from 0
    """

    pruner: str
    direction: str
    seed: int
    past: tuple[Past, ...]
    number: int

    def stops(self, values: Sequence[float], epochs: int) -> bool:
        """After epochs of these values, of so many that there are to be; never after the last."""
        if not values or len(values) >= epochs:
            return False
        with installed(f"the pruner {self.pruner}"):
            study = study_of(self.direction, "tpe", self.seed, self.pruner, epochs)
            for past in self.past:
                replay(study, study.ask(), past, told=True)
            trials = [study.ask() for _ in range(self.number - len(self.past) + 1)]
            stops = False
            for epoch, value in enumerate(values, 1):
                trials[-1].report(value, epoch)
                stops = trials[-1].should_prune()
            return stops


def proposed(
    axes: Sequence[SearchAxis],
    sampler: str,
    seed: int,
    rounds: Sequence[range],
    direction: str,
    past: Callable[[int], Past],
) -> list[tuple[str, ...]]:
    """The settings of all trials of these rounds; results of all but the last round are reported back."""
    with installed(f"the sampler {sampler}"):
        study = study_of(direction, sampler, seed)
        found: list[tuple[str, ...]] = []
        for numbers in rounds:
            asked = [study.ask() for _ in numbers]
            found += [settings(axes, one) for one in asked]
            if numbers is rounds[-1]:
                break
            for number, one in zip(numbers, asked, strict=True):
                replay(study, one, past(number))
        return found


def ensure_installed(sampler: str, pruner: str) -> None:
    """Refuse what wants a package that is not there."""
    if pruner:
        with installed(f"the pruner {pruner}"):
            study_of("maximize", "tpe", 0, pruner)
    if sampler in SAMPLERS:
        with installed(f"the sampler {sampler}"):
            study_of("maximize", sampler, 0)


def study_of(direction: str, sampler: str, seed: int, pruner: str = "", epochs: int = 1) -> Study:
    """A study of Optuna without trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    how = {"max_resource": epochs} if pruner == "hyperband" else {}
    return optuna.create_study(
        study_name="sweep",  # from which hyperband draws
        direction=direction,
        sampler=getattr(optuna.samplers, SAMPLERS[sampler])(seed=seed),
        pruner=getattr(optuna.pruners, PRUNERS[pruner])(**how) if pruner else None,
    )


def replay(study: Study, trial: Trial, past: Past, told: bool = False) -> None:
    """Tell a study what came of a trial; where it is `told` after each epoch, as its pruner was."""
    from optuna.trial import TrialState

    for epoch, value in enumerate(past.epochs, 1):
        trial.report(value, epoch)
        if told:
            trial.should_prune()  # which remembers who came how far
    if past.score is None or past.pruned:
        study.tell(trial, state=TrialState.PRUNED if past.pruned else TrialState.FAIL)
    else:
        study.tell(trial, past.score)


@contextmanager
def installed(what: str) -> Iterator[None]:
    """Tell of packages that are missing, and of nothing that Optuna warns of."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ImportError as error:
        raise SpecError((Diagnostic.of("CNN334", what=what, reason=error),)) from None


class Trial(Protocol):
    """The part of Optuna's trial that is used."""

    def suggest_categorical(self, name: str, choices: Sequence[int]) -> int: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool: ...


def settings(axes: Sequence[SearchAxis], trial: Trial) -> tuple[str, ...]:
    """The settings that a trial of Optuna proposes."""
    found = []
    for number, axis in enumerate(axes):
        choice = trial.suggest_categorical(f"{number}", list(range(len(axis.alternatives))))
        ranges = [part for part in axis.alternatives[choice] if isinstance(part, Range)]
        values = [
            trial.suggest_float(f"{number}.{choice}.{k}", one.low, one.high, log=one.log)
            for k, one in enumerate(ranges)
        ]
        found.append(axis.written(choice, values))
    return tuple(found)
