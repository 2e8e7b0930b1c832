"""`cnnspec check --watch`: check again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..checking import Configurations
from ..checking.search import search
from ..diagnostics import SpecError
from ..terminal import tell
from .outcome import interrupted

PAUSE = 0.3  # seconds between two looks at the files


def watch(paths: Sequence[str], check: Callable[[], int]) -> int:
    """Check, and again after each change of a file that is named, or that lies beside one."""
    try:
        while True:
            before = stamps(paths)
            check()
            tell("watching for changes; Ctrl-C ends it", err=True)
            while stamps(paths) == before:
                time.sleep(PAUSE)
    except KeyboardInterrupt as interrupt:
        return interrupted(interrupt)


def stamps(paths: Sequence[str]) -> dict[str, tuple[int, int]]:
    """When the files changed that a check of these paths may look at, and how large they are."""
    named = paths or (".",)
    beside = {str(Path(path).parent) for path in named if not Path(path).is_dir()}
    found: dict[str, tuple[int, int]] = {}
    with suppress(SpecError):
        files = search((*named, *sorted(beside)), Configurations(), False).files
        for name in (*files, *(str(Path(folder) / "pyproject.toml") for folder in (*named, *beside))):
            with suppress(OSError, ValueError):
                seen = os.stat(name)
                found[name] = seen.st_mtime_ns, seen.st_size
    return found
