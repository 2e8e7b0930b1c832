"""What a source holds, checked: a reader's arrays become images and labels that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..diagnostics import Fault
from .checks import TOLD, ensure_label_axes, ensure_paired, ensure_same_shape, names_of, outside
from .classes import MOST_CLASSES, count_from_zero
from .files import need
from .tables import Table

Pair = tuple[np.ndarray, np.ndarray]
LONGEST_NAME = 200


@dataclass(frozen=True)
class Found:
    """The arrays of a source, `test` and `validation` where it has images of its own for them.

    `classes` names the classes where the source knows them, or tells how many there are; `table` are the
    columns of a csv, `own` tells what the source calls its `validation` and `test`.
    """

    name: str
    train: Pair
    test: Pair | None = None
    classes: tuple[str, ...] | int | None = None
    validation: Pair | None = None
    table: Table | None = None
    own: dict[str, str] = field(default_factory=dict)

    def checked(self) -> Found:
        """The same with x of bytes or float32 and y of int64 or float32, or a Fault that says what is wrong."""
        given = {part: getattr(self, part) for part in TOLD if getattr(self, part) is not None}
        told = names_of(self.name, tuple(given))
        given, classes = _from_one_hot(given, self.classes)
        gaps = self.table is not None and self.table.missing == "mean"
        found = {part: _pair(told[part], *pair, gaps) for part, pair in given.items()}
        for part, pair in found.items():
            self._same(part, pair, found["train"])
        names = _names(self.name, classes, tuple((told[part], y) for part, (_, y) in found.items()))
        return replace(
            self, train=found["train"], test=found.get("test"), validation=found.get("validation"), classes=names
        )

    def _same(self, part: str, pair: Pair, train: Pair) -> None:
        """Raise a Fault unless the images of a part are like those to learn from."""
        ensure_same_shape(self.name, part, pair[0].shape[1:], train[0].shape[1:])
        if _stored(*train) != _stored(*pair):
            raise Fault(
                "CNN412", f"the numbers of {self.name} are of other types in training and {TOLD[part]}",
                at="source",
                help="store both in the same way",
            )  # fmt: skip


def _from_one_hot(
    given: dict[str, Pair], classes: tuple[str, ...] | int | None
) -> tuple[dict[str, Pair], tuple[str, ...] | int | None]:
    """Labels as numbers of classes where every row has a single 1 and nothing else; others as they are."""
    if not all(_is_one_hot(y) for _, y in given.values()):
        return given, classes
    return {part: (x, y.argmax(1)) for part, (x, y) in given.items()}, classes or given["train"][1].shape[1]


def _is_one_hot(y: np.ndarray) -> bool:
    if y.dtype.kind not in "iubf" or y.ndim != 2 or y.shape[1] < 2 or not len(y):
        return False
    for first in range(0, len(y), 1024):
        block = y[first : first + 1024]
        ones = block == 1
        if not ((ones | (block == 0)).all() and (ones.sum(1) == 1).all()):
            return False
    return True


def _stored(x: np.ndarray, y: np.ndarray) -> tuple[object, ...]:
    return x.dtype, y.dtype, y.shape[1:]


def _pair(part: str, x: np.ndarray, y: np.ndarray, gaps: bool) -> Pair:
    """`gaps` where x may have NaN for what is missing, to be filled in later."""
    x, y = x if gaps else _images(part, x), _targets(part, y)
    ensure_paired(part, len(x), len(y))
    return x, y


def _images(part: str, x: np.ndarray) -> np.ndarray:
    if not 2 <= x.ndim <= 4:
        raise Fault(
            "CNN408", f"the images of {part} have {x.ndim} axes", at="source",
            help="an image is n x c x h x w, a sequence n x c x w, a vector n x c",
        )  # fmt: skip
    if not x.size:
        raise Fault("CNN414", f"{part} is empty: {'x'.join(map(str, x.shape))} numbers", at="source")
    if x.dtype != np.uint8:
        return _floats(part, x, "image")
    if not x.flags.c_contiguous:
        need(x.nbytes, f"{part} with its axes in order")
    return np.ascontiguousarray(x)


def _targets(part: str, y: np.ndarray) -> np.ndarray:
    ensure_label_axes(part, y.dtype.kind, y.shape)
    if y.dtype.kind in "iub":
        if y.shape[1:] not in ((), (1,)):
            raise Fault(
                "CNN408", f"the labels of {part} have 2 axes where 1 is wanted", at="source",
                help="one class number for each image, or rows with a single 1; for numbers to meet, store floats",
            )  # fmt: skip
        y = y.reshape(-1)  # a column of labels, as some archives have it
        if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
            raise Fault("CNN410", f"label {y.max()} of {part} is not a class", at="source")
        return y.astype(np.int64)
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
    name: str, classes: tuple[str, ...] | int | None, labels: tuple[tuple[str, np.ndarray], ...]
) -> tuple[str, ...] | None:
    """The names of the classes, once every label has been found among them."""
    if labels[0][1].dtype != np.int64:
        return None
    count = len(classes) if isinstance(classes, tuple) else classes
    for part, y in labels:
        wrong = np.flatnonzero((y < 0) | (y >= (count or MOST_CLASSES)))
        if wrong.size:
            raise outside(part, int(wrong[0]), int(y[wrong[0]]), count)
    if isinstance(classes, tuple):
        for each in classes:
            _ensure_writable(each)
        return classes
    if count is None:
        known = [y for _, y in labels if y.size]
        highest = max(int(y.max()) for y in known)
        count_from_zero(name, min(int(y.min()) for y in known), highest)
        count = highest + 1
    return tuple(map(str, range(count)))


def _ensure_writable(name: str) -> None:
    """Raise a Fault where the name of a class cannot be written down, as every run does."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Fault(
            "CNN420", f"{name!a} cannot be the name of a class: it is not Unicode", at="source",
            help="rename it in UTF-8",
        ) from None  # fmt: skip
    if len(name) > LONGEST_NAME:
        raise Fault(
            "CNN420", f"`{name[:40]}...` cannot be the name of a class: it has {len(name):,} characters",
            at="source",
            help="perhaps another column holds the labels",
        )  # fmt: skip


def in_native_order(array: np.ndarray) -> np.ndarray:
    """The same numbers with their bytes in this machine's order, changed where they lie."""
    native = array.dtype.newbyteorder("=")
    return array if native == array.dtype else array.byteswap(inplace=True).view(native)
