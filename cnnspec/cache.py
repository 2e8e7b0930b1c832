"""The user's cache folder, for data that can be made or fetched again."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """`cnnspec` in the user's cache: `$XDG_CACHE_HOME`, or what the system has for that."""
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = _home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        if not cache.is_absolute():  # by its convention such a one is none
            cache = _home() / ".cache"
    return cache / "cnnspec"


def _home() -> Path:
    """The user's folder; one of their own among the temporary ones where the system knows of none."""
    try:
        return Path.home()
    except RuntimeError:  # a container's user without a name
        return Path(tempfile.gettempdir()) / f"cnnspec-{os.getuid()}"
