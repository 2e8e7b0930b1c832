"""A line above each network and block: what comes out, how many parameters it has, what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from typing import NamedTuple

from ..diagnostics import Span
from ..ir import Graph
from ..lang.parse.tree import Block, Chain, Net
from ..lang.reading import Reading
from .document import Document
from .occurrences import occurrences


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
    places = Counter(one.definition.start for one in occurrences(document) if document.owns(one.definition))
    order = {name: i for i, name in enumerate(reading.graph.nodes)}
    for statement in document.file.statements:
        if isinstance(statement, Chain | Net):
            last = _end(document, reading, statement, told)
            if last is not None:
                mine = sorted(_behind(reading.graph, last, told), key=order.__getitem__)
                told.update(mine)
                found.append(CodeLens(statement.span, _said(document, last, mine)))
        elif isinstance(statement, Block):
            calls = places[statement.name.span.start] - 1
            inside = document.within(statement.span)
            said = f"called in {calls} place{'s' * (calls != 1)}" if calls else "not called in this file"
            numbers = sum(document.facts[node.name].parameters for node in inside)
            found.append(CodeLens(statement.span, f"{said} · {numbers:,} parameters in all" if inside else said))
    return found


def _end(document: Document, reading: Reading, statement: Chain | Net, told: set[str]) -> str | None:
    """The value that a statement ends with; None where it could not be read."""
    chain = statement.chain if isinstance(statement, Net) else statement
    stage = chain.stages[-1]
    name = statement.name.text if isinstance(statement, Net) else stage.label.text if stage.label else ""
    if name in reading.names and reading.names[name] in reading.graph.nodes:
        return reading.names[name]
    starts = [node.name for node in document.within(stage.term.span)]
    ends = starts[-1:] or [value for value in reading.graph.outputs if value not in told]
    return next((value for value in ends if value not in told), None)


def _behind(graph: Graph, value: str, told: Set[str]) -> set[str]:
    """A value and all that it is made from, without what was told, and what that is made from."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        name = waiting.pop().partition(":")[0]
        if name not in found and name not in told:
            found.add(name)
            waiting.extend(graph[name].inputs)
    return found


def _said(document: Document, last: str, names: list[str]) -> str:
    rows = [document.facts[name] for name in names]
    parameters, work = sum(row.parameters for row in rows), sum(row.macs for row in rows)
    return f"{document.facts[last].type} · {parameters:,} parameters · {work:,} multiply-adds"
