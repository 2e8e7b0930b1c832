"""Tables of numbers with a column of labels, one row for each vector."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Csv
from .dataset import Table
from .files import unreadable
from .found import Found

LARGEST = float(np.finfo(np.float32).max)


def read_csv(source: Csv, path: Path) -> Found:
    """The vectors and labels of a table; empty lines are passed over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=source.separator, strict=True)
            rows = ((reader.line_num, row) for row in reader if row)
            return _read(source, path, rows)
    except UnicodeDecodeError:
        raise Fault("CNN405", f"{path.name} is not a text in UTF-8", at="source", help="save it in UTF-8") from None
    except csv.Error as error:
        raise Fault(
            "CNN417", f"line {reader.line_num} of {path.name} cannot be read: {error}", at="source"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _read(source: Csv, path: Path, rows: Iterator[tuple[int, list[str]]]) -> Found:
    start, first = next(rows, (0, []))
    if not first:
        raise Fault("CNN414", f"{path.name} is empty", at="source")
    names = [cell.strip() for cell in first]
    label = _column(source, path.name, names)
    if len(names) < 2:
        raise Fault(
            "CNN418", f"{path.name} has one column, and a label needs numbers beside it", at="source",
            help="columns are parted by a comma; otherwise say `separator`",
        )  # fmt: skip
    numbers, labels, targets = array("f"), [], array("f")

    def take(line: int, row: list[str]) -> None:
        if len(row) != len(names):
            raise Fault(
                "CNN417", f"line {line} of {path.name} has {len(row)} columns, and the first has {len(names)}",
                at="source",
            )  # fmt: skip
        for column, cell in enumerate(row):
            place = f"line {line}, column {column + 1} of {path.name}"
            if column != label:
                numbers.append(_number(cell, place))
            elif source.target == "numbers":
                targets.append(_number(cell, place))
            elif cell.strip():
                labels.append(cell.strip())
            else:
                raise Fault("CNN417", f"{place}: the label is empty", at="source")

    if source.header:
        if all(map(_is_number, names)):
            raise Fault(
                "CNN418", f"the first row of {path.name} is numbers, not the names of columns", at="source",
                help="use `header off`",
            )  # fmt: skip
    else:
        take(start, first)
    for line, row in rows:
        take(line, row)
    x = np.array(numbers, np.float32).reshape(-1, len(names) - 1)
    others = (*names[:label], *names[label + 1 :]) if source.header else ()
    table = Table(others, label + 1, names[label] if source.header else "", source.header, source.separator)
    if source.target == "numbers":
        return Found(path.stem, (x, np.array(targets, np.float32)[:, None]), table=table)
    classes = _sorted(set(labels))
    places = {name: i for i, name in enumerate(classes)}
    return Found(path.stem, (x, np.array([places[name] for name in labels], np.int64)), None, classes, table)


def _column(source: Csv, where: str, names: list[str]) -> int:
    """Where the labels stand, counted from 0."""
    told = source.label
    if told is None:
        return len(names) - 1
    if isinstance(told, int) and told <= len(names):
        return told - 1
    if isinstance(told, str) and source.header and told in names:
        return names.index(told)
    has = ", ".join(names[:12]) if source.header else "no names, since it has no header"
    raise Fault(
        "CNN418", f"{where} has no column {told}", at="source",
        help=f"it has {len(names)} columns: {has}",
    )  # fmt: skip


def _number(cell: str, place: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        told = f"`{cell[:40]}` is not a number" if cell.strip() else "the cell is empty"
        raise Fault("CNN417", f"{place}: {told}", at="source") from None
    if not isfinite(number) or abs(number) > LARGEST:
        raise Fault("CNN411", f"{place}: {cell.strip()} is not a finite number of float32", at="source")
    return number


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _sorted(names: set[str]) -> tuple[str, ...]:
    """Classes in order: as numbers where all are numbers, else by the alphabet."""
    return tuple(sorted(names, key=float) if all(map(_is_number, names)) else sorted(names))
