"""Layers that are read once: one of the same text is the same op, where its holes stand for the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from ...diagnostics import Span
from ...ir.op import Op
from ...words import WORDS
from ..findings import Findings
from ..parse.tree import Layer, Variable
from .declared import read_word
from .names import Numbers


class ReadLayer(NamedTuple):
    """What came of reading a layer.

    op      None where something was wrong
    spans   where its fields stand
    start   where the layer begins in which they stand there
    work    what reading it is counted as
    """

    op: Op | None
    spans: dict[str, Span]
    start: int
    work: int

    def at(self, layer: Span) -> dict[str, Span]:
        """Where the fields stand in a layer of the same text."""
        by, source = layer.start - self.start, layer.source
        return {name: Span(source, start + by, end + by) for name, (_, start, end) in self.spans.items()}


class Layers:
    """Reads layers, and remembers those without a mistake by their texts."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.plain: dict[int, ReadLayer] = {}  # those without holes, by identity
        self.variables: dict[str, tuple[str, ...]] = {}  # by a layer's text, the names in its holes
        self.alike: dict[tuple[str, ...], ReadLayer] = {}  # by the text, and what those names stand for

    def read(self, layer: Layer, cls: type[Op], numbers: Numbers) -> ReadLayer:
        """The op of a layer, and where its fields stand."""
        known = self.plain.get(id(layer))
        if known is not None:
            return known
        span, work = layer.span, self.findings.work
        text = span.text
        variables = self.variables.get(text)
        if variables is None:
            variables = self.variables[text] = tuple(names_in(layer)) if "{" in text else ()
        key = (text, *[repr(numbers[name]) if name in numbers else "" for name in variables])  # 2 is not 2.0
        known = self.alike.get(key)
        if known is not None:
            work.add(known.work)
        else:
            before, begun = len(self.findings), work.spent
            op, spans = read_word(cls, layer.word, layer.size, layer.attrs, numbers, self.findings)
            known = ReadLayer(op, spans, span.start, work.spent - begun)
            if op is not None and len(self.findings) == before and not self.findings.full:
                self.alike[key] = known
        if "{" not in text:
            self.plain[id(layer)] = known
        return known


def names_in(piece: Iterable[object]) -> Iterator[str]:
    """The names in the expressions of a piece of the tree, in the order of the text."""
    if isinstance(piece, Variable):
        yield piece.name
        return
    for part in piece:
        if isinstance(part, tuple):
            yield from names_in(part)


@cache
def bare(word: str) -> Op:
    """The op of a word of which nothing is said."""
    return WORDS[word]()
