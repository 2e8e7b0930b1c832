"""IDX, the format of MNIST: a header of sizes and then the numbers, in a gzip file or as they are."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...diagnostics import Fault
from ...settings.data import Idx
from ..files import need
from ..found import Found, in_native_order
from .headers import IDX_TYPES, idx_header, short
from .idx_files import idx_files, opened


def read_idx(path: Path, axes: tuple[int, ...] = (1, 2, 3, 4)) -> np.ndarray:
    """The array of an IDX file, which must have one of these numbers of axes."""
    with opened(path) as (file, most):
        return _read(file, path.name, axes, most)


def _read(file: BinaryIO, name: str, axes: tuple[int, ...], most: int) -> np.ndarray:
    """The array of an open file that cannot hold more than `most` bytes."""
    header = idx_header(file, name, axes, most)
    length = header.length
    need(length, name)
    array = np.empty(header.shape, header.kind)
    into, filled = array.reshape(-1).view(np.uint8), 0
    while filled < length:
        got = file.readinto(into[filled : filled + (1 << 20)].data)  # type: ignore[attr-defined]
        if not got:
            raise short(name, header, f"{filled:,}")
        filled += got
    if file.read(1):
        raise Fault.of("CNN404", "source", case="longer", name=name, numbers=header.told)
    return in_native_order(array)


def read_idx_folder(source: Idx, folder: Path) -> Found:
    """The files of a folder, by their names: train-images..., train-labels..., and t10k or test."""
    pairs = []
    for images, labels in idx_files(folder):
        x = read_idx(images, axes=(2, 3, 4))
        pairs.append((x[:, None] if x.ndim == 3 else x, read_idx(labels, axes=(1, 2))))
    return Found(folder.name, pairs[0], pairs[1] if len(pairs) > 1 else None, source.classes)


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array as an IDX file; in gzip, always the same bytes, where the name ends in .gz."""
    kinds = {np.dtype(name).newbyteorder("="): (kind, name) for kind, name in IDX_TYPES.items()}
    kind, name = kinds[array.dtype]
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = bytes((0, 0, kind, array.ndim)) + sizes + array.astype(name).tobytes()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
            file.write(content)
        content = packed.getvalue()
    path.write_bytes(content)
