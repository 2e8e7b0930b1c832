"""The search space of a sweep: settings and numbers of `let`, each with its alternatives and ranges.

train.optimiser=adam lr 1e-4..1e-2 log     a range: any number in it, spread by its logarithm
w=16,32,64                                 alternatives
train.optimiser=sgd lr 0.01..1 log, adam   alternatives with a range in one of them
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, log
from random import Random

from ..diagnostics import Diagnostic, Source, Span, SpecError

NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
RANGE = re.compile(rf"(?P<low>{NUMBER})\.\.(?P<high>{NUMBER})(?P<log>\s+log\b)?")
KEY = re.compile(r"\s*(?P<key>\w+|(?:train|data)\.\w+(?:\.\w+)?)\s*=(?P<value>.*)", re.DOTALL)
MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones where both bounds are written so."""

    low: float
    high: float
    log: bool
    whole: bool

    def at(self, fraction: float) -> float:
        """The number at `fraction` of the range, from 0 to 1."""
        low, high = self.low, self.high
        if self.log:
            return exp(log(low) + fraction * (log(high) - log(low)))
        return low + fraction * (high - low)

    def text(self, value: float) -> str:
        """A number of it as it is written into a setting."""
        value = min(max(value, self.low), self.high)
        return str(round(value)) if self.whole else f"{value:.4g}"


Part = str | Range


@dataclass(frozen=True)
class SearchAxis:
    """A setting, and the alternatives for it, each of texts and ranges."""

    key: str
    alternatives: tuple[tuple[Part, ...], ...]

    def written(self, choice: int, values: Sequence[float]) -> str:
        """The setting with an alternative whose ranges have these values."""
        found, left = "", iter(values)
        for part in self.alternatives[choice]:
            found += part if isinstance(part, str) else part.text(next(left))
        return f"{self.key}={found}"


def axis(text: str) -> SearchAxis:
    """The axis that `--set` names; CNN331 where it is none."""
    match = KEY.fullmatch(text)
    if match is None:
        raise refused(text, 0, len(text), "")
    alternatives = []
    for start, end in pieces(match["value"]):
        whole = match["value"][start:end]
        stripped = whole.strip()
        begun = match.start("value") + start + len(whole) - len(whole.lstrip())
        if not stripped:
            raise refused(text, begun, begun + 1, "empty")
        alternatives.append(tuple(parts(text, stripped, begun)))
    return SearchAxis(match["key"], tuple(alternatives))


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """Where the alternatives are, between commas that are not in quotes."""
    begun, quoted = 0, False
    for at, sign in enumerate(text):
        quoted ^= sign == '"'
        if sign == "," and not quoted:
            yield begun, at
            begun = at + 1
    yield begun, len(text)


def parts(text: str, alternative: str, begun: int) -> Iterator[Part]:
    """The texts and the ranges of an alternative."""
    at = 0
    for match in RANGE.finditer(alternative):
        low, high = float(match["low"]), float(match["high"])
        place = begun + match.start(), begun + match.end()
        if not low < high < float("inf"):
            raise refused(text, *place, "range")
        if match["log"] and low <= 0:
            raise refused(text, *place, "logarithm")
        yield alternative[at : match.start()]
        whole = match["low"].lstrip("+-").isdigit() and match["high"].lstrip("+-").isdigit()
        yield Range(low, high, bool(match["log"]), whole)
        at = match.end()
    yield alternative[at:]


def refused(text: str, start: int, end: int, case: str) -> SpecError:
    """A case of CNN331, at a place of what `--set` says."""
    return SpecError((Diagnostic.of("CNN331", Span(Source("--set", text), start, end), case),))


def grid(axes: Sequence[SearchAxis], points: int) -> list[tuple[str, ...]]:
    """Every combination, with `points` numbers of each range at equal steps; the last axis moves first."""
    columns = []
    for one in axes:
        column = []
        for choice, alternative in enumerate(one.alternatives):
            ranges = [part for part in alternative if isinstance(part, Range)]
            fractions = [k / max(1, points - 1) for k in range(points)]
            for values in product(*([r.at(fraction) for fraction in fractions] for r in ranges)):
                column.append(one.written(choice, values))
        columns.append(list(dict.fromkeys(column)))  # whole numbers close to one another are one
    count = 1
    for column in columns:
        count *= len(column)
    if count > MOST_TRIALS:
        trials, most = (f"{number:,}".replace(",", " ") for number in (count, MOST_TRIALS))
        raise SpecError((Diagnostic.of("CNN331", case="trials", trials=trials, most=most),))
    return list(product(*columns))


def drawn(axes: Sequence[SearchAxis], seed: int, trial: int) -> tuple[str, ...]:
    """The settings of a trial at random: a function of the seed and the trial's number alone."""
    random = Random(f"{seed}/{trial}")  # of texts Python promises the same numbers in every version
    found = []
    for one in axes:
        choice = random.randrange(len(one.alternatives))
        ranges = [part for part in one.alternatives[choice] if isinstance(part, Range)]
        found.append(one.written(choice, [r.at(random.random()) for r in ranges]))
    return tuple(found)
