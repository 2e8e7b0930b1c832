"""The columns of a table: names, the label, numbers and categories.

The first rows, `WINDOW` of them, tell. A first row is one of names where a text stands above numbers; it is one of
data where numbers stand above numbers, or a text is found again below:

    price,kind       5.1,setosa       colour,kind       red,big
    5.1,setosa       4.9,setosa       red,big           red,small
    names            data             names             data

Where these contradict each other nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from ...diagnostics import Fault
from ...settings.data import Csv
from ..classes import is_missing
from .rows import Row, is_number, texts
from .schema import TableSchema, by_name, by_place

WINDOW = 1000  # rows
MOST_CELLS = 1 << 18  # of a window of wide rows
RANGE = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})", re.ASCII)
# what was meant for a number: `2,5`, `1_000`, `٣`, `12 %`; texts of categories have a letter
MISWRITTEN = re.compile(r"[-+]?[\d.,_'\s]*\d[\d.,_'\s]*%?")


class Column(NamedTuple):
    """A column to learn from: where it stands in the file, from 0, and whether its texts name categories."""

    place: int
    categories: bool


@dataclass(frozen=True)
class Rows:
    """An open table.

    names    of its columns, empty where there is no header
    width    number of its columns
    label    the column of the labels, from 0; -1 for none
    columns  those to learn from, in the order of the file
    rows     each with its line, from 1; not one is empty, and all are as wide as the first
    """

    where: str
    names: tuple[str, ...]
    width: int
    label: int
    columns: tuple[Column, ...]
    missing: str
    rows: Iterator[Row]

    def place(self, line: int, column: int) -> str:
        return f"line {line}, column {column + 1} of {self.where}"

    def named(self, column: int) -> str:
        """How messages speak of a column."""
        return f"column {self.names[column]}" if self.names else f"column {column + 1}"


@contextmanager
def opened(source: Csv, path: Path, schema: TableSchema | None = None, labelled: bool = True) -> Iterator[Rows]:
    """The table in a file; what is wrong with it, or turns out to be while it is read, is a Fault.

    `schema` are the columns that a network learnt from: the same are found, in the same order. Where the table need
    not be `labelled` and nobody says which column is the label, `label` is -1.
    """
    with texts(path, source.separator) as found:
        yield _table(source, path.name, found, schema, labelled)


@contextmanager
def asked(schema: TableSchema, path: Path) -> Iterator[Rows]:
    """Rows to predict, which need no label; `label` is -1.

    Under a header columns are found by their names, in any order, and others are passed over.
    """
    with texts(path, schema.separator) as found:
        line, first = next(found, (0, []))
        if not first:
            raise Fault.of("CNN414", case="rows", name=path.name)
        cells = [cell.strip() for cell in first]
        places = (
            by_name(schema, path.name, cells) if schema.header else by_place(schema, path.name, line, len(cells))
        )
        columns = tuple(
            Column(place, texts is not None) for place, texts in zip(places, schema.categories, strict=True)
        )
        rest = found if schema.header else chain(((line, first),), found)
        names = tuple(cells) if schema.header else ()
        missing = "mean" if schema.missing == "mean" else "refuse"
        yield Rows(path.name, names, len(cells), -1, columns, missing, _even(path.name, len(cells), rest))


def _table(source: Csv, where: str, rows: Iterator[Row], schema: TableSchema | None, labelled: bool) -> Rows:
    window = _window(rows)
    if not window:
        raise Fault.of("CNN414", "source", case="table", name=where)
    cells = [cell.strip() for cell in window[0][1]]
    width = len(cells)
    if width < 2 and labelled:
        raise Fault.of("CNN418", "source", case="one", where=where)
    below = [[cell.strip() for cell in row] for _, row in window[1:] if len(row) == width]
    header = schema.header if schema else source.header
    if header is None:
        header = _noticed(source, where, cells, below)
    names = cells if header else []
    label = _label(source, where, names, width, schema) if labelled or source.label is not None else -1
    if not header and _are_names(cells, below):
        raise Fault.of("CNN418", "source", case="header off", where=where)
    if schema is None:
        used = _used(source, where, names, width, label)
    else:
        used = tuple(by_name(schema, where, names) if header else by_place(schema, where, window[0][0], width))
    read = (*used, label) if labelled else used
    if names and "" in (names[place] for place in read):
        place = next(place for place in sorted(read) if not names[place])
        raise Fault.of("CNN418", "source", case="unnamed", column=place + 1, where=where)
    rest = window[1:] if header else window
    if schema:
        categories = tuple(texts is not None for texts in schema.categories)
    else:
        stated = set(_places(source.categories, where, names, width, "categories"))
        seen = below if header else [cells, *below]
        categories = tuple(place in stated or _are_texts([row[place] for row in seen]) for place in used)
    columns = tuple(map(Column, used, categories))
    follow = _even(where, width, chain(rest, rows))
    if source.missing == "drop":
        follow = _whole(follow, read)
    return Rows(where, tuple(names), width, label, columns, source.missing, follow)


def _window(rows: Iterator[Row]) -> list[Row]:
    found: list[Row] = []
    cells = 0
    for row in islice(rows, WINDOW):
        found.append(row)
        cells += len(row[1])
        if cells > MOST_CELLS:
            break
    return found


def _even(where: str, width: int, rows: Iterator[Row]) -> Iterator[Row]:
    for line, row in rows:
        if len(row) != width:
            raise Fault.of("CNN417", "source", case="width", line=line, where=where, columns=len(row), first=width)
        yield line, row


def _whole(rows: Iterator[Row], used: tuple[int, ...]) -> Iterator[Row]:
    """The rows in which no cell that is used is missing."""
    for line, row in rows:
        if not any(is_missing(row[place].strip()) for place in used):
            yield line, row


# ---- the first row ------------------------------------------------------------------------------------


def _noticed(source: Csv, where: str, cells: list[str], below: list[list[str]]) -> bool:
    """Whether the first row names the columns; a Fault where it could be either."""
    if isinstance(source.label, str) and source.label in cells:
        return True
    last = len(cells) - 1
    label = min(source.label - 1, last) if isinstance(source.label, int) else last
    others = [cell for place, cell in enumerate(cells) if place != label]
    counted = _counted([cell for cell in others if cell])  # as pandas calls columns: 0, 1, 2, kind
    above = again = over = 0  # texts above numbers, texts found again below, numbers over numbers
    for place, cell in enumerate(cells):
        column = [row[place] for row in below if not is_missing(row[place])]
        if is_missing(cell):
            continue
        if is_number(cell):
            over += not counted and all(map(is_number, column))
        elif column and all(map(is_number, column)):
            above += 1
        else:
            again += cell in column
    alone = not is_missing(cells[label]) and not is_number(cells[label]) and not again  # a label that never returns
    if is_number(cells[label]) and counted:
        raise Fault.of("CNN418", "source", "counts", where=where)
    if (above and again) or (over and not above and alone):
        raise Fault.of("CNN418", "source", "either", where=where)
    return bool(above) or not (over or again)


def _counted(names: list[str]) -> bool:
    """Whether names are 0, 1, 2 and so on, or 1, 2, 3; so many of them that no measurements happen to be."""
    return len(names) > 2 and any(names == [str(i + first) for i in range(len(names))] for first in (0, 1))


def _are_names(cells: list[str], below: list[list[str]]) -> bool:
    """Whether a row declared as data has only texts, some of them above numbers."""
    if any(is_number(cell) or is_missing(cell) for cell in cells):
        return False
    columns = [[row[place] for row in below] for place in range(len(cells))]
    return any(column and all(map(is_number, column)) for column in columns)


# ---- which columns ------------------------------------------------------------------------------------


def _label(source: Csv, where: str, names: list[str], width: int, schema: TableSchema | None) -> int:
    """Where the labels stand, counted from 0: as told, or where they stood in training, or last."""
    told = source.label
    if told is None and schema:
        told = schema.label_name or schema.label
    if told is None:
        return width - 1
    return told - 1 if isinstance(told, int) and told <= width else _place(str(told), where, names, width)


def _used(source: Csv, where: str, names: list[str], width: int, label: int) -> tuple[int, ...]:
    """Where the columns to learn from stand, in the order of the file."""
    every = [place for place in range(width) if place != label]
    if source.columns is not None:
        chosen = set(_places(source.columns, where, names, width, "columns"))
        if label in chosen:
            raise Fault.of(
                "CNN418", "source", case="label", column=names[label] if names else label + 1, where=where
            )
    else:
        chosen = set(every) - set(_places(source.drop, where, names, width, "drop"))
    used = tuple(place for place in every if place in chosen)
    if not used:
        raise Fault.of("CNN418", "source", case="none left", where=where)
    return used


def _places(written: str | None, where: str, names: list[str], width: int, setting: str) -> Iterator[int]:
    """Where the columns of `"price, 4-7"` stand, counted from 0."""
    if written is None:
        return
    if not written.strip():
        raise Fault.of("CNN418", "source", case="empty", setting=setting)
    if written.strip() in names:  # a name may hold a comma
        yield _place(written.strip(), where, names, width)
        return
    for part in map(str.strip, written.split(",")):
        span = RANGE.fullmatch(part)
        if span and part not in names:
            first, last = int(span[1]), int(span[2])
            if not 1 <= first <= last <= width:
                raise _no_column(part, where, names, width)
            yield from range(first - 1, last)
        else:
            yield _place(part, where, names, width)


def _place(told: str, where: str, names: list[str], width: int) -> int:
    """Where one column stands, by its name or its number."""
    if told in names:
        if names.count(told) > 1:
            columns = " and ".join(str(i + 1) for i, name in enumerate(names) if name == told)
            raise Fault.of("CNN418", "source", case="alike", columns=columns, where=where, name=told)
        return names.index(told)
    if told.isascii() and told.isdigit() and len(told) < 10 and 1 <= int(told) <= width:
        return int(told) - 1
    raise _no_column(told, where, names, width)


def _no_column(told: str, where: str, names: list[str], width: int) -> Fault:
    has = ", ".join(names[:12]) if names else "no names, since it has no header"
    return Fault.of("CNN418", "source", where=where, column=told, width=width, has=has)


def _are_texts(column: list[str]) -> bool:
    """Whether a column is one of categories: most of its cells are texts, and none is a number miswritten."""
    known = [cell for cell in column if not is_missing(cell)]
    others = [cell for cell in known if not is_number(cell)]
    return 2 * len(others) > len(known) and not any(map(MISWRITTEN.fullmatch, others))
