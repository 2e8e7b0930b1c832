"""One writer at a time for a run's folder.

    with held(folder):     # or SpecError, which tells who writes there and since when
        ...

The lock is the system's, on the file `lock.json`: it ends with the process that holds it, however that ends, and no
later process of the same number can be taken for it. What the file says (process, machine, time) is for people.
Children that are forked do not inherit it. On a disk whose system keeps no locks nothing is locked.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from ..diagnostics import Diagnostic, SpecError
from . import files
from .tensors import shown

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "lock.json"
FAR = 1 << 30  # the byte that is locked: beyond the text, since Windows lets nobody read what is locked
LONGEST = 4096
PATIENCE = 2.0  # seconds that a holder may take from the lock to its text
BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

# files that this process has locked: the system locks out other processes only, and to close such a file, opened
# a second time by another thread, would give the lock away
_ours: set[tuple[int, int]] = set()
_turn = threading.Lock()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from writing into the folder of a run."""
    path = folder / NAME
    with _turn:
        handle = _acquire(path, os.O_CREAT)
        assert handle is not None
        key = _key(os.fstat(handle))
        _ours.add(key)
    try:
        with files.reported(path):
            text = _who()
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, text)
            os.ftruncate(handle, len(text))
        yield
    finally:
        with _turn:
            with suppress(OSError):  # first the name, so that it is not taken away from the next holder
                path.unlink()
            os.close(handle)
            _ours.discard(key)


def ensure_free(folder: Path) -> None:
    """Refuse a folder that somebody writes into, before any work is done for it."""
    with suppress(FileNotFoundError), _turn:
        handle = _acquire(folder / NAME)
        if handle is not None:
            os.close(handle)


def _acquire(path: Path, create: int = 0) -> int | None:
    """The locked file, open; None where there is none and none was to be made. SpecError if others hold it."""
    patience = time.monotonic() + PATIENCE
    while True:
        try:
            if _key(os.stat(path)) in _ours:
                _refuse(path, _who())
        except FileNotFoundError:
            if not create:
                return None
        with files.reported(path):
            flags = os.O_RDWR | create | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(errno.EINVAL, "it is not a file")
                _lock(handle)
                # who held it may have taken the name away meanwhile, and others have made a new file
                if _key(os.fstat(handle)) == _key(os.stat(path)):
                    return handle
            except FileNotFoundError:
                pass
            except BlockingIOError:
                text = os.read(handle, LONGEST)
                if _names_a_holder(text) or time.monotonic() > patience:
                    os.close(handle)
                    _refuse(path, text)
                time.sleep(0.01)  # it has the lock and has not said yet who it is: look again
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)


def _lock(handle: int) -> None:
    """Lock an open file for this process; BlockingIOError where another one has."""
    try:
        if fcntl is not None:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, FAR)
        else:
            import msvcrt

            os.lseek(handle, FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
    except OSError as error:
        if error.errno in BUSY:
            raise BlockingIOError from None


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _who() -> bytes:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return json.dumps({"process": os.getpid(), "machine": platform.node(), "since": since}).encode()


def _names_a_holder(text: bytes) -> bool:
    """Whether the text can be the holder's: it is whole, and no process of this machine that has ended left it."""
    try:
        found = json.loads(text)
        if fcntl is not None and found["machine"] == platform.node():  # (on Windows a signal 0 is a Ctrl-C)
            os.kill(found["process"], 0)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError, ProcessLookupError):
        return False
    except OSError:
        pass  # it runs, and is somebody else's
    return True


def _refuse(path: Path, text: bytes) -> NoReturn:
    told = "another process"
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        found = json.loads(text)
        told = f"process {found['process']} on {found['machine']}, since {found['since']}"
    raise SpecError((Diagnostic.of("CNN465", path=shown(str(path.parent)), holder=shown(told)),))
