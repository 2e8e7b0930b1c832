"""What the headers, first rows and names of a source's files tell of it (see `known`)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

from ..diagnostics import Fault
from ..ir import data
from ..settings.data import Csv, Idx, Images, Npz
from .checks import ensure_label_axes, ensure_paired, ensure_same_shape, ensure_within, names_of
from .classes import classes_of, count_from_zero
from .facts import Known
from .formats import archive, cells, columns
from .formats.axes import axes_of, image_shape
from .formats.headers import NUMBERS, Header, idx_header
from .formats.idx_files import idx_files
from .formats.idx_files import opened as opened_idx
from .formats.pictures import picture_size
from .sources.folders import tree

FEW = 1 << 20  # bytes of labels, or cells of a table, that are read whole
CODES = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


class Labels(NamedTuple):
    """Of a part: whether y are numbers to meet, how many classes or numbers there are, and the labels if few."""

    numbers: bool | None
    outputs: int | None
    rows: int
    few: tuple[int, ...] | None = None


class Look(NamedTuple):
    """The headers of a part: images, the shape of one, and what is known of the labels."""

    images: int
    shape: tuple[int, ...]
    labels: Labels


def _csv(source: Csv, path: Path) -> Known:
    """The columns and the first rows; of a table that is small, all of them."""
    labels: set[str] = set()
    seen = 0
    with columns.opened(source, path) as table:
        places = [column.place for column in table.columns if not column.categories]
        texts: dict[int, set[str]] = {column.place: set() for column in table.columns if column.categories}
        for line, row in table.rows:
            seen += len(row)
            if seen > FEW:
                break
            cells.numbers(table, line, row, places)
            for place, known in texts.items():
                text = cells.category(table, line, row, place)
                known.update(() if text is None else (text,))
                if len(known) > cells.MOST_CATEGORIES:
                    raise cells.too_many(table, place)
            if source.target == "numbers":
                cells.number(row[table.label], table.place(line, table.label), cells.UNLABELLED)
            else:
                labels.add(cells.class_name(table, line, row))
    if not seen:
        raise Fault("CNN414", f"{path.stem} is empty: 0x{len(table.columns)} numbers", at="source")
    whole = seen <= FEW
    kind = data(len(places) + sum(map(len, texts.values()))) if whole or not texts else None
    if source.target == "numbers":
        return Known(path.stem, kind, None, 1, True, False, False)
    classes = classes_of(labels)[0] if whole else None
    return Known(path.stem, kind, classes, len(classes) if classes else None, False, False, False)


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
    looks = {}
    with archive.opened(path) as file:
        parts = archive.parts_of(file, path.name)
        told = names_of(path.stem, tuple(parts))
        for part, (x, y) in parts.items():
            with archive.array_of(file, x, path.name) as (_, header):
                images, shape = header.shape, image_shape(axes_of(source, path.name, header.shape), header.shape)
            with archive.array_of(file, y, path.name) as (content, header):
                looks[part] = Look(images[0], shape, _labels(told[part], content, header))
    return _together(path.stem, looks, source.classes)


def _idx(source: Idx, folder: Path) -> Known:
    """The headers of its files, and labels that are few."""
    looks = {}
    parts = dict(zip(("train", "test"), idx_files(folder), strict=False))
    told = names_of(folder.name, tuple(parts))
    for part, (images, labels) in parts.items():
        with opened_idx(images) as (file, most):
            count, *shape = idx_header(file, images.name, (2, 3, 4), most).shape
        with opened_idx(labels) as (file, most):
            header = idx_header(file, labels.name, (1, 2), most)
            seen = _labels(told[part], file, header)
        looks[part] = Look(count, (1, *shape) if len(shape) == 2 else tuple(shape), seen)
    return _together(folder.name, looks, source.classes)


LOOKS: dict[type, Callable[..., Known]] = {Csv: _csv, Images: _images, Npz: _npz, Idx: _idx}


def _labels(told: str, file: IO[bytes], header: Header) -> Labels:
    """What is known of the labels of a part; whole numbers are read where they are few."""
    ensure_label_axes(told, header.kind.lstrip("<>|=")[0], header.shape)
    rows, wide = header.shape[0], prod(header.shape[1:])
    if not NUMBERS.fullmatch(header.kind):
        return Labels(False, None, rows)  # texts
    if "f" in header.kind:
        return Labels(None if wide > 1 else True, wide, rows)  # rows of floats may be one-hot
    if wide > 1:
        return Labels(False, wide, rows)
    if header.length > FEW:
        return Labels(False, None, rows)
    order = header.kind[0] if header.kind[0] in "<>" else "="
    whole = file.read(header.length)
    if len(whole) < header.length:
        raise EOFError("it ends before its labels do")
    few = tuple(map(int, struct.unpack(f"{order}{rows}{CODES[header.kind.lstrip('<>|=')]}", whole)))
    return Labels(False, 1 + max(few), rows, few)


def _together(name: str, looks: dict[str, Look], told: int | None) -> Known:
    """What the headers of the parts say of a source; Faults where they contradict each other."""
    names = names_of(name, tuple(looks))
    for part, look in looks.items():
        ensure_paired(names[part], look.images, look.labels.rows)
        ensure_same_shape(name, part, look.shape, looks["train"].shape)
        if look.labels.few is not None:
            ensure_within(names[part], look.labels.few, told)
    kinds, counts = ([getattr(look.labels, what) for look in looks.values()] for what in ("numbers", "outputs"))
    numbers = kinds[0] if len(set(kinds)) == 1 else None
    count = None if None in counts else max(counts)
    few = [label for look in looks.values() for label in look.labels.few or ()]
    if told is None and all(look.labels.few for look in looks.values()):
        count_from_zero(name, min(few), max(few))
    classes = None
    if numbers is False:
        count = told or count
        classes = tuple(map(str, range(count))) if count else None
    return Known(name, data(*looks["train"].shape), classes, count, numbers, "test" in looks, "validation" in looks)
