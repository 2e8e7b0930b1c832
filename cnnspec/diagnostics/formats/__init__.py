"""The formats of `cnnspec check --format`: one diagnostic, many renderings.

    full     for people, with the lines of the spec and carets     concise  a line a finding
    json     our own document, grammar/diagnostics.schema.json     sarif    what code scanning services read
    github   annotations of a GitHub workflow                      junit    a test case a file

Each module has `render(files: Sequence[Checked]) -> str`. A format that machines read is a whole
valid document for any content of the files, so everything is rendered before anything is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from .checked import Checked, CheckedSpan

FORMATS = ("full", "concise", "json", "github", "sarif", "junit")
FOR_PEOPLE = ("full", "concise")


def render(name: str, files: Sequence[Checked], *, color: bool = False) -> str:
    """What was found in `files`, in a format."""
    if name == "full":
        from .. import text

        found = tuple(diagnostic for file in files for diagnostic in file.diagnostics)
        return text.render(found, color=color) if found else ""
    rendered: str = import_module(f".{name}", __name__).render(files)
    return rendered


__all__ = ["FORMATS", "FOR_PEOPLE", "Checked", "CheckedSpan", "render"]
