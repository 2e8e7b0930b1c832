"""Writing that leaves either the old file or the new one, never half of one.

A file is written under a temporary name in its own folder, forced to the disk, renamed over the old one,
and the folder forced to the disk after it. If anything fails on the way (a full disk, a kill, a power cut),
the name stands for a whole file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..diagnostics import Diagnostic, SpecError

Bytes = bytes | memoryview

TEMPORARY = ".tmp"

CASES = {  # of CNN305
    errno.ENOSPC: "full",
    errno.EDQUOT: "quota",
    errno.EROFS: "read-only",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EIO: "disk",
}


def write(path: Path, parts: Iterable[Bytes]) -> None:
    """Put the parts, one after the other, in place of the file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with reported(path):
        try:
            _write_through(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, parts)
            os.replace(temporary, path)
            _sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


def append(path: Path, text: str) -> None:
    """Put a line at the end of a file that grows."""
    raw = text.encode()
    with reported(path):
        _write_through(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, [raw])


def make_folder(path: Path) -> bool:
    """Make a folder; False where it is there already."""
    with reported(path):
        try:
            os.mkdir(path)
        except FileExistsError:
            return False
        _sync_folder(path.parent)
        return True


def sweep(folder: Path) -> None:
    """Remove what a killed process left under temporary names."""
    for leftover in folder.glob(f"**/.*{TEMPORARY}"):
        with suppress(OSError):
            leftover.unlink()


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn a refusal of the system to write into a diagnostic."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        case = CASES.get(error.errno or 0, "")
        raise SpecError((Diagnostic.of("CNN305", case=case, path=path, reason=reason),)) from error
    except ValueError as error:  # before the system is asked
        if "\0" not in str(path) and not isinstance(error, UnicodeEncodeError):
            raise
        reason = f"no file can have this name ({error})"
        raise SpecError((Diagnostic.of("CNN305", path=path, reason=reason),)) from error


def _write_through(path: Path, flags: int, parts: Iterable[Bytes]) -> None:
    """Write the parts and wait until the disk has them."""
    file = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    try:
        for part in parts:
            rest = memoryview(part).cast("B")
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def _sync_folder(folder: Path) -> None:
    """Wait until the disk knows the folder's names; where folders cannot be opened there is no need."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
