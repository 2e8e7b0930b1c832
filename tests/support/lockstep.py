"""Processes whose lines are read one by one: none gets further ahead of its reader than the line after.

A pipe of the usual kind holds thousands of lines, so that a process may have ended before a test that reads its
first line has done anything about it. Here it waits: in its pipe there is room for one piece of writing.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any


def start(command: list[str], **more: Any) -> subprocess.Popen:
    """`subprocess.Popen` with such a pipe as standard output, as text where an `encoding` is given."""
    reader, writer = pipe()
    try:
        process = subprocess.Popen(command, stdout=writer, **more)
    finally:
        os.close(writer)
    encoding = more.get("encoding")
    process.stdout = os.fdopen(reader, "r" if encoding else "rb", encoding=encoding)
    return process


def pipe() -> tuple[int, int]:
    """Both ends of a pipe that holds what is written at a time until it is read; where there is none, of a pipe."""
    if not hasattr(os, "O_DIRECT"):
        return os.pipe()
    import fcntl

    reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)  # each piece of writing takes a page of its own
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))  # of which there is one
    return reader, writer
