"""The arithmetic in a hole, `{2 * c + 1}`: from its text to lark's tree."""

from __future__ import annotations

from functools import lru_cache

from lark import Tree

from .layout import DEEPEST
from .machine import Machine, Unexpected
from .tokens import Token, lex


@lru_cache(maxsize=1024)
def expression(text: str) -> Tree | Token:
    """What lark makes of an expression, or the token that does not fit. Holes say the same again and again."""
    tokens = [token for token in lex(text) if token.type != "COMMENT"]
    depth = 0
    for token in tokens:
        depth += (token.type == "LPAR") - (token.type == "RPAR")
        if depth > DEEPEST:
            return token
    machine = Machine("expr")
    try:
        for token in tokens:
            machine.feed(token)
        tree: Tree = machine.end(tokens)
    except Unexpected as error:
        return error.token
    return tree
