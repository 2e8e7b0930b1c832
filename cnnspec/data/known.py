"""What a source holds, told without reading it: by constants, headers, first rows, names of files.

`check` asks this; `load` reads everything. What this finds wrong `load` finds too, in the same words. Nothing here
needs NumPy.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from ..diagnostics import Fault
from ..ir import TensorType, data
from ..settings.data import Csv, Data, Idx, Images, Npz
from . import archive, rows
from .axes import axes_of, image_shape
from .classes import classes_of, count_from_zero
from .files import found_at
from .folders import tree
from .headers import NUMBERS, Header, idx_header
from .idx_files import idx_files
from .idx_files import opened as opened_idx
from .pictures import picture_size
from .wellknown import SETS

FEW = 1 << 20  # bytes of labels, or of a table, that are read whole
CODES = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


@dataclass(frozen=True)
class Known:
    """What is known of a source; None where only reading it would tell.

    input       the type of one image
    classes     their names, where y are classes
    outputs     how many classes there are, or numbers to meet of each image
    numbers     whether y are numbers to meet
    test, validation    whether there are images for them: of the source's own, or a share set aside
    """

    name: str
    input: TensorType | None
    classes: tuple[str, ...] | None
    outputs: int | None
    numbers: bool | None
    test: bool
    validation: bool


class Labels(NamedTuple):
    """Of a part: whether labels are numbers to meet, how many classes or numbers there are, the lowest class."""

    numbers: bool | None
    outputs: int | None
    lowest: int = 0


def describe(settings: Data, root: Path | str | None = None, given: Path | None = None) -> Known | None:
    """What is known of the source of a data block; None where its files are not there.

    `root` is the folder that paths in the spec start from (else the current one), `given` another one where they
    may lie; what is not there then is a Fault. Raises Fault where the source cannot be read: not all that `load`
    would find, only what is seen in passing.
    """
    source = settings.source
    known = SETS.get(type(source))
    if known:
        return Known(
            known.name, data(*known.shape), known.classes, len(known.classes), False, True, settings.validation > 0
        )
    written = source.folder if isinstance(source, Idx | Images) else source.file  # type: ignore[attr-defined]
    path = found_at(Path(root or "."), given, written)
    if given is None and not os.path.lexists(path):
        return None
    seen = LOOKS[type(source)](source, path)
    return Known(
        seen.name, seen.input, seen.classes, seen.outputs, seen.numbers,
        seen.test or source.test > 0, seen.validation or settings.validation > 0,  # type: ignore[attr-defined]
    )  # fmt: skip


def _csv(source: Csv, path: Path) -> Known:
    """The columns; of a table that is small, all rows."""
    numbers = source.target == "numbers"
    with rows.opened(source, path) as table:
        kind, whole = data(table.width - 1), os.path.getsize(path) <= FEW
        if not whole:
            return Known(path.stem, kind, None, 1 if numbers else None, numbers, False, False)
        labels = []
        for line, row in table.rows:
            cell = row.pop(table.label)
            rows.vector(table, line, row)
            if numbers:
                rows.number(cell, table.place(line, table.label))
            else:
                labels.append(rows.class_name(table, line, cell))
    classes = None if numbers else classes_of(labels)[0]
    return Known(path.stem, kind, classes, len(classes) if classes else 1, numbers, False, False)


def _images(source: Images, path: Path) -> Known:
    """The folders, and the first image's size."""
    found = tree(path)
    size = source.resize
    if size is None:
        try:
            size = picture_size(found.first)
        except Fault as fault:
            if fault.code != "CNN403":  # without Pillow there is still something to tell
                raise
    kind = data(3 if source.colour else 1, *size) if size else None
    return Known(
        path.name, kind, found.classes, len(found.classes), False,
        found.test is not None, found.validation is not None,
    )  # fmt: skip


def _npz(source: Npz, path: Path) -> Known:
    """The headers of its arrays, and labels that are few."""
    with archive.opened(path) as file:
        parts = archive.parts_of(file, path.name)
        shapes, looks = {}, []
        for part, (x, y) in parts.items():
            with archive.array_of(file, x, path.name) as (_, header):
                shapes[part] = image_shape(axes_of(source, path.name, header.shape), header.shape)
            with archive.array_of(file, y, path.name) as (content, header):
                looks.append(_labels(content, header))
    names, count, numbers = _together(path.stem, looks, source.classes)
    return Known(path.stem, data(*shapes["train"]), names, count, numbers, "test" in parts, "validation" in parts)


def _idx(source: Idx, folder: Path) -> Known:
    """The headers of its files, and labels that are few."""
    shapes, looks = [], []
    for images, labels in idx_files(folder):
        with opened_idx(images) as (file, _):
            shapes.append(idx_header(file, images.name, (2, 3, 4)).shape[1:])
        with opened_idx(labels) as (file, _):
            looks.append(_labels(file, idx_header(file, labels.name, (1, 2))))
    names, count, numbers = _together(folder.name, looks, source.classes)
    shape = shapes[0] if len(shapes[0]) != 2 else (1, *shapes[0])
    return Known(folder.name, data(*shape), names, count, numbers, len(looks) > 1, False)


LOOKS: dict[type, Callable[..., Known]] = {Csv: _csv, Images: _images, Npz: _npz, Idx: _idx}


def _labels(file: IO[bytes], header: Header) -> Labels:
    """What is known of the labels of a part; whole numbers are read where they are few."""
    wide = header.shape[1] if len(header.shape) == 2 else 1
    if not NUMBERS.fullmatch(header.kind):
        return Labels(False, None)  # texts
    if "f" in header.kind:
        return Labels(None if wide > 1 else True, wide)  # rows of floats may be one-hot
    if wide > 1:
        return Labels(False, wide)
    if header.length > FEW:
        return Labels(False, None)
    code = CODES[header.kind.lstrip("<>|=")]
    order = ">" if header.kind[0] == ">" else "<"
    whole = file.read(header.length)
    found = struct.unpack(f"{order}{len(whole) // struct.calcsize(order + code)}{code}", whole)
    return Labels(False, 1 + max(map(int, found), default=0), min(map(int, found), default=0))


def _together(
    name: str, looks: list[Labels], told: int | None
) -> tuple[tuple[str, ...] | None, int | None, bool | None]:
    """Names of the classes, their number, and whether there are none, from the labels of all parts."""
    kinds, counts = {look.numbers for look in looks}, [look.outputs for look in looks]
    numbers = kinds.pop() if len(kinds) == 1 else None
    count = None if None in counts else max(count for count in counts if count is not None)
    if numbers is not False:
        return None, count, numbers
    if told is None and count is not None:
        count_from_zero(name, min(look.lowest for look in looks), count - 1)
    count = told or count
    return (tuple(map(str, range(count))) if count else None), count, numbers
