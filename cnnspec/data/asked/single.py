"""Inputs for prediction: arrays, rows of a table, pictures, prepared like the training data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...diagnostics import Diagnostic, Fault, SpecError
from ...kernels.resample import resample
from ...plain_files import open_regular
from ..files import need, unreadable
from ..formats.idx import read_idx
from ..formats.npz import read_asked as read_archive
from ..formats.npz import read_npy, read_several
from ..formats.table import read_asked as read_table
from ..preparation import BYTES, Preparation, as_floats
from ..sources.folders import is_of_system
from ..sources.images import read_image
from .fitted import ensure_pixels, fitted, is_of_digits

ARRAYS = ((b"\x93NUMPY", ".npy"), (b"PK\x03\x04", ".npz"), (b"PK\x05\x06", ".npz"))
TABLES = (".csv", ".tsv", ".txt")
PICTURES = (
    ".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp", ".gif", ".tif", ".tiff", ".npy", ".npz",
)  # fmt: skip
FIT = 24  # bytes that a pixel of a picture takes while it is fitted
LIGHT = 128  # paper is lighter, a blackboard darker


def read_inputs(
    path: Path, preparation: Preparation, *, prepared: bool = False, fit: bool = False
) -> tuple[np.ndarray, str]:
    """The images of a file as the network sees them, (n, c, h, w) float32, and a word where they were changed.

    `prepared` floats are taken as they are; pictures are brought to the network's size with `fit`. Raises SpecError
    for what cannot be prepared.
    """
    try:
        if fit:
            return _fitted(*_read_to_fit(path, preparation), preparation)
        x = _read(path, preparation)
        need(8 * x.size, f"{path} as floats")
        if prepared:
            return as_seen(x, str(path)), ""
        seen, word = preparation.apply(x, str(path))
        return seen, word or doubtful(x, preparation)
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def read_named(path: Path, preparation: Preparation) -> dict[str, np.ndarray]:
    """The arrays of an archive as a network with several inputs or outputs sees them, by the names of inputs.

    A single input's array is x, or has its name. Raises SpecError.
    """
    names = tuple(preparation.inputs)
    try:
        if len(names) == 1:
            found = {names[0]: read_archive(path)}
        else:
            found = read_several(path, names)
        x = {
            name: preparation.inputs[name].apply(
                arranged(array, preparation.inputs[name], f"{name} of {path}"), str(path)
            )[0]
            for name, array in found.items()
        }
        counts = {name: len(array) for name, array in x.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} of {name}" for name, count in counts.items())
            raise Fault.of("CNN409", case="several", path=path, counts=told)
        return x
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def inputs_of(given: object, preparation: Preparation, *, fit: bool = False, name: str = "x") -> np.ndarray:
    """What a program gives, as the network sees it: an array, files by their paths, or a list of either.

    Raises SpecError, which calls an array `name`.
    """
    if isinstance(given, str | os.PathLike):
        return read_inputs(Path(given), preparation, fit=fit)[0]
    try:
        if isinstance(given, Sequence) and given and not _is_array(given):
            parts = [inputs_of(one, preparation, fit=fit, name=f"{name}[{i}]") for i, one in enumerate(given)]
            return np.concatenate(parts)
        array = as_numbers(given, name)
        if fit:
            return _fitted(array, name, preparation)[0]
        return preparation.apply(arranged(array, preparation, name), name)[0]
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def _is_array(given: Sequence[object]) -> bool:
    """Whether a sequence is one array, written down as lists of numbers."""
    first: object = given
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, int | float | np.generic)


def as_numbers(given: object, name: str) -> np.ndarray:
    """An argument as an array of numbers; raises Fault, which names it, for anything else."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise Fault.of("CNN408", case="array", name=name, reason=str(error).splitlines()[0]) from None
    if array.dtype.kind not in "biuf":
        raise Fault.of("CNN426", case="type", array=name, type=array.dtype)
    return array


def files_of(folder: Path, preparation: Preparation) -> tuple[list[Path], int]:
    """The files below a folder that a network may be asked about, in the order of their paths; how many others.

    By their endings: tables for a network of a table, else pictures and arrays. What is hidden, and folders that
    systems leave, are not looked at. Raises SpecError where there is nothing to ask about.
    """
    asked = TABLES if preparation.table else PICTURES
    found, passed = [], 0
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not is_of_system(name)]
        for name in files:
            if Path(name).suffix.lower() in asked and not name.startswith("."):
                found.append(Path(place, name))
            else:
                passed += not name.startswith(".")
    if not found:
        raise SpecError((Diagnostic.of("CNN414", case="asked", folder=folder, endings=", ".join(asked)),))
    return sorted(found), passed


def _refuse(error: OSError) -> None:
    raise SpecError((unreadable(Path(os.fspath(error.filename)), error).diagnostic(),)) from None


def _ending(path: Path) -> str:
    """`.npy`, `.npz`, or the ending of the file's name: the first bytes tell the format, not the name."""
    try:
        with open_regular(path) as file:
            head = file.read(8)
    except OSError as error:
        raise unreadable(path, error) from None
    return next((ending for magic, ending in ARRAYS if head.startswith(magic)), path.suffix.lower())


def _read(path: Path, preparation: Preparation) -> np.ndarray:
    """What a file holds as [n, c, ...]; one that is no array is what training's were."""
    ending = _ending(path)
    if ending == ".npy":
        return arranged(read_npy(path), preparation, str(path))
    if ending == ".npz":
        return arranged(read_archive(path), preparation, str(path))
    if preparation.table:
        return read_table(preparation.table, path)
    if "idx" in path.name.lower():
        return arranged(read_idx(path), preparation, str(path))
    return picture(path, preparation)


def _read_to_fit(path: Path, preparation: Preparation) -> tuple[np.ndarray, str]:
    """The pictures of a file, of any size."""
    ensure_pixels(preparation)
    ending = _ending(path)
    if ending in (".npy", ".npz"):
        return (read_npy if ending == ".npy" else read_archive)(path), str(path)
    if "idx" in path.name.lower():
        return read_idx(path), str(path)
    return read_image(path, colour=preparation.input[0] == 3, background=preparation.background or "white"), str(
        path
    )


def _fitted(x: np.ndarray, where: str, preparation: Preparation) -> tuple[np.ndarray, str]:
    need(FIT * x.size, f"{where}, to be fitted")
    made, word = fitted(x, preparation, where)
    return preparation.apply(made, where)[0], word


def picture(path: Path, preparation: Preparation) -> np.ndarray:
    """A picture as bytes [1, c, h, w], in colour or grey and brought to a size as the training pictures were."""
    kind = preparation.input_type
    if kind.kind != "image" or kind["c"] not in (1, 3):
        raise Fault.of("CNN408", case="picture", path=path, takes=kind)
    colour = kind["c"] == 3 if preparation.colour is None else preparation.colour
    image = read_image(path, colour, preparation.resize, preparation.background or "white")
    if image.shape != preparation.input:
        height, width = kind.spatial
        found = "x".join(map(str, image.shape))
        raise Fault.of("CNN408", case="size", path=path, sizes=found, takes=kind, height=height, width=width)
    return image[None]


def doubtful(x: np.ndarray, preparation: Preparation) -> str:
    """A word where a drawing is dark on light, and the digits of training are light on dark."""
    if not is_of_digits(preparation) or preparation.stored != BYTES or x.dtype != np.uint8 or not x.size:
        return ""
    border = np.concatenate([x[..., side, :].reshape(-1) for side in (0, -1)])
    return (
        "dark strokes on light, and the network read light on dark: `--fit` mends it"
        if (np.median(border) >= LIGHT)
        else ""
    )


def arranged(x: np.ndarray, preparation: Preparation, where: str) -> np.ndarray:
    """An array of one image or several, with its axes in the order of training's data, as (n, c, h, w).

    Channels first will do too; an image of one channel may come without its axis, and what was trained on pictures
    takes their channels last, as libraries of pictures give them. Where training brought pictures to a size, so
    are these.
    """
    kind = preparation.input_type
    axes = preparation.axes or ""
    if axes and x.ndim in (len(axes), len(axes) - 1):
        batch = x if x.ndim == len(axes) else x[None]
        if "c" not in axes:
            batch, axes = batch[:, None], f"nc{axes[1:]}"
        found = batch.transpose([axes.index(name) for name in "nchw" if name in axes])
        if found.shape[1:] == preparation.input:
            return found
    if x.shape == preparation.input:
        return x[None]
    if x.ndim and x.shape[1:] == preparation.input:
        return x
    if kind.spatial and preparation.input[0] == 1 and x.shape[-len(kind.spatial) :] == kind.spatial:
        if x.ndim == len(kind.spatial):
            return x[None, None]
        if x.ndim == len(kind.spatial) + 1:
            return x[:, None]
    sizes = x.shape if x.ndim == len(preparation.input) else x.shape[1:]
    last = len(sizes) > 1 and (sizes[-1], *sizes[:-1]) == preparation.input
    if last and preparation.source == "images":
        return np.moveaxis(x if x.ndim > len(preparation.input) else x[None], -1, 1)
    if preparation.resize is not None and (pictures := _pictures(x, preparation.input[0])) is not None:
        need(8 * pictures.size, f"{where}, to be brought to {preparation.input_type}")
        sized = resample(pictures, *preparation.resize)
        return (np.rint(sized) if x.dtype.kind in "iu" or x.max() > 1 else sized).astype(x.dtype)
    if last:
        raise Fault.of(
            "CNN408", case="channels last", array=where, type=x.dtype, shape=x.shape, takes=kind, axes=len(sizes)
        )
    raise Fault.of("CNN408", array=where, type=x.dtype, shape=x.shape, takes=kind)


def _pictures(x: np.ndarray, channels: int) -> np.ndarray | None:
    """Numbers of one picture or several, of any size, as (n, c, h, w); None where the channels are others."""
    if 0 in x.shape or x.dtype == np.bool_:
        return None
    if channels == 1 and x.ndim in (2, 3) and 1 not in (x.shape[0], x.shape[-1]):
        return x.reshape(-1, 1, *x.shape[-2:])
    if x.ndim in (3, 4) and x.shape[-3] == channels:
        return x.reshape(-1, *x.shape[-3:])
    if x.ndim in (3, 4) and x.shape[-1] == channels:
        return np.moveaxis(x.reshape(-1, *x.shape[-3:]), -1, 1)
    return None


def as_seen(x: np.ndarray, where: str) -> np.ndarray:
    """Floats that have been prepared already."""
    if x.dtype.kind != "f":
        raise Fault.of("CNN426", case="prepared", array=where, type=x.dtype)
    return as_floats(x, where)
