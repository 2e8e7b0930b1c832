"""Which files an IDX set has, and how they are opened: in gzip or as they are."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ...diagnostics import Fault
from ...plain_files import open_regular, size_of
from ..files import INFLATION, unreadable


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """An IDX file, unpacked, and the most bytes that it can hold; what turns out to be wrong with it is a Fault."""
    try:
        with open_regular(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                yield file, size_of(file)
                return
            with gzip.open(file) as unpacked:
                yield cast(BinaryIO, unpacked), size_of(file) * INFLATION
    except EOFError:
        raise Fault.of("CNN404", "source", case="gzip", name=path.name) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Fault.of("CNN404", "source", name=path.name, reason=error) from None
    except OSError as error:
        raise unreadable(path, error) from None


def idx_files(folder: Path) -> list[tuple[Path, Path]]:
    """Images and labels to learn from, and those to be tested on where they are there."""
    try:
        names = sorted(os.listdir(folder), key=lambda name: (len(name), name))
    except OSError as error:
        raise unreadable(folder, error) from None
    pairs = []
    for part in ("train", "t10k", "test"):
        # the unpacked one of two
        images, labels = (
            next((folder / name for name in names if f"{part}-{kind}" in name and not name.startswith(".")), None)
            for kind in ("images", "labels")
        )
        if images and labels:
            pairs.append((images, labels))
        elif images or labels or part == "train":
            missing = f"{part}-{'labels' if images else 'images'}"
            raise Fault.of("CNN401", "source", case="file", folder=folder, missing=missing, axes=1 if images else 3)
    return pairs[:2]
