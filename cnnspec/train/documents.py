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
from typing import NoReturn, Required, TypedDict, TypeVar, cast

from ..diagnostics import Diagnostic, SpecError
from ..plain_files import read_bytes
from ..validation import Json, fault_of
from .history import EpochRecord
from .measures import Measured
from .tensors import shown

T = TypeVar("T")

MOST_BYTES = 64 << 20


class Settings(TypedDict, total=False):
    """settings.json: every setting as it held in a run (grammar/settings.schema.json)."""

    spec: Required[str]
    set: Required[list[str]]
    shards: Required[int]
    data_folder: str
    changed: list[dict[str, Json]]
    imports: dict[str, list[str]]
    let: dict[str, float]
    train: dict[str, Json] | str
    data: dict[str, Json] | str
    parameters: int
    cost: list[str]
    input: str
    tuned: dict[str, dict[str, dict[str, float]]] | None
    seed: int
    dtype: str
    engine: str
    preparation: Json


class Summary(TypedDict, total=False):
    """summary.json: how a run ended (`finished`, `interrupted`, `failed`), and what came of it.

    The accuracy of the test is from 0 to 1; None for numbers, and both are None where there are no test images.
    Of a run that has not ended nothing is said.
    """

    status: str
    test_accuracy: float | None
    test_cost: float | None
    epochs: int
    best_epoch: int | None
    parameters: int
    images_per_second: float
    seconds: float
    spec_sha256: str
    test: Measured | None  # all that was measured, as `Measures.to_json` has it
    tested: str  # `best` or `last`: the weights of the test, of a run that finished
    stopped_early: bool
    error: list[str]


def damaged(path: Path, case: str = "", **fields: object) -> NoReturn:
    """Raise a case of CNN464, of a file of a run."""
    raise SpecError((Diagnostic.of("CNN464", None, case, (), path=shown(str(path)), **fields),))


def text(path: Path) -> str:
    """The text of a file, its ends of lines as they are."""
    try:
        return read_bytes(path, MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        damaged(path, "missing")
    except OSError as error:
        damaged(path, reason=(error.strerror or str(error)).lower())
    except ValueError:
        damaged(path, "UTF-8")


def document(path: Path, schema: str, kind: type[T]) -> T:
    """The JSON object of a file, held to the schema of that name, which is what the type `kind` has of it."""
    try:
        found = json.loads(text(path))
    except (ValueError, RecursionError) as error:
        damaged(path, "JSON", reason=shown(str(error)) or "too deep")
    if fault := fault_of(found, schema):
        damaged(path, "schema", place=shown(fault[0]) or "/", fault=shown(fault[1]))
    return cast(T, found)


def columns(path: Path) -> dict[str, list[float | None]]:
    """The columns of results.csv, None where a field is empty; a last line that is not whole is left out."""
    names = EpochRecord.columns().strip().split(",")
    whole = text(path)
    try:
        rows = list(csv.reader(io.StringIO(whole[: whole.rfind("\n") + 1], newline="")))
    except csv.Error as error:
        damaged(path, "table", reason=error)
    old = list(EpochRecord.first_columns())
    if rows and rows[0] == old:
        names = old
    if not rows or rows[0] != names:
        damaged(path, "header", names=", ".join(names))
    found: dict[str, list[float | None]] = {name: [] for name in names}
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            damaged(path, "fields", fields=len(row), line=number, wanted=len(names))
        for name, field in zip(names, row, strict=True):
            try:
                value = float(field) if field else None
            except ValueError:
                damaged(path, "number", field=shown(field), name=name, line=number)
            found[name].append(value if value is None or isfinite(value) else None)
    return found
