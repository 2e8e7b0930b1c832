"""The grammar, as a parser."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark import Lark, Token


def grammar_text() -> str:
    """The text of grammar/cnnspec.lark: from the wheel, or from the repository in an editable install."""
    from importlib.resources import files

    packaged = files("cnnspec").joinpath("_grammar", "cnnspec.lark")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    repository = Path(__file__).parents[2] / "grammar" / "cnnspec.lark"
    return repository.read_text(encoding="utf-8")


class KeepForLayout:
    """Tells lark to keep the tokens that no rule names; `lay_out` reads them, from outside of lark."""

    always_accept = ("NEWLINE", "SEMICOLON", "COMMENT", "OPEN_STRING", "MISNUMBER", "STRAY")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@cache
def parser() -> Lark:
    """The parser, built once; rules `file` and `expr` can be asked for."""
    import re

    from lark import Lark

    return Lark(
        grammar_text(),
        start=["file", "expr"],
        parser="lalr",
        lexer="basic",
        postlex=KeepForLayout(),
        g_regex_flags=re.ASCII,  # names and digits are ASCII: what looks like an `x` should be one
    )
