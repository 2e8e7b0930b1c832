"""The documents of a run's folder, read as what somebody may have edited, damaged or sent.

Each is a regular file of bounded size, UTF-8, and as its JSON Schema says; all else is a finding that names the
file and what is wrong in it.
"""

from __future__ import annotations

import csv
import io
import json
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from ..diagnostics import Diagnostic, SpecError
from ..plain_files import read_bytes
from ..validation import fault_of
from .history import Row
from .tensors import shown

MOST_BYTES = 64 << 20
HELP = "the run's folder was edited or damaged: put back this file, or train anew from its weights with `--weights`"


def damaged(path: Path, what: str, help: str = HELP) -> NoReturn:
    raise SpecError((Diagnostic("CNN464", f"{shown(str(path))} {what}", help=help),))


def text(path: Path) -> str:
    """The text of a file, its ends of lines as they are."""
    try:
        return read_bytes(path, MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        damaged(path, "is not there")
    except OSError as error:
        damaged(path, f"cannot be read: {(error.strerror or str(error)).lower()}")
    except ValueError:
        damaged(path, "is not a text in UTF-8")


def document(path: Path, schema: str) -> dict[str, Any]:
    """The JSON object of a file, held to the schema of that name."""
    try:
        found = json.loads(text(path))
    except (ValueError, RecursionError) as error:
        damaged(path, f"is not JSON: {shown(str(error)) or 'too deep'}")
    if fault := fault_of(found, schema):
        damaged(path, f"is wrong at {shown(fault[0]) or '/'}: {shown(fault[1])}")
    return found


def columns(path: Path) -> dict[str, list[float | None]]:
    """The columns of results.csv, None where a field is empty; a last line that is not whole is left out."""
    names = Row.columns().strip().split(",")
    whole = text(path)
    try:
        rows = list(csv.reader(io.StringIO(whole[: whole.rfind("\n") + 1], newline="")))
    except csv.Error as error:
        damaged(path, f"is not a table: {error}")
    old = list(Row.first_columns())
    if rows and rows[0] == old:
        names = old
    if not rows or rows[0] != names:
        damaged(path, f"is empty or has another header than {', '.join(names)}")
    found: dict[str, list[float | None]] = {name: [] for name in names}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            damaged(path, f"has {len(row)} fields in line {number}, where {len(names)} are wanted")
        for name, field in zip(names, row, strict=True):
            try:
                value = float(field) if field else None
            except ValueError:
                damaged(path, f"has {shown(field)} as {name} in line {number}, which is no number")
            found[name].append(value if value is None or isfinite(value) else None)
    return found
