"""The formatter: one way of spacing a file, whose comments and line breaks stay its author's.

    conv   8x3x3->relu ->      # first
    maxpool 2

becomes

    conv 8x3x3 -> relu  # first
      -> maxpool 2

Arrows and bars begin lines, what goes on is indented or stands under its parenthesis, comments on lines that
follow one another stand under one another, and a line that is too long is broken at an arrow. Nothing
else changes: the tree of the text stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, pairwise

from ...diagnostics import Source, SpecError
from ...record import record
from ..findings import Findings
from ..parse.parser import parse
from ..parse.tree import File
from .tokens import BRACES, BRANCHING, Comment, FormatToken, Trivia, pieces, separates, statements

LineFields = tuple[int, str, str, int, bool]  # of a Line, before it is aligned with others
WIDEST = 110
MOST_REMEMBERED = 2000  # characters of a statement whose lines are kept
FURTHEST = 8  # columns that aligned comments may stand further to the right than they must


def format(text: str, name: str = "<text>") -> str:
    """The text as `cnnspec fmt` writes it; raises SpecError where it cannot be read."""
    findings = Findings()
    file = parse(Source(name, text), findings)
    if findings.errors:
        raise SpecError(tuple(findings.diagnostics))
    return formatted(file)


def formatted(file: File) -> str:
    """The text of a file that could be read.

    Where it is known in parts, each statement is laid out by itself, and one that was seen before is not again.
    """
    lines: list[Line] = []
    blank = False
    for text in _alone(file):
        laid_out, apart = _remembered(text) if len(text) <= MOST_REMEMBERED else _statements(text)
        mine = [Line(*line) for line in laid_out]
        if mine and blank:
            mine[0].blank = True
        lines += mine
        blank = apart
    if lines:
        lines[0].blank = False
    _align_braces(lines)
    _align_comments(lines)
    return "".join(line.written for line in lines)


def _alone(file: File) -> Iterator[str]:
    """The statements of a text with what follows each, indented as they stand; the whole without known parts."""
    text, known = file.source.text, file.cut
    starts = [part.start for part in known.parts if part.begins != "ARROW"] if known and known.text == text else []
    for start, end in pairwise([*starts, len(text)] if starts else [0, len(text)]):
        column = start - (text.rfind("\n", 0, start) + 1)
        yield " " * column + text[start:end]


@lru_cache(4096)
def _remembered(text: str) -> tuple[list[LineFields], bool]:
    return _statements(text)


def _statements(text: str) -> tuple[list[LineFields], bool]:
    """The lines of some statements, and whether an empty line follows the last of them and its comments."""
    found, rest = pieces(text)
    lines: list[Line] = []
    each = list(statements(found))
    gaps = [*(statement[0].gap for statement in each[1:]), rest]
    for statement, after in zip(each, gaps, strict=False):
        rows = _rows(statement)
        rows[-1].after = _trailing(after)
        lines += _laid_out(rows)
    lines += _own_lines(rest.comments, 0)
    return [(line.indent, line.text, line.comment, line.column, line.blank) for line in lines], rest.lines > 1


@dataclass
class Line:
    """A line of the result; `text` is empty where it is only a comment."""

    indent: int
    text: str = ""
    comment: str = ""
    column: int = 0  # of the comment, as its author put it
    blank: bool = False  # an empty line stands before it
    gap: int = 2  # spaces before the comment

    @property
    def width(self) -> int:
        return self.indent + len(self.text)

    @property
    def written(self) -> str:
        comment = " " * self.gap * bool(self.text) + self.comment if self.comment else ""
        return "\n" * self.blank + " " * self.indent + self.text + comment + "\n"


@dataclass
class TokenRow:
    """Pieces that stand on one line unless it is too long, and what stands before and after them."""

    pieces: list[FormatToken]
    before: list[Comment] = field(default_factory=list)
    blank: bool = False
    after: Comment | None = None
    indent: int | None = None  # None: by the parentheses it stands in


def _rows(statement: list[FormatToken]) -> list[TokenRow]:
    if statement[0].kind in BRACES:
        return _block(statement)
    rows: list[TokenRow] = []
    for i, piece in enumerate(statement):
        if i == 0 or _breaks(statement, i):
            _begin(rows, piece.gap, 0 if i == 0 else None)
            rows[-1].blank = rows[-1].blank and piece.kind != "RPAR"
        rows[-1].pieces.append(piece)
    return rows


def _trailing(gap: Trivia) -> Comment | None:
    """Take the comment from a gap that stands on the line before it."""
    return gap.comments.pop(0) if gap.comments and not gap.comments[0].own else None


def _breaks(found: list[FormatToken], i: int) -> bool:
    """Whether the author's end of line before a piece stays."""
    before, piece = found[i - 1], found[i]
    if piece.gap.comments:
        return True
    if piece.gap.lines == 0 or piece.inside == "sum":
        return False
    if piece.kind in (*BRANCHING, "RPAR") or before.kind == "LPAR":
        return True
    return before.kind == "EQUAL" and found[0].kind in ("BLOCK", "NET")


def _begin(rows: list[TokenRow], gap: Trivia, indent: int | None) -> None:
    """Begin a row after a gap, whose first comment may belong to the row before."""
    if rows:
        rows[-1].after = _trailing(gap)
    rows.append(TokenRow([], gap.comments, gap.lines > 1, indent=indent))


def _block(statement: list[FormatToken]) -> list[TokenRow]:
    """`train { ... }`: on one line where its author wrote it so and there is room, else a line a setting."""
    opening, *within, closing = statement
    wide = any(piece.gap.wide for piece in (*within, closing))
    rows: list[TokenRow] = []
    _begin(rows, opening.gap, 0)
    ends = [i == 0 or separates(within[i - 1], piece) for i, piece in enumerate(within)]
    inside = "".join(
        " ;" * (end and i > 0) + " " * (not piece.glued) + piece.text
        for i, (piece, end) in enumerate(zip(within, ends, strict=True))
    )
    line = f"{opening.text}{inside} }}"
    if not wide and len(line) <= WIDEST:
        rows[-1].pieces.append(FormatToken("BLOCK_LINE", line, Trivia()))
        return rows
    rows[-1].pieces.append(opening)
    for i, (piece, end) in enumerate(zip(within, ends, strict=True)):
        if end and (i == 0 or piece.gap.wide or not wide):
            _begin(rows, piece.gap, 2)
            rows[-1].blank = rows[-1].blank and i > 0
        elif end:
            rows[-1].pieces.append(FormatToken("SEMICOLON", ";", Trivia()))
        rows[-1].pieces.append(piece)
    _begin(rows, closing.gap, 0)
    rows[-1].blank = False
    rows[-1].pieces.append(closing)
    return rows


@record
class Frame:
    """An open parenthesis: its column, or where it ends its line (`hanging`) the indent of that line."""

    inside: str
    column: int
    hanging: bool

    def indent(self, first: FormatToken) -> int:
        """Where a line within it begins."""
        if first.kind == "RPAR":
            return self.column
        if first.kind == "BAR":
            return self.column + 2 * self.hanging
        return self.column + (2 if self.inside == "join" else 1 - self.hanging) + 2 * self.hanging


def _laid_out(rows: list[TokenRow]) -> Iterator[Line]:
    """The lines of rows, with parentheses carried from one to the next."""
    frames: list[Frame] = []
    waiting = rows[::-1]
    while waiting:
        row = waiting.pop()
        first = row.pieces[0]
        indent = row.indent
        if indent is None:
            indent = frames[-1].indent(first) if frames else 2
        cut = 0 if _silences(row.after) else _cut(row.pieces, indent)
        if cut:
            waiting.append(TokenRow(row.pieces[cut:], after=row.after))
            row = TokenRow(row.pieces[:cut], row.before, row.blank, None, row.indent)
        text = _text(row.pieces, indent, frames)
        yield from _own_lines(row.before, 2 if first.kind == "CLOSE" else indent)
        line = Line(indent, text, blank=row.blank)
        if row.after is not None:
            line.comment, line.column = row.after.text, row.after.column
        yield line


def _text(row: list[FormatToken], indent: int, frames: list[Frame]) -> str:
    """The text of a line, whose parentheses are noted in `frames`."""
    text = ""
    for i, piece in enumerate(row):
        text += " " * (i > 0 and not piece.glued) + piece.text
        if piece.kind == "LPAR":
            hanging = i == len(row) - 1
            inside = row[i + 1].inside if not hanging else _opened(row, i)
            frames.append(Frame(inside, indent if hanging else indent + len(text) - 1, hanging))
        elif piece.kind == "RPAR":
            del frames[-1:]
    return text


def _opened(row: list[FormatToken], i: int) -> str:
    """Which parenthesis the last piece of a line opens."""
    return "join" if i > 0 and row[i - 1].kind == "JOIN" and row[i].inside != "sum" else "group"


def _cut(row: list[FormatToken], indent: int) -> int:
    """Where to break a line that is too long; 0 for nowhere.

    As far to the right as there is room, outside of parentheses rather than within, at a bar rather than at
    an arrow; where nothing is short enough, at the first place there is. What stands further to the right is
    not looked at: a long line is cut many times.
    """
    places: list[tuple[int, int, int, int]] = []  # depth, arrow after bar, column, index
    width, depth = indent, 0
    for i, piece in enumerate(row):
        if width > WIDEST and places:
            break
        if i > 0 and piece.kind in BRANCHING:
            places.append((depth, piece.kind == "ARROW", width, i))
        width += (i > 0 and not piece.glued) + len(piece.text)
        depth += (piece.kind == "LPAR") - (piece.kind == "RPAR")
    if width <= WIDEST:
        return 0
    fitting = [place for place in places if place[2] <= WIDEST]
    if fitting:
        best = min(fitting, key=lambda place: place[:2])[:2]
        return max(index for *rank, _, index in fitting if tuple(rank) == best)
    return places[0][3] if places else 0


def _own_lines(comments: Iterable[Comment], indent: int) -> Iterator[Line]:
    for comment in comments:
        yield Line(indent, comment=comment.text, blank=comment.blank)


def _silences(comment: Comment | None) -> bool:
    """Whether a comment speaks to `check` about the line it stands on, which then must stay whole."""
    return comment is not None and "cnnspec:" in comment.text


def _align_braces(lines: list[Line]) -> None:
    """Put the braces of blocks on lines that follow one another under one another."""

    def is_block(line: Line) -> bool:
        return line.indent == 0 and line.text.endswith("}") and " {" in line.text and "=" not in line.text[:7]

    for run in _runs(lines, is_block):
        words = max(len(line.text.partition(" {")[0]) for line in run)
        for line in run if len(run) > 1 else ():
            word, _, rest = line.text.partition(" {")
            line.text = f"{word:{words}} {{{rest}"


def _align_comments(lines: list[Line]) -> None:
    """Put the comments of lines that follow one another under one another."""
    for run in _runs(lines, lambda line: bool(line.text and line.comment)):
        least = max(line.width for line in run) + 2
        columns = {line.column for line in run}
        column = columns.pop()
        if columns or not least <= column <= least + FURTHEST:
            column = least
        for line in run:
            line.gap = column - line.width


def _runs(lines: list[Line], wanted: Callable[[Line], bool]) -> Iterator[list[Line]]:
    """The lines that are wanted, those together that follow one another."""
    number = 0

    def key(line: Line) -> tuple[int, bool]:
        nonlocal number
        number += line.blank
        return number, wanted(line)

    for (_, good), run in groupby(lines, key):
        if good:
            yield list(run)
