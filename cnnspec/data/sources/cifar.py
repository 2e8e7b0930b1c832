"""CIFAR-10 in its binary version: records of a label and 3072 bytes (c, h, w), in files of 10,000.

Read out of the archive as it is fetched, without unpacking it, or from the folder that it unpacks to.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...diagnostics import Fault
from ...plain_files import open_regular
from ..files import unreadable
from ..found import Found, Pair
from .fetch import CIFAR10, Progress, find
from .wellknown import PHOTOS

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST = "test_batch.bin"
RECORD = 1 + 3 * 32 * 32
LENGTH = 10_000 * RECORD
LONGEST = 8 * LENGTH


def read_cifar10(folder: Path, progress: Progress | None = None) -> Found:
    """The set, from `folder/cifar10`, `folder` itself, or fetched."""
    for place in (folder / CIFAR10.name / FOLDER, folder / FOLDER):
        if os.path.isdir(place):
            files = {name: _plain(place / name) for name in (*TRAIN, TEST)}
            break
    else:
        files = _packed(find(CIFAR10, folder, progress)["cifar-10-binary.tar.gz"])
    train = [_records(name, files[name]) for name in TRAIN]
    x, y = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return Found("cifar10", (x, y), _records(TEST, files[TEST]), PHOTOS)


def _plain(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(LENGTH + 1)
    except OSError as error:
        raise unreadable(path, error) from None


class _Bounded(gzip.GzipFile):
    """A gzip file that unpacks to no more than the set takes, so that no header within it can ask for more."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > LONGEST:
            raise EOFError(f"it unpacks to more than {LONGEST:,} bytes")
        return super().read(size)


def _packed(path: Path) -> dict[str, bytes]:
    """The files of the archive by name; no member is unpacked to disk or read beyond its due length."""
    found: dict[str, bytes] = {}
    try:
        with open_regular(path) as file, tarfile.open(fileobj=_Bounded(file), mode="r|") as archive:
            for member in archive:
                if member.size > LENGTH:
                    raise Fault.of(
                        "CNN407",
                        "source",
                        case="member",
                        name=member.name,
                        path=path.name,
                        bytes=member.size,
                        most=LENGTH,
                    )
                name = member.name.rpartition("/")[2]
                if member.isreg() and name in (*TRAIN, TEST):
                    content = archive.extractfile(member)
                    assert content, "a plain file has content"
                    found[name] = content.read()
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise Fault.of("CNN404", "source", name=path.name, reason=error) from None
    except OSError as error:
        raise unreadable(path, error) from None
    for name in (*TRAIN, TEST):
        if name not in found:
            raise Fault.of("CNN404", "source", case="member", path=path.name, name=name)
    return found


def _records(name: str, content: bytes) -> Pair:
    if len(content) != LENGTH:
        told = f"{len(content):,}" if len(content) <= LENGTH else "more"
        raise Fault.of("CNN404", "source", case="bytes", name=name, bytes=told, wanted=LENGTH)
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
