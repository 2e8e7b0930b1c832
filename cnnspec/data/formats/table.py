"""Tables of numbers with a column of labels, one row for each vector."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from ...diagnostics import Fault
from ...settings.data import Csv
from ..classes import MOST_CLASSES, classes_of
from ..dataset import Table
from ..files import need
from ..found import Found
from . import rows

BETWEEN = 1 << 14  # rows from one look at the free memory to the next


def read_csv(source: Csv, path: Path) -> Found:
    """The vectors and labels of a table; empty lines are passed over."""
    with rows.opened(source, path) as table:
        numbers, targets, seen = array("f"), array("f"), array("q")
        labels: dict[str, int] = {}  # each text and its place among those seen so far
        for count, (line, row) in enumerate(table.rows):
            cell = row.pop(table.label)
            numbers.extend(rows.vector(table, line, row))
            if source.target == "numbers":
                targets.append(rows.number(cell, table.place(line, table.label)))
            else:
                seen.append(labels.setdefault(rows.class_name(table, line, cell), len(labels)))
                _ensure_few(table, labels)
            if not count % BETWEEN:
                # arrays grow by an eighth, and stand twice while they are moved
                need(5 * len(numbers), f"the next rows of {path.name}")
    x = np.frombuffer(numbers, np.float32).reshape(-1, table.width - 1)
    names, label = table.names, table.label
    others = (*names[:label], *names[label + 1 :])
    columns = Table(others, label + 1, names[label] if names else "", source.header, source.separator)
    if source.target == "numbers":
        return Found(path.stem, (x, np.frombuffer(targets, np.float32)[:, None]), table=columns)
    classes, number = classes_of(labels)
    y = np.array([number[text] for text in labels], np.int64)[np.frombuffer(seen, np.int64)]
    return Found(path.stem, (x, y), None, classes, table=columns)


def _ensure_few(table: rows.Rows, labels: dict[str, int]) -> None:
    if len(labels) > MOST_CLASSES:
        raise Fault(
            "CNN410", f"{table.where} has more than {MOST_CLASSES:,} classes", at="source",
            help="perhaps another column holds the labels, or they are numbers: `target numbers`",
        )  # fmt: skip


def read_asked(columns: Table, path: Path, width: int) -> np.ndarray:
    """The rows that a trained network is asked about, [n, width] float32, its columns in the order of training.

    Under a header columns are found by their names, in any order, and others (the label, say) are passed over.
    Without one a row has the numbers alone, or the label too, where it stood in training.
    """
    numbers = array("f")
    with rows.texts(path, columns.separator) as found:
        taken = _by_name(columns, path.name, next(found, (0, []))[1]) if columns.header else None
        for count, (line, row) in enumerate(found):
            if not count % BETWEEN:
                need(5 * len(numbers), f"the next rows of {path.name}")
            if taken is None:
                chosen = _without_label(columns, path.name, line, row, width)
            elif len(row) == taken[0]:
                chosen = taken[1]
            else:
                told = f"line {line} of {path.name} has {len(row)} columns, and the first has {taken[0]}"
                raise Fault("CNN417", told)
            for column in chosen:
                numbers.append(rows.number(row[column], f"line {line}, column {column + 1} of {path.name}"))
    if not numbers:
        raise Fault("CNN414", f"{path.name} has no rows")
    return np.frombuffer(numbers, np.float32).reshape(-1, width)


def _by_name(columns: Table, where: str, cells: list[str]) -> tuple[int, list[int]]:
    """How many columns a table has, and where those of training stand among them."""
    names = [cell.strip() for cell in cells]
    there = {name: column for column, name in enumerate(names)}
    wanted = set(columns.names)
    missing = [name for name in columns.names if name not in there]
    if missing:
        told = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise Fault(
            "CNN418", f"{where} has no column {told}",
            help=f"training had {', '.join(columns.names[:12])}{', ...' if len(columns.names) > 12 else ''}",
        )  # fmt: skip
    taken = [column for column, name in enumerate(names) if name in wanted]
    if len(taken) > len(wanted):  # some are called alike, and only the order of training tells them apart
        if [names[column] for column in taken] != list(columns.names):
            twice = next(name for name, count in Counter(names).items() if count > 1 and name in wanted)
            raise Fault("CNN418", f"{where} has several columns called {twice}")
        return len(names), taken
    if len(wanted) < len(columns.names):
        raise Fault("CNN418", f"{where} has other columns than training: {', '.join(columns.names[:12])}")
    return len(names), [there[name] for name in columns.names]


def _without_label(columns: Table, where: str, line: int, row: list[str], width: int) -> list[int]:
    """Where the numbers of a row stand."""
    if len(row) == width:
        return list(range(width))
    if len(row) == width + 1:
        return [column for column in range(width + 1) if column != columns.label - 1]
    raise Fault("CNN417", f"line {line} of {where} has {len(row)} columns, and the network takes {width} numbers")
