"""The cells of a row: numbers, categories, labels; faults name line and column."""

from __future__ import annotations

from math import isfinite, nan

from ...diagnostics import Fault
from ..classes import composed, is_missing
from .columns import Rows
from .rows import is_number

LARGEST = 3.4028234663852886e38  # of float32
MOST_CATEGORIES = 256


def numbers(table: Rows, line: int, row: list[str], places: list[int]) -> list[float]:
    """The numbers of a row; NaN for those that are missing, where `missing mean` puts something in their place."""
    cells = [row[place] for place in places]
    joined = "".join(cells)
    try:
        found = list(map(float, cells))
    except ValueError:
        pass
    else:
        if joined.isascii() and "_" not in joined and all(-LARGEST <= n <= LARGEST for n in found):
            return found
    # something is wrong or missing, and its place is wanted
    filled = table.missing == "mean"
    return [
        nan if filled and is_missing(row[place].strip()) else number(row[place], table.place(line, place))
        for place in places
    ]


def number(cell: str, place: str, label: bool = False) -> float:
    """The number that a cell is, or a `label`."""
    text = cell.strip()
    if not text:
        raise Fault.of("CNN417", "source", "empty label" if label else "empty", place=place)
    if not is_number(text):
        comma = text.replace(",", ".", 1)
        if is_missing(text):
            raise Fault.of("CNN417", "source", "no label" if label else "missing", place=place, text=text[:40])
        if is_number(comma):
            raise Fault.of("CNN417", "source", "comma", place=place, text=text[:40], comma=comma)
        raise Fault.of("CNN417", "source", place=place, text=text[:40])
    value = float(text)
    if not isfinite(value) or abs(value) > LARGEST:
        raise Fault.of("CNN411", "source", "label" if label else "cell", place=place, text=text)
    return value


def category(table: Rows, line: int, row: list[str], place: int) -> str | None:
    """The text of a cell that names a category; None for a missing one, where it may be."""
    text = row[place].strip()
    if not is_missing(text):
        return composed(text)
    if table.missing == "mean":
        return None
    case = "category" if text else "empty"
    raise Fault.of("CNN417", "source", case, place=table.place(line, place), text=text)


def unknown(table: Rows, line: int, place: int, text: str, known: tuple[str, ...]) -> Fault:
    """The fault of a text that a trained network has no number for."""
    return Fault.of(
        "CNN432",
        "source",
        cell=table.place(line, place),
        text=text[:40],
        known=", ".join(known[:8]),
        more=", ..." if len(known) > 8 else "",
    )


def too_many(table: Rows, place: int) -> Fault:
    """The fault of a column with more texts than a network is given a number for."""
    name = table.named(place)
    return Fault.of("CNN431", "source", column=name, where=table.where, most=MOST_CATEGORIES, number=place + 1)


def class_name(table: Rows, line: int, row: list[str]) -> str:
    """The class that the label of a row names."""
    label = row[table.label].strip()
    if is_missing(label):
        case, place = "missing class" if label else "empty class", table.place(line, table.label)
        raise Fault.of("CNN417", "source", case, place=place, text=label)
    return composed(label)
