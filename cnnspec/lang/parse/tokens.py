"""From text to tokens.

The terminals are the grammar's, tried in lark's order; only the loop is ours. It counts no lines and
columns, which nobody asks of a token (a `Source` tells them of any offset), and takes a fifth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from .syntax import parser

SHORT = 400  # characters of a line of which it pays to keep what was made
LINE = re.compile(r"[^\n]*\n|[^\n]+")
OPENS = ("train", "data", "expect", "add", "concat", "mul", "max", "min", "mean", "sub")


class Token(str):
    """A piece of a text, by its terminal (`type`) and its place."""

    __slots__ = ("end_pos", "start_pos", "type")

    type: str
    start_pos: int
    end_pos: int

    def __new__(cls, type: str, text: str, start_pos: int, end_pos: int) -> Token:
        token = str.__new__(cls, text)
        token.type, token.start_pos, token.end_pos = type, start_pos, end_pos
        return token


def lex(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of a text from an offset on, what the grammar ignores left out."""
    pattern, keywords = _terminals()
    for match in pattern.finditer(text, start):
        kind = match.lastgroup
        if kind is None:  # the end
            return
        found = match[kind]
        if kind == "NAME":
            kind = keywords.get(found, kind)
        end = match.end()
        yield Token(kind, found, end - len(found), end)


def stretches(text: str) -> Iterator[str]:
    """The lines of a text with their ends, each with the tokens that it has alone; with the next ones where the
    brace or the parenthesis that makes a word what it is may stand on these."""
    begun: list[str] = []
    for line in LINE.findall(text):
        begun.append(line)
        said = line.rstrip()
        if not said.endswith(OPENS) and (said or len(begun) == 1):
            yield "".join(begun) if len(begun) > 1 else line
            begun = []
    if begun:
        yield "".join(begun)


@cache
def _terminals() -> tuple[re.Pattern[str], dict[str, str]]:
    """One expression for all that may come next, and the names that are words of the grammar.

    What is ignored is taken possessively, so that a long stretch of it is looked at once.
    """
    conf = parser().lexer_conf
    ordered = sorted(
        conf.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name)
    )
    ignored = [t.pattern.to_regexp() for t in ordered if t.name in conf.ignore]
    keywords = {t.pattern.value: t.name for t in ordered if t.pattern.type == "str" and t.pattern.value.isalpha()}
    groups = [
        f"(?P<{t.name}>{t.pattern.to_regexp()})"
        for t in ordered
        if t.name not in conf.ignore and t.pattern.value not in keywords
    ]
    expression = rf"(?:{'|'.join(ignored)})*+(?:{'|'.join(groups)}|\Z)"
    return re.compile(expression, conf.g_regex_flags), keywords
