"""The learning-rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017).

A fresh network takes steps whose rate grows from `low` to `high` by the same factor each; the cost falls, is
lowest, and then bursts. A rate somewhat below that of the lowest cost is a good one to begin with.

    steps k = 0 ... n - 1:  rate(k) = low * (high / low) ** (k / (n - 1))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import isfinite

from ..capacity import ensure_fits
from ..data.dataset import Given
from ..diagnostics import Diagnostic, SpecError
from ..model.model import Model
from ..validation import Json
from .session import Session

SMOOTHING = 0.9  # of the smoothed cost from one step to the next
BURST = 4.0  # times the lowest cost: it will not come down again
BELOW = 10.0  # the proposal is the rate of the lowest cost divided by this
LEAST = 10  # steps; fewer are no curve


@dataclass(frozen=True)
class RangeTest:
    """Rate and cost of each step that was taken, and the cost smoothed; `whole` where no step burst it."""

    rates: tuple[float, ...]
    costs: tuple[float, ...]
    smooth: tuple[float, ...]
    whole: bool

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed cost was lowest."""
        return self.rates[self.smooth.index(min(self.smooth))]

    @property
    def proposal(self) -> float | None:
        """A tenth of that, with two digits; None where the cost only rose."""
        if len(self.smooth) < 2 or min(self.smooth) >= self.smooth[0]:
            return None
        return float(f"{self.lowest / BELOW:.1e}")

    def as_json(self) -> dict[str, Json]:
        return {
            "rates": list(self.rates),
            "costs": list(self.costs),
            "smooth": list(self.smooth),
            "lowest": self.lowest,
            "proposal": self.proposal,
        }


def range_test(session: Session, model: Model, low: float, high: float, steps: int) -> RangeTest:
    """Take the steps; the model is of no use afterwards. SpecError where there are no images or the first cost is
    no number.
    """
    if not 0 < low < high < float("inf"):
        raise ValueError(f"rates grow from above 0: got {low:g} to {high:g}")
    if steps < LEAST:
        raise ValueError(f"a range test takes {LEAST} steps at least, got {steps}")
    train = session.spec.train
    ensure_fits(lambda n: sum(model.engine.memory(n).values()), train.batch)
    rates: list[float] = []
    costs: list[float] = []
    smooth: list[float] = []
    mean = 0.0
    for k, (x, y) in zip(range(steps), _batches(session, model), strict=False):
        model.rate = low * (high / low) ** (k / (steps - 1))
        cost, _ = model.learn(x, y)  # before the step: the result of the rates so far
        if not isfinite(cost):
            break
        mean = SMOOTHING * mean + (1 - SMOOTHING) * cost
        rates.append(model.rate)
        costs.append(cost)
        smooth.append(mean / (1 - SMOOTHING ** (k + 1)))
        if k >= LEAST and smooth[-1] > BURST * min(smooth):
            break
    if not rates:
        raise SpecError((Diagnostic.of("CNN330", case="no number"),))
    return RangeTest(tuple(rates), tuple(costs), tuple(smooth), whole=len(rates) == steps)


def _batches(session: Session, model: Model) -> Iterator[tuple[Given, Given]]:
    """The batches of one epoch after the other, as a training has them."""
    train, data, images = session.spec.train, session.spec.data, session.data.train
    if not len(images):
        raise SpecError((Diagnostic.of("CNN303"),))
    for epoch in count():
        yield from images.batches(
            train.batch,
            seed=train.seed,
            epoch=epoch,
            shuffle=data.shuffle,
            augment=data.augment,
            stored=model.scales,
            dtype=model.dtype,
        )
