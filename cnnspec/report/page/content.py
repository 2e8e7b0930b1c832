"""What a page tells: layers, training, examples, and where their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...data.asked.fitted import is_of_digits
from ...data.preparation import BYTES, Preparation
from ...draw.diagram import diagram
from ...explain.explanation import account, image_shape
from ...explain.receptive_field import Reach, receptive
from ...explain.subject import Example, Subject
from ...ir import Graph, Node
from ...ir.facts import Row, facts
from ...train.folder import RunFolder
from .numbers import Numbers
from .outcome import outcome

Told = dict[str, Any]  # as JSON has it


def content(subject: Subject, numbers: Numbers) -> Told:
    """Everything but the numbers themselves."""
    graph, known = subject.graph, facts(subject.graph)
    reaches = {name: receptive(graph, name) for name in graph.inputs}
    rows = {row.name: row for row in known.rows}
    main = graph.inputs[0]
    return {
        "name": subject.name,
        "classes": list(subject.classes),
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "layers": [_layer(graph, node, rows[node.name], reaches[main].get(node.name)) for node in graph],
        "totals": {"parameters": known.parameters, "macs": known.macs, "state": known.state},
        "stations": {station.name: station.members[-1] for depth in (0, 9) for station in diagram(graph, depth)},
        "examples": [_example(subject, example, numbers) for example in subject.examples],
        "own": _own(subject.preparation) if len(graph.inputs) == 1 else None,
        "training": _training(subject.run) if subject.run else None,
        "results": outcome(subject.model, subject.mistakes, numbers) if subject.run else None,
        "spec": subject.model.spec.source.text,
    }


def _layer(graph: Graph, node: Node, row: Row, reach: Reach | None) -> Told:
    told = account(graph, node)
    parameters = {
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


def _example(subject: Subject, example: Example, numbers: Numbers) -> Told:
    """An example's title, and what the network is given and judged by."""
    title = example.title
    if example.label is not None and example.known:
        title += f", a {subject.class_name(example.label)}"
    inputs: dict[str, list[int]] = {}
    targets: dict[str, list[int]] = {}
    for name, array in example.arrays.items():
        judged = name.endswith(".target") and name not in subject.graph.nodes
        (targets if judged else inputs)[name.removesuffix(".target") if judged else name] = numbers.add(
            np.asarray(array[0], np.float64)
        )
    return {"title": title, "label": example.label, "known": example.known, "inputs": inputs, "targets": targets}


def _own(kept: Preparation | None) -> Told | None:
    """How a drawing or picture of one's own is fitted; None where the network takes none."""
    if kept is None or kept.stored != BYTES or kept.input_type.kind != "image" or kept.input[0] not in (1, 3):
        return None
    digits = is_of_digits(kept)
    _, height, width = kept.input
    how = "light on dark, centred by mass, as MNIST was made"
    says = how if digits else f"cut to {height}x{width} around the middle"
    return {"digits": digits, "shape": list(kept.input), "says": f"Fitted: {says}."}


def _training(run: Path) -> Told | None:
    """The columns of results.csv and what summary.json says, where they are there."""
    folder = RunFolder(run)
    told: Told = {"summary": folder.ended(), "columns": folder.columns()}
    return {name: found for name, found in told.items() if found} or None
