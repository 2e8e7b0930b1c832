"""The tokens of a file as the formatter needs them: with what stood between them, and how they are spaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from ..parse.layout import CONTINUING, OPEN_ENDED
from ..parse.tokens import SHORT, lex, stretches

BRACES = ("OPEN", "OPEN_EXPECT")
BRANCHING = ("ARROW", "BAR")
OPERATORS = ("PLUS", "MINUS", "TIMES", "OVER")
BEFORE_A_SIGN = ("LPAR", "COMMA", "EQUAL")
_HOLE = re.compile(r"\{[^{}\n]*\}")


@dataclass
class Comment:
    """A comment; `own` where it has a line for itself, `blank` where an empty line stands before it."""

    text: str
    own: bool
    blank: bool
    column: int  # where its author put it, counted from 0


@dataclass
class Trivia:
    """What stands between two tokens."""

    lines: int = 0  # ends of lines since the token or the comment before
    ended: bool = False  # by the end of a line or a `;`
    split: bool = False  # by a `;`
    comments: list[Comment] = field(default_factory=list)

    @property
    def wide(self) -> bool:
        return self.lines > 0 or bool(self.comments)


@dataclass
class FormatToken:
    """A token, and what stands before it.

    glued     no space before it
    inside    the parenthesis it stands in: `join`, `group`, `sum` (arithmetic), or nothing
    """

    kind: str
    text: str
    gap: Trivia
    glued: bool = False
    inside: str = ""


def pieces(text: str) -> tuple[list[FormatToken], Trivia]:
    """The tokens of a text that could be read, and what stands after the last one."""
    found: list[FormatToken] = []
    gap = Trivia()
    for line in stretches(text):
        for kind, said, column in _kept(line) if len(line) <= SHORT else _read(line):
            if kind == "NEWLINE":
                gap.lines += 1
                gap.ended = True
            elif kind == "SEMICOLON":
                gap.ended = gap.split = True
            elif kind == "COMMENT":
                own = gap.lines > 0 or not found
                gap.comments.append(Comment(said.rstrip(), own, gap.lines > 1, column))
                gap.lines, gap.ended = 0, True
            else:
                found.append(FormatToken(kind, said, gap))
                gap = Trivia()
    for before, piece in pairwise(found):
        if before.kind in BRANCHING and piece.gap.wide:  # the arrow goes to the line that it leads to
            _merge(before.gap, piece.gap)
            piece.gap = Trivia()
    _space(found)
    return found, gap


def _read(text: str) -> list[tuple[str, str, int]]:
    """The tokens of a line, or a few: kind, tidied text, and column."""
    return [
        (token.type, _tidied(token.type, str(token)), token.start_pos - (text.rfind("\n", 0, token.start_pos) + 1))
        for token in lex(text)
    ]


@lru_cache(4096)
def _kept(text: str) -> list[tuple[str, str, int]]:
    return _read(text)


def statements(found: list[FormatToken]) -> Iterator[list[FormatToken]]:
    """The pieces of each statement, a block with its braces being one."""
    statement: list[FormatToken] = []
    depth = 0
    for piece in found:
        if statement and depth == 0 and separates(statement[-1], piece):
            yield statement
            statement = []
        statement.append(piece)
        depth += (piece.kind in ("LPAR", *BRACES)) - (piece.kind in ("RPAR", "CLOSE"))
    if statement:
        yield statement


def separates(before: FormatToken, piece: FormatToken) -> bool:
    """Whether the gap before a piece ends a statement or setting, as `layout` has it."""
    return piece.gap.ended and piece.kind not in CONTINUING and before.kind not in OPEN_ENDED


def _merge(into: Trivia, gap: Trivia) -> None:
    into.comments += gap.comments
    into.lines = max(into.lines, gap.lines) if not gap.comments else gap.lines
    into.ended = True


def _tidied(kind: str, text: str) -> str:
    """A token's text with one way of spacing within it."""
    if kind in BRACES:
        return text[:-1].rstrip() + " {"
    if kind in ("HOLE", "SIZES"):
        return _HOLE.sub(lambda match: _tidied_hole(match[0]), text)
    return text


def _tidied_hole(text: str) -> str:
    """`{ 2 * w }` as `{2*w}`; only `%` keeps its spaces, because `3%` is a number."""
    if "#" in text:
        return text
    parts = []
    for token in lex(text[1:-1]):
        parts.append(f" {token} " if token == "%" else f"{token} " if token.type == "COMMA" else str(token))
    return "{" + "".join(parts).strip() + "}"


def _space(found: list[FormatToken]) -> None:
    """Decide where no space stands, and in which parenthesis each piece is.

    Operators have spaces in a `let` and none in arguments; `%` always has, because `3%` is a number.
    """
    stack: list[str] = []
    before = FormatToken("", "", Trivia())
    tight = arithmetic = False
    for piece in found:
        kind = piece.kind
        if not stack and separates(before, piece):
            arithmetic = False
        arithmetic = arithmetic or kind == "LET"
        if kind == "BAR" and stack and stack[-1] == "sum":  # behind the numbers of a call stand chains
            stack[-1] = "group"
        context = stack[-1] if stack else "sum" if arithmetic else ""
        piece.inside = context
        glued = tight or kind == "COMMA" or (before.kind == "LPAR" and context != "join")
        tight = False
        if kind == "LPAR":
            opened = "group" if context != "sum" else "sum"
            if before.kind in ("NAME", "PATH"):
                opened = "sum"
            elif before.kind == "JOIN" and context != "sum":
                opened = "join"
            glued = glued or before.kind in ("NAME", "PATH", "JOIN")
            stack.append(opened)
        elif kind == "RPAR":
            glued = not stack or stack.pop() != "join"
        elif kind == "TIMES" and context != "sum":
            glued = tight = True
        elif kind in OPERATORS:
            sign = kind == "MINUS" and (context != "sum" or before.kind in ("", *OPERATORS, *BEFORE_A_SIGN))
            tight = sign or not (arithmetic or piece.text == "%")
            glued = glued or (tight and not sign)
        piece.glued = glued
        before = piece
