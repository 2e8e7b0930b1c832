"""What a source holds, checked: a reader's arrays become images and labels that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..diagnostics import Fault
from .dataset import Table
from .files import need

Pair = tuple[np.ndarray, np.ndarray]
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Found:
    """The arrays of a source, `test` where it has test images of its own.

    `classes` names the classes where the source knows them, or tells how many there are; `table` are the
    columns of a csv.
    """

    name: str
    train: Pair
    test: Pair | None = None
    classes: tuple[str, ...] | int | None = None
    table: Table | None = None

    def checked(self) -> Found:
        """The same with x of bytes or float32 and y of int64 or float32, or a Fault that says what is wrong."""
        if not self.test:
            x, y = _pair(self.name, *self.train)
            return Found(self.name, (x, y), None, _names(self.classes, ((self.name, y),)), self.table)
        parts = [f"{self.name} (training)", f"{self.name} (test)"]
        train, test = (_pair(part, *pair) for part, pair in zip(parts, (self.train, self.test), strict=True))
        if train[0].shape[1:] != test[0].shape[1:]:
            raise Fault(
                "CNN408",
                f"{self.name} has {_shape(train[0])} to learn from and {_shape(test[0])} to be tested on",
                at="source",
            )
        if _stored(*train) != _stored(*test):
            raise Fault(
                "CNN412", f"the numbers of {self.name} are of other types in training and test", at="source",
                help="store both in the same way",
            )  # fmt: skip
        labels = zip(parts, (train[1], test[1]), strict=True)
        return Found(self.name, train, test, _names(self.classes, tuple(labels)), self.table)


def _shape(x: np.ndarray) -> str:
    return "x".join(map(str, x.shape[1:]))


def _stored(x: np.ndarray, y: np.ndarray) -> tuple[object, ...]:
    return x.dtype, y.dtype, y.shape[1:]


def _pair(part: str, x: np.ndarray, y: np.ndarray) -> Pair:
    x, y = _images(part, x), _targets(part, y)
    if len(x) != len(y):
        raise Fault(
            "CNN409", f"{part} has {_number(len(x), 'image')} and {_number(len(y), 'label')}", at="source",
            help="every image needs one label",
        )  # fmt: skip
    return x, y


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _images(part: str, x: np.ndarray) -> np.ndarray:
    if not 2 <= x.ndim <= 4:
        raise Fault(
            "CNN408", f"the images of {part} have {x.ndim} axes", at="source",
            help="an image is n x c x h x w, a sequence n x c x w, a vector n x c",
        )  # fmt: skip
    if not x.size:
        raise Fault("CNN414", f"{part} is empty: {'x'.join(map(str, x.shape))} numbers", at="source")
    return _floats(part, x, "image") if x.dtype != np.uint8 else np.ascontiguousarray(x)


def _targets(part: str, y: np.ndarray) -> np.ndarray:
    if y.dtype.kind in "iub":
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]  # a column of labels, as some archives have it
        if y.ndim != 1:
            raise Fault(
                "CNN408", f"the labels of {part} have {y.ndim} axes where 1 is wanted", at="source",
                help="one class number for each image; for numbers to meet, store floats",
            )  # fmt: skip
        if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
            raise Fault("CNN410", f"label {y.max()} of {part} is not a class", at="source")
        return y.astype(np.int64)
    if y.ndim not in (1, 2) or 0 in y.shape[1:]:
        raise Fault("CNN408", f"the targets of {part} have {y.ndim} axes where 1 or 2 are wanted", at="source")
    return _floats(part, y.reshape(len(y), -1) if len(y) else y.reshape(0, 1), "target")


def _floats(part: str, x: np.ndarray, noun: str) -> np.ndarray:
    """The array as float32, all of it finite."""
    if x.dtype.kind not in "iubf":
        raise Fault(
            "CNN412", f"the {noun}s of {part} are of type {x.dtype}, not numbers", at="source",
            help="store bytes or floats",
        )  # fmt: skip
    if x.dtype != np.float32:
        need(4 * x.size, f"{part} as float32")
    with np.errstate(over="ignore"):  # what becomes infinite is told below
        floats = np.ascontiguousarray(x, np.float32)
    for first in range(0, len(floats), 1024):
        finite = np.isfinite(floats[first : first + 1024])
        if not finite.all():
            where = np.argwhere(~finite)[0]
            where[0] += first
            place = "[" + ", ".join(map(str, where)) + "]"
            raise Fault(
                "CNN411", f"{noun} {where[0]} of {part} has {x[tuple(where)]} at {place}", at="source",
                help="mend or leave out what is not a finite number",
            )  # fmt: skip
    return floats


def _names(
    classes: tuple[str, ...] | int | None, labels: tuple[tuple[str, np.ndarray], ...]
) -> tuple[str, ...] | None:
    """The names of the classes, once every label has been found among them."""
    if labels[0][1].dtype != np.int64:
        return None
    count = len(classes) if isinstance(classes, tuple) else classes
    for part, y in labels:
        wrong = np.flatnonzero((y < 0) | (y >= (count or MOST_CLASSES)))
        if wrong.size:
            told = f"among the {count} classes" if count else "a class"
            raise Fault(
                "CNN410", f"image {wrong[0]} of {part} has label {y[wrong[0]]}, which is not {told}", at="source",
                help=f"labels go from 0 to {count - 1}" if count else "labels count the classes from 0",
            )  # fmt: skip
    if isinstance(classes, tuple):
        return classes
    return tuple(map(str, range(count or 1 + max(int(y.max()) for _, y in labels if y.size))))
