"""Facts from headers, first rows and file names of a source (see `known`)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import IO, NamedTuple, cast
from zipfile import ZipFile

from ..diagnostics import Fault
from ..ir import data
from ..settings.data import Csv, Data, Idx, Images, Npz, Pairs
from .checks import ensure_paired, ensure_same_shape, ensure_within, form_of, names_of
from .classes import classes_of, first_class
from .facts import Known
from .formats import archive, cells, columns
from .formats.axes import axes_of, image_shape
from .formats.headers import NUMBERS, Header, idx_header
from .formats.idx_files import idx_files
from .formats.idx_files import opened as opened_idx
from .formats.pictures import picture_size
from .sources.folders import tree
from .sources.pairs import flat, pairs

FEW = 1 << 20  # bytes of labels, or cells of a table, that are read whole
CODES = {"b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


class Labels(NamedTuple):
    """For a part: whether y are regression targets, how many classes or targets, and the labels if few."""

    numbers: bool | None
    outputs: int | None
    rows: int
    few: tuple[int, ...] | None = None
    places: tuple[int, ...] = ()


class Look(NamedTuple):
    """The headers of a part: images, the shape of one, and what is known of the labels."""

    images: int
    shape: tuple[int, ...]
    labels: Labels


def _csv(settings: Data, path: Path, *more: Path) -> Known:
    """The columns and the first rows; of a table that is small, all of them; of other parts nothing."""
    source, labels, seen = cast(Csv, settings.source), set[str](), 0
    numbers, labelled = "numbers" in (source.target, settings.target), settings.target != "itself"
    parts = "test" in source.own_files, "validation" in source.own_files
    with columns.opened(source, path, labelled=labelled) as table:
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
            if not labelled:
                continue
            if numbers:
                cells.number(row[table.label], table.place(line, table.label), label=True)
            else:
                labels.add(cells.class_name(table, line, row))
    if not seen:
        raise Fault.of("CNN414", "source", case="no columns", name=path.stem, columns=len(table.columns))
    whole = seen <= FEW
    kind = data(len(places) + sum(map(len, texts.values()))) if whole or not texts else None
    if numbers or not labelled:
        return Known(path.stem, kind, None, 1, True, *parts)
    classes = classes_of(labels)[0] if whole else None
    return Known(path.stem, kind, classes, len(classes) if classes else None, False, *parts)


def _images(settings: Data, path: Path) -> Known:
    """The folders, and the first image's size."""
    source = cast(Images, settings.source)
    found = tree(path) if settings.target != "itself" else flat(path)
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


def _pairs(settings: Data, path: Path, targets: Path) -> Known:
    """The names of the files, and the sizes of the first pair."""
    source = cast(Pairs, settings.source)
    found, partner = pairs(path, targets)
    sizes: list[tuple[int, ...] | None] = [source.resize, source.resize]
    if source.resize is None:
        try:
            sizes = [picture_size(found.first), picture_size(partner[found.first])]
        except Fault as fault:
            if fault.code != "CNN403":  # without Pillow there is still something to tell
                raise
            sizes = [None, None]
    channels, (size, answer) = 3 if source.colour else 1, sizes
    pictures = source.kind == "pictures"
    names = tuple(map(str, range(source.classes))) if source.classes and not pictures else None
    kind = data(channels, *size) if size else None
    return Known(
        path.name, kind, names, channels if pictures else source.classes, pictures,
        found.test is not None, found.validation is not None, answer or (),
    )  # fmt: skip


def _npz(settings: Data, path: Path, *more: Path) -> Known:
    """The headers of its arrays, and labels that are few."""
    source, looks = cast(Npz, settings.source), {}
    wanted = (source.images,) if settings.target == "itself" else (source.images, source.labels)
    own = dict(zip(source.own_files, more, strict=True))
    with archive.opened(path) as file:
        parts = archive.parts_of(file, path.name, wanted)
        told = names_of(path.stem, tuple({**parts, **own}))
        for part, names in parts.items():
            if part not in own:
                looks[part] = _arrays(settings, file, names, path, told[part])
    for part, beside in own.items():
        with archive.opened(beside) as file:
            names = archive.part_of(file, beside.name, wanted, part)
            looks[part] = _arrays(settings, file, names, beside, told[part])
    return _together(path.stem, looks, source.classes)


def _arrays(settings: Data, file: ZipFile, names: tuple[str, ...], path: Path, told: str) -> Look:
    """The headers of the arrays of a part."""
    with archive.array_of(file, names[0], path.name) as (_, header):
        axes = axes_of(cast(Npz, settings.source), path.name, header.shape)
        count, image = header.shape[0], image_shape(axes, header.shape)
    if len(names) == 1:
        return Look(count, image, Labels(True, None, count))
    with archive.array_of(file, names[1], path.name, labels=True) as (content, header):
        if len(header.shape) == len(axes) > 2:
            header = header._replace(shape=(header.shape[0], *image_shape(axes, header.shape)))
        return Look(count, image, _labels(told, content, header, image, settings.target == "numbers"))


def _idx(settings: Data, folder: Path) -> Known:
    """The headers of its files, and labels that are few."""
    source, looks = cast(Idx, settings.source), {}
    parts = dict(zip(("train", "test"), idx_files(folder), strict=False))
    told = names_of(folder.name, tuple(parts))
    for part, (images, labels) in parts.items():
        with opened_idx(images) as (file, most):
            count, *shape = idx_header(file, images.name, (2, 3, 4), most).shape
            image = (1, *shape) if len(shape) == 2 else tuple(shape)
        with opened_idx(labels) as (file, most):
            header = idx_header(file, labels.name, (1, 2), most)
            seen = _labels(told[part], file, header, image, settings.target == "numbers")
        looks[part] = Look(count, image, seen)
    return _together(folder.name, looks, source.classes)


LOOKS: dict[type, Callable[..., Known]] = {Csv: _csv, Images: _images, Pairs: _pairs, Npz: _npz, Idx: _idx}


def _labels(told: str, file: IO[bytes], header: Header, image: tuple[int, ...], numbers: bool) -> Labels:
    """What is known of the labels of a part; whole numbers are read where they are few."""
    kind = header.kind.lstrip("<>|=")
    rows, wide = header.shape[0] if header.shape else 0, prod(header.shape[1:])
    if not numbers and kind[0] in "iub" and len(header.shape) == 2 and wide > 1 and (wide,) != image[1:]:
        return Labels(False, wide, rows)  # rows with a single 1, or they are refused
    form = form_of(told, kind, header.shape, image, numbers)
    if form.numbers:
        open_ = form.channels != 1 and not form.places and not numbers  # rows of floats may be one-hot
        return Labels(None if open_ else True, form.channels, rows, places=form.places)
    if not NUMBERS.fullmatch(header.kind) or form.places:
        return Labels(False, None, rows, places=form.places)  # texts, and masks
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
    places = looks["train"].labels.places
    kinds, counts = ([getattr(look.labels, what) for look in looks.values()] for what in ("numbers", "outputs"))
    numbers = kinds[0] if len(set(kinds)) == 1 else None
    count = None if None in counts else max(counts)
    first = _first(name, [look.labels for look in looks.values()], told)
    for part, look in looks.items():
        if look.labels.few is not None and first is not None:
            ensure_within(names[part], look.labels.few, told, first)
    classes = None
    if numbers is False:
        count = told or (count and count - (first or 0))
        classes = tuple(map(str, range(first, first + count))) if count and first is not None else None
    return Known(
        name, data(*looks["train"].shape), classes, count, numbers, "test" in looks, "validation" in looks, places
    )


def _first(name: str, labels: list[Labels], told: int | None) -> int | None:
    """The number of the first class, 0 or 1; None where labels that are too many to be read would tell."""
    few = [label for part in labels for label in part.few or ()]
    if all(part.few for part in labels):
        return first_class(name, min(few), max(few), told)
    return None if 0 not in few and any(part.few is None and part.outputs is None for part in labels) else 0
