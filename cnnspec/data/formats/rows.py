"""The rows of a table as texts: a file in UTF-8, cells in quotes, nothing that has no end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ...diagnostics import Fault
from ...plain_files import open_regular
from ..files import unreadable

if TYPE_CHECKING:
    from _csv import Reader

Row = tuple[int, list[str]]  # its line, from 1, and its cells
LONGEST_ROW = 16_000_000  # characters; a row without an end would fill the memory
OTHER_FORMATS = (
    (b"PK\3\4", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"PAR1", "Parquet"),
)  # how a file begins, and its case of CNN405


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
def texts(path: Path, separator: str) -> Iterator[Iterator[Row]]:
    """The rows of a file as texts, without those that are empty; Faults as above."""
    reader = None
    try:
        with open_regular(path) as raw:
            begin = raw.read(4)
            for magic, case in OTHER_FORMATS:
                if begin.startswith(magic):
                    raise Fault.of("CNN405", "source", case, name=path.name)
            raw.seek(0)
            lines = _Lines(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
            # a space after the separator belongs to neither cell, so that `1, "a"` is a text in quotes
            reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != " ", strict=True)
            yield _rows(reader, lines, separator == " ")
    except UnicodeDecodeError:
        raise Fault.of("CNN405", "source", case="text", name=path.name, where=_undecodable(path)) from None
    except csv.Error as error:
        line = reader.line_num or 1 if reader else 1
        raise Fault.of("CNN417", "source", case="row", line=line, name=path.name, reason=error) from None
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


def _rows(reader: Reader, lines: _Lines, aligned: bool) -> Iterator[Row]:
    """The rows that hold something; of a table whose columns are `aligned` by spaces, without the empty cells."""
    for row in reader:
        lines.left = LONGEST_ROW
        if aligned:
            row = [cell for cell in row if cell]
        if any(map(str.strip, row)):
            yield reader.line_num, row


def is_number(cell: str) -> bool:
    """Whether a cell is a number as tables write them, `nan` and `inf` among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()
