"""`cnnspec check --watch`: check again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..checking import Configurations
from ..checking.named import NamedFiles, Stamp, stamp
from ..checking.search import search
from ..diagnostics import SpecError
from ..terminal import tell
from .outcome import interrupted

PAUSE = 0.3  # seconds between two looks at the files
INTERRUPTED = 128  # from here on, exit codes tell of a signal


def watch(paths: Sequence[str], others: Iterable[Path], check: Callable[[], int]) -> int:
    """Check, and again after each change of a file that a check looks at: the specs of these paths, what they
    import, the data and weights that they name, the settings, and the `others` that the call names."""
    named = NamedFiles()
    also = tuple(map(str, others))
    try:
        while True:
            before = stamps(paths, also, named)
            code = check()
            if code > INTERRUPTED:
                return code
            tell("watching for changes; Ctrl-C ends it", err=True)
            while stamps(paths, also, named) == before:
                time.sleep(PAUSE)
    except KeyboardInterrupt as interrupt:
        return interrupted(interrupt)


def stamps(paths: Sequence[str], also: Sequence[str], named: NamedFiles) -> dict[str, Stamp]:
    """When the files changed that a check of these paths looks at, and how large they are."""
    asked = paths or (".",)
    found = {name: stamp(name) for name in also}
    folders = {Path(os.path.abspath(name)) for name in asked}
    with suppress(SpecError):  # of settings that cannot be used, which are looked at below
        files = search(asked, Configurations(), False).files
        found |= named.stamps(files)
        folders |= {Path(os.path.abspath(name)).parent for name in files}
    for above in {above for folder in folders for above in (folder, *folder.parents)}:
        settings = str(above / "pyproject.toml")
        found[settings] = stamp(settings)
    return found
