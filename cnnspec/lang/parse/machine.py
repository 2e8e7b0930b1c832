"""The parser's stack machine: lark's tables, fed with one token after the other.

lark's own looks a rule up by its content at every reduction; this one does so once. Its stacks may be cut
back, which is how reading goes on after a mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from lark.parsers.lalr_analysis import Shift

from .syntax import parser
from .tokens import Token

Reduction = tuple[int, Callable[[list[Any]], Any], str]
"""A rule: how many values it takes from the stack, what makes one of them, and what that is called."""


class Unexpected(Exception):
    """A token that cannot stand there, and the terminals that can."""

    def __init__(self, token: Token, expected: set[str]) -> None:
        super().__init__(token)
        self.token, self.expected = token, expected


class Machine:
    """Reads a `file` or an `expr`."""

    def __init__(self, start: str) -> None:
        self.conf, self.reductions = _tables(start)
        self.states: list[int] = [self.conf.start_state]
        self.values: list[Any] = []

    @property
    def depth(self) -> int:
        return len(self.states)

    def cut(self, depth: int) -> None:
        """Go back to so many states."""
        del self.states[depth:], self.values[depth - 1 :]

    def feed(self, token: Token) -> None:
        """Take a token, or stop where all has been read. Raises Unexpected where it cannot stand."""
        states, values, table, kind = self.states, self.values, self.conf.states, token.type
        while True:
            try:
                action, arg = table[states[-1]][kind]
            except KeyError:
                if states[-1] == self.conf.end_state:
                    return
                raise Unexpected(token, {name for name in table[states[-1]] if name.isupper()}) from None
            if action is Shift:
                break
            size, make, name = self.reductions.get(id(arg)) or self._reduction(arg)
            start = len(values) - size
            made = make(values[start:])
            del states[start + 1 :], values[start:]
            states.append(table[states[-1]][name][1])
            values.append(made)
        states.append(arg)
        values.append(token)

    def end(self, tokens: list[Token]) -> Any:
        """What was read, `tokens` having been all of it. Raises Unexpected where more must follow."""
        at = tokens[-1].end_pos if tokens else 0
        self.feed(Token("$END", "", at, at))
        return self.values[-1]

    def _reduction(self, rule: Any) -> Reduction:
        known = len(rule.expansion), self.conf.callbacks[rule], rule.origin.name
        self.reductions[id(rule)] = known
        return known


@cache
def _tables(start: str) -> tuple[Any, dict[int, Reduction]]:
    """lark's tables for a start rule, and the reductions made so far, by the identity of their rules."""
    return parser().parse_interactive(start=start).parser_state.parse_conf, {}
