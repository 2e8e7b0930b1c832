"""Imports: the definitions of other files, found beside the file that asks for them.

Paths are relative to the importing file. What they lead to, links resolved, must lie under the file's
project (`project`), whichever command reads the file. A text whose imports are at hand (`Source.imports`: those
that a run has kept, say) takes them from there, and nothing from the disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from types import MappingProxyType

from ..diagnostics import Diagnostic, Imported, Source, Span
from ..plain_files import native, read_text
from .files import read_file
from .findings import Findings
from .lowering.names import Module, collect
from .parse.parser import LARGEST_FILE, parse
from .parse.tree import File, Import

MOST_FILES = 100
DEEPEST = 20  # files that import one another in a row
OWN_TABLE = re.compile(r'^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*"?cnnspec\b', re.M)


class Imports:
    """Loads the modules that a file and its imports ask for, each once.

    `earlier` are files that were read for another version of the text: one that is the same is not read again.
    `opened` are files, their links resolved, that stand otherwise in an editor than on the disk.
    """

    def __init__(
        self,
        source: Source,
        folder: Path | None,
        root: Path | None,
        findings: Findings,
        earlier: Mapping[Path, File],
        opened: Mapping[Path, str] = MappingProxyType({}),
    ) -> None:
        self.findings = findings
        self.earlier = earlier
        self.opened = opened
        self.files: dict[Path, File] = {}
        own = Path(source.name)
        self.folder = own.parent if own.suffix else (folder or Path())  # `<text>` lies in no folder of its own
        self.root = _resolved(root or project(self.folder))
        self.stored = (
            None if source.imports is None else {path: one for one in source.imports for path in one.paths}
        )
        self.folders = [PurePath()]  # of the files that are being read, from that of the first
        self.reading = [_resolved(own)]
        self.modules: dict[Path, Module | None] = {}
        self.texts: dict[Path, str] = {}
        self.paths: dict[Path, set[str]] = {}

    def load(self, statement: Import) -> Module | None:
        """The module behind an import statement of the file that is being read, or None and why not."""
        place = self.folders[-1] / statement.path.text
        real = self.find(statement, place)
        if real is None:
            return None
        span = statement.path.span
        if real in self.reading:
            between = [file.name for file in self.reading[self.reading.index(real) :] if file]
            ring = " -> ".join([*between, real.name])
            self.findings.tell("CNN015", span, ring=ring)
            return None
        if real not in self.modules:
            self.modules[real] = self.read(place, real, span)
        self.paths.setdefault(real, set()).add(place.as_posix())
        return self.modules[real]

    def imported(self) -> tuple[Imported, ...]:
        """The files that were read, in order of their paths."""
        return tuple(
            sorted(
                (Imported(tuple(sorted(self.paths[real])), text) for real, text in self.texts.items()),
                key=lambda one: one.paths,
            )
        )

    def find(self, statement: Import, place: PurePath) -> Path | None:
        """The file at a place, its links resolved; None, with a finding, where none may be read."""
        text, span = statement.path.text, statement.path.span
        if self.stored is not None:
            if place.as_posix() in self.stored:
                return Path(self.stored[place.as_posix()].paths[0])
            self.findings.tell("CNN013", span, case="kept", name=place.as_posix())
            return None
        real = _resolved(self.folder / native(str(place)))
        if real is None:
            self.findings.tell("CNN013", span, case="links", text=text)
            return None
        if self.root is None or not real.is_relative_to(self.root):
            self.findings.tell("CNN014", span, text=text)
            return None
        return real

    def read(self, place: PurePath, real: Path, span: Span) -> Module | None:
        """The module of a file; its own imports are read with it."""
        if len(self.modules) >= MOST_FILES or len(self.reading) >= DEEPEST:
            case, most = ("files", MOST_FILES) if len(self.modules) >= MOST_FILES else ("deep", DEEPEST)
            self.findings.tell("CNN008", span, case=case, most=most)
            return None
        source = self.source(place, real, span)
        if source is None:
            return None
        if isinstance(source, Diagnostic):
            if source.code == "CNN009":
                self.findings.tell("CNN013", span, case="unreadable", why=source.message)
            else:
                self.findings.add(source)
            return None
        if sum(map(len, self.texts.values())) + len(source.text) > LARGEST_FILE:
            characters = f"{LARGEST_FILE:,}".replace(",", " ")
            self.findings.tell("CNN008", span, case="imported", most=characters)
            return None
        self.texts[real] = source.text
        self.folders.append(place.parent)
        self.reading.append(real)
        self.files[real] = file = self.parsed(real, source)
        module = collect(file, self.findings, self.load)
        self.folders.pop()
        self.reading.pop()
        return module

    def parsed(self, real: Path, source: Source) -> File:
        """The tree of a file."""
        known = self.earlier.get(real)
        if known is None or known.cut is None or known.source != source or not known.whole:
            return parse(source, self.findings, known.cut if known else None)
        self.findings.work.add(known.cut.cost)
        return known

    def source(self, place: PurePath, real: Path, span: Span) -> Source | Diagnostic | None:
        """The text of a file that was found; None, with a finding, where there is no file."""
        name = (self.folder / native(str(place))).as_posix()
        if self.stored is not None:
            return Source(name, self.stored[place.as_posix()].text)
        if real in self.opened:
            return Source(name, self.opened[real])
        if not os.path.exists(real):  # Path.exists raises where a name is too long
            self.findings.tell("CNN013", span, name=name)
            return None
        return read_file(real, name=name)


def project(folder: Path) -> Path:
    """The folder that the files of a folder may import from, itself and all below.

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
        return bool(OWN_TABLE.search(read_text(path, errors="replace")))
    except OSError:
        return False


def _resolved(path: Path) -> Path | None:
    """The path with its links followed; None where they lead in a circle or the path is none."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
