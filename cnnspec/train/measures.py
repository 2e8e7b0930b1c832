"""Measures by the kind of answers: classes, labels, numbers, masks.

A counter takes batches of answers and outputs and keeps counts or sums of them, so that a measure is that of all
images however they were batched. What is not defined (a recall of a class that never occurs) is None and left out
of a mean. Shares go from 0 to 1.

    accuracy            of the images, pixels or labels: correct ones
    top5                images whose class is among the five largest outputs; of more than five classes
    precision, recall   TP / (TP + FP), TP / (TP + FN); a class that occurs and is never answered has precision 0
    f1                  2 TP / (2 TP + FP + FN)
    auc                 of two classes: the area under the ROC curve, the chance that an image of the second class
                        is given more than one of the first, ties a half (Mann and Whitney 1947); of pixels, which
                        are too many to be put in order, by their log-odds as float16 tells them apart
    iou                 of masks: TP / (TP + FP + FN)
    mae, rmse           mean of |o - y|, root of the mean of (o - y)², over all numbers
    r2                  1 - Σ (o - y)² / Σ (y - mean of y)², the mean of each output its own

Precision, recall, F1 and IoU of a whole are the plain means over the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict, cast

import numpy as np

from ..settings.measures import TOP

MOST_CONFUSED = 1_000  # classes whose confusion is counted: a million pairs
MOST_WRITTEN = 200  # classes whose confusion is written into documents: 40,000 counts


class Measured(TypedDict, total=False):
    """Measures as documents have them: each by its name, and these (`test` in grammar/summary.schema.json)."""

    classes: list[dict[str, str | float | None]]
    confusion: list[list[int]]
    outputs: list[dict[str, float | None]]


@dataclass(frozen=True)
class Each:
    """A class, or a label; `count` answers are of it."""

    count: int
    precision: float | None
    recall: float | None
    f1: float | None
    iou: float | None = None


class Error(NamedTuple):
    """One output of numbers."""

    mae: float
    rmse: float
    r2: float | None


@dataclass(frozen=True)
class Measures:
    """The measures over some images.

    values     by name, those that there are; None where one is not defined
    each       of each class or label, in their order
    confusion  [k, k] counts of images or pixels: a row for what is, a column for what was answered; None where
               there are too many classes
    errors     of each output, of numbers
    """

    values: dict[str, float | None]
    each: tuple[Each, ...] = ()
    confusion: tuple[tuple[int, ...], ...] | None = None
    errors: tuple[Error, ...] = ()

    def __getitem__(self, name: str) -> float | None:
        return self.values.get(name)

    def to_json(self, classes: Sequence[str] | None = None) -> Measured:
        """As documents have it: values by name, classes with their names, and of few classes the confusion."""
        told = cast(Measured, dict(self.values))
        if 0 < len(self.each) <= MOST_CONFUSED:
            names = classes if classes and len(classes) == len(self.each) else range(len(self.each))
            told["classes"] = [
                {"name": str(name), **{k: v for k, v in vars(each).items() if k != "iou" or "iou" in told}}
                for name, each in zip(names, self.each, strict=True)
            ]
        if self.confusion is not None and len(self.confusion) <= MOST_WRITTEN:
            told["confusion"] = [list(row) for row in self.confusion]
        if len(self.errors) > 1:
            told["outputs"] = [error._asdict() for error in self.errors]
        return told


class Confusion:
    """Counts answers by class, of images or (where `masks`) of pixels."""

    def __init__(self, classes: int, masks: bool) -> None:
        self.classes, self.masks = classes, masks
        self.both, self.said, self.true = (np.zeros(classes, np.int64) for _ in range(3))
        self.counts = np.zeros((classes, classes), np.int64) if classes <= MOST_CONFUSED else None
        self.in_top = 0
        self.given: list[np.ndarray] = []  # of two classes: what each image is given for the second,
        self.second: list[np.ndarray] = []  # and whether it is of that one
        self.pixels = RocCurve()

    def add(self, y: np.ndarray, outputs: np.ndarray) -> None:
        """Class numbers (n, ...) and outputs (n, k, ...); (n, 1, ...) for the probability of the second class."""
        classes, single = self.classes, outputs.shape[1] == 1
        y = y.astype(np.int64, copy=False)
        # of equal outputs the first is the largest, and exactly 0.5 says no
        said = (outputs[:, 0] > 0.5).astype(np.int64) if single else outputs.argmax(axis=1)
        y, said = y.reshape(-1), said.reshape(-1)
        for counts, numbers in ((self.both, y[y == said]), (self.said, said), (self.true, y)):
            counts += np.bincount(numbers, minlength=classes)
        if self.counts is not None:
            self.counts += np.bincount(y * classes + said, minlength=classes * classes).reshape(classes, classes)
        if self.masks:
            if classes == 2:
                self.pixels.add(_log_odds(np.moveaxis(outputs, 1, 0).reshape(outputs.shape[1], -1)), y == 1)
            return
        values, truth = outputs.reshape(len(outputs), -1), y
        if classes > TOP:
            own = values[np.arange(len(truth)), truth][:, None]
            before = np.arange(classes) < truth[:, None]
            self.in_top += int((((values > own) | ((values == own) & before)).sum(axis=1) < TOP).sum())
        if classes == 2:
            wide = values.astype(np.float64)
            self.given.append(wide[:, 0] if single else wide[:, 1] - wide[:, 0])
            self.second.append(truth == 1)

    def measures(self) -> Measures:
        total, correct = int(self.true.sum()), int(self.both.sum())
        rows = zip(self.both.tolist(), self.said.tolist(), self.true.tolist(), strict=True)
        each = tuple(_each(both, said, true, self.masks) for both, said, true in rows)
        values: dict[str, float | None] = {"accuracy": correct / total if total else None}
        if not self.masks and self.classes > TOP:
            values["top5"] = self.in_top / total if total else None
        values |= _means(each, self.masks)
        if self.given:
            values["auc"] = area(np.concatenate(self.given), np.concatenate(self.second))
        elif self.masks and self.classes == 2:
            values["auc"] = self.pixels.area()
        return Measures(values, each, None if self.counts is None else tuple(map(tuple, self.counts.tolist())))


class LabelCounts:
    """Counts answers of yes and no, several for each image: a class may be there or not."""

    def __init__(self, labels: int, masks: bool) -> None:
        self.both, self.said, self.true = (np.zeros(labels, np.int64) for _ in range(3))
        self.correct = self.total = 0
        self.masks = masks

    def add(self, y: np.ndarray, outputs: np.ndarray) -> None:
        """Answers and outputs (n, k, ...), above 0.5 for yes."""
        truth, said = y > 0.5, outputs > 0.5
        over = (0, *range(2, outputs.ndim))
        self.both += (truth & said).sum(axis=over)
        self.said += said.sum(axis=over)
        self.true += truth.sum(axis=over)
        self.correct += int((truth == said).sum())
        self.total += truth.size

    def measures(self) -> Measures:
        rows = zip(self.both.tolist(), self.said.tolist(), self.true.tolist(), strict=True)
        each = tuple(_each(both, said, true, self.masks) for both, said, true in rows)
        accuracy = self.correct / self.total if self.total else None
        return Measures({"accuracy": accuracy, **_means(each, self.masks)}, each)


class Errors:
    """Sums the errors of numbers, output by output, in float64."""

    def __init__(self, outputs: int) -> None:
        self.count = 0  # numbers of each output
        self.absolute, self.squared, self.mean, self.deviation = (np.zeros(outputs) for _ in range(4))

    def add(self, y: np.ndarray, outputs: np.ndarray) -> None:
        """Answers and outputs (n, k, ...)."""
        columns = [np.moveaxis(a.astype(np.float64), 1, 0).reshape(a.shape[1], -1) for a in (y, outputs)]
        truth, error = columns[0], columns[1] - columns[0]
        self.absolute += np.abs(error).sum(axis=1)
        self.squared += np.square(error).sum(axis=1)
        # two sums of squares about their means become one about the common mean (Chan, Golub, LeVeque 1979)
        count, mean = truth.shape[1], truth.mean(axis=1)
        apart, both = mean - self.mean, self.count + count
        self.deviation += np.square(truth - mean[:, None]).sum(axis=1) + apart**2 * (self.count * count / both)
        self.mean += apart * (count / both)
        self.count = both

    def measures(self) -> Measures:
        count = self.count
        rows = zip(self.absolute.tolist(), self.squared.tolist(), self.deviation.tolist(), strict=True)
        errors = tuple(Error(a / count, (s / count) ** 0.5, 1 - s / d if d else None) for a, s, d in rows)
        deviation, squared = float(self.deviation.sum()), float(self.squared.sum())
        numbers = count * len(errors)
        values: dict[str, float | None] = {
            "mae": float(self.absolute.sum()) / numbers,
            "rmse": (squared / numbers) ** 0.5,
            "r2": 1 - squared / deviation if deviation else None,
        }
        return Measures(values, errors=errors)


def area(given: np.ndarray, second: np.ndarray) -> float | None:
    """The area under the ROC curve; None where only one class occurs, or something given is no number.

    The ranks of the images of the second class, their least possible sum taken away, over all pairs.
    """
    ours, pairs = int(second.sum()), int(second.sum()) * int((~second).sum())
    if not pairs or np.isnan(given).any():
        return None
    _, place, counts = np.unique(given, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks = ends - (counts - 1) / 2  # counted from 1; of equals the mean of theirs
    return float((ranks[place][second].sum() - ours * (ours + 1) / 2) / pairs)


class RocCurve:
    """The ROC curve of so many scores that they are counted: as often as each number of float16 occurs."""

    def __init__(self) -> None:
        self.counts = np.zeros((2, 1 << 16), np.int64)  # of the first class and of the second, scores ascending
        self.unknown = False

    def add(self, given: np.ndarray, second: np.ndarray) -> None:
        """Scores (n,), and whether each is of the second class."""
        self.unknown |= bool(np.isnan(given).any())
        with np.errstate(over="ignore"):  # what is beyond float16 is the last
            bits = (given + 0.0).astype(np.float16).view(np.uint16)  # -0 + 0 is 0
        place = np.where(bits >> 15, ~bits, bits | 0x8000)
        for which, counts in enumerate(self.counts):
            counts += np.bincount(place[second == which], minlength=counts.size)

    def area(self) -> float | None:
        """The area under it; None where only one class occurs, or something given is no number."""
        first, second = self.counts.astype(np.float64)
        pairs = first.sum() * second.sum()
        if not pairs or self.unknown:
            return None
        return float((second * (first.cumsum() - first / 2)).sum() / pairs)


def _log_odds(outputs: np.ndarray) -> np.ndarray:
    """How much more is given to the second class: outputs[2, n], or [1, n] of its probability -> [n].

    Of probabilities the difference of their logarithms; what is none is a logarithm already.
    """
    if len(outputs) == 1:
        outputs = np.stack([1 - outputs[0], outputs[0]])
    first, second = outputs
    if not ((outputs >= 0).all() and (np.abs(first + second - 1) < 1e-3).all()):
        return np.asarray(second - first)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(second) - np.log(first))


def _each(both: int, said: int, true: int, masks: bool) -> Each:
    """The measures of a class from how often it was correct, answered, and there."""
    union = said + true - both
    if not union:
        return Each(0, None, None, None)
    precision, recall = both / said if said else 0.0, both / true if true else 0.0
    return Each(true, precision, recall, 2 * both / (said + true), both / union if masks else None)


def _means(each: Sequence[Each], masks: bool) -> dict[str, float | None]:
    """The plain means over the classes that occur, in answers or in outputs."""
    names = ("precision", "recall", "f1", *(("iou",) if masks else ()))
    found = {name: [getattr(one, name) for one in each if getattr(one, name) is not None] for name in names}
    return {name: sum(values) / len(values) if values else None for name, values in found.items()}
