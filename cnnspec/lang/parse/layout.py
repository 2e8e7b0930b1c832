"""Layout: from the lexer's tokens to those that the grammar knows.

Ends of lines and `;` become one separator where they end a statement, and vanish where they cannot:
inside parentheses, after `-> | = ,` and an opening brace, before `-> |` and a closing one. The comma of a
setting that takes a list (`freeze stem, head`) becomes a sign of its own, so that any other is still a slip.
Parentheses and braces that are never closed are found here, closed, and reported where they open.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...diagnostics import Source, Span
from ..findings import Findings, replace
from .tokens import Token

DEEPEST = 30  # parentheses within one another; every later stage walks the tree by recursion

OPENERS = frozenset(("OPEN", "OPEN_EXPECT"))
STARTERS = OPENERS | {"IMPORT", "LET", "BLOCK", "NET", "INPUT"}  # these words stand nowhere else
OPEN_ENDED = OPENERS | {"ARROW", "BAR", "EQUAL", "COMMA", "_LIST", "_SEP"}  # after these a line goes on
CONTINUING = frozenset(("ARROW", "BAR", "CLOSE"))  # before these a line goes on
WITHOUT_CHAIN = frozenset(("LET", "INPUT", "IMPORT"))  # these end with their line
ENDS = frozenset(("NEWLINE", "SEMICOLON"))
SUSPECTS = frozenset(("OVER", "STRING", "STRAY", "MINUS"))  # what a comment of another language begins with
LISTS = frozenset(("freeze", "of", "at"))  # the settings that take a list


def lay_out(tokens: Iterable[Token], source: Source, findings: Findings) -> tuple[list[Token], list[Span]]:
    """The tokens of a file with separators between its statements, and its comments.

    Tokens that were added have no text: one that closes a brace, and one after a parenthesis that is never
    closed, which the grammar cannot take, so that nothing is made of such a statement.
    """
    out: list[Token] = []
    comments: list[Span] = []
    parens: list[Token] = []
    calls: list[bool] = []  # of each of them, whether it holds arguments or parameters
    braces: list[Token] = []  # at most one: the grammar has no braces within braces
    end: Token | None = None
    owed = 0  # braces that were closed early, whose own ends are still to come
    head = ""  # what the statement began with
    comment = 0  # where a comment ends that another language would have

    def close_all() -> None:
        for kind, opened in (("STRAY", parens), ("CLOSE", braces)):
            if opened:
                out.append(_after(out[-1], kind, ""))
            if opened and not any(token.type == "OPEN_STRING" for token in out[-4:]):
                _never_closed(opened[0], out[-1].end_pos, source, findings)
            opened.clear()
        calls.clear()

    for token in tokens:
        kind = token.type
        if token.start_pos < comment:
            continue
        if kind == "COMMENT":
            comments.append(Span(source, token.start_pos, token.end_pos))
            continue
        if kind in SUSPECTS:
            from ..hints.comments import end_of_comment

            divides = bool(calls and calls[-1]) or (head == "LET" and end is None)
            comment = end_of_comment(token, end is not None or not out, divides, source, findings)
            if comment:
                continue
        if kind in ENDS:
            end = token
            continue
        if end is not None:
            if kind in STARTERS:
                owed += len(braces)
                close_all()
            ended = bool(out) and (head in WITHOUT_CHAIN or out[-1].type == "CLOSE")
            goes_on = (kind in CONTINUING and not ended) or not out or out[-1].type in OPEN_ENDED
            if not parens and (not goes_on or (kind in STARTERS and out and out[-1].type != "_SEP")):
                out.append(Token("_SEP", end, end.start_pos, end.end_pos))
            end = None
        if not out or out[-1].type == "_SEP":
            head = kind
        if kind == "LPAR":
            parens.append(token)
            calls.append(bool(out) and out[-1].type in ("NAME", "PATH"))
            if len(parens) > DEEPEST:
                span = Span(source, token.start_pos, token.end_pos)
                findings.tell("CNN007", span, most=DEEPEST)
                return [], comments
        elif kind == "RPAR":
            del parens[-1:], calls[-1:]
        elif kind in OPENERS:
            braces = [token]
        elif kind == "COMMA" and braces and not parens and within_list(out):
            token = Token("_LIST", token, token.start_pos, token.end_pos)
        elif kind == "CLOSE":
            if not braces and owed:
                owed -= 1
                continue
            braces = []
        out.append(token)
    close_all()
    if out:
        out.append(_after(out[-1], "_SEP", ";"))  # so that every statement ends alike
    return out, comments


def within_list(out: list[Token]) -> bool:
    """Whether the last token is an item of a setting that takes a list."""
    name = len(out) - 2
    while name > 1 and out[name].type == "_LIST":
        name -= 2
    return name > 0 and out[name].type == "NAME" and out[name] in LISTS


def _after(token: Token, kind: str, text: str) -> Token:
    """A token of no width right after another one."""
    return Token(kind, text, token.end_pos, token.end_pos)


def _never_closed(token: Token, last: int, source: Source, findings: Findings) -> None:
    """Report a bracket that nothing closes before `last`, where it may have been meant to end."""
    end = token.end_pos
    bracket = token[-1]
    missing = {"(": ")", "{": "}"}[bracket]
    closed = replace(Span(source, last, last), f" {missing}", help=f"close it with `{missing}`", sure=False)
    at = Span(source, end - 1, end)
    findings.tell("CNN004", at, closed, bracket=bracket, missing=missing)
