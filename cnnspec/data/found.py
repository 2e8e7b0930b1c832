"""The checked content of a source: a reader's arrays become images and labels that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..diagnostics import Fault
from .checks import TOLD, ensure_paired, ensure_same_shape, form_of, named_classes, names_of, outside
from .classes import MOST_CLASSES, first_class
from .dataset import Numbers
from .files import need
from .formats.schema import TableSchema
from .sources.filed import Filed
from .sources.originals import Originals

Pair = tuple[np.ndarray, np.ndarray]
LONGEST_NAME = 200


@dataclass(frozen=True)
class Found:
    """The arrays of a source, `test` and `validation` where it has images of its own for them.

    `classes` names the classes where the source knows them, or tells how many there are; `table` are the
    columns of a csv, `own` tells what the source calls its `validation` and `test`, `numbers` whether y are to be
    met whatever their type; `weights` (n,) and `originals` (the photos themselves) are of the training images.
    """

    name: str
    train: Pair
    test: Pair | None = None
    classes: tuple[str, ...] | int | None = None
    validation: Pair | None = None
    table: TableSchema | None = None
    own: dict[str, str] = field(default_factory=dict)
    numbers: bool = False
    weights: np.ndarray | None = None
    originals: Originals | None = None

    def checked(self, target: str = "labels") -> Found:
        """The same with x of bytes or float32, y of whole numbers or float32; a Fault that says what is wrong.

        `target` is that of a data block: y as stored, as regression targets, or x itself.
        """
        given = {part: getattr(self, part) for part in TOLD if getattr(self, part) is not None}
        told = names_of(self.name, tuple(given))
        classes = self.classes
        numbers = self.numbers or target == "numbers"
        if target == "labels" and not numbers:
            given, classes = _from_one_hot(given, classes)
        elif target == "numbers" and isinstance(classes, tuple):
            raise named_classes(self.name)
        gaps = self.table is not None and self.table.missing == "mean"
        found = {}
        for part, (x, y) in given.items():
            images = x if gaps else _images(told[part], x)
            answers = images if target == "itself" else _targets(told[part], y, images, numbers)
            ensure_paired(told[part], len(images), len(answers))
            found[part] = images, answers
        for part, pair in found.items():
            self._same(part, pair, found["train"])
        names = None
        if found["train"][1].dtype.kind in "iu" and target != "itself":
            found, names = _counted(self.name, classes, found, told)
        return replace(
            self, train=found["train"], test=found.get("test"), validation=found.get("validation"), classes=names
        )

    def _same(self, part: str, pair: Pair, train: Pair) -> None:
        """Raise a Fault unless the images of a part are like those to learn from."""
        ensure_same_shape(self.name, part, pair[0].shape[1:], train[0].shape[1:])
        if _stored(*train) != _stored(*pair):
            raise Fault.of("CNN412", "source", case="parts", name=self.name, part=TOLD[part])


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


def _images(part: str, x: np.ndarray) -> np.ndarray:
    if not 2 <= x.ndim <= 4:
        raise Fault.of("CNN408", "source", case="image", part=part, axes=x.ndim)
    if not x.size:
        raise Fault.of("CNN414", "source", name=part, sizes="x".join(map(str, x.shape)))
    if x.dtype != np.uint8:
        return _floats(part, x, "image")
    if isinstance(x, Filed):
        return x.as_array()
    if not x.flags.c_contiguous:
        need(x.nbytes, f"{part} with its axes in order")
    return np.ascontiguousarray(x)


def _targets(part: str, y: np.ndarray, x: np.ndarray, numbers: bool) -> np.ndarray:
    """Answers to images x: classes (n,) as int64 or (n,h,w) as stored, numbers (n,k) or (n,k,h,w) as float32."""
    form = form_of(part, f"{y.dtype.kind}{y.dtype.itemsize}", y.shape, x.shape[1:], numbers)
    if form.numbers:
        found = _floats(part, y.reshape(len(y), form.channels or 1, *form.places), "target")
        found = found / np.float32(255) if form.pictures else found
        return found.view(Numbers) if numbers or form.places else found
    y = y.reshape(len(y), *form.places)
    if y.dtype.kind == "u" and y.size and y.max() > np.iinfo(np.int64).max:
        raise Fault.of("CNN410", "source", case="label", label=y.max(), part=part)
    return np.ascontiguousarray(y) if form.places and y.dtype.kind in "iu" else y.astype(np.int64)


def _floats(part: str, x: np.ndarray, noun: str) -> np.ndarray:
    """The array as float32, all of it finite."""
    if x.dtype.kind not in "iubf":
        raise Fault.of("CNN412", "source", case="numbers", noun=noun, part=part, type=x.dtype)
    if x.dtype != np.float32:
        need(4 * x.size, f"{part} as float32")
    with np.errstate(over="ignore"):  # infinite values are reported below
        floats = np.ascontiguousarray(x, np.float32)
    for first in range(0, len(floats), 1024):
        finite = np.isfinite(floats[first : first + 1024])
        if not finite.all():
            where = np.argwhere(~finite)[0]
            where[0] += first
            place = "[" + ", ".join(map(str, where)) + "]"
            raise Fault.of(
                "CNN411", "source", noun=noun, number=where[0], part=part, value=x[tuple(where)], place=place
            )
    return floats


def _counted(
    name: str, classes: tuple[str, ...] | int | None, found: dict[str, Pair], told: dict[str, str]
) -> tuple[dict[str, Pair], tuple[str, ...] | None]:
    """Labels counted from 0 and the names of the classes, once every label has been found among them."""
    count = len(classes) if isinstance(classes, tuple) else classes
    known = [y for _, y in found.values() if y.size]
    lowest, highest = min(int(y.min()) for y in known), max(int(y.max()) for y in known)
    first = 0 if isinstance(classes, tuple) else first_class(name, lowest, highest, count)
    for part, (_, y) in found.items():
        wrong = np.argwhere((y < first) | (y >= first + (count or MOST_CLASSES)))
        if wrong.size:
            raise outside(told[part], int(wrong[0][0]), int(y[tuple(wrong[0])]), count)
    if isinstance(classes, tuple):
        for each in classes:
            _ensure_writable(each)
        return found, classes
    if first:
        found = {part: (x, y - first) for part, (x, y) in found.items()}
    return found, tuple(map(str, range(first, count + first if count else highest + 1)))


def _ensure_writable(name: str) -> None:
    """Raise a Fault where the name of a class cannot be written down, as every run does."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Fault.of("CNN420", "source", name=name) from None
    if len(name) > LONGEST_NAME:
        raise Fault.of("CNN420", "source", case="long", begin=name[:40], characters=len(name))


def in_native_order(array: np.ndarray) -> np.ndarray:
    """The same numbers with their bytes in this machine's order, changed where they lie."""
    native = array.dtype.newbyteorder("=")
    return array if native == array.dtype else array.byteswap(inplace=True).view(native)
