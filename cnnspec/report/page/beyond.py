"""What a page tells of the layers that it does not compute: their weights as pictures and in figures, their values.

The values are those that the engine computed of each example when the page was written, of the layers that fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...diagnostics import SpecError
from ...explain.probe import values_of
from ...explain.subject import Subject
from .numbers import NumberStore
from .outcome import kernels_told

if TYPE_CHECKING:
    from ...validation import Json

NUMBERS = 4_000_000  # of the values of all examples together that a page keeps, in float32
PIECE = 1 << 20  # numbers of a parameter that are looked at together


def beyond(subject: Subject, held: Collection[str], numbers: NumberStore) -> dict[str, Json]:
    """By the name of a layer that is not `held`: `{ kernels, figures, values }`, with an address an example."""
    graph, model = subject.graph, subject.model
    kernels = dict(kernels_told(model, numbers, [name for name in graph.nodes if name not in held]))
    values = [_values(subject, k, held, numbers) for k in range(len(subject.examples))]
    told: dict[str, Json] = {}
    for node in graph:
        if node.name in held:
            continue
        own = {p.name: f"{node.owner}.{p.name}" for p in node.op.parameters(*graph.types(node))}
        told[node.name] = {
            "kernels": kernels.get(node.name),
            "figures": {name: figures(model.parameters[full]) for name, full in own.items()},
            "values": [some.get(node.name) for some in values],
        }
    return told


def figures(array: np.ndarray) -> Json:
    """The least, the most, the mean and the deviation of some numbers, and the fraction of zeros."""
    least, most, total, squares, zeros = np.inf, -np.inf, 0.0, 0.0, 0
    for start in range(0, array.size, PIECE):
        x = array.reshape(-1)[start : start + PIECE].astype(np.float64)
        least, most = min(least, float(x.min())), max(most, float(x.max()))
        total, squares, zeros = total + float(x.sum()), squares + float(x @ x), zeros + int((x == 0).sum())
    if not np.isfinite([least, most, total, squares]).all():
        return None
    mean = total / array.size
    deviation = max(0.0, squares / array.size - mean**2) ** 0.5
    fraction = zeros / array.size
    return {
        "count": array.size,
        "least": least,
        "most": most,
        "mean": mean,
        "deviation": deviation,
        "zeros": fraction,
    }


def _values(subject: Subject, k: int, held: Collection[str], numbers: NumberStore) -> Mapping[str, list[int]]:
    """Where the values of example k are kept, by layer: the smallest that fit together."""
    graph, example = subject.graph, subject.examples[k]
    room, chosen = NUMBERS // len(subject.examples), []
    for node in sorted(graph, key=lambda node: node.type.elements):
        if node.name not in held and node.inputs and (room := room - node.type.elements) >= 0:
            chosen.append(node.name)
    try:
        found = values_of(subject.model, tuple(name for name in graph.nodes if name in chosen), example.arrays)
    except SpecError:  # no memory for them: the page says of these layers that their values are not here
        return {}
    return {name: numbers.add(array) for name, array in found.items()}
