"""Reading on after a mistake: a statement is read again with the change that its message proposes.

Where there is none, the parser drops what it had begun and goes on after the next separator: an LALR parser's
stack is as deep there as it was at the last one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lark import Tree

from ...diagnostics import Edit, Source, Span
from ..findings import Findings, Proposal
from .layout import ENDS, OPENERS, within_list
from .machine import Machine, Unexpected
from .tokens import Token, lex

MOST_REPAIRS = 30
MOST_REREAD = 1000  # tokens of a statement that is read again with a change
MOST_TOKENS = 32_000  # so that any file is read in a second


class Mark(NamedTuple):
    """Where the last separator was: how deep the parser's stack is after it, and the token that follows."""

    depth: int
    begun: int


class Stretch(NamedTuple):
    """Statements that are read alone: between two offsets, after some tokens of the text and before others."""

    start: int
    end: int
    before: int
    behind: int

    def holds(self, edits: Iterable[Edit]) -> bool:
        """Whether all edits are within."""
        return all(self.start <= edit.span.start <= edit.span.end < self.end for edit in edits)


class Astray(Exception):
    """What stands in a stretch cannot be read alone."""


def recovering_parse(
    tokens: list[Token], source: Source, findings: Findings, within: Stretch | None = None
) -> tuple[Any, set[str]]:
    """The tree of what could be read, and the names in what could not.

    Raises Astray where what is read `within` a stretch is not over at its end.
    """
    machine = Machine("file")
    index, behind = (within.before, within.behind) if within else (0, 0)
    if index:
        machine.feed(tokens[index - 1])
    marks = [Mark(machine.depth, index)]  # of the file, and within braces
    repairs = 0
    lost: set[str] = set()
    while index < len(tokens) - behind and not findings.full:
        token = tokens[index]
        if index == MOST_TOKENS:
            most = f"{MOST_TOKENS:,}".replace(",", " ")
            findings.tell("CNN008", Span(source, token.start_pos, token.end_pos), case="tokens", most=most)
            return Tree("file", []), names_of(tokens)
        try:
            machine.feed(token)
        except Unexpected as error:
            depth, begun = marks[-1]
            braced = len(marks) > 1
            from ..hints.syntax import explain
            from .context import ErrorContext

            place = ErrorContext(tokens, index, begun, braced, error.expected, source)
            proposal = explain(place, findings)
            machine.cut(depth)
            repairs += 1
            few = repairs <= MOST_REPAIRS and index - begun <= MOST_REREAD
            repaired = apply(proposal, tokens, source.text) if proposal and few else None
            if repaired is not None:
                if within and proposal and not within.holds(proposal.edits):
                    raise Astray from None
                findings.work.add(index - begun)
                tokens, index = repaired, begun
            else:
                index = _end_of_statement(tokens, index, braced)
                lost |= names_of(tokens[begun:index])
            continue
        index += 1
        if token.type in OPENERS:
            marks.append(Mark(machine.depth, index))
        elif token.type == "_SEP":
            marks[-1] = Mark(machine.depth, index)
        elif token.type == "CLOSE":
            marks.pop()
    over = index == len(tokens) - behind and (not behind or marks == [Mark(machine.depth, index)])
    if within and (findings.full or not over):
        raise Astray
    if findings.full:
        return Tree("file", []), names_of(tokens)
    depth, begun = marks[0]
    if machine.depth > depth:  # a brace within braces has taken the end of the outer one
        machine.cut(depth)
        lost |= names_of(tokens[begun:])
    return machine.end(tokens), lost


def apply(proposal: Proposal, tokens: list[Token], text: str) -> list[Token] | None:
    """The tokens with a proposed change made, so that the rest of a statement can be read; None where the
    change is within a token. What stood in `text` already keeps its place."""
    for edit in sorted(proposal.edits, key=lambda edit: edit.span.start, reverse=True):
        start, end = edit.span.start, edit.span.end
        first = next((i for i, token in enumerate(tokens) if token.end_pos > start), len(tokens))
        last = next((i for i, token in enumerate(tokens) if token.start_pos >= end), len(tokens))
        within = tokens[first:last]
        if any(token.start_pos < start or token.end_pos > end for token in within):
            return None
        new = list(lex(edit.text))
        for number, token in enumerate(new):
            token.type = "_SEP" if token.type in ENDS else token.type
            if token.type == "COMMA" and within_list([*tokens[:first][-1:], *new[:number]]):
                token.type = "_LIST"
            at = text.find(token, start, end)
            token.start_pos, token.end_pos = (at, at + len(token)) if at >= 0 else (start, end)
        tokens = [*tokens[:first], *new, *tokens[max(first, last) :]]
    return tokens


def names_of(tokens: list[Token]) -> set[str]:
    return {str(token) for token in tokens if token.type == "NAME"}


def _end_of_statement(tokens: list[Token], index: int, braced: bool) -> int:
    """Index of the separator, or closing brace, that ends the statement in which a token stands."""
    depth = 0
    while index < len(tokens):
        kind = tokens[index].type
        if kind in OPENERS:
            depth += 1
        elif kind == "CLOSE":
            if depth == 0 and braced:
                return index
            depth = max(0, depth - 1)
        elif kind == "_SEP" and depth == 0:
            return index
        index += 1
    return index
