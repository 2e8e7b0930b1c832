"""Files as they are met: perhaps not there, perhaps claiming more than they hold."""

from __future__ import annotations

import os
from pathlib import Path

from ..capacity import free_memory, mebibytes
from ..diagnostics import Fault
from ..plain_files import native

FROM = "paths start from the folder of the spec; where the data lie elsewhere, name that folder by `--data`"
AGAIN = "fetch or copy the file again"  # the help for damaged files
INFLATION = 1032  # deflate never packs more than so many bytes into one


def at(root: Path, written: str) -> Path:
    """The path that a spec speaks of: from its folder, from the root, or from a home (`~`)."""
    try:
        path = root / Path(native(written)).expanduser()
        bytes(path)
    except RuntimeError:
        raise Fault("CNN401", f"there is no home for the `~` of {written}", at="source") from None
    except ValueError:
        raise Fault("CNN401", f"no file can be called {written!r}", at="source") from None
    if "\0" in written:
        raise Fault("CNN401", f"no file can be called {written!r}: it holds a NUL", at="source")
    try:
        return path if path.name not in ("", "..") else path.resolve()  # so that messages can name it
    except OSError as error:  # the current folder is gone
        raise unreadable(path, error) from None


def found_at(root: Path, given: Path | None, written: str) -> Path:
    """The same path, or where it is from the folder `given` where that has it, or where nothing has it."""
    own, other = at(root, written), given and at(given, written)
    return other if other and (os.path.exists(other) or not os.path.exists(own)) else own


def unreadable(path: Path, error: OSError) -> Fault:
    """The fault of a file or folder that is not there, or that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return Fault("CNN401", f"there is no {path}", at="source", help=FROM)
    reason = error.strerror or str(error)
    return Fault("CNN401", f"{path} cannot be read: {reason[:1].lower()}{reason[1:]}", at="source")


def need(count: int, what: str, help: str = "use fewer or smaller images") -> None:
    """Raise a Fault where `count` bytes, for `what`, are more than are free.

    Asked before memory is taken, since a header may claim anything.
    """
    free = free_memory()
    if free is not None and count > free:
        raise Fault(
            "CNN407",
            f"{what} would take {mebibytes(count)}, and {mebibytes(free)} are free",
            at="source",
            help=help,
        )
