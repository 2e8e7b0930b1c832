"""Parsing: from text to tree, with every syntax error of the file in one pass.

After an error the parser drops what it had begun and goes on after the next separator: an LALR parser's
stack is as deep there as it was at the last one.
"""

from __future__ import annotations

from typing import Any

from lark import Token
from lark.exceptions import UnexpectedToken

from ..diagnostics import Source, Span
from .build import Build
from .findings import Findings
from .layout import OPENERS, lay_out
from .slips import explain, explain_hole
from .syntax import parser
from .tree import Expr, File

LARGEST_FILE = 256_000  # characters; a hundred times the longest spec that anyone has written


def parse(source: Source, findings: Findings) -> File:
    """The tree of a source; what could not be read is left out of it, and reported."""
    if len(source.text) > LARGEST_FILE:
        span = Span(source, LARGEST_FILE, LARGEST_FILE + 1)
        findings.report("CNN008", f"the file is longer than {LARGEST_FILE:,} characters".replace(",", " "), span)
        return File(source, (), (), whole=False)
    tokens, comments = lay_out(parser().lex(source.text), source, findings)
    tree, lost = _recovering_parse(tokens, source, findings)
    statements = Build(source, findings).transform(tree)
    return File(source, statements, tuple(comments), frozenset(lost), not len(findings))


def _recovering_parse(tokens: list[Token], source: Source, findings: Findings) -> tuple[Any, set[str]]:
    """The tree of what could be read, and the names in what could not."""
    machine = parser().parse_interactive(start="file")
    state = machine.parser_state
    marks = [1]  # how deep the stack was after the last separator: of the file, and within braces
    begun = index = 0
    lost: set[str] = set()
    while index < len(tokens) and not findings.full:
        token = tokens[index]
        try:
            machine.feed_token(token)
        except UnexpectedToken as error:
            explain(tokens, index, error.expected, source, findings)
            del state.state_stack[marks[-1] :], state.value_stack[marks[-1] - 1 :]
            index = _end_of_statement(tokens, index, within_braces=len(marks) > 1)
            lost |= _names(tokens[begun:index])
            continue
        if token.type in OPENERS:
            marks.append(len(state.state_stack))
        elif token.type == "_SEP":
            marks[-1] = len(state.state_stack)
        elif token.type == "CLOSE":
            marks.pop()
        index += 1
        if token.type == "_SEP" and len(marks) == 1:
            begun = index
    try:
        return machine.feed_eof(tokens[-1] if tokens else None), lost
    except UnexpectedToken as error:
        explain(tokens, len(tokens), error.expected, source, findings)
        del state.state_stack[marks[0] :], state.value_stack[marks[0] - 1 :]
        return machine.feed_eof(tokens[-1]), lost | _names(tokens[begun:])


def _names(tokens: list[Token]) -> set[str]:
    return {str(token) for token in tokens if token.type == "NAME"}


def _end_of_statement(tokens: list[Token], index: int, within_braces: bool) -> int:
    """Index of the separator, or closing brace, that ends the statement in which a token stands."""
    depth = 0
    while index < len(tokens):
        kind = tokens[index].type
        if kind in OPENERS:
            depth += 1
        elif kind == "CLOSE":
            if depth == 0 and within_braces:
                return index
            depth = max(0, depth - 1)
        elif kind == "_SEP" and depth == 0:
            return index
        index += 1
    return index


def parse_expression(text: str, span: Span, findings: Findings) -> Expr | None:
    """The tree of the arithmetic in a hole, `span` being the hole with its braces."""

    tokens = [token for token in parser().lex(text) if token.type != "COMMENT"]
    machine = parser().parse_interactive(start="expr")
    try:
        for token in tokens:
            machine.feed_token(token)
        tree = machine.feed_eof(tokens[-1] if tokens else None)
    except UnexpectedToken as error:
        explain_hole(error.token, span, findings)
        return None
    found: Expr = Build(span.source, findings, span.start + 1).transform(tree)
    return found
