"""A line above each network and block: what comes out, how many parameters it has, what it costs."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from ..diagnostics import Span
from ..ir import Graph
from ..lang.parse.tree import Block, Chain, Net
from ..lang.reading import Reading
from .document import Document
from .occurrences import calls


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
    called = calls(document)
    costs = _costs(reading.graph)
    for statement in document.file.statements:
        if isinstance(statement, Chain | Net):
            last = _end(document, reading, statement, told)
            if last is not None:
                mine = _behind(reading.graph, last, told)
                told |= mine
                parameters, work = (sum(costs[name][k] for name in mine) for k in (0, 1))
                said = f"{reading.graph[last].type} · {parameters:,} parameters · {work:,} multiply-adds"
                found.append(CodeLens(statement.span, said))
        elif isinstance(statement, Block):
            places = called[statement.name.span.start]
            inside = document.within(statement.span)
            said = f"called in {places} place{'s' * (places != 1)}" if places else "not called in this file"
            numbers = sum(costs[node.name][0] for node in inside)
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


def _costs(graph: Graph) -> dict[str, tuple[int, int]]:
    """Parameters and multiply-adds of each value; parameters count where their owner stands."""
    found, owners = {}, set()
    for node in graph:
        known = graph.figures[node.name]
        found[node.name] = (0 if node.owner in owners else known.parameters, known.macs)
        owners.add(node.owner)
    return found
