"""Measures as text: a line, a table of the classes, and the confusion matrix.

accuracy 90.00%  precision 91.67%  recall 90.00%  F1 89.90%

class  images  precision   recall       F1
------------------------------------------
cat         5    100.00%   80.00%   88.89%
dog         5     83.33%  100.00%   90.91%

is \\ answered  cat  dog
cat              4    1
dog              0    5
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

from ..quoting import visible
from ..settings.measures import BY_NAME, MEASURES
from .measures import MOST_CONFUSED, Measures

FEW = 30  # classes whose confusion is a table that can be read
LONGEST = 24  # characters of a name


def line(measures: Measures) -> str:
    """All values of a whole, in one line."""
    known = (m for m in MEASURES if m.name in measures.values)
    return "  ".join(f"{m.title} {m.shown(measures[m.name])}" for m in known)


def by_class(measures: Measures, classes: Sequence[str] | None = None) -> list[str]:
    """The measures of each class or label, a line each; of several outputs their errors; else nothing."""
    if 0 < len(measures.each) <= MOST_CONFUSED:
        unit = "pixels" if "iou" in measures.values else "images"
        names = [name for name in ("precision", "recall", "f1", "iou") if name in measures.values]
        head = ["class", unit, *(BY_NAME[name].title for name in names)]
        rows = [
            [name, f"{each.count:,}", *(BY_NAME[column].shown(getattr(each, column)) for column in names)]
            for name, each in zip(_names(classes, len(measures.each)), measures.each, strict=True)
        ]
        return aligned([head, *rows], rule=True)
    if len(measures.errors) > 1:
        rows = [
            [str(k), *(BY_NAME[name].shown(getattr(error, name)) for name in error._fields)]
            for k, error in enumerate(measures.errors)
        ]
        return aligned([["output", *(BY_NAME[name].title for name in ("mae", "rmse", "r2"))], *rows], rule=True)
    return []


def confused(measures: Measures, classes: Sequence[str] | None = None) -> list[str]:
    """The confusion matrix, a row for what is and a column for what was answered; of many classes the commonest
    mistakes.
    """
    counts = measures.confusion
    if counts is None:
        return []
    names = _names(classes, len(counts))
    if len(counts) <= FEW:
        rows = [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)]
        return aligned([["is \\ answered", *names], *rows], even=True)
    wrong = [
        (count, names[i], names[j]) for i, row in enumerate(counts) for j, count in enumerate(row)
        if count and i != j
    ]  # fmt: skip
    pairs = sorted(wrong, key=lambda pair: -pair[0])[:FEW]
    return aligned([["is", "answered", "times"], *([is_, said, str(count)] for count, is_, said in pairs)])


def whole(measures: Measures, classes: Sequence[str] | None = None) -> str:
    """All of it, as a text file has it."""
    parts = [[line(measures)], by_class(measures, classes), confused(measures, classes)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def aligned(rows: Sequence[Sequence[str]], rule: bool = False, even: bool = False) -> list[str]:
    """Columns of text, the first to the left and all others to the right.

    `rule` puts a line below the head; `even` makes all but the first equally wide.
    """
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    if even:
        widths[1:] = [max(widths[1:])] * (len(widths) - 1)
    lines = []
    for row in rows:
        room = [" " * (width - _width(text)) for text, width in zip(row, widths, strict=True)]
        cells = [row[0] + room[0], *(blank + text for blank, text in zip(room[1:], row[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    if rule:
        lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines


def _names(classes: Sequence[str] | None, count: int) -> list[str]:
    """The names of classes, short and harmless; their numbers where they are not known."""
    if not classes or len(classes) != count:
        return list(map(str, range(count)))
    shown = map(visible, classes)
    return [name if len(name) <= LONGEST else name[: LONGEST - 1] + "…" for name in shown]


def _width(text: str) -> int:
    """Columns of a terminal: characters of East Asia take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
