"""A cache of findings between runs: an unchanged file is not read again.

    remembered = Remembered()
    content = remembered.content(name, configuration)   # None where nothing may be remembered
    remembered.found(content)                # findings, or None where they are not known
    remembered.keep(content, findings)
    remembered.save()

Findings are kept by the content of the file and of its imports, the configuration and the program itself. A text in
quotes may also be the path of data or of weights: what lies there is told by its names, sizes and times, and where
these tell too little, a spec that names it is checked each time. There is a file for each folder that a check is
called in, in the user's cache; one that cannot be read or written remembers nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, cast

from .. import cache
from .._version import __version__
from ..diagnostics import Diagnostic, Edit, Label, Source, SpecError
from ..diagnostics.core import Span
from ..plain_files import read_bytes
from . import source_of
from .configuration import Configuration
from .named import NamedFiles, Stamp, stamp

Place = tuple[int, int]
Piece = tuple[int, int, str]
CachedFinding = tuple[
    str, str, "Place | None", str, list[Piece], str, list[Piece], bool
]  # a finding, as JSON has it
Entry = tuple[str, list[CachedFinding]]
MOST_BYTES = 1 << 26  # of what is remembered in one folder
MOST_OF_ONE = 1 << 16  # bytes of a file that is remembered
MOST_FILES = 50_000
MOST_FOLDERS = 200  # that are remembered, the last ones


class Content(NamedTuple):
    """A file as it was read: what a result of it belongs to, and when the files changed that say so."""

    name: str
    data: bytes
    key: str
    stamps: dict[str, Stamp]

    @property
    def is_current(self) -> bool:
        """Whether the files are still as they were."""
        return all(stamp(path) == before for path, before in self.stamps.items())


class Remembered:
    """What is known of the files of a folder; `current` is what this run knows, by name."""

    def __init__(self, folder: Path | None = None) -> None:
        here = hashlib.sha256(os.fsencode(folder or Path.cwd())).hexdigest()[:32]
        self.path = cache.folder() / "checked" / f"{here}.json"
        self.program = program()
        self.before = _read(self.path)
        self.current: dict[str, Entry] = {}
        self.named = NamedFiles()
        self.projects: dict[str, Path] = {}

    def found(self, content: Content) -> tuple[Diagnostic, ...] | None:
        """What was found in a file with this content, or None where that is not known."""
        entry = self.before.get(content.name)
        if not isinstance(entry, list | tuple) or len(entry) != 2 or entry[0] != content.key:
            return None
        try:
            found = _restored(entry[1], content.name, content.data)
        except (SpecError, TypeError, ValueError, KeyError, AttributeError):  # not what we wrote
            return None
        self.current[content.name] = entry
        return found

    def keep(self, content: Content, found: tuple[Diagnostic, ...]) -> None:
        """Remember what was found, unless a file changed meanwhile, or findings lie in other files."""
        own = all(span.source.name == content.name for one in found for span in _spans(one))
        lasting = not any(one.code.startswith(("CNN009", "CNN9")) for one in found)
        if own and lasting and content.is_current:
            self.current[content.name] = content.key, [_written(one) for one in found]

    def content(self, name: str, configuration: Configuration) -> Content | None:
        """A file and what its findings depend on; None where that is more than can be told by a glance.

        Raises OSError where the file cannot be read.
        """
        stamps = {name: stamp(name)}
        data = read_bytes(name, MOST_OF_ONE)
        how = repr((self.program, configuration.select, configuration.ignore))
        key = hashlib.sha256(how.encode() + b"\0" + data)
        if b'"' in data:
            if b"\\" in data or b'"~' in data:  # names that are spelled in another way, as JSON has it
                return None
            key.update(repr(self.project(os.path.dirname(name))).encode())
            for mention in self.named.of(name, data):
                path = mention.path
                stamps[path] = stamp(path)
                text = self.named.text(path) if mention.imported else None
                there = "\0" not in path and text is None and os.path.lexists(path)
                lies = None if mention.imported or not there else self.named.listing(path)
                if "\0" in path or (there and lies is None):
                    return None
                told = lies or (text and hashlib.sha256(text).hexdigest())
                key.update(repr((mention, os.path.realpath(path), told)).encode())
        return Content(name, data, key.hexdigest(), stamps)

    def project(self, folder: str) -> Path:
        """The folder that the files of one may import from."""
        if folder not in self.projects:
            from ..lang.imports import project

            self.projects[folder] = project(Path(folder))
        return self.projects[folder]

    def save(self) -> None:
        """Write down what is known, with what was known of files that this run did not look at."""
        known = self.before | self.current
        if known == self.before:
            return
        text = json.dumps(dict(list(known.items())[-MOST_FILES:]))
        from .fixes import write_new

        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_new(self.path, text.encode("utf-8", "surrogatepass"))
            others = sorted(self.path.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for path in others[MOST_FOLDERS:]:
                path.unlink()


def program() -> str:
    """The program that checks: its version, when its files changed, for who works on it, and if it reads photos."""
    root = Path(__file__).parents[1]
    newest = count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            with suppress(OSError):
                newest, count = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns), count + 1
    return f"{__version__} {count} {newest} {find_spec('PIL') is not None}"


def _read(path: Path) -> dict[str, Entry]:
    try:
        found = json.loads(read_bytes(path, MOST_BYTES).decode("utf-8", "surrogatepass"))
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Entry]", found) if isinstance(found, dict) else {}


def _spans(found: Diagnostic) -> list[Span]:
    own = [found.span] if found.span else []
    return [*own, *(label.span for label in found.related), *(edit.span for edit in found.fix)]


def _written(found: Diagnostic) -> CachedFinding:
    return (
        found.code,
        found.message,
        (found.span.start, found.span.end) if found.span else None,
        found.label,
        [(label.span.start, label.span.end, label.text) for label in found.related],
        found.help,
        [(edit.span.start, edit.span.end, edit.text) for edit in found.fix],
        found.safe,
    )


def _restored(written: list[CachedFinding], name: str, data: bytes) -> tuple[Diagnostic, ...]:
    """Findings out of what `_written` made of them; raises where it is anything else."""
    if not written:
        return ()
    source = source_of(data, name)
    found = []
    for code, message, place, label, related, help, fix, safe in written:
        texts = (code, message, label, help, *(text for _, _, text in related), *(text for _, _, text in fix))
        if not all(isinstance(text, str) for text in texts) or not isinstance(safe, bool):
            raise TypeError
        labels = tuple(Label(_span(source, start, end), text) for start, end, text in related)
        edits = tuple(Edit(_span(source, start, end), text) for start, end, text in fix)
        span = _span(source, *place) if place else None
        one = Diagnostic(code, message, span, label, labels, help, edits, safe)
        if not one.severity:  # raises KeyError for a code that is none
            raise KeyError(code)
        found.append(one)
    return tuple(found)


def _span(source: Source, start: int, end: int) -> Span:
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= len(source.text)):
        raise ValueError
    return Span(source, start, end)
