"""Imports: the definitions of other files, found beside the file that asks for them.

Paths are relative to the importing file. What they lead to, links resolved, must lie under the file's
project (`project`), whichever command reads the file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..diagnostics import Diagnostic, Source, Span
from .files import read_file
from .findings import Findings
from .lowering.names import Module, collect
from .parse.parser import parse
from .parse.tree import Import

MOST_FILES = 100
DEEPEST = 20  # files that import one another in a row
OWN_TABLE = re.compile(r'^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*"?cnnspec\b', re.M)


class Imports:
    """Loads the modules that a file and its imports ask for, each once."""

    def __init__(self, source: Source, folder: Path | None, root: Path | None, findings: Findings) -> None:
        self.findings = findings
        own = Path(source.name)
        folder = own.parent if own.suffix else (folder or Path())  # `<text>` lies in no folder of its own
        self.root = _resolved(root or project(folder))
        self.folders = [folder]
        self.reading = [_resolved(own)]
        self.modules: dict[Path, Module | None] = {}

    def load(self, statement: Import) -> Module | None:
        """The module behind an import statement of the file that is being read, or None and why not."""
        text, span = statement.path.text, statement.path.span
        path = self.folders[-1] / text
        real = _resolved(path)
        if real is None:
            self.findings.report("CNN013", f'"{text}" is a loop of links', span)
            return None
        if self.root is None or not real.is_relative_to(self.root):
            self.findings.report(
                "CNN014",
                f'"{text}" is outside of the folder that may be read',
                span,
                help="imports lie below the folder with .git or [tool.cnnspec], or else where the command runs",
            )
            return None
        if real in self.reading:
            between = [file.name for file in self.reading[self.reading.index(real) :] if file]
            ring = " -> ".join([*between, real.name])
            self.findings.report("CNN015", f"the file imports itself: {ring}", span)
            return None
        if real not in self.modules:
            self.modules[real] = self.read(path, real, span)
        return self.modules[real]

    def read(self, path: Path, real: Path, span: Span) -> Module | None:
        """The module of a file; its own imports are read with it."""
        if len(self.modules) >= MOST_FILES or len(self.reading) >= DEEPEST:
            what = f"more than {MOST_FILES} files" if len(self.modules) >= MOST_FILES else f"files {DEEPEST} deep"
            self.findings.report("CNN008", f"{what} are imported", span)
            return None
        if not os.path.exists(real):  # Path.exists raises where a name is too long
            self.findings.report("CNN013", f"there is no file {path.as_posix()}", span)
            return None
        source = read_file(real, name=path.as_posix())
        if isinstance(source, Diagnostic):
            if source.code == "CNN009":
                self.findings.report("CNN013", source.message, span)
            else:
                self.findings.add(source)
            return None
        self.folders.append(path.parent)
        self.reading.append(real)
        module = collect(parse(source, self.findings), self.findings, self.load)
        self.folders.pop()
        self.reading.pop()
        return module


def project(folder: Path) -> Path:
    """The folder that the files of a folder may import from, itself and whatever is below.

    The nearest one upwards with a repository (`.git`) or a pyproject.toml that has [tool.cnnspec]; else the
    working directory, if the folder lies in it; else the folder.
    """
    folder = Path(os.path.abspath(folder))
    for parent in (folder, *folder.parents):
        if os.path.exists(parent / ".git") or _is_configured(parent / "pyproject.toml"):
            return parent
    here = Path.cwd()
    return here if folder.is_relative_to(here) else folder


def _is_configured(path: Path) -> bool:
    """Whether a pyproject.toml speaks to cnnspec."""
    try:
        # a named pipe would be waited for
        return path.is_file() and bool(OWN_TABLE.search(path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return False


def _resolved(path: Path) -> Path | None:
    """The path with its links followed; None where they lead in a circle or the path is none."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
