"""What a page tells: layers, training, examples, and where their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...draw.diagram import diagram
from ...explain.explanation import account, image_shape
from ...explain.probe import Seen
from ...explain.receptive_field import Reach, receptive
from ...explain.subject import Example, Subject
from ...ir import Graph, Node
from ...ir.facts import Row, facts
from ...train.folder import RunFolder
from .numbers import Numbers
from .outcome import outcome

EXACT = 2_600_000  # bytes of numbers that a page may hold exactly; a third more in base64
WEIGHTS = 1_000_000  # of them for weights
PICTURE = (16, 32)  # where they do not fit: channels and pixels along a side that are shown


def content(subject: Subject, numbers: Numbers) -> dict[str, Any]:
    """Everything but the numbers themselves."""
    graph, known = subject.graph, facts(subject.graph)
    reaches = {name: receptive(graph, name) for name in graph.inputs}
    weights = _weights(subject, numbers)
    seen = [subject.look(example) for example in subject.examples]
    examples: list[dict[str, Any]] = []
    for example, found in zip(subject.examples, seen, strict=True):
        examples.append(_example(subject, example, found, numbers, left=len(subject.examples) - len(examples)))
    rows = {row.name: row for row in known.rows}
    main = graph.inputs[0]
    return {
        "name": subject.name,
        "classes": list(subject.classes),
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "layers": [_layer(graph, node, rows[node.name], weights, reaches[main].get(node.name)) for node in graph],
        "totals": {"parameters": known.parameters, "macs": known.macs, "state": known.state},
        "stations": {station.name: station.members[-1] for depth in (0, 9) for station in diagram(graph, depth)},
        "examples": examples,
        "training": _training(subject.run) if subject.run else None,
        "results": outcome(subject.model, subject.mistakes, numbers) if subject.run else None,
        "spec": subject.model.spec.source.text,
    }


def _weights(subject: Subject, numbers: Numbers) -> dict[str, list[int]]:
    """The address of every parameter, the small ones first, as many as there is room for."""
    found = {}
    parameters = subject.model.parameters
    for name in sorted(parameters, key=lambda name: parameters[name].size):
        if numbers.bytes + parameters[name].size * 8 <= WEIGHTS:
            found[name] = numbers.add(parameters[name].astype(np.float64))
    return found


def _layer(
    graph: Graph, node: Node, row: Row, weights: dict[str, list[int]], reach: Reach | None
) -> dict[str, Any]:
    told = account(graph, node)
    parameters = {}
    for parameter in node.op.parameters(*graph.types(node)):
        address = weights.get(f"{node.owner}.{parameter.name}")
        parameters[parameter.name] = {"shape": list(parameter.type.shape), "at": address}
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


def _reach(reach: Reach | None) -> dict[str, Any] | None:
    """Ranges for rows and columns; for a vector a box for each number, or one that all share."""
    if reach is None:
        return None
    if not reach.boxes:
        return {"axes": [list(map(list, ranges)) for ranges in reach.axes]}
    shared = len(set(reach.boxes)) == 1
    return {"boxes": [list(map(list, box)) for box in (reach.boxes[:1] if shared else reach.boxes)]}


def _example(subject: Subject, example: Example, seen: Seen, numbers: Numbers, left: int) -> dict[str, Any]:
    """An example's values and gradients: exact where they all fit, pictures of them otherwise."""
    need = sum(array.size for arrays in (seen.values, seen.gradients) for array in arrays.values()) * 8
    exact = need * left <= EXACT + WEIGHTS - numbers.bytes
    keep = _exact if exact else _pictured
    output = seen.values[subject.graph.outputs[0]][0]
    answers = output.reshape(-1).tolist() if output.size == len(output) > 1 else []  # of a vector, or one pixel
    title = example.title
    if example.label is not None and example.known:
        title += f", a {subject.class_name(example.label)}"
    return {
        "title": title,
        "label": example.label,
        "known": example.known,
        "cost": seen.cost,
        "answers": answers[:1000],
        "exact": exact,
        "values": {name: keep(array[0], numbers) for name, array in seen.values.items()},
        "gradients": {name: keep(array[0], numbers) for name, array in seen.gradients.items()},
    }


def _exact(array: np.ndarray, numbers: Numbers) -> dict[str, Any]:
    return {"at": numbers.add(array)}


def _pictured(array: np.ndarray, numbers: Numbers) -> dict[str, Any]:
    """Bytes from -127 to 127 around zero, of the first channels, every so many pixels."""
    channels, side = PICTURE
    if array.ndim == 1:
        kept = array[: channels * side].reshape(-1, 1, 1)
    else:
        image = array.reshape(len(array), *(1, *array.shape[1:])[-2:])
        steps = [-(-size // side) for size in image.shape[1:]]
        kept = image[:channels, :: steps[0], :: steps[1]]
    largest = float(np.abs(array).max())
    whole = np.round(kept / (largest or 1.0) * 127) + 128
    return {"at": numbers.add(whole.astype(np.uint8)), "largest": largest, "shape": list(kept.shape)}


def _training(run: Path) -> dict[str, Any] | None:
    """The columns of results.csv and what summary.json says, where they are there."""
    folder = RunFolder(run)
    told: dict[str, Any] = {"summary": folder.ended(), "columns": folder.columns()}
    return {name: found for name, found in told.items() if found} or None
