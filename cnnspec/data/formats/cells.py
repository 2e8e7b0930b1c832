"""The cells of a row: numbers, categories, labels; what is wrong with one is told by its line and column."""

from __future__ import annotations

from math import isfinite, nan

from ...diagnostics import Fault
from ..classes import composed, is_missing
from .columns import Rows
from .rows import is_number

LARGEST = 3.4028234663852886e38  # of float32
MOST_CATEGORIES = 256
UNLABELLED = "fill it in, leave out rows without a label, or say `missing drop`"
FILL = "fill in what is missing, or say `missing drop` or `missing mean`"


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


def number(cell: str, place: str, help: str = FILL) -> float:
    """The number that a cell is."""
    text = cell.strip()
    if not is_number(text):
        told = f"`{text[:40]}` is not a number" if text else "the cell is empty"
        comma = text.replace(",", ".", 1)
        raise Fault(
            "CNN417", f"{place}: {told}", at="source",
            help=help if is_missing(text) else f"write {comma}, with a point" if is_number(comma)
            else "mend it; if the column names categories, say so by `categories`",
        )  # fmt: skip
    value = float(text)
    if not isfinite(value) or abs(value) > LARGEST:
        raise Fault("CNN411", f"{place}: {text} is not a finite number of float32", at="source", help=help)
    return value


def category(table: Rows, line: int, row: list[str], place: int) -> str | None:
    """The text of a cell that names a category; None for a missing one, where it may be."""
    text = row[place].strip()
    if not is_missing(text):
        return composed(text)
    if table.missing == "mean":
        return None
    told = f"`{text}` stands for what is missing" if text else "the cell is empty"
    raise Fault("CNN417", f"{table.place(line, place)}: {told}", at="source", help=FILL)


def unknown(table: Rows, line: int, place: int, text: str, known: tuple[str, ...]) -> Fault:
    """The fault of a text that a trained network has no number for."""
    return Fault(
        "CNN432", f"{table.place(line, place)}: `{text[:40]}` is no category that training had", at="source",
        help=f"it had {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}",
    )  # fmt: skip


def too_many(table: Rows, place: int) -> Fault:
    """The fault of a column with more texts than a network is given a number for."""
    name = table.named(place)
    return Fault(
        "CNN431", f"{name} of {table.where} has more than {MOST_CATEGORIES} different texts", at="source",
        help=f'say `drop "{place + 1}"` if they only name the rows, or put them into fewer groups',
    )  # fmt: skip


def class_name(table: Rows, line: int, row: list[str]) -> str:
    """The class that the label of a row names."""
    label = row[table.label].strip()
    if is_missing(label):
        told = f"`{label}` stands for a label that is missing" if label else "the label is empty"
        raise Fault(
            "CNN417", f"{table.place(line, table.label)}: {told}", at="source",
            help="leave out rows without a label, or say `missing drop`"
            + ("; if it is a class, rename it" if label else ""),
        )  # fmt: skip
    return composed(label)
