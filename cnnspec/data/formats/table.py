"""Tables with a column of labels, one row for each vector: numbers as they are, a number for each category.

colour,size,kind           [blue, red, size]
red,2,a                    [0,    1,   2   ]     a
blue,3,b                   [1,    0,   3   ]     b
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...diagnostics import Fault
from ...settings.data import Csv
from ..classes import MOST_CLASSES, classes_of, in_order
from ..files import need
from ..found import Found, Pair
from . import cells, columns
from .schema import TableSchema

BETWEEN = 1 << 14  # rows from one look at the free memory to the next


class Cells:
    """The cells of a table's columns, row by row: numbers, and of texts their place among those seen so far.

    `known` are the categories of each column where a network has learnt them already; another text is a Fault then.
    """

    def __init__(self, table: columns.Rows, known: tuple[tuple[str, ...] | None, ...] | None = None) -> None:
        self.table, self.columns, self.fixed = table, table.columns, known is not None
        self.places = [column.place for column in table.columns if not column.categories]
        self.numbers = array("f")
        self.texts: dict[int, dict[str, int]] = {c.place: {} for c in table.columns if c.categories}
        self.seen = {place: array("q") for place in self.texts}
        for column, texts in zip(table.columns, known or (), strict=False):
            self.texts.update({column.place: {text: i for i, text in enumerate(texts)}} if texts else {})
        self.count = 0

    def add(self, line: int, row: list[str]) -> None:
        if not self.count % BETWEEN:
            # arrays grow by an eighth, and stand twice while they are moved
            need(5 * len(self.numbers) + 9 * self.count * len(self.seen), f"the next rows of {self.table.where}")
        self.numbers.extend(cells.numbers(self.table, line, row, self.places))
        for place, texts in self.texts.items():
            text = cells.category(self.table, line, row, place)
            if text is not None and text not in texts:
                if self.fixed:
                    raise cells.unknown(self.table, line, place, text, tuple(texts))
                if len(texts) == cells.MOST_CATEGORIES:
                    raise cells.too_many(self.table, place)
                texts[text] = len(texts)
            self.seen[place].append(-1 if text is None else texts[text])
        self.count += 1

    @property
    def categories(self) -> tuple[tuple[str, ...] | None, ...]:
        """Of each column its texts, in the order of classes, or None where it is numbers."""
        order = tuple if self.fixed else in_order
        return tuple(order(self.texts[c.place]) if c.categories else None for c in self.columns)

    def vectors(self, categories: Sequence[tuple[str, ...] | None]) -> np.ndarray:
        """x[n,c], float32, with NaN for numbers that are missing."""
        numbers = np.frombuffer(self.numbers, np.float32).reshape(self.count, len(self.places))
        if not self.texts:
            return numbers
        width = sum(1 if texts is None else len(texts) for texts in categories)
        need(4 * self.count * width, f"the categories of {self.table.where}")
        x = np.zeros((self.count, width), np.float32)
        at = number = 0
        for column, texts in zip(self.columns, categories, strict=True):
            if texts is None:
                x[:, at] = numbers[:, number]
                at, number = at + 1, number + 1
                continue
            place = {text: i for i, text in enumerate(texts)}
            order = np.array([place[text] for text in self.texts[column.place]], np.int64)
            seen = np.frombuffer(self.seen[column.place], np.int64)
            there = np.flatnonzero(seen >= 0)
            x[there, at + order[seen[there]]] = 1
            at += len(texts)
        return x


def read_csv(source: Csv, path: Path, schema: TableSchema | None = None, target: str = "labels") -> Found:
    """The vectors and labels of a table; empty lines are passed over.

    `schema` are the columns of a network that is trained already: the same are read, with its categories. `target`
    is that of the data block: for `itself` no label is read, and where none is told every column is learnt from.
    """
    targets, seen = array("f"), array("q")
    labels: dict[str, int] = {}  # each text and its place among those seen so far
    numbers = "numbers" in (source.target, target)
    with columns.opened(source, path, schema, target != "itself") as table:
        found = Cells(table, schema.categories if schema else None)
        for line, row in table.rows:
            found.add(line, row)
            if target == "itself":
                continue
            if numbers:
                place = table.place(line, table.label)
                targets.append(cells.number(row[table.label], place, label=True))
            else:
                seen.append(labels.setdefault(cells.class_name(table, line, row), len(labels)))
                _ensure_few(table, labels)
    categories = found.categories
    x = found.vectors(categories)
    names, label = table.names, table.label
    told = TableSchema(
        names=tuple(names[column.place] for column in table.columns) if names else (),
        label=label + 1,
        label_name=names[label] if names and label >= 0 else "",
        header=bool(names),
        separator=source.separator,
        columns=tuple(column.place + 1 for column in table.columns),
        width=table.width,
        categories=categories,
        missing=source.missing,
    )
    if schema:
        told = replace(told, fill=schema.fill)
    if target == "itself":
        return Found(path.stem, (x, x), table=told)
    if numbers:
        return Found(path.stem, (x, np.frombuffer(targets, np.float32)[:, None]), table=told)
    classes, number = classes_of(labels)
    y = np.array([number[text] for text in labels], np.int64)[np.frombuffer(seen, np.int64)]
    return Found(path.stem, (x, y), None, classes, table=told)


def read_tables(
    source: Csv, path: Path, more: Mapping[str, Path], schema: TableSchema | None = None, target: str = "labels"
) -> Found:
    """The same with the tables of other parts: `validation`, `test`; read as the training's is, by its columns."""
    found = read_csv(source, path, schema, target)
    parts: dict[str, Pair] = {}
    for part, other in more.items():
        read = read_csv(source, other, found.table, target)
        x, y = read.train
        if isinstance(read.classes, tuple) and isinstance(found.classes, tuple):
            strange = [name for name in read.classes if name not in found.classes]
            if strange:
                raise Fault.of(
                    "CNN410",
                    "source",
                    case="test",
                    other=other.name,
                    strange=strange[0],
                    name=path.name,
                    classes=", ".join(found.classes[:8]),
                )
            y = np.array([found.classes.index(name) for name in read.classes], np.int64)[y]
        parts[part] = (x, x if target == "itself" else y)
    own = {part: other.name for part, other in more.items()}
    return replace(found, validation=parts.get("validation"), test=parts.get("test"), own=own)


def _ensure_few(table: columns.Rows, labels: dict[str, int]) -> None:
    if len(labels) > MOST_CLASSES:
        raise Fault.of("CNN410", "source", case="many", name=table.where, most=MOST_CLASSES)


def read_asked(schema: TableSchema, path: Path) -> np.ndarray:
    """The rows to predict, x[n,c] float32, encoded like the training rows.

    Without a header a row has the columns alone, or the label too, or all of the columns that training's file had.
    """
    with columns.asked(schema, path) as table:
        found = Cells(table, schema.categories)
        for line, row in table.rows:
            found.add(line, row)
    if not found.count:
        raise Fault.of("CNN414", case="rows", name=path.name)
    return filled(found.vectors(schema.categories), schema.fill)


def filled(x: np.ndarray, fill: Sequence[float]) -> np.ndarray:
    """x[n,c] with `fill[c]` in place of NaN."""
    return np.where(np.isnan(x), np.asarray(fill, np.float32), x) if fill else x


def means(x: np.ndarray, table: TableSchema) -> tuple[float, ...]:
    """The mean of each column of training rows, of what is not missing in it; a Fault where all of it is."""
    there = ~np.isnan(x)
    count = there.sum(axis=0)
    if not count.all():
        column = _column(table, int(np.flatnonzero(count == 0)[0]))
        raise Fault.of("CNN433", "source", column=column)
    return tuple(map(float, np.where(there, x, 0).sum(axis=0, dtype=np.float64) / count))


def _column(table: TableSchema, number: int) -> str:
    """How messages speak of the column that one number of the input comes from."""
    for place, texts in enumerate(table.categories):
        number -= 1 if texts is None else len(texts)
        if number < 0:
            return f"column {table.names[place] if table.names else table.columns[place]}"
    raise AssertionError("every number comes from a column")
