"""From lark's trees to ours: one method for each rule of the grammar."""

from __future__ import annotations

import re
from typing import Any

from lark import Tree

from ...diagnostics import Source, Span
from ..findings import Findings
from .holes import expression
from .numbers import LARGEST, read_number
from .tokens import Token
from .tree import (
    Arg,
    Attr,
    Block,
    Call,
    Chain,
    Check,
    Expect,
    Expr,
    Function,
    Group,
    Hole,
    Import,
    Input,
    Join,
    Layer,
    Let,
    Listed,
    Name,
    Negative,
    Net,
    Number,
    Operation,
    Param,
    Quote,
    Setting,
    Settings,
    Sizes,
    Stage,
    Statement,
    Tap,
    Variable,
)

_SIZE = re.compile(r"\{[^{}]*\}|\d+|\?")


class Build:
    """Builds the tree of a source. `shift` is where the text that lark read begins in it (for holes)."""

    def __init__(self, source: Source, findings: Findings, shift: int = 0) -> None:
        self.source, self.findings, self.shift = source, findings, shift

    def __call__(self, tree: Tree) -> Any:
        """What the method of a tree's rule makes of its children, those having been built before."""
        children = [self(child) if isinstance(child, Tree) else child for child in tree.children]
        return getattr(self, tree.data)(children)

    # ---- leaves ----------------------------------------------------------------------------------

    def at(self, token: Token) -> Span:
        return Span(self.source, token.start_pos + self.shift, token.end_pos + self.shift)

    def named(self, token: Token) -> Name:
        return Name(str(token), self.at(token))

    def numbered(self, text: str, span: Span) -> Number:
        value = read_number(text)
        if value is None:
            shown = text if len(text) <= 20 else f"{text[:16]}..."
            self.findings.tell(
                "CNN006", span, case="written", shown=shown, largest=f"{LARGEST:.0e}".replace("e+", "e")
            )
        return Number(value, span)

    def number(self, c: list) -> Number:
        minus, token = c
        number = self.numbered(str(token), self.at(token))
        if minus is None:
            return number
        value = None if number.value is None else -number.value
        return Number(value, self.at(minus).to(number.span))

    def literal(self, c: list) -> Number:
        return self.numbered(str(c[0]), self.at(c[0]))

    def hole(self, c: list) -> Hole:
        return self.filled(str(c[0]), self.at(c[0]))

    def filled(self, text: str, span: Span) -> Hole:
        """The hole `{...}` at a span."""
        inside = text[1:-1]
        if inside.isidentifier() and inside.isascii():
            return Hole(Variable(inside, Span(span.source, span.start + 1, span.end - 1)), span)
        return Hole(self.expression(inside, span), span)

    def expression(self, inside: str, span: Span) -> Expr | None:
        """Read the inside of a hole with the grammar's rule for arithmetic."""
        tree = expression(inside)
        if isinstance(tree, Token):
            from ..hints.syntax import explain_hole

            explain_hole(tree, span, self.findings)
            return None
        found: Expr = Build(span.source, self.findings, span.start + 1)(tree)
        return found

    def sizes(self, c: list) -> Sizes:
        (token,) = c
        span = self.at(token)
        items: list[Number | Hole | None] = []
        for match in _SIZE.finditer(token):
            part, text = Span(self.source, span.start + match.start(), span.start + match.end()), match[0]
            if text == "?":
                items.append(None)
            else:
                items.append(self.filled(text, part) if text[0] == "{" else self.numbered(text, part))
        return Sizes(tuple(items), span)

    def name(self, c: list) -> Name:
        return self.named(c[0])

    def text(self, c: list) -> Quote:
        return Quote(str(c[0])[1:-1], self.at(c[0]))

    # ---- arithmetic ------------------------------------------------------------------------------

    def variable(self, c: list) -> Variable:
        return Variable(str(c[0]), self.at(c[0]))

    def sum(self, c: list) -> Operation:
        rest = tuple((str(c[i]), c[i + 1]) for i in range(1, len(c), 2))
        return Operation(c[0], rest, c[0].span.to(c[-1].span))

    def negative(self, c: list) -> Negative:
        return Negative(len(c) - 1, c[-1], self.at(c[0]).to(c[-1].span))

    def function(self, c: list) -> Function:
        name = self.named(c[0])
        return Function(name, tuple(c[1:-1]), name.span.to(self.at(c[-1])))

    # ---- chains ----------------------------------------------------------------------------------

    def attr(self, c: list) -> Attr:
        return Attr(self.named(c[0]), c[1])

    def listed(self, c: list) -> Listed:
        return Listed(tuple(c), c[0].span.to(c[-1].span))

    def told(self, c: list) -> Attr:
        return self.attr(c)

    def layer(self, c: list) -> Layer:
        word, size, *attrs = c
        name = self.named(word)
        last = attrs[-1].span if attrs else size.span if size else name.span
        return Layer(name, size, tuple(attrs), name.span.to(last))

    def arg(self, c: list) -> Arg:
        return Arg(self.named(c[0]) if c[0] else None, c[1])

    def call(self, c: list) -> Call:
        name = self.named(c[0])
        arguments = tuple(part for part in c[1:-1] if isinstance(part, Arg))
        chains = tuple(part for part in c[1:-1] if isinstance(part, Chain))
        return Call(name, arguments, name.span.to(self.at(c[-1])), chains)

    def join(self, c: list) -> Join:
        name = self.named(c[0])
        branches = tuple(part for part in c[1:-1] if isinstance(part, Chain))
        return Join(name, branches, name.span.to(self.at(c[-1])))

    def group(self, c: list) -> Group:
        return Group(c[1], self.at(c[0]).to(self.at(c[2])))

    def tap(self, c: list) -> Tap:
        return Tap(str(c[0])[1:], self.at(c[0]))

    def stage(self, c: list) -> Stage:
        term, times, label, expected = c
        label = self.named(label) if label else None
        last = next((part.span for part in (expected, label, times) if part is not None), term.span)
        return Stage(term, times, label, expected, term.span.to(last))

    def chain(self, c: list) -> Chain:
        return Chain(tuple(part for part in c if isinstance(part, Stage)))

    # ---- statements ------------------------------------------------------------------------------

    def imports(self, c: list) -> Import:
        word, path, name = c
        quote = self.text([path])
        last = self.named(name) if name else None
        return Import(quote, last, self.at(word).to(last.span if last else quote.span))

    def let(self, c: list) -> Let:
        return Let(self.named(c[1]), c[2], self.at(c[0]).to(c[2].span))

    def param(self, c: list) -> Param:
        return Param(self.named(c[0]), c[1])

    def params(self, c: list) -> tuple[tuple[Param, ...], tuple[Name, ...]]:
        """Numbers, and the names of chains, each behind a bar."""
        numbers = tuple(part for part in c if isinstance(part, Param))
        names = [part for part in c if isinstance(part, Token) and part.type == "NAME"]
        return numbers, tuple(map(self.named, names))

    def block(self, c: list) -> Block:
        word, name, params, chain = c
        numbers, chains = params or ((), ())
        return Block(self.named(name), numbers, chain, self.at(word).to(chain.span), chains)

    def net(self, c: list) -> Net:
        return Net(self.named(c[1]), c[2], self.at(c[0]).to(c[2].span))

    def input(self, c: list) -> Input:
        word, size, name = c
        last = self.named(name) if name else None
        return Input(size, last, self.at(word).to(last.span if last else size.span))

    def setting(self, c: list) -> Setting:
        token, value, size, *attrs = c
        if isinstance(size, Token):
            size = self.text([size])
        name = self.named(token)
        last = attrs[-1].span if attrs else size.span if size else value.span
        return Setting(name, value, size, tuple(attrs), name.span.to(last))

    def settings(self, c: list) -> Settings:
        word, found, span = self.braced(c)
        return Settings(word, found, span)

    def check(self, c: list) -> Check:
        name, more, relation, value = c
        of = more if isinstance(more, Attr) else None
        tap = self.tap([more]) if more and of is None else None
        named = self.named(name)
        return Check(named, tap, of, str(relation), value, named.span.to(value.span))

    def expect(self, c: list) -> Expect:
        _, found, span = self.braced(c)
        return Expect(found, span)

    def braced(self, c: list) -> tuple[Name, tuple, Span]:
        """The word before a brace, what stands within, and the whole from word to closing brace."""
        opening, *within, closing = c
        start = self.at(opening)
        word = re.match(r"\w+", opening)
        assert word
        name = Name(word[0], Span(self.source, start.start, start.start + word.end()))
        found = tuple(part for part in within if not isinstance(part, Token))
        return name, found, start.to(self.at(closing))

    def file(self, c: list) -> tuple[Statement, ...]:
        return tuple(part for part in c if not isinstance(part, Token | Tree))
