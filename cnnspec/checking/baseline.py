"""Baselines: the findings that a repository begins with, so that only new ones fail.

    {"version": 1, "findings": ["CNN231 0f3a...:1 nets/a.cnn", ...]}

A finding is known by its file, its code, its message and the text that it marks, as code scanning services know it
(diagnostics/formats/sarif.py), so it stays known where lines above it move. Files are named from the folder of the
baseline on, with `/`, so that it holds wherever the check is called, by whatever path, and where the folder moves.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..diagnostics import Diagnostic, Source, SpecError
from ..diagnostics.core import Span
from ..diagnostics.formats.checked import Checked
from ..diagnostics.formats.sarif import fingerprint
from ..plain_files import read_text
from ..quoting import argument


def written(files: Iterable[Checked], path: Path) -> tuple[str, int]:
    """The baseline at a path of what was found, and how many findings it holds."""
    found = sorted(line for file, known in _known(files, path) for _, line in known)
    return json.dumps({"version": 1, "findings": found}, indent=1, ensure_ascii=False) + "\n", len(found)


def read(path: Path) -> frozenset[str]:
    """The findings of a baseline. Raises SpecError (CNN905) where there is none that can be read."""
    try:
        document = json.loads(read_text(path).removeprefix("\ufeff"))
    except OSError as error:
        raise _refused(path, "baseline", (error.strerror or str(error)).lower()) from error
    except (ValueError, RecursionError) as error:
        raise _refused(path, "baseline JSON", str(error)) from error
    from ..validation import fault_of

    fault = fault_of(document, "baseline")
    if fault:
        raise _refused(path, "baseline schema", f"{fault[0] or 'it'} {fault[1]}")
    return frozenset(line.replace("\\", "/") for line in document["findings"])


def _refused(path: Path, case: str, why: str) -> SpecError:
    return SpecError((Diagnostic.of("CNN905", _start(path), case, (), path=path, place=argument(path), why=why),))


def _start(path: Path) -> Span:
    return Span(Source(str(path), ""), 0, 0)


def without(files: Sequence[Checked], known: frozenset[str], path: Path) -> tuple[list[Checked], int]:
    """The files without the findings of the baseline at a path, and how many of these there were."""
    fresh, count = [], 0
    for file, lines in _known(files, path):
        passed = {id(diagnostic) for diagnostic, line in lines if line in known}
        left = tuple(diagnostic for diagnostic in file.diagnostics if id(diagnostic) not in passed)
        count += len(file.diagnostics) - len(left)
        fresh.append(replace(file, diagnostics=left))
    return fresh, count


def _known(files: Iterable[Checked], path: Path) -> Iterator[tuple[Checked, list[tuple[Diagnostic, str]]]]:
    """The findings of each file that are about specs, with their lines in the baseline at a path."""
    seen: Counter[str] = Counter()
    folder = os.path.realpath(path.parent)
    for file in files:
        told = [
            (d, replace(place, filename=_named(place.filename, folder)))
            for d, place in file.findings()
            if not d.code.startswith("CNN9") or d.severity != "error"
        ]
        yield file, [(d, f"{d.code} {fingerprint(d, place, seen)} {place.filename}") for d, place in told]


def _named(name: str, folder: str) -> str:
    """The path of a file from a folder on, with `/`; a text that is no file keeps its name."""
    if name.startswith("<"):
        return name
    parent, own = os.path.split(os.path.abspath(name))
    try:
        found = os.path.relpath(os.path.join(os.path.realpath(parent), own), folder)
    except ValueError:  # on another drive
        found = name
    return found.replace("\\", "/")
