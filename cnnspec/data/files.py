"""Files as they are met: perhaps not there, perhaps claiming more than they hold."""

from __future__ import annotations

import os
from pathlib import Path

from ..capacity import free_memory, mebibytes
from ..diagnostics import Fault
from ..plain_files import native

INFLATION = 1032  # deflate never packs more than so many bytes into one


def at(root: Path, written: str) -> Path:
    """The path that a spec speaks of: from its folder, from the root, or from a home (`~`)."""
    try:
        path = root / Path(native(written)).expanduser()
        bytes(path)
    except RuntimeError:
        raise Fault.of("CNN401", "source", case="home", path=written) from None
    except ValueError:
        raise Fault.of("CNN401", "source", case="name", path=written) from None
    if "\0" in written:
        raise Fault.of("CNN401", "source", case="NUL", path=written)
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
        return Fault.of("CNN401", "source", case="missing", path=path)
    told = error.strerror or str(error)
    reason = told[:1].lower() + told[1:]
    return Fault.of("CNN401", "source", path=path, reason=reason)


def need(count: int, what: str, case: str = "") -> None:
    """Raise a Fault where `count` bytes, for `what`, are more than are free. `one` is the case of a single picture,
    `model` that of a network.

    Asked before memory is taken, since a header may claim anything.
    """
    free = free_memory()
    if free is not None and count > free:
        raise Fault.of("CNN407", "source", case, what=what, needed=mebibytes(count), free=mebibytes(free))
