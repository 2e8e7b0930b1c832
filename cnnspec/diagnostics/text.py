"""Diagnostics for people: the lines of the spec, with carets under what is meant.

    error[CNN103]: a 5x5 kernel does not fit a 2x2 image
     --> digits.cnn:3:7
      |
    2 | conv 8x3x3 -> maxpool 4
      |               --------- makes it 8x2x2
    3 |   -> conv 8x5x5 -> relu
      |           ^^^^^ needs at least 5x5, gets 2x2
      = help: use `conv 8x5x5 pad same`

`^` marks the place of the finding, `-` the earlier places that made it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from unicodedata import category, east_asian_width

from ..quoting import disarmed, sign, visible
from ..record import record
from .core import Diagnostic, Source, Span

Paint = Callable[[str, str], str]
TAB = 4
WIDEST = 160  # columns of a line that are shown; around the marks where the line is longer
STYLES = {"error": "1;31", "warning": "1;33", "related": "34", "margin": "34", "help": "1;36", "bold": "1"}


def render(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """All findings one after another, an empty line between two; ends with a newline unless there are none."""
    paint = _painted if color else _plain
    return "\n".join(_render_one(diagnostic, paint) for diagnostic in diagnostics)


def _plain(text: str, style: str) -> str:
    return text


def _painted(text: str, style: str) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text else text


@record
class Underline:
    """A stretch of one line to be underlined, in columns of the screen, and what to say there."""

    start: int
    end: int
    text: str
    sign: str
    style: str


def _render_one(diagnostic: Diagnostic, paint: Paint) -> str:
    severity = diagnostic.severity
    lines = [paint(f"{severity}[{diagnostic.code}]", severity) + paint(f": {visible(diagnostic.message)}", "bold")]
    span = diagnostic.span
    width = 1
    if span is not None:
        marked: dict[Source, list[tuple[Span, str, str, str]]] = {span.source: []}
        marked[span.source].append((span, diagnostic.label, "^", severity))
        for label in diagnostic.related:
            marked.setdefault(label.span.source, []).append((label.span, label.text, "-", "related"))
        width = max(len(str(place.end_position[0])) for places in marked.values() for place, *_ in places)
        for source, places in marked.items():
            arrow = "-->" if source is span.source else ":::"
            lines.append(paint(" " * width + arrow, "margin") + f" {visible(str(places[0][0]))}")
            lines += _excerpt(source, places, width, paint)
    if diagnostic.help:
        lines.append(paint(" " * width + " = ", "margin") + paint("help", "help") + f": {visible(diagnostic.help)}")
    return "".join(line.rstrip() + "\n" for line in lines)


def _excerpt(source: Source, places: list[tuple[Span, str, str, str]], width: int, paint: Paint) -> list[str]:
    """The marked lines of a source; `...` where some between them are left out."""
    margin = paint(" " * width + " |", "margin")
    by_line: dict[int, list[tuple[Span, str, str, str]]] = {}
    for place in places:
        by_line.setdefault(place[0].line, []).append(place)
    lines = [margin]
    before = 0
    for number in sorted(by_line):
        if before and number == before + 2:
            between = _shown(source.line(before + 1), 0)[0]
            lines.append(paint(f"{before + 1:{width}} |", "margin") + f" {between}")
        elif before and number > before + 1:
            lines.append(paint("...", "margin"))
        first = min(span.column for span, *_ in by_line[number]) - 1
        shown, begin, lead = _shown(source.line(number), first)
        marks = [_mark(source.line(number), place, begin, lead) for place in by_line[number]]
        lines.append(paint(f"{number:{width}} |", "margin") + f" {shown}")
        lines += [f"{margin} {line}" for line in _underlines(marks, paint)]
        before = number
    return lines


def _shown(line: str, first: int) -> tuple[str, int, int]:
    """A line as it is shown, from which character on, and the columns put before that.

    Of a very long line a part around its first mark.
    """
    if len(line) <= WIDEST:
        return expanded(line), 0, 0
    begin = max(0, first - WIDEST // 4)
    lead = "..." if begin else ""
    tail = "..." if begin + WIDEST < len(line) else ""
    return lead + expanded(line[begin : begin + WIDEST]) + tail, begin, len(lead)


def _mark(line: str, place: tuple[Span, str, str, str], begin: int, lead: int) -> Underline:
    """The mark of a span on a line that is shown from `begin` on; of a span over several lines the first."""
    span, text, sign, style = place
    line = line[begin : begin + WIDEST]
    first = min(max(0, span.column - 1 - begin), len(line))
    last = min(first + span.end - span.start, len(line))
    start, end = lead + column(line, first), lead + column(line, last)
    return Underline(start, max(end, start + 1), visible(text), sign, style)


def _underlines(marks: list[Underline], paint: Paint) -> list[str]:
    """The lines below a marked line. What the last mark says stands beside it, the others hang below."""
    marks = sorted(marks, key=lambda mark: (mark.start, mark.end))
    last = marks[-1]
    beside = last if all(mark.end <= last.start for mark in marks[:-1]) else None
    signs: dict[int, Underline] = {}
    for mark in sorted(marks, key=lambda mark: (mark.sign == "^", mark.start - mark.end)):
        signs.update(dict.fromkeys(range(mark.start, mark.end), mark))
    text = _cells_of(signs, paint)
    if beside is not None and beside.text:
        text += f" {paint(beside.text, beside.style)}"
    lines = [text]
    hanging = [mark for mark in marks if mark.text and mark is not beside]
    if hanging:
        lines.append("".join(" " * (other.start - at) + paint("|", other.style) for at, other in _starts(hanging)))
    for i, mark in reversed(list(enumerate(hanging))):
        bars = "".join(
            " " * (other.start - at) + paint("|", other.style) for at, other in _starts(hanging[:i], mark.start)
        )
        at = max((other.start + 1 for other in hanging[:i] if other.start < mark.start), default=0)
        lines.append(bars + " " * (mark.start - at) + paint(mark.text, mark.style))
    return lines


def _starts(marks: list[Underline], before: int = 10**9) -> list[tuple[int, Underline]]:
    """Where each bar's blank space begins, and the mark whose bar follows it."""
    found, at = [], 0
    for mark in marks:
        if at <= mark.start < before:
            found.append((at, mark))
            at = mark.start + 1
    return found


def _cells_of(signs: dict[int, Underline], paint: Paint) -> str:
    """Carets and dashes at their columns."""
    out, at = [], 0
    for mark, cells in groupby(sorted(signs), key=signs.__getitem__):
        run = list(cells)
        out.append(" " * (run[0] - at) + paint(mark.sign * len(run), mark.style))
        at = run[-1] + 1
    return "".join(out)


# ---- columns of the screen -------------------------------------------------------------------------------


def _cells(character: str) -> int:
    """Columns that a character takes on a screen."""
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def column(line: str, index: int) -> int:
    """The column of the screen at which the character of a line stands, counted from 0."""
    at = 0
    for character in line[:index]:
        at += TAB - at % TAB if character == "\t" else _cells(sign(character))
    return at


def expanded(line: str) -> str:
    """A line with its tabs as spaces and its control characters made visible."""
    out: list[str] = []
    at = 0
    for character in disarmed(line):
        shown = " " * (TAB - at % TAB) if character == "\t" else sign(character)
        out.append(shown)
        at += len(shown) if character == "\t" else _cells(shown)
    return "".join(out)
