"""NumPy arrays from npz archives and npy files, read without pickle, their sizes checked before memory is taken."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from ...diagnostics import Fault
from ...plain_files import open_regular, size_of
from ...settings.data import Npz
from ..checks import TOLD, form_of
from ..classes import classes_of, composed, is_missing
from ..files import need, unreadable
from ..found import Found, Pair
from . import archive
from .axes import axes_of
from .headers import Header, check_array, npy_header


def read_npz(source: Npz, path: Path, parts: Mapping[str, Path], target: str = "labels") -> Found:
    """The images and labels of an archive, each part that it has; for the `target` itself the images alone.

    `parts` are the archives of validation and test, where they are of their own.
    """
    wanted = (source.images,) if target == "itself" else (source.images, source.labels)
    with archive.opened(path) as file:
        names = archive.parts_of(file, path.name, wanted)
        found = {part: _pair(source, file, arrays, path.name) for part, arrays in names.items()}
        weights = _weights(source, file, names["train"], path.name)
    own = {part: arrays[0] for part, arrays in names.items() if part != "train"}
    for part, beside in parts.items():
        with archive.opened(beside) as file:
            found[part] = _pair(source, file, archive.part_of(file, beside.name, wanted, part), beside.name)
        own[part] = beside.name
    classes: tuple[str, ...] | int | None = source.classes
    if any(y.dtype.kind in "US" for _, y in found.values()):
        try:
            found, classes = _named(found, path.name)
        except ValueError as error:
            raise archive.unreadable_as(path, error) from None
        if source.classes not in (None, len(classes)):
            raise Fault.of(
                "CNN410", "source", case="names", name=path.name, found=len(classes), classes=source.classes
            )
    return Found(
        path.stem,
        found["train"],
        found.get("test"),
        classes,
        found.get("validation"),
        own=own,
        weights=weights,
    )


def _weights(source: Npz, file: zipfile.ZipFile, names: tuple[str, ...], where: str) -> np.ndarray | None:
    """The weights of the training images, which end as their array does."""
    if source.weights is None:
        return None
    name = source.weights + names[0].removeprefix(source.images)
    if f"{name}.npy" not in file.namelist():
        raise Fault.of("CNN413", "source", case="weights", where=where, name=name, images=names[0])
    return _member(file, name, where)


def _pair(source: Npz, file: zipfile.ZipFile, names: tuple[str, ...], where: str) -> Pair:
    x = _member(file, names[0], where)
    axes = axes_of(source, where, x.shape)
    images = arranged(x, axes)
    if len(names) == 1:
        return images, images
    y = _member(file, names[1], where, labels=True)
    # an image for each image has its axes in the same order
    return images, arranged(y, axes) if y.ndim == len(axes) > 2 else y


def arranged(x: np.ndarray, axes: str) -> np.ndarray:
    """An array with its axes in the order n, c, h, w; one without an axis of channels gets it."""
    if "c" not in axes:
        x, axes = x[:, None], "nc" + axes[1:]
    return x.transpose([axes.index(name) for name in "nchw" if name in axes])


def _member(file: zipfile.ZipFile, name: str, where: str, labels: bool = False) -> np.ndarray:
    with archive.array_of(file, name, where, labels) as (content, header):
        return _filled(header, content, f"{name} of {where}")


def read_asked(path: Path) -> np.ndarray:
    """The array to predict in an archive: x, or x_test, or the only one."""
    with archive.opened(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist() if name.endswith(".npy")]
        wanted = [name for name in ("x", "x_test") if name in names] or names
        if not names or (wanted == names and len(names) > 1):
            told = ", ".join(sorted(names)[:8]) or "no array at all"
            raise Fault.of("CNN413", case="asked", name=path.name, arrays=told)
        return _member(file, wanted[0], path.name)


def read_several(path: Path, wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays to predict in an archive, for several inputs: by names, or with `_test`."""
    with archive.opened(path) as file:
        there = {name.removesuffix(".npy") for name in file.namelist() if name.endswith(".npy")}
        found = {name: next((one for one in (name, f"{name}_test") if one in there), None) for name in wanted}
        lacking = [name for name, array in found.items() if array is None]
        if lacking:
            told = ", ".join(sorted(there)[:8]) or "no array at all"
            raise Fault.of(
                "CNN413", case="lacking", name=path.name, arrays=told, lacking=lacking[0], wanted=", ".join(wanted)
            )
        return {name: _member(file, array, path.name) for name, array in found.items() if array}


def read_npy(path: Path) -> np.ndarray:
    """The numbers of an npy file, one array alone; raises Fault."""
    try:
        with open_regular(path) as file:
            header = npy_header(file)
            check_array(header, size_of(file) - file.tell(), path.name, "")
            return _filled(header, file, path.name)
    except (EOFError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise Fault.of("CNN405", case="npy", name=path.name, reason=reason) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _filled(header: Header, file: IO[bytes], told: str) -> np.ndarray:
    """The array behind a header, read a megabyte at a time; the end of the file checks its sum."""
    need(header.length, told)
    array = np.empty(header.shape, header.kind, order="F" if header.backwards else "C")
    into, filled = (array.T if header.backwards else array).reshape(-1).view(np.uint8), 0
    while filled < into.size:
        block = file.read(min(1 << 20, into.size - filled))
        if not block:
            raise EOFError("it ends before its numbers do")
        into[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
        filled += len(block)
    file.read(1)
    return array


def _named(found: dict[str, Pair], where: str) -> tuple[dict[str, Pair], tuple[str, ...]]:
    """Labels that are texts, as the numbers of the classes that they name."""
    texts, places = {}, {}
    for part, (_, y) in found.items():
        told = f"{where} ({TOLD[part]})"
        if y.dtype.kind not in "US":
            raise Fault.of("CNN412", "source", case="texts", array=told)
        form_of(told, y.dtype.kind, y.shape, (1,))
        distinct, places[part] = np.unique(_characters(y.reshape(-1)), return_inverse=True)
        texts[part] = [composed(_text(label, told).strip()) for label in distinct.tolist()]
        for i, text in enumerate(texts[part]):
            if is_missing(text):
                first = int(np.flatnonzero(places[part] == i)[0])
                raise Fault.of("CNN417", "source", case="text", number=first, array=told, text=text)
    names, number = classes_of(text for part in texts.values() for text in part)
    labels = {part: np.array([number[text] for text in texts[part]], np.int64)[places[part]] for part in found}
    return {part: (x, labels[part]) for part, (x, _) in found.items()}, names


def _characters(y: np.ndarray) -> np.ndarray:
    """The texts, once every number in them is found to be a character; ValueError otherwise."""
    y = np.ascontiguousarray(y, y.dtype.newbyteorder("="))
    if y.dtype.kind == "U" and y.view(np.uint32).max() > sys.maxunicode:
        raise ValueError("a text holds what is no character")
    return y


def _text(label: str | bytes, told: str) -> str:
    try:
        return label if isinstance(label, str) else label.decode()
    except UnicodeDecodeError:
        raise Fault.of("CNN412", "source", case="UTF-8", array=told, label=label[:20]) from None
