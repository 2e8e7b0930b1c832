"""What a caller gives as the correct answers: what the costs compare with, and what counts as correct.

The answers of one output have one of three kinds, by their form and, where that leaves it open, by what they say:

    classes   whole numbers, one for each image (or each pixel), or rows with a single 1 and zeros
    labels    yes or no for each of several labels, and for a single output that is a probability
    numbers   anything else, such as heights, or shares of several classes

`ACCURACY` says what is counted of each. The kind is that of all answers that are counted together, never of the
batch that they come in, so an accuracy depends on no batch size.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from ..data.changes import Mixed
from ..data.dataset import Labels, Numbers, Stored
from ..diagnostics import Fault
from ..ir import Graph
from ..words.costs import PROBABILITIES, Cost, of_classes

ACCURACY: tuple[tuple[str, str, str], ...] = (
    ("N outputs, any cost", "a class, or rows with a single 1", "images whose class has the largest output"),
    ("N outputs for each pixel, any cost", "a class for each pixel", "pixels whose class has the largest output"),
    ("one sigmoid", "0 or 1", "images whose output is on the answer's side of 0.5"),
    ("N sigmoids, `binary_cross_entropy`", "rows of 0 and 1", "labels whose output is on the answer's side of 0.5"),
    ("anything else", "numbers", "nothing: numbers have no accuracy"),
)  # of equal outputs the first is the largest; an output of exactly 0.5 says no

CLASSES, LABELS, NUMBERS = range(3)  # the first two are places among the counts of a plan
SLACK = 1e-3  # shares that were stored in few bits add up to one all the same


class CanonicalTargets(NamedTuple):
    """Answers whose kind is known: class numbers (n, ...), or rows (n, c, ...)."""

    values: np.ndarray
    kind: int


class Answers:
    """The answers of one output; every step of a training comes by, so its sizes are looked up once.

    `probable` where a single output is a probability, for any cost; `refused` is what is wrong with its cost
    where its answers are numbers of classes, `implied` where the spec states no cost.
    """

    def __init__(self, graph: Graph, value: str, cost: Cost, dtype: str, implied: bool = False) -> None:
        self.kind, self.cost, self.dtype, self.name = graph.type(value), cost.word, np.dtype(dtype), f"`{value}`"
        self.probable = cost.word == "binary_cross_entropy" or graph.behind(value).op.word in PROBABILITIES
        self.shape, self.places, self.classes = self.kind.shape, self.kind.spatial, self.kind["c"]
        self.refused = of_classes(
            cost, implied, graph.behind(value).op.word, self.classes, f"{self.classes} classes"
        )
        pixels = prod(self.places)
        self.parts = (pixels, pixels * self.classes)  # of an image, that may be correct or wrong
        self.each = np.arange(self.classes).reshape(-1, *(1,) * len(self.places))

    def canonical(self, y: np.ndarray | Mixed) -> CanonicalTargets:
        """Answers of any allowed form in their settled one; all that are counted together, at once.

        Class numbers (n,), or (n, h, w) for an output of pixels; rows of the output's own shape; for an output of
        one pixel also without its sides, and for a single output (n,). Raises Fault where none fits, or where the
        cost cannot judge such numbers; that every class is there is seen when targets are made, or by `ensure`.
        """
        if isinstance(y, Mixed):
            return self._mixed(y)
        if y.dtype.kind == "i" and y.shape[1:] == self.places and self.classes > 1:
            return CanonicalTargets(y, CLASSES)  # what nearly every step comes with
        if y.dtype.kind not in "biuf":
            if y.dtype.kind in "US" or (y.dtype.kind == "O" and isinstance(y.flat[0] if y.size else 0, str)):
                raise Fault.of("CNN410", case="texts")
            raise Fault.of("CNN410", case="type", type=y.dtype)
        if y.shape[1:] == (1,) and not self.places and self.classes > 1:
            y = y[:, 0]  # a column of classes
        if self.parts[0] == 1 and y.shape[1:] in ((), (self.classes,)):
            y = y.reshape(len(y), *y.shape[1:], *self.places)
        if y.shape[1:] == self.places:
            return self._rows(y[:, None]) if self.classes == 1 else CanonicalTargets(self._numbered(y), CLASSES)
        if y.shape[1:] == self.shape:
            return self._rows(y)
        raise Fault.of(
            "CNN410",
            case="shape",
            shape=y.shape,
            output=self.name,
            gives=self.kind,
            places=_sizes(self.places),
            sizes=_sizes(self.shape),
        )

    def _mixed(self, y: Mixed) -> CanonicalTargets:
        """Answers of mixed images as numbers: shares of classes, or the numbers between."""
        own, other = (self.targets(self.canonical(part)) for part in (y.y, y.other))
        weight = y.weight.astype(self.dtype).reshape(-1, *(1,) * (own.ndim - 1))
        return CanonicalTargets(own * weight + other * (1 - weight), NUMBERS)

    def targets(self, canonical_targets: CanonicalTargets) -> np.ndarray:
        """Settled answers as (n, c, ...), one number for each of the output's; classes become one-hot."""
        values = canonical_targets.values
        if canonical_targets.kind == CLASSES:
            hot = values[:, None] == self.each
            if np.count_nonzero(hot) != values.size:
                self.ensure(canonical_targets)
            return hot.astype(self.dtype)
        return np.ascontiguousarray(values, self.dtype)

    def numbered(self, y: np.ndarray | Stored | Mixed) -> bool:
        """Whether settled answers of this shape were given as the numbers of classes."""
        return self.classes > 1 and y.shape[1:] in ((), self.places)

    def correct(self, counts: tuple[int, int], kind: int) -> float | None:
        """How many images were correct, in parts where they have some; None where answers are numbers."""
        if kind == NUMBERS:
            return None
        return counts[kind] / self.parts[kind] if self.parts[kind] > 1 else counts[kind]

    def ensure(self, canonical_targets: CanonicalTargets) -> None:
        """Raise Fault where a class is not there."""
        y = canonical_targets.values
        if canonical_targets.kind == CLASSES and y.size and not 0 <= y.min() <= y.max() < self.classes:
            bad = int(y.min()) if y.min() < 0 else int(y.max())
            case = "from one" if y.min() == 1 and y.max() == self.classes else "outside"
            raise Fault.of("CNN410", case=case, number=bad, classes=self.classes, output=self.name)

    def _numbered(self, y: np.ndarray) -> np.ndarray:
        """Class numbers as whole numbers."""
        if y.dtype.kind == "f" and not np.array_equal(y, np.floor(y)):
            raise Fault.of("CNN410", case="whole", shape=y.shape, classes=self.classes)
        return y.astype(np.int64, copy=False)

    def _rows(self, y: np.ndarray) -> CanonicalTargets:
        """Rows of the output's shape, as classes where each holds a single 1."""
        if isinstance(y, Numbers):
            self._judged(y, decided=False)
            return CanonicalTargets(y, NUMBERS)
        decided = _decided(y[:1]) and _decided(y)  # one row tells most numbers from answers of 0 and 1
        single = decided and self.classes > 1 and bool((np.add.reduce(y, axis=1, dtype=np.int64) == 1).all())
        if single and not isinstance(y, Labels):
            return CanonicalTargets(y.argmax(axis=1), CLASSES)
        if not single:
            self._judged(y, decided)
        if self.classes == 1:
            return CanonicalTargets(y, LABELS if decided and self.probable else NUMBERS)
        return CanonicalTargets(y, LABELS if decided and self.cost == "binary_cross_entropy" else NUMBERS)

    def _judged(self, y: np.ndarray, decided: bool) -> None:
        """Refuse rows that the cost is not defined for."""
        if self.cost == "binary_cross_entropy" and not decided:
            wrong = (y < 0) | (y > 1)
        elif self.cost == "cross_entropy":
            wrong = (y < 0) | (abs(y.sum(axis=1, keepdims=True, dtype=np.float64) - 1) > SLACK)
        elif self.cost == "hinge":
            wrong = np.ones(y.shape, bool)
        else:
            return
        if wrong.any():
            at = int(np.flatnonzero(wrong.reshape(len(y), -1).any(axis=1))[0])
            raise Fault.of("CNN410", case=self.cost, number=at, output=self.name, target=_shown(y[at]))


def as_array(canonical_targets: CanonicalTargets) -> np.ndarray:
    """Settled answers as an array whose parts are of the same kind as the whole."""
    values = canonical_targets.values
    return values.view(Labels) if canonical_targets.kind == LABELS and values.shape[1] > 1 else values


def _decided(y: np.ndarray) -> bool:
    return y.dtype.kind == "b" or bool(((y == 0) | (y == 1)).all())


def _sizes(shape: tuple[int, ...]) -> str:
    return "".join(f", {size}" for size in shape) or ","


def _shown(row: np.ndarray) -> str:
    """A row for a message, cut where it is long."""
    numbers = [f"{value:g}" for value in row.reshape(-1)[:6].tolist()]
    more = ", ..." if row.size > 6 else ""
    return numbers[0] if row.size == 1 else f"({', '.join(numbers)}{more})"
