"""Our own document for machines; `cnnspec schema diagnostics` prints its JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...quoting import json_text
from ..core import Diagnostic
from .checked import Checked, CheckedSpan, url

if TYPE_CHECKING:
    from ...validation import Json

FORMAT_VERSION = 1  # grows when a reader of the former version would misread


def render(files: Sequence[Checked]) -> str:
    return json_text(document(files))


def document(files: Sequence[Checked]) -> dict[str, Json]:
    errors = sum(file.count("error") for file in files)
    return {
        "format_version": FORMAT_VERSION,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": sum(file.count("warning") for file in files),
        "file_count": len(files),
        "diagnostics": [entry(d, place) for file in files for d, place in file.findings()],
    }


def entry(diagnostic: Diagnostic, place: CheckedSpan) -> dict[str, Json]:
    """One finding as an object."""
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "label": diagnostic.label,
        **located(place),
        "related": [
            {"message": label.text, **located(CheckedSpan.of(label.span, place.filename))}
            for label in diagnostic.related
        ],
        "help": diagnostic.help,
        "fix": [
            {"text": edit.text, **located(CheckedSpan.of(edit.span, place.filename))} for edit in diagnostic.fix
        ],
        "applicability": diagnostic.applicability or None,
        "url": url(diagnostic.code),
    }


def located(place: CheckedSpan) -> dict[str, Json]:
    (row, column), (end_row, end_column) = place.start, place.end
    return {
        "filename": readable(place.filename),
        "location": {"row": row, "column": column},
        "end_location": {"row": end_row, "column": end_column},
    }


def readable(filename: str) -> str:
    """A file name that every JSON reader takes: bytes that are not UTF-8 become U+FFFD."""
    return filename.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
