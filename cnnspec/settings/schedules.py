"""Schedules: the learning rate of every step, as a pure function of the step's number.

Steps are counted from 0 and know how many there will be, so a resumed training needs nothing but the
number of its step. `warmup` is told in epochs, of which parts are allowed: `cosine warmup 0.5`. Over those
W steps the rate climbs in equal steps, (step + 1) / (W + 1) of the rate that the schedule gives at their end.

As in PyTorch: `step` is StepLR, `multistep` MultiStepLR and `exponential` ExponentialLR, all moved once an
epoch, `cosine` is CosineAnnealingLR and `onecycle` OneCycleLR without its cycle of the momentum, both moved every
step; a warm-up of W steps is LinearLR(start_factor=1 / (W + 1), total_iters=W), through SequentialLR before
cosine and through ChainedScheduler with step, multistep and exponential, whose epochs count from the start of
the training.
"""

from __future__ import annotations

from math import cos, pi
from typing import ClassVar, TypeVar

from ..diagnostics import Fault
from ..ir.fields import Count, Counts, Declared, Number, setting, written
from ..record import record

T = TypeVar("T", float, None)


def _warmup(default: T, doc: str) -> T:
    return setting(Number(0, 1_000_000), default, doc)


def _rising() -> float:
    return _warmup(0.0, "epochs over which the rate rises to its first full value")


class Schedule(Declared):
    """The base of all schedules; see the module's text."""

    warmup: float | None

    def rate(self, step: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        """The learning rate of a step (counted from 0); after the last step it stays what it was there."""
        step = max(0, min(step, total_steps - 1))
        warm = round((self.warmup or 0) * steps_per_epoch)
        full = self.full(max(step, warm), warm, total_steps, steps_per_epoch, base)
        return full * (step + 1) / (warm + 1) if step < warm else full

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        """The rate of a step that is past the warm-up of `warm` steps."""
        raise AssertionError(f"{type(self).__name__} has no rate")

    def fits(self, epochs: float) -> None:
        """Raise a Fault where the warm-up would not end within the training."""
        if self.warmup and self.warmup >= epochs:
            raise Fault.of("CNN301", "warmup", warmup=self.warmup, epochs=epochs, tenth=epochs / 10)

    def written(self, explicit: bool = False) -> str:
        """The schedule as its author would write it."""
        return written(self, explicit)


@record
class Constant(Schedule):
    """The same rate at every step."""

    word: ClassVar[str] = "constant"
    warmup: float = _rising()

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        return base


@record
class Step(Schedule):
    """The rate times `gamma` every so many epochs."""

    word: ClassVar[str] = "step"
    every: int = setting(Count(), 10, "epochs from one fall of the rate to the next")
    gamma: float = setting(Number(0, 1, open_low=True), 0.1, "the factor at each fall")
    warmup: float = _rising()

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        return base * self.gamma ** (step // steps_per_epoch // self.every)


@record
class MultiStep(Schedule):
    """The rate times `gamma` after each of some epochs (He et al. 2015: `at 30, 60, 90`)."""

    word: ClassVar[str] = "multistep"
    aliases: ClassVar[tuple[str, ...]] = ("multisteplr", "piecewise_constant")
    at: tuple[int, ...] = setting(Counts(), (30, 60, 90), "how many epochs are done when the rate falls")
    gamma: float = setting(Number(0, 1, open_low=True), 0.1, "the factor at each fall")
    warmup: float = _rising()

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        return base * self.gamma ** sum(step // steps_per_epoch >= epoch for epoch in self.at)


@record
class Exponential(Schedule):
    """The rate times `gamma` every epoch."""

    word: ClassVar[str] = "exponential"
    gamma: float = setting(Number(0, 1, open_low=True), 0.95, "the factor of an epoch")
    warmup: float = _rising()

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        return base * self.gamma ** (step // steps_per_epoch)


@record
class Cosine(Schedule):
    """Half a wave of a cosine from the full rate down to `final` (Loshchilov and Hutter 2017)."""

    word: ClassVar[str] = "cosine"
    final: float = setting(Number(0), 0.0, "the rate that it falls to, one step after the last")
    warmup: float = _rising()

    def full(self, step: int, warm: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        return _wave(base, self.final, (step - warm) / max(1, total_steps - warm))


@record
class OneCycle(Schedule):
    """Up from lr / `start` to lr and down to lr / `start` / `end`, in two half waves (Smith and Topin 2018).

    Its warm-up is the way up; it takes 30 % of the training unless told otherwise.
    """

    word: ClassVar[str] = "onecycle"
    start: float = setting(Number(1), 25.0, "how many times smaller than lr the first rate is")
    end: float = setting(Number(1), 1e4, "how many times smaller than the first rate the last one is")
    warmup: float | None = _warmup(None, "epochs over which the rate rises; without, 30 % of the training")

    def rate(self, step: int, total_steps: int, steps_per_epoch: int, base: float) -> float:
        rising = 0.3 * total_steps if self.warmup is None else self.warmup * steps_per_epoch
        top, last, first = max(0.0, rising - 1), total_steps - 1, base / self.start
        step = max(0, min(step, last))
        if step < top:
            return _wave(first, base, step / top)
        return _wave(base, first / self.end, (step - top) / (last - top) if last > top else 0.0)


def _wave(start: float, end: float, way: float) -> float:
    """From start to end along half a cosine wave; `way` from 0 to 1."""
    return end + (start - end) * (1 + cos(pi * min(way, 1.0))) / 2


SCHEDULES: tuple[type[Schedule], ...] = (Constant, Step, MultiStep, Exponential, Cosine, OneCycle)
