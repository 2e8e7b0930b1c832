"""SARIF 2.1.0, which code scanning services read (OASIS standard, sections in brackets).

Paths are relative to the folder where the command ran, so a log made on one machine fits a checkout on
another. `partialFingerprints` let a service recognise a finding after the lines above it have moved.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..._version import __version__
from ...quoting import json_text
from ..codes import CODES
from ..core import Diagnostic
from .checked import Checked, CheckedSpan, url

if TYPE_CHECKING:
    from ...validation import Json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(files: Sequence[Checked]) -> str:
    return json_text(log(files))


def log(files: Sequence[Checked]) -> dict[str, Json]:
    """One run [3.14]; errors of the command itself are notifications, not results."""
    found = [pair for file in files for pair in file.findings()]
    about_specs = [pair for pair in found if not about_command(pair[0])]
    about_us = [diagnostic for diagnostic, _ in found if about_command(diagnostic)]
    codes = sorted({diagnostic.code for diagnostic, _ in about_specs})
    seen: Counter[str] = Counter()
    read = dict.fromkeys(file.name for file in files if not any(map(about_command, file.diagnostics)))
    driver: Json = {
        "name": "cnnspec",
        "version": __version__,
        "rules": [rule(code) for code in codes],
        "notifications": [rule(code) for code in sorted({diagnostic.code for diagnostic in about_us})],
    }
    invocation: Json = {
        "executionSuccessful": not about_us,
        "toolExecutionNotifications": [notification(diagnostic) for diagnostic in about_us],
    }
    run: Json = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "artifacts": [{"location": location(name)} for name in read],
        "columnKind": "unicodeCodePoints",  # [3.14.17]: our columns count characters
        "results": [
            result(diagnostic, place, codes.index(diagnostic.code), fingerprint(diagnostic, place, seen))
            for diagnostic, place in about_specs
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def about_command(diagnostic: Diagnostic) -> bool:
    """Whether a finding is about the call and not about a spec."""
    return diagnostic.code.startswith("CNN90") and diagnostic.severity == "error"


def notification(diagnostic: Diagnostic) -> dict[str, Json]:
    """A notification [3.58]."""
    return {
        "descriptor": {"id": diagnostic.code},
        "level": diagnostic.severity,
        "message": {"text": message(diagnostic)},
    }


def message(diagnostic: Diagnostic) -> str:
    text = diagnostic.sentence
    return unlinked(f"{text}\nhelp: {diagnostic.help}" if diagnostic.help else text)


def unlinked(text: str) -> str:
    """A text in which readers see no link [3.11.6]: `[text](address)` comes from a file that was checked."""
    return text.replace("](", "] (")


def rule(code: str) -> dict[str, Json]:
    """A reportingDescriptor [3.49]."""
    entry = CODES[code]
    described: dict[str, Json] = {
        "id": code,
        "name": "".join(word.capitalize() for word in entry.name.split("-")),
        "shortDescription": {"text": entry.name.replace("-", " ")},
        "fullDescription": {"text": entry.explanation.strip() or entry.name},
        "help": {"text": f"cnnspec explain {code}"},
        "defaultConfiguration": {"level": entry.severity},
    }
    page = url(code)
    return described | ({"helpUri": page} if "://" in page else {})  # an absolute address, or none


def result(diagnostic: Diagnostic, place: CheckedSpan, index: int, fingerprint: str) -> dict[str, Json]:
    """A result [3.27]."""
    found: dict[str, Json] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity,
        "message": {"text": message(diagnostic)},
        "locations": [{"physicalLocation": physical(place)}],
        "partialFingerprints": {"cnnspec/v1": fingerprint},
    }
    if diagnostic.related:
        found["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": physical(CheckedSpan.of(label.span, place.filename)),
                "message": {"text": unlinked(label.text)},
            }
            for number, label in enumerate(diagnostic.related, 1)
        ]
    if diagnostic.fix:
        found["fixes"] = [fix(diagnostic, place.filename)]
    return found


def fix(diagnostic: Diagnostic, filename: str) -> dict[str, Json]:
    """A fix [3.55]: replacements, grouped by file; whether it is safe stands in its property bag [3.8]."""
    changes: dict[str, list[dict[str, Json]]] = {}
    for edit in diagnostic.fix:
        place = CheckedSpan.of(edit.span, filename)
        replacement: dict[str, Json] = {"deletedRegion": region(place), "insertedContent": {"text": edit.text}}
        changes.setdefault(place.filename, []).append(replacement)
    return {
        "description": {"text": diagnostic.help or "apply the edits"},
        "artifactChanges": [
            {"artifactLocation": location(name), "replacements": replacements}
            for name, replacements in changes.items()
        ],
        "properties": {"applicability": diagnostic.applicability},
    }


def physical(place: CheckedSpan) -> dict[str, Json]:
    return {"artifactLocation": location(place.filename), "region": region(place)}


def region(place: CheckedSpan) -> dict[str, int]:
    (row, column), (end_row, end_column) = place.start, place.end
    return {"startLine": row, "startColumn": column, "endLine": end_row, "endColumn": end_column}


def location(filename: str) -> dict[str, str]:
    return {"uri": relative(filename), "uriBaseId": "%SRCROOT%"}


def relative(filename: str) -> str:
    """A file name as a URI reference relative to the current folder: `nets/a%20b.cnn`."""
    if os.path.isabs(filename):
        with suppress(ValueError):  # another drive
            filename = os.path.relpath(filename)
    name = filename.replace(os.sep, "/").encode("utf-8", "surrogateescape")
    return quote(name, safe="/!$&'()*+,=@~")  # a colon in the first segment would read as a scheme


def fingerprint(diagnostic: Diagnostic, place: CheckedSpan, seen: Counter[str]) -> str:
    """What stays the same of a finding when lines move: file, code, message, and the text it marks.

    Equal ones are numbered in the order of the file.
    """
    marked = diagnostic.span.text.strip().replace("\r\n", "\n") if diagnostic.span else ""
    what = "\0".join((relative(place.filename), diagnostic.code, diagnostic.message, marked))
    digest = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
