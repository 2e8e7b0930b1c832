"""Where the user's machine keeps what can be made or fetched again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def folder() -> Path:
    """`cnnspec` in the user's cache: `$XDG_CACHE_HOME`, or what the system has for that."""
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "cnnspec"
