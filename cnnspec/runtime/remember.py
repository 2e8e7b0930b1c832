"""Times that were measured once, remembered in the user's cache for this machine's NumPy, BLAS and processor."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from pathlib import Path

from .. import cache
from .._version import __version__
from ..plain_files import read_text

Times = Mapping[str, Mapping[str, float]]


def file() -> Path:
    return cache.folder() / "tuned.json"


def machine() -> str:
    """What times depend on beside the shapes: cnnspec, NumPy, its BLAS, the processor."""
    import numpy as np
    from threadpoolctl import threadpool_info

    blas = [pool for pool in threadpool_info() if pool.get("user_api") == "blas"]
    libraries = [f"{p.get('internal_api')} {p.get('version')} {p.get('architecture', '')}".rstrip() for p in blas]
    return "; ".join([f"cnnspec {__version__}", f"numpy {np.__version__}", *sorted(libraries), processor()])


def processor() -> str:
    """The processor's model, as far as the system tells."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def recall(key: str) -> dict[str, dict[str, float]]:
    """The times that are remembered under a key; a file that is not there, or not ours, remembers nothing."""
    found = _read().get(key)
    return {name: times for name, times in found.items() if _are_times(times)} if isinstance(found, dict) else {}


def remember(key: str, times: Times) -> None:
    """Add times to what is remembered. Where the file cannot be written, they are measured again next time."""
    known = _read()
    known[key] = recall(key) | {name: dict(found) for name, found in times.items()}
    path = file()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tuned-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(known, stream, indent=1)
            os.replace(temporary, path)  # whole or absent, even with other writers
        except BaseException:
            os.unlink(temporary)
            raise


def _read() -> dict[str, object]:
    try:
        found = json.loads(read_text(file()))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _are_times(found: object) -> bool:
    """Whether it is method -> seconds."""
    return isinstance(found, dict) and all(
        isinstance(seconds, float) and isfinite(seconds) and seconds > 0 for seconds in found.values()
    )
