"""Trials that Optuna proposes (extra `sweep`): its sampler TPE, asked round by round.

What was asked and told before is replayed, so that the proposals are a function of the seed, the scores, and how
many trials a round has; nothing of Optuna's is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ..diagnostics import Diagnostic, SpecError
from .space import Axis, Range


def proposed(
    axes: Sequence[Axis], seed: int, rounds: Sequence[range], direction: str, score: Callable[[int], float | None]
) -> list[tuple[str, ...]]:
    """The settings of all trials of these rounds; of those before the last the scores are told."""
    try:
        import optuna
    except ModuleNotFoundError:
        raise SpecError((Diagnostic.of("CNN334"),)) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))
    found: list[tuple[str, ...]] = []
    for numbers in rounds:
        asked = [study.ask() for _ in numbers]
        found += [settings(axes, one) for one in asked]
        if numbers is rounds[-1]:
            break
        for number, one in zip(numbers, asked, strict=True):
            value = score(number)
            if value is None:
                study.tell(one, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(one, value)
    return found


class Trial(Protocol):
    """What is asked of a trial of Optuna."""

    def suggest_categorical(self, name: str, choices: Sequence[int]) -> int: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...


def settings(axes: Sequence[Axis], trial: Trial) -> tuple[str, ...]:
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
