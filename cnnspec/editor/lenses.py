"""A line above each network and block: what comes out, how many parameters it has, what it costs."""

from __future__ import annotations

from typing import NamedTuple

from ..diagnostics import Span
from ..ir import Graph
from ..lang.parse.tree import Block, Chain, Net
from ..lang.reading import Reading
from .document import Document
from .occurrences import same


class CodeLens(NamedTuple):
    """What is said of a piece of text."""

    span: Span
    text: str


def lenses(document: Document) -> list[CodeLens]:
    """What is said of the chains, nets and blocks of a text."""
    return document.once(_lenses)


def _lenses(document: Document) -> list[CodeLens]:
    reading = document.report.reading
    if reading is None:
        return []
    found, told = [], set(reading.graph.inputs)
    for statement in document.file.statements:
        if isinstance(statement, Chain | Net):
            last = _end(document, reading, statement, told)
            if last is not None:
                mine = [name for name in _behind(reading.graph, last) if name not in told]
                told.update(mine)
                found.append(CodeLens(statement.span, _said(document, last, mine)))
        elif isinstance(statement, Block):
            places = len(same(document, statement.name.span)) - 1
            inside = [node.name for node in document.nodes if node.span and _within(node.span, statement.span)]
            said = f"called in {places} place{'s' * (places != 1)}" if places else "not called in this file"
            numbers = sum(document.facts[name].parameters for name in inside)
            found.append(CodeLens(statement.span, f"{said} · {numbers:,} parameters in all" if inside else said))
    return found


def _end(document: Document, reading: Reading, statement: Chain | Net, told: set[str]) -> str | None:
    """The value that a statement ends with; None where it could not be read."""
    chain = statement.chain if isinstance(statement, Net) else statement
    stage = chain.stages[-1]
    name = statement.name.text if isinstance(statement, Net) else stage.label.text if stage.label else ""
    if name in reading.names and reading.names[name] in reading.graph.nodes:
        return reading.names[name]
    starts = [node.name for node in document.nodes if node.span and _within(node.span, stage.term.span)]
    ends = starts[-1:] or [value for value in reading.graph.outputs if value not in told]
    return next((value for value in ends if value not in told), None)


def _behind(graph: Graph, value: str) -> list[str]:
    """A value and all that it is made from."""
    found, waiting = set(), [value]
    while waiting:
        name = waiting.pop().partition(":")[0]
        if name not in found:
            found.add(name)
            waiting.extend(graph[name].inputs)
    return [node.name for node in graph if node.name in found]


def _within(span: Span, outer: Span) -> bool:
    return span.source.name == outer.source.name and outer.start <= span.start and span.end <= outer.end


def _said(document: Document, last: str, names: list[str]) -> str:
    rows = [document.facts[name] for name in names]
    parameters, work = sum(row.parameters for row in rows), sum(row.macs for row in rows)
    return f"{document.facts[last].type} · {parameters:,} parameters · {work:,} multiply-adds"
