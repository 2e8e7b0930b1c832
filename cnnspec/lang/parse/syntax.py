"""The grammar, as a parser.

Building the tables of an LALR parser takes most of the time of a short `cnnspec check`, so they are kept,
ready made, in tables.py. They count only where they are those of this grammar and this lark; otherwise the
parser is built from the grammar, as it is by

    python -c "from cnnspec.lang.parse import syntax; syntax.write_tables()"

after a change of the grammar.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...resources import grammar_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark, Token

TABLES = Path(__file__).with_name("tables.py")


def grammar_text() -> str:
    """The text of grammar/cnnspec.lark."""
    return (grammar_folder() / "cnnspec.lark").read_text(encoding="utf-8")


class KeepForLayout:
    """Tells lark to keep the tokens that no rule names; `lay_out` reads them, from outside of lark."""

    always_accept = ("NEWLINE", "SEMICOLON", "COMMENT", "OPEN_STRING", "MISNUMBER", "STRAY")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@cache
def parser() -> Lark:
    """The parser, made once; rules `file` and `expr` can be asked for."""
    from lark import Lark

    from . import tables

    grammar = grammar_text()
    if key(grammar) != tables.KEY:
        return build(grammar)
    return Lark._load_from_dict(tables.DATA, tables.MEMO, postlex=KeepForLayout())


def build(grammar: str) -> Lark:
    """The parser out of the text of the grammar."""
    from lark import Lark

    return Lark(
        grammar,
        start=["file", "expr"],
        parser="lalr",
        lexer="basic",
        postlex=KeepForLayout(),
        g_regex_flags=re.ASCII,  # names and digits are ASCII: what looks like an `x` should be one
    )


def key(grammar: str) -> tuple[str, int]:
    """What tables belong to: a lark (by the first two parts of its version) and a grammar."""
    import lark

    return ".".join(lark.__version__.split(".")[:2]), zlib.crc32(grammar.encode())


def write_tables() -> None:
    """Write tables.py anew, for the grammar and the lark at hand."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = grammar_text()
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])  # as lark's stand-alone parsers are made
    data["options"] |= {"postlex": None, "g_regex_flags": int(re.ASCII)}
    data["parser"]["lexer_conf"]["g_regex_flags"] = int(re.ASCII)
    lines = [
        '"""Tables of the parser: written by `write_tables` in syntax.py, not by hand."""\n',
        "# fmt: off",
        "# ruff: noqa",
        f"KEY: tuple[str, int] = {key(grammar)!r}",
        f"DATA: dict = {data!r}",
        f"MEMO: dict = {memo!r}",
    ]
    TABLES.write_text("\n".join(lines) + "\n", encoding="utf-8")
