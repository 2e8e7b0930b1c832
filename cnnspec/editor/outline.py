"""The outline of a text: its symbols one within the other, what may be folded, and ever larger selections."""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics import Span
from ..lang.lowering.names import labels_of
from ..lang.parse.tree import Block, Chain, Expect, Import, Input, Let, Net, Settings
from .document import Document


class Symbol(NamedTuple):
    """Something with a name: `span` is all of it, `name_span` its name. `kind` as in `occurrences`, or settings."""

    name: str
    kind: str
    span: Span
    name_span: Span
    detail: str = ""
    children: tuple[Symbol, ...] = ()


class Fold(NamedTuple):
    """Lines, from 0, that may be shown as the first of them. `kind` is region, comment or imports."""

    first: int
    last: int
    kind: str = "region"


def outline(document: Document) -> list[Symbol]:
    """The symbols of a text."""
    found = []
    for statement in document.file.statements:
        if isinstance(statement, Let):
            detail = f"= {statement.value.span.text}"
            found.append(Symbol(statement.name.text, "number", statement.span, statement.name.span, detail))
        elif isinstance(statement, Block):
            numbers = ", ".join(param.name.text for param in statement.params)
            params = " | ".join([numbers, *(name.text for name in statement.chains)]).lstrip(" ")
            detail = f"({params})" if params else ""
            inner = _labels(document, statement.chain)
            name = statement.name
            found.append(Symbol(name.text, "block", statement.span, name.span, detail, inner))
        elif isinstance(statement, Net):
            inner = _labels(document, statement.chain)
            name = statement.name
            found.append(Symbol(name.text, "net", statement.span, name.span, _shape(document, name.text), inner))
        elif isinstance(statement, Input):
            name_span = statement.name.span if statement.name else statement.size.span
            name_text = statement.name.text if statement.name else "input"
            found.append(Symbol(name_text, "input", statement.span, name_span, statement.size.span.text))
        elif isinstance(statement, Import):
            named = statement.name
            name_text = named.text if named else statement.path.text or "import"
            span = named.span if named else statement.path.span
            found.append(Symbol(name_text, "file", statement.span, span, statement.path.text if named else ""))
        elif isinstance(statement, Settings):
            found.append(Symbol(statement.word.text, "settings", statement.span, statement.word.span))
        elif isinstance(statement, Expect):
            start = statement.span.start
            word = Span(statement.span.source, start, start + len("expect"))
            found.append(Symbol("expect", "settings", statement.span, word))
        elif isinstance(statement, Chain):
            found.extend(_labels(document, statement))
    return found


def _labels(document: Document, chain: Chain) -> tuple[Symbol, ...]:
    return tuple(
        Symbol(label.text, "value", label.span, label.span, _shape(document, label.text))
        for label in labels_of(chain)
    )


def _shape(document: Document, name: str) -> str:
    """The shape of a value, where the text has one of this name."""
    reading = document.report.reading
    node = reading.names.get(name) if reading else None
    return str(reading.graph[node].type) if reading and node is not None and node in reading.graph.nodes else ""


def folds(document: Document) -> list[Fold]:
    """What may be folded: statements of several lines, comments and imports that follow one another."""
    found = []

    def line(offset: int) -> int:
        return document.position(offset)[0]

    for statement in document.file.statements:
        first, last = line(statement.span.start), line(statement.span.end)
        if last > first:
            found.append(Fold(first, last))
    imports = [line(s.span.start) for s in document.file.statements if isinstance(s, Import)]
    comments = [
        line(span.start)
        for span in document.file.comments
        if not document.source.line(span.line)[: span.column - 1].strip()
    ]
    for kind, lines in (("imports", imports), ("comment", comments)):
        ends = [line for line in lines if line + 1 not in lines]
        starts = [line for line in lines if line - 1 not in lines]
        found += [Fold(first, last, kind) for first, last in zip(starts, ends, strict=True) if last > first]
    return sorted(found)


def selections(document: Document, offset: int) -> list[Span]:
    """What a selection at an offset may grow to, from the innermost part to the whole text."""
    spans = [Span(document.source, 0, len(document.text))]
    for part in document.path_to(offset):
        if part.span != spans[-1]:
            spans.append(part.span)
    return spans[::-1]
