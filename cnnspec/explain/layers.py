"""The layers of a network as JSON, for pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from ..draw.diagram import diagram
from ..ir import Graph, Node
from ..ir.facts import LayerFacts, facts
from ..lang import Spec
from .explanation import account, image_shape
from .kinds import Kind, as_json, kinds
from .receptive_field import Reach, receptive

if TYPE_CHECKING:
    from ..validation import Json

JsonObject: TypeAlias = "dict[str, Json]"  # as JSON has it


def told_of(spec: Spec, known_kinds: Mapping[str, Kind] | None = None, reaches: bool = True) -> JsonObject:
    """Inputs, outputs, layers, totals, what would train it, and which layer a vertex of the drawing ends with.

    `known_kinds` are those of inputs and outputs where more is known than the spec says; without `reaches` it is
    not told what every number sees, which is half of the work and of the text.
    """
    graph = spec.graph
    known = facts(graph)
    found = {name: receptive(graph, name) for name in graph.inputs} if reaches else {}
    rows = {row.name: row for row in known.rows}
    return {
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "kinds": {name: as_json(kind) for name, kind in (known_kinds or kinds(graph, spec.train.cost)).items()},
        "layers": [
            _layer(graph, node, rows[node.name], {name: reach.get(node.name) for name, reach in found.items()})
            for node in graph
        ],
        "optimiser": spec.train.optimiser.written(),
        "totals": {"parameters": known.parameters, "macs": known.macs, "state": known.state},
        "vertices": {vertex.name: vertex.members[-1] for depth in (0, 9) for vertex in diagram(graph, depth)},
    }


def _layer(graph: Graph, node: Node, row: LayerFacts, reaches: dict[str, Reach | None]) -> JsonObject:
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
        "reach": {name: found for name, reach in reaches.items() if (found := _reach(reach))},
        "blocks": list(node.blocks),
        "where": _where(node),
    }


def _where(node: Node) -> str:
    """`digits.cnn:5:6`: the file by its own name, whatever folder it lies in."""
    if node.span is None:
        return ""
    return f"{node.span.source.name.replace(chr(92), '/').rpartition('/')[2]}:{node.span.line}:{node.span.column}"


def _reach(reach: Reach | None) -> JsonObject | None:
    """Ranges for rows and columns; for a vector a box for each number, or one that all share."""
    if reach is None:
        return None
    if not reach.boxes:
        return {"axes": [list(map(list, ranges)) for ranges in reach.axes]}
    shared = len(set(reach.boxes)) == 1
    return {"boxes": [list(map(list, box)) for box in (reach.boxes[:1] if shared else reach.boxes)]}
