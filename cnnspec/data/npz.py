"""NumPy archives, read without pickle, their sizes checked before any memory is taken.

An npz is a zip of npy files; an npy is a short header (type, order, shape) and then the numbers.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Npz
from .files import AGAIN, INFLATION, need, unreadable
from .found import Found

KERAS = ("x_train", "y_train", "x_test", "y_test")
NUMBER = r"[<>|=]?(b1|[iu][1248]|f[248])"
LONGEST_HEADER = 10_000
DESCR = r"'descr':\s*(?:'([^']*)'|\[)"  # a list is a type with fields
FORTRAN = r"'fortran_order':\s*(True|False)"
SHAPE = r"'shape':\s*\(([\d, ]*)\)"


def read_npz(source: Npz, path: Path) -> Found:
    """The images and labels of an archive."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
            wanted = KERAS if names.issuperset(KERAS) else ("x", "y")
            if not names.issuperset(wanted):
                told = ", ".join(sorted(names)[:8]) or "no array at all"
                raise Fault(
                    "CNN413", f"{path.name} has {told}, and neither x and y nor {', '.join(KERAS)}", at="source",
                    help="save it by `np.savez(file, x=images, y=labels)`",
                )  # fmt: skip
            arrays = [_member(archive, name, path.name) for name in wanted]
    except (zlib.error, EOFError) as error:
        raise Fault("CNN404", f"{path.name} is damaged: {error}", at="source", help=AGAIN) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        # RuntimeError: encrypted; NotImplementedError: packed in an unknown way; ValueError: a bad npy header
        reason = str(error).split("\n")[0]
        raise Fault(
            "CNN405", f"{path.name} is not an npz archive that can be read: {reason}", at="source", help=AGAIN
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None
    train, *test = [(_ordered(source, path.name, x), y) for x, y in zip(arrays[::2], arrays[1::2], strict=True)]
    return Found(path.stem, train, test[0] if test else None, source.classes)


def _member(archive: zipfile.ZipFile, name: str, where: str) -> np.ndarray:
    """One array of an archive."""
    entry = archive.getinfo(f"{name}.npy")
    told = f"{name} of {where}"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Fault(
            "CNN405", f"{told} is packed in a way that NumPy never uses", at="source",
            help="save it by `np.savez` or `np.savez_compressed`",
        )  # fmt: skip
    if entry.file_size > entry.compress_size * INFLATION:
        raise Fault("CNN407", f"{told} claims to unpack to more than it can hold", at="source", help=AGAIN)
    with archive.open(entry) as file:
        shape, backwards, kind = _header(file)
        if not re.fullmatch(NUMBER, kind):
            raise Fault(
                "CNN412", f"{told} is of type {kind[:40]}, not numbers", at="source",
                help="number the classes from 0" if name.startswith("y") else "store bytes or floats",
            )  # fmt: skip
        dtype = np.dtype(kind)
        length = prod(shape) * dtype.itemsize
        follows = entry.file_size - file.tell()
        numbers = "x".join(map(str, shape)) or "1"
        if length != follows:
            raise Fault(
                "CNN404", f"{told} tells of {numbers} numbers, {length:,} bytes; {follows:,} follow", at="source",
                help=AGAIN,
            )  # fmt: skip
        if not length:
            raise Fault("CNN414", f"{told} is empty: {numbers} numbers", at="source")
        need(length, told)
        array = np.empty(shape, dtype, order="F" if backwards else "C")
        _fill(array.T if backwards else array, file)
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, str]:
    """Shape, whether the first axis is fastest, and type; ValueError where the header makes no sense.

    A header is a dict in Python's syntax. Its three entries are looked for, and nothing is evaluated.
    """
    start = file.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0"):
        raise ValueError("an array does not begin as an npy file does")
    length = int.from_bytes(file.read(2 * start[6]), "little")
    if length > LONGEST_HEADER:
        raise ValueError("the header of an array is too long")
    header = file.read(length).decode("latin1")
    parts = [re.search(pattern, header) for pattern in (DESCR, FORTRAN, SHAPE)]
    if None in parts:
        raise ValueError(f"the header of an array is {header[:80].strip()!r}")
    descr, backwards, sizes = (part.group(1) for part in parts if part)
    return tuple(map(int, re.findall(r"\d+", sizes))), backwards == "True", descr or "with fields"


def _fill(array: np.ndarray, file: IO[bytes]) -> None:
    """Read a contiguous array's bytes, a megabyte at a time; the end of the file checks its sum."""
    into, filled = array.reshape(-1).view(np.uint8), 0
    while filled < into.size:
        block = file.read(min(1 << 20, into.size - filled))
        if not block:
            raise EOFError("it ends before its numbers do")
        into[filled : filled + len(block)] = np.frombuffer(block, np.uint8)
        filled += len(block)
    file.read(1)


def _ordered(source: Npz, where: str, x: np.ndarray) -> np.ndarray:
    """Images with their channels first, by the order that the spec tells."""
    axes = source.axes or {2: "nc", 3: "ncw", 4: "nchw"}.get(x.ndim)
    if axes is None or len(axes) != x.ndim:
        told = f"{len(axes)} (`axes {axes}`)" if axes else "2 to 4"
        raise Fault("CNN408", f"x of {where} has {x.ndim} axes where {told} are wanted", at="source")
    if "c" not in axes:
        x, axes = x[:, None], "nc" + axes[1:]
    return x.transpose([axes.index(name) for name in "nchw" if name in axes])
