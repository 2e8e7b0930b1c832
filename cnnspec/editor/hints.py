"""The shape after each layer, shown at the end of its text."""

from __future__ import annotations

from typing import NamedTuple

from ..ir import Node
from ..ir.leaves import Input
from .document import Document


class Hint(NamedTuple):
    """What to show behind an offset, and what to say when the pointer rests on it."""

    offset: int
    text: str
    about: str


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """The hints between two offsets. A layer of a block that is called with several sizes has several."""
    places: dict[int, list[Node]] = {}
    for node in document.nodes:
        if node.span and start <= node.span.end <= end and not isinstance(node.op, Input):
            places.setdefault(node.span.end, []).append(node)
    known: dict[object, str] = {}  # of axes, which most layers share

    def shape(node: Node) -> str:
        axes = node.type.axes
        if axes not in known:
            known[axes] = str(node.type)
        return known[axes]

    assumed = _assumed(document)
    found = []
    for offset, nodes in places.items():
        shapes = [shape(nodes[0])] if len(nodes) == 1 else list(dict.fromkeys(map(shape, nodes)))
        shown = ", ".join(shapes[:2]) + (", ..." if len(shapes) > 2 else "")
        names = ", ".join([node.name for node in nodes[:4]]) + (", ..." if len(nodes) > 4 else "")
        found.append(Hint(offset, shown, f"{names}: {', '.join(shapes)}{assumed}"))
    return sorted(found)


def _assumed(document: Document) -> str:
    """Which input the shapes are for, where the text leaves it open."""
    reading = document.report.reading
    if reading is None or reading.spec is None or not reading.spec.symbolic:
        return ""
    return f" (for an input of {reading.graph.type(reading.graph.inputs[0])})"
