"""Images decoded once: a file of their bytes in the user's cache, for the next training on the same files.

    ~/.cache/cnnspec/decoded/<sha256 of all names, sizes, times of change, and of how they are read>

A file that was changed, added or taken out makes another name, so nothing there is ever stale. All of it can be
deleted at any time. Where it cannot be written, images are decoded into memory instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache as cache_of
from hashlib import sha256
from pathlib import Path
from time import monotonic

import numpy as np

from ...cache import folder as cache
from ...capacity import free_memory
from ...plain_files import open_regular, size_of
from ..files import unreadable
from .fetch import Progress
from .filed import Filed

MANY = 1000  # files; fewer are decoded in a second
LARGE = 64 << 20  # bytes
IN_MEMORY = 1 << 30  # bytes that are read whole, where four times as much is free
AT_ONCE = 256  # files from one word about the progress to the next, and handed to the workers
SECONDS = 2  # between two such words
WORKERS = 8
VERSION = "1"

Decode = Callable[[Path], np.ndarray]


def decoded(
    files: tuple[Path, ...], shape: tuple[int, ...], how: str, decode: Decode, progress: Progress | None
) -> np.ndarray | None:
    """The images of files as bytes [n, ...shape], decoded by `decode`, which `how` describes.

    None where they are few, or the cache cannot hold them. Images that memory has no room for stay in the file.
    """
    length = len(files) * int(np.prod(shape))
    if len(files) < MANY and length < LARGE:
        return None
    path = cache() / "decoded" / _key(files, shape, how)
    if not _is_whole(path, length):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(path.parent).free < length + LARGE:
                return None
        except OSError:
            return None
        if not _write(path, files, decode, progress):
            return None
    try:
        file = open_regular(path)
    except OSError:  # another program cleared the cache
        return None
    images = Filed(file, (len(files), *shape))
    free = free_memory()
    return images[:] if length <= IN_MEMORY and (free is None or 4 * length <= free) else images.as_array()


def _key(files: tuple[Path, ...], shape: tuple[int, ...], how: str) -> str:
    found = sha256(f"{VERSION} {shape} {how}\n".encode())
    whole = cache_of(os.path.abspath)  # of a folder, which is that of thousands of files
    for file in files:
        folder, name = os.path.split(file)
        try:
            seen = os.stat(file)
        except OSError as error:
            raise unreadable(file, error) from None
        path = os.fsencode(os.path.join(whole(folder), name))
        found.update(b"%s\0%d %d\n" % (path, seen.st_size, seen.st_mtime_ns))
    return found.hexdigest()


def _is_whole(path: Path, length: int) -> bool:
    try:
        with open_regular(path) as file:
            return size_of(file) == length
    except OSError:
        return False


def _write(path: Path, files: tuple[Path, ...], decode: Decode, progress: Progress | None) -> bool:
    """Decode all files, in their order, into one; False where it cannot be written. A Fault of a file goes on."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name[:16]}", dir=path.parent)
    except OSError:
        return False
    try:
        with os.fdopen(number, "wb") as out:
            for images in _each(files, decode, progress):
                try:
                    out.write(images)
                except OSError:
                    return False
        os.replace(name, path)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            os.unlink(name)
    return True


def _each(files: tuple[Path, ...], decode: Decode, progress: Progress | None) -> Iterator[bytes]:
    """The bytes of the images, some files' at a time; Pillow decodes in several threads at once."""
    told = monotonic()
    with ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)) as pool:
        for first in range(0, len(files), AT_ONCE):
            part = files[first : first + AT_ONCE]
            yield b"".join(image.tobytes() for image in pool.map(decode, part))
            if progress and monotonic() - told > SECONDS:
                told = monotonic()
                progress(f"decoded {first + len(part):,} of {len(files):,} images, once and for all later runs")
