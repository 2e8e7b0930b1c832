"""Tables of numbers with a column of labels, one row for each vector."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Csv
from . import rows
from .classes import MOST_CLASSES, classes_of
from .dataset import Table
from .files import need
from .found import Found

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
