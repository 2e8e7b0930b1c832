"""Opening files that somebody else named: plain files only, and never a wait.

A path may lead to a named pipe that nobody writes to, to a device without an end, to a folder, or nowhere; it may
hold a NUL. All of these are an `OSError` whose `strerror` says what is there instead, at once and before any
of it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
LONGEST_TEXT = 1 << 26
OTHERS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe or a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFile(OSError):
    """There is something under this path, and it is not a plain file."""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """A plain file, opened to be read as bytes; `OSError` where there is none, `NotAFile` where it is none."""
    try:
        # looked at before it is opened: to open a device may already do something
        _ensure_regular(path, os.stat(path).st_mode)
        file = open(os.open(path, FLAGS), "rb")  # noqa: SIM115
    except ValueError as error:  # a NUL, or a character that the system's names cannot hold
        raise OSError(errno.EINVAL, f"no file can have this name ({error})", os.fspath(path)) from None
    try:
        _ensure_regular(path, os.fstat(file.fileno()).st_mode)
    except OSError:
        file.close()
        raise
    return file


def native(written: str) -> str:
    """A path that a text in UTF-8 speaks of, as names of files are here, under any locale (PEP 383)."""
    return os.fsdecode(written.encode("utf-8", "surrogateescape"))


def _ensure_regular(path: str | os.PathLike[str], mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in OTHERS if test(mode)), "something else")
        raise NotAFile(errno.EINVAL, f"it is not a file, but {kind}", os.fspath(path))


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """The bytes of a plain file; `OSError` where there is none, or where it has more than `most`."""
    with open_regular(path) as file:
        # a file of the kernel tells no size, and is read to see
        raw = file.read(most + 1) if size_of(file) <= most else None
    if raw is None or len(raw) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", os.fspath(path))
    return raw


def read_text(path: str | os.PathLike[str], errors: str = "strict") -> str:
    """The text of a plain file in UTF-8, its line ends as `\\n`; `OSError` as above, `UnicodeDecodeError`."""
    text = read_bytes(path, LONGEST_TEXT).decode("utf-8", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def size_of(file: BinaryIO) -> int:
    """The bytes of an open file."""
    return os.fstat(file.fileno()).st_size
