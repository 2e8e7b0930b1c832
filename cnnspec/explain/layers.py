"""What a page tells of a network before it computes anything: its layers, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..draw.diagram import diagram
from ..ir import Graph, Node
from ..ir.facts import Row, facts
from .explanation import account, image_shape
from .receptive_field import Reach, receptive

if TYPE_CHECKING:
    from ..validation import Json

Told = dict[str, Json]  # as JSON has it


def told_of(graph: Graph) -> Told:
    """Inputs, outputs, layers, totals, and which layer a station of the drawing ends with."""
    known = facts(graph)
    reaches = receptive(graph, graph.inputs[0])
    rows = {row.name: row for row in known.rows}
    return {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "layers": [_layer(graph, node, rows[node.name], reaches.get(node.name)) for node in graph],
        "totals": {"parameters": known.parameters, "macs": known.macs, "state": known.state},
        "stations": {station.name: station.members[-1] for depth in (0, 9) for station in diagram(graph, depth)},
    }


def _layer(graph: Graph, node: Node, row: Row, reach: Reach | None) -> Told:
    told = account(graph, node)
    parameters: dict[str, Json] = {
        parameter.name: {"shape": list(parameter.type.shape), "of": f"{node.owner}.{parameter.name}"}
        for parameter in node.op.parameters(*graph.types(node))
    }
    return {
        "name": node.name,
        "word": row.word,
        "written": row.written,
        "family": node.op.family if node.inputs else "input",
        "kind": told.kind,
        "words": told.words,
        "formula": told.formula,
        "detail": told.detail,
        "shape": list(image_shape(node.type)),
        "rank": len(node.type.shape),
        "output": str(node.type),
        "inputs": [graph[value].name for value in node.inputs],
        "parameters": parameters,
        "count": row.parameters,
        "shares": row.shares,
        "macs": row.macs,
        "field": [[axis.size, axis.seen] for axis in row.field],
        "reach": _reach(reach),
        "where": f"{node.span.line}:{node.span.column}" if node.span else "",
    }


def _reach(reach: Reach | None) -> Told | None:
    """Ranges for rows and columns; for a vector a box for each number, or one that all share."""
    if reach is None:
        return None
    if not reach.boxes:
        return {"axes": [list(map(list, ranges)) for ranges in reach.axes]}
    shared = len(set(reach.boxes)) == 1
    return {"boxes": [list(map(list, box)) for box in (reach.boxes[:1] if shared else reach.boxes)]}
