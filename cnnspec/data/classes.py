"""Names of classes: their one order, and the texts that stand for none.

The order is the same in every process and for every source (folders, columns of labels, texts in archives): by
value where all names are numbers, else by code point.

    10 9 2         ->  2 9 10
    b  a 2         ->  2 a b
    2.0 10 2       ->  2 10         labels alone: equal numbers are one class, and whole ones are named so
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Context, Decimal

from ..diagnostics import Fault

NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
EXACT = Context(prec=200)
# as pandas reads them, and `?` as the UCI repository writes it; words for `not a number` in any case
MISSING = frozenset(("", "?", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NULL", "null", "None"))
MISSING_NUMBER = frozenset(("nan", "-nan", "+nan"))
MOST_CLASSES = 100_000


def first_class(name: str, lowest: int, highest: int, count: int | None) -> int:
    """The number of the first class, 0 or 1, of labels of which `count` says how many there are, if anybody does.

        0 3 1 2         0
        1 4 2 3         1, without a count or with 4; their classes are called 1 2 3 4
        1 4 2 3         0, with 5: class 0 has no image here

    Raises Fault where labels that nobody counted begin elsewhere.
    """
    if lowest == 1 < highest and count in (None, highest):
        return 1
    if count is None and lowest > 0:
        some = f"go from {lowest} to {highest}" if highest > lowest else f"are all {lowest}"
        raise Fault.of("CNN410", "source", case="counted", name=name, some=some, classes=highest + 1)
    return 0


def composed(name: str) -> str:
    """A name as text is written: é in one character, which some systems write as e and an accent."""
    return unicodedata.normalize("NFC", name)


def is_missing(label: str) -> bool:
    """Whether a text stands for a label that nobody knows."""
    return label in MISSING or label.lower() in MISSING_NUMBER


def number(name: str) -> Decimal | None:
    """The number that a name is, exactly; None where it is another text."""
    return Decimal(name) if NUMBER.fullmatch(name) else None


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names, each once, in their order; two that are one number (`1`, `01`) by code point."""
    distinct = sorted(set(names))
    numbers = [number(name) for name in distinct]
    if None in numbers:
        return tuple(distinct)
    return tuple(name for _, name in sorted(zip(numbers, distinct, strict=True)))


def classes_of(labels: Iterable[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """The classes that labels name, in order, and the class of each label by its text."""
    distinct = in_order(labels)
    numbers = [number(label) for label in distinct]
    if None in numbers:
        return distinct, {label: i for i, label in enumerate(distinct)}
    names: list[str] = []
    classes: dict[str, int] = {}
    for label, value in zip(distinct, numbers, strict=True):
        assert value is not None, "all of them are numbers"
        name = plain(value)
        if not names or names[-1] != name:
            names.append(name)
        classes[label] = len(names) - 1
    return tuple(names), classes


def plain(value: Decimal) -> str:
    """A number without what does not count: 1.0 is `1`, 1e2 is `100`, 0.50 is `0.5`."""
    shortest = value.normalize(EXACT)
    return f"{shortest:f}" if shortest else "0"
