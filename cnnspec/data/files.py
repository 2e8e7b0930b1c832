"""Files as they are met: perhaps not there, perhaps claiming more than they hold."""

from __future__ import annotations

from pathlib import Path

from ..capacity import free_memory, mebibytes
from ..diagnostics import Fault

AGAIN = "fetch or copy the file again"  # the help for damaged files
INFLATION = 1032  # deflate never packs more than so many bytes into one


def unreadable(path: Path, error: OSError) -> Fault:
    """The fault of a file or folder that is not there, or that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return Fault("CNN401", f"there is no {path}", at="source", help="paths start from the folder of the spec")
    return Fault("CNN401", f"{path} cannot be read: {error.strerror or error}", at="source")


def need(count: int, what: str) -> None:
    """Raise a Fault where `count` bytes, for `what`, are more than are free.

    Asked before memory is taken, since a header may claim anything.
    """
    free = free_memory()
    if free is not None and count > free:
        raise Fault(
            "CNN407",
            f"{what} would take {mebibytes(count)}, and {mebibytes(free)} are free",
            at="source",
            help="use fewer or smaller images",
        )
