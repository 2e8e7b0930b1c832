"""Places of a text as the Language Server Protocol counts them, and the changes that it tells by them.

A line ends with LF, CRLF or CR, and with nothing else; a column is counted from 0, in units of the encoding that
was agreed on (`utf-8`, `utf-16`, or `utf-32`, which is characters). What lies outside of a line or a text
is its nearest place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache

from ..diagnostics import Source

Position = tuple[int, int]
Range = tuple[Position, Position]
Change = tuple[Range | None, str]  # what is written in the place of a range, or of the whole text

END = re.compile(r"\r\n?|\n")
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
WIDTHS: dict[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "utf-32": len,
}


def position(source: Source, offset: int, encoding: str) -> Position:
    """Line and column of an offset."""
    text, starts = source.text, line_starts(source)
    line = bisect_right(starts, offset) - 1
    if starts is not source.line_starts and text[offset - 1 : offset + 1] == "\r\n":
        offset -= 1  # an end of line is no part of it
    if text.isascii():  # every encoding counts these as one
        return line, offset - starts[line]
    return line, WIDTHS[encoding](text[starts[line] : offset])


def offset(source: Source, position: Position, encoding: str) -> int:
    """The offset of a line and column."""
    line, column = position
    starts = line_starts(source)
    if line >= len(starts):
        return len(source.text)
    end = starts[line + 1] if line + 1 < len(starts) else len(source.text)
    return starts[line] + _characters(source.text[starts[line] : end].rstrip("\r\n"), column, encoding)


def line_starts(source: Source) -> tuple[int, ...]:
    """Offset of the first character of every line."""
    return _line_starts(source.text) if "\r" in source.text else source.line_starts


@lru_cache(8)
def _line_starts(text: str) -> tuple[int, ...]:
    return (0, *(end.end() for end in END.finditer(text)))


def _characters(text: str, column: int, encoding: str) -> int:
    """How many characters of a line are before a column; one that the column cuts counts."""
    if text.isascii():
        return min(column, len(text))
    width = WIDTHS[encoding]
    if column >= width(text):
        return len(text)
    low, high = 0, min(column, len(text))
    while low < high:
        middle = (low + high) // 2
        if width(text[:middle]) < column:
            low = middle + 1
        else:
            high = middle
    return low


def changed(text: str, changes: Iterable[Change], encoding: str) -> str:
    """A text after changes, each of which is told by the places of what the ones before it made."""
    lines: list[str] | None = None
    for place, new in changes:
        if place is None:
            text, lines = new, None
            continue
        lines = _lines(text) if lines is None else lines
        (first, start), (last, end) = place[0], max(place)
        first, start = _within(lines, first, start, encoding)
        last, end = _within(lines, last, end, encoding)
        head, tail = lines[first][:start], lines[last][end:]
        if first and lines[first - 1].endswith("\r"):  # an LF behind it would be part of its end
            first -= 1
            head = lines[first] + head
        lines[first : last + 1] = _lines(head + new + tail, whole=last == len(lines) - 1)
    return text if lines is None else "".join(lines)


def _within(lines: list[str], line: int, column: int, encoding: str) -> tuple[int, int]:
    """A place of some lines, its column in characters."""
    if line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    return line, _characters(lines[line].rstrip("\r\n"), column, encoding)


def _lines(text: str, whole: bool = True) -> list[str]:
    """The lines of a text with their ends; what is behind the last end is a line too, in a `whole` text if it is
    empty."""
    found = LINE.findall(text)
    if whole and (not found or found[-1][-1] in "\r\n"):
        found.append("")
    return found
