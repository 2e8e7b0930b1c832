"""IDX, the format of MNIST: a header of sizes and then the numbers, in a gzip file or as they are.

bytes 0 1   zero
byte  2     what the numbers are (8: bytes)
byte  3     how many axes
4 each      the sizes of the axes, the highest byte first
the rest    the numbers, the last axis fastest, the highest byte first
"""

from __future__ import annotations

import gzip
import io
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Idx
from .files import AGAIN, INFLATION, need, unreadable
from .found import Found

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: Path, axes: tuple[int, ...] = (1, 2, 3, 4)) -> np.ndarray:
    """The array of an IDX file, which must have one of these numbers of axes."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            size = path.stat().st_size
            if not packed:
                return _read(file, path.name, axes, size)
            with gzip.open(file) as unpacked:
                return _read(cast(BinaryIO, unpacked), path.name, axes, size * INFLATION)
    except EOFError:
        raise _truncated(path.name, "its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Fault("CNN404", f"{path.name} is damaged: {error}", at="source", help=AGAIN) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _truncated(name: str, why: str) -> Fault:
    return Fault("CNN404", f"{name} is cut short: {why}", at="source", help=AGAIN)


def _read(file: BinaryIO, name: str, axes: tuple[int, ...], most: int) -> np.ndarray:
    """The array of an open file that cannot hold more than `most` bytes."""
    head = file.read(4)
    if len(head) < 4:
        raise _truncated(name, f"it has {len(head)} of the 4 bytes that an IDX file begins with")
    if head[:2] != b"\0\0" or head[2] not in TYPES:
        raise Fault(
            "CNN405", f"{name} is not an IDX file: it begins with {head.hex(' ')}", at="source",
            help="an IDX file of images begins with 00 00 08 03, one of labels with 00 00 08 01",
        )  # fmt: skip
    count = head[3]
    if count not in axes:
        wanted = " or ".join(map(str, axes))
        raise Fault(
            "CNN408", f"{name} has {count} axes where {wanted} are wanted", at="source",
            help="images have 3 (number, height, width), labels have 1",
        )  # fmt: skip
    sizes = file.read(4 * count)
    if len(sizes) < 4 * count:
        raise _truncated(name, f"it has {len(sizes)} of the {4 * count} bytes that tell its sizes")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, 4 * count, 4))
    dtype = np.dtype(TYPES[head[2]])
    length = prod(shape) * dtype.itemsize
    told = "x".join(map(str, shape))
    if not length:
        raise Fault("CNN414", f"{name} is empty: {told} numbers", at="source")
    follow = most - 4 - 4 * count
    if length > follow:
        cut = "at most " if isinstance(file, gzip.GzipFile) else ""
        raise _truncated(name, f"its header tells of {told} numbers, {length:,} bytes, and {cut}{follow:,} follow")
    need(length, name)
    array = np.empty(shape, dtype)
    into, filled = array.reshape(-1).view(np.uint8), 0
    while filled < length:
        got = file.readinto(into[filled : filled + (1 << 20)].data)  # type: ignore[attr-defined]
        if not got:
            raise _truncated(name, f"its header tells of {told} numbers, {length:,} bytes, and {filled:,} follow")
        filled += got
    if file.read(1):
        raise Fault(
            "CNN404", f"{name} goes on after the {told} numbers that its header tells of", at="source", help=AGAIN
        )
    return array.astype(dtype.newbyteorder("="), copy=False)


def read_idx_folder(source: Idx, folder: Path) -> Found:
    """The files of a folder, by their names: train-images..., train-labels..., and t10k or test."""
    if not folder.is_dir():
        raise unreadable(folder, FileNotFoundError())
    pairs = []
    for part in ("train", "t10k", "test"):
        images, labels = (_one(folder, f"{part}-{kind}") for kind in ("images", "labels"))
        if images and labels:
            x = read_idx(images, axes=(2, 3, 4))
            pairs.append((x[:, None] if x.ndim == 3 else x, read_idx(labels, axes=(1, 2))))
        elif images or labels or part == "train":
            missing = f"{part}-{'labels' if images else 'images'}"
            raise Fault(
                "CNN401", f"{folder} has no {missing}", at="source",
                help=f"the file may be called {missing}-idx{1 if images else 3}-ubyte.gz, for example",
            )  # fmt: skip
    return Found(folder.name, pairs[0], pairs[1] if len(pairs) > 1 else None, source.classes)


def _one(folder: Path, beginning: str) -> Path | None:
    """The file whose name holds `train-images` and the like; the unpacked one of two."""
    return min((path for path in folder.glob(f"*{beginning}*") if path.is_file()), key=_length, default=None)


def _length(path: Path) -> tuple[int, str]:
    return len(path.name), path.name


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array as an IDX file; in gzip, always the same bytes, where the name ends in .gz."""
    kinds = {np.dtype(name).newbyteorder("="): (kind, name) for kind, name in TYPES.items()}
    kind, name = kinds[array.dtype]
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes((0, 0, kind, array.ndim)) + sizes + array.astype(name).tobytes()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
            file.write(content)
        content = packed.getvalue()
    path.write_bytes(content)
