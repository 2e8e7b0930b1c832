"""The place and state where the parser stopped, to explain why."""

from __future__ import annotations

from typing import NamedTuple

from ...diagnostics import Source, Span
from .tokens import Token

ENDS = frozenset(("ARROW", "BAR", "RPAR", "CLOSE", "_SEP", "AS", "TIMES", "$END", "COLONS"))
SIZED = frozenset(("NUMBER", "SIZES", "HOLE"))


class ErrorContext(NamedTuple):
    """Where reading stopped: all tokens, and the number of the one that does not fit.

    `begun` is the number of the statement's first token; `braced` where it is a line of `train { }`.
    """

    tokens: list[Token]
    number: int
    begun: int
    braced: bool
    expected: set[str]
    source: Source

    def at(self, step: int) -> Token | None:
        """The token so many steps after the one that does not fit."""
        i = self.number + step
        return self.tokens[i] if 0 <= i < len(self.tokens) else None

    def kind(self, step: int = 0) -> str:
        token = self.at(step)
        return token.type if token is not None else "$END"

    def text(self, step: int = 0) -> str:
        return str(self.at(step) or "")

    def span(self, first: int = 0, last: int | None = None) -> Span:
        """The span of a token, or from one to another; the end of a line or file is a point."""
        start, end = self._ends(first)
        return Span(self.source, start, self._ends(first if last is None else last)[1] if last else end)

    def _ends(self, step: int) -> tuple[int, int]:
        token = self.at(step)
        if token is not None and token.type != "_SEP":
            return token.start_pos, token.end_pos
        before = self.at(step - 1)
        end = before.end_pos if before is not None else 0
        return end, end

    def begins_statement(self, step: int) -> bool:
        return self.kind(step - 1) in ("_SEP", "$END", "OPEN", "OPEN_EXPECT")
