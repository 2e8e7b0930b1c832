"""A cache of findings between runs: an unchanged file is not read again.

    remembered = Remembered(configuration)
    remembered.found(name, data)             # findings, or None where they are not known
    remembered.keep(name, data, findings)
    remembered.save()

Findings are kept by the file's content, the configuration and the program itself, and only those of files that
depend on nothing else: a text in quotes may be the path of an import, of data or of weights, so a spec that has
one is checked each time. There is a file for each folder that a check is called in, in the user's cache; one that
cannot be read or written remembers nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import cast

from .. import cache
from .._version import __version__
from ..diagnostics import Diagnostic, Edit, Label, Source, SpecError
from ..diagnostics.core import Span
from ..plain_files import read_bytes
from . import source_of
from .configuration import Configuration

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


class Remembered:
    """What is known of the files of a folder; `current` is what this run knows, by name."""

    def __init__(self, folder: Path | None = None) -> None:
        here = hashlib.sha256(os.fsencode(folder or Path.cwd())).hexdigest()[:32]
        self.path = cache.folder() / "checked" / f"{here}.json"
        self.program = program()
        self.before = _read(self.path)
        self.current: dict[str, Entry] = {}

    def found(self, name: str, data: bytes, configuration: Configuration) -> tuple[Diagnostic, ...] | None:
        """What was found in a file with this content, or None where that is not known."""
        entry = self.before.get(name)
        if not isinstance(entry, list | tuple) or len(entry) != 2 or entry[0] != self.key(data, configuration):
            return None
        try:
            found = _restored(entry[1], name, data)
        except (SpecError, TypeError, ValueError, KeyError, AttributeError):  # not what we wrote
            return None
        self.current[name] = entry
        return found

    def keep(self, name: str, data: bytes, configuration: Configuration, found: tuple[Diagnostic, ...]) -> None:
        """Remember what was found, where it depends on the file alone."""
        spans = [span for one in found for span in _spans(one)]
        alone = b'"' not in data and all(span.source.name == name for span in spans)
        if alone and not any(one.code.startswith(("CNN009", "CNN9")) for one in found):
            self.current[name] = self.key(data, configuration), [_written(one) for one in found]

    def key(self, data: bytes, configuration: Configuration) -> str:
        """What a result belongs to."""
        how = repr((self.program, configuration.select, configuration.ignore))
        return hashlib.sha256(how.encode() + b"\0" + data).hexdigest()

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
    """The program that checks: its version, and when its files changed, for who works on it."""
    root = Path(__file__).parents[1]
    newest = count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            with suppress(OSError):
                newest, count = max(newest, os.stat(os.path.join(folder, name)).st_mtime_ns), count + 1
    return f"{__version__} {count} {newest}"


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
