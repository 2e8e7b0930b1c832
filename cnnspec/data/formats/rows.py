"""A table's columns and rows as texts: what its first row says, where the labels are, where a cell stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from ...diagnostics import Fault
from ...plain_files import open_regular
from ...settings.data import Csv
from ..classes import composed, is_missing
from ..files import unreadable

Row = tuple[int, list[str]]  # its line, from 1, and its cells
LARGEST = 3.4028234663852886e38  # of float32
LONGEST_ROW = 16_000_000  # characters; a row without an end would fill the memory
OTHER_FORMATS = (
    (b"PK\3\4", "it is a zip archive, as Excel's xlsx is", "save it as CSV in UTF-8"),
    (b"\x1f\x8b", "it is packed by gzip", "unpack it by `gunzip`"),
    (b"\xff\xfe", "it looks like UTF-16", "save it in UTF-8"),
    (b"\xfe\xff", "it looks like UTF-16", "save it in UTF-8"),
    (b"PAR1", "it is a Parquet file", "save it as CSV in UTF-8"),
)


@dataclass(frozen=True)
class Rows:
    """An open table.

    names  of the columns, empty where there is no header
    width  number of columns, at least 2
    label  the column of the labels, from 0
    rows   each with its line, from 1; not one is empty, and all are as wide as the first
    """

    where: str
    names: tuple[str, ...]
    width: int
    label: int
    rows: Iterator[Row]

    def place(self, line: int, column: int) -> str:
        return f"line {line}, column {column + 1} of {self.where}"


class _Lines:
    """The lines of a text, no more than `left` characters of them until `left` is set anew."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.left = file, LONGEST_ROW

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline(self.left + 1)
        if not line:
            raise StopIteration
        self.left -= len(line)
        if self.left < 0:
            raise csv.Error(f"a row has more than {LONGEST_ROW:,} characters")
        return line


@contextmanager
def opened(source: Csv, path: Path) -> Iterator[Rows]:
    """The table in a file; what is wrong with it, or turns out to be while it is read, is a Fault."""
    with texts(path, source.separator) as found:
        yield _table(source, path.name, found)


@contextmanager
def texts(path: Path, separator: str) -> Iterator[Iterator[Row]]:
    """The rows of a file as texts, without those that are empty; Faults as above."""
    reader = None
    try:
        with open_regular(path) as raw:
            begin = raw.read(4)
            for magic, told, help in OTHER_FORMATS:
                if begin.startswith(magic):
                    raise Fault("CNN405", f"{path.name} is not a text in UTF-8: {told}", at="source", help=help)
            raw.seek(0)
            lines = _Lines(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
            # a space after the separator belongs to neither cell, so that `1, "a"` is a text in quotes
            reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != " ", strict=True)
            yield _rows(reader, lines, separator == " ")
    except UnicodeDecodeError:
        raise Fault(
            "CNN405",
            f"{path.name} is not a text in UTF-8{_undecodable(path)}",
            at="source",
            help="save it in UTF-8",
        ) from None
    except csv.Error as error:
        line = reader.line_num or 1 if reader else 1
        raise Fault("CNN417", f"line {line} of {path.name} cannot be read: {error}", at="source") from None
    except OSError as error:
        raise unreadable(path, error) from None


def _undecodable(path: Path) -> str:
    """Where a text stops to be UTF-8, in words; nothing where that cannot be said."""
    with suppress(OSError), open_regular(path) as raw:
        for number, line in enumerate(iter(lambda: raw.readline(LONGEST_ROW), b""), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f": line {number} has the byte 0x{line[error.start]:02x}"
    return ""


def _rows(reader: Any, lines: _Lines, aligned: bool) -> Iterator[Row]:
    """The rows that hold something; of a table whose columns are `aligned` by spaces, without the empty cells."""
    for row in reader:
        lines.left = LONGEST_ROW
        if aligned:
            row = [cell for cell in row if cell]
        if any(map(str.strip, row)):
            yield reader.line_num, row


def _table(source: Csv, where: str, rows: Iterator[Row]) -> Rows:
    line, first = next(rows, (0, []))
    if not first:
        raise Fault("CNN414", f"{where} is empty", at="source")
    cells = [cell.strip() for cell in first]
    label = _label(source, where, cells)
    others = [cell for column, cell in enumerate(cells) if column != label]
    if len(cells) < 2:
        raise Fault(
            "CNN418", f"{where} has one column, and a label needs numbers beside it", at="source",
            help="columns are parted by a comma; otherwise say `separator`",
        )  # fmt: skip
    if not source.header and not any(map(is_number, others)) and not any(map(is_missing, others)):
        raise Fault(
            "CNN418", f"the first row of {where} has no number", at="source",
            help="if it names the columns, leave out `header off`",
        )  # fmt: skip
    rest = rows if source.header else chain(((line, first),), rows)
    if source.header and _check_header(where, cells, label):
        rest = _unless_again(where, cells[label], label, rest)
    names = tuple(cells) if source.header else ()
    return Rows(where, names, len(cells), label, _even(where, len(cells), rest))


def _even(where: str, width: int, rows: Iterator[Row]) -> Iterator[Row]:
    for line, row in rows:
        if len(row) != width:
            raise Fault(
                "CNN417", f"line {line} of {where} has {len(row)} columns, and the first has {width}", at="source"
            )
        yield line, row


def _check_header(where: str, names: list[str], label: int) -> bool:
    """Raise a Fault where the first row is not one of names; True where the rows must tell (see below).

    5.1,3.5,setosa    numbers beside a label: no names
    0,1,2,kind        columns that are only counted, as pandas calls them: names, unless `kind` is a label again
    """
    others = [name for column, name in enumerate(names) if column != label]
    numbers = [name for name in others if is_number(name)]
    doubtful = bool(numbers) and all(is_number(name) or is_missing(name) for name in others)
    if doubtful and (is_number(names[label]) or not _counted([name for name in others if name])):
        raise _no_header(where, "is numbers" if is_number(names[label]) else "is numbers and a label")
    if "" in names:
        raise Fault(
            "CNN418", f"column {names.index('') + 1} of {where} has no name", at="source",
            help="name it in the first row; if it only counts the rows, as pandas writes them without "
            "`index=False`, leave it out",
        )  # fmt: skip
    return doubtful


def _counted(names: list[str]) -> bool:
    """Whether names are 0, 1, 2 and so on, or 1, 2, 3; so many of them that no measurements happen to be."""
    return len(names) > 2 and any(names == [str(i + first) for i in range(len(names))] for first in (0, 1))


def _unless_again(where: str, name: str, label: int, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, if the label's column has its own name in none of them."""
    for line, row in rows:
        if label < len(row) and row[label].strip() == name:
            raise _no_header(where, "is numbers and a label")
        yield line, row


def _no_header(where: str, told: str) -> Fault:
    return Fault(
        "CNN418", f"the first row of {where} {told}, not the names of columns", at="source",
        help="use `header off`; if these are names, give the columns others",
    )  # fmt: skip


def is_number(cell: str) -> bool:
    """Whether a cell is a number as tables write them, `nan` and `inf` among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()


def _label(source: Csv, where: str, names: list[str]) -> int:
    """Where the labels stand, counted from 0."""
    told = source.label
    if told is None:
        return len(names) - 1
    if isinstance(told, int) and told <= len(names):
        return told - 1
    if isinstance(told, str) and source.header and told in names:
        if names.count(told) > 1:
            columns = " and ".join(str(i + 1) for i, name in enumerate(names) if name == told)
            raise Fault(
                "CNN418", f"columns {columns} of {where} are both called {told}", at="source",
                help="say the number of the column",
            )  # fmt: skip
        return names.index(told)
    has = ", ".join(names[:12]) if source.header else "no names, since it has no header"
    raise Fault(
        "CNN418", f"{where} has no column {told}", at="source",
        help=f"it has {len(names)} columns: {has}",
    )  # fmt: skip


def vector(table: Rows, line: int, cells: list[str]) -> list[float]:
    """The numbers of a row, its label taken out."""
    joined = "".join(cells)
    try:
        numbers = list(map(float, cells))
    except ValueError:
        numbers = []
    if numbers and joined.isascii() and "_" not in joined and all(-LARGEST <= n <= LARGEST for n in numbers):
        return numbers
    # something is wrong, and its place is wanted
    places = (table.place(line, i + (i >= table.label)) for i in range(len(cells)))
    return [number(cell, place) for cell, place in zip(cells, places, strict=True)]


def number(cell: str, place: str) -> float:
    """The number that a cell is."""
    text = cell.strip()
    if not is_number(text):
        told = f"`{text[:40]}` is not a number" if text else "the cell is empty"
        comma = text.replace(",", ".", 1)
        raise Fault(
            "CNN417", f"{place}: {told}", at="source",
            help="fill in what is missing, or leave out the row" if is_missing(text)
            else f"write {comma}, with a point" if is_number(comma)
            else "",
        )  # fmt: skip
    value = float(text)
    if not isfinite(value) or abs(value) > LARGEST:
        raise Fault(
            "CNN411", f"{place}: {text} is not a finite number of float32", at="source",
            help="fill in what is missing, or leave out the row",
        )  # fmt: skip
    return value


def class_name(table: Rows, line: int, cell: str) -> str:
    """The class that a cell names."""
    label = cell.strip()
    if is_missing(label):
        told = f"`{label}` stands for a label that is missing" if label else "the label is empty"
        raise Fault(
            "CNN417", f"{table.place(line, table.label)}: {told}", at="source",
            help="leave out rows without a label" + ("; if it is a class, rename it" if label else ""),
        )  # fmt: skip
    return composed(label)
