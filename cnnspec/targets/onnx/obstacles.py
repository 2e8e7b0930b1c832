"""What stands in the way of an import: all of it in one pass, grouped; and the longest part that lies between.

A step that no word says is noted, and reading goes on from placeholders for what it makes, of the shapes that the
standard infers; where none is known, what depends on it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from ...diagnostics import Diagnostic
from ...ir import Builder
from ...ir.leaves import Input
from ...train.tensors import shown
from .patterns import WORD as GROUP
from .steps import Step, Steps, refuse

if TYPE_CHECKING:
    from .values import Shape

RECURRENT = {"LSTM", "GRU", "RNN"}
ATTENTION = {"Attention", "MultiHeadAttention", "Einsum", "GroupQueryAttention", "RotaryEmbedding"}
OF_BATCHES = {  # operators that mean images by the first axis, and channels by the second
    *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "LRN"),
    *("BatchNormalization", "InstanceNormalization", "GroupNormalization", "DepthToSpace", "SpaceToDepth"),
    *("Resize", "Upsample", *(f"{GROUP}{name}" for name in ("minpool", "groupnorm", "area", "made"))),
}
NAMED = 4  # layers that a message names


def unsaid(step: Step) -> NoReturn:
    """Refuse an operator without a word; what is out by decision in those words."""
    if step.op in RECURRENT:
        refuse("CNN509", case="recurrent", step=step)
    if step.op.rpartition(".")[2] in ATTENTION:
        refuse("CNN509", case="attention", step=step)
    refuse("CNN503", step=step)


@dataclass(frozen=True)
class Obstacle:
    """A step (none for an output) and why it cannot be said."""

    step: Step | None
    found: Diagnostic


def grouped(obstacles: Iterable[Obstacle]) -> tuple[Diagnostic, ...]:
    """One finding for all steps with the same reason, the most frequent first: how many, and their names.

    What is out by decision comes before all others, which may be a part of it.
    """
    groups: dict[tuple[str, str], list[Obstacle]] = {}
    for obstacle in obstacles:
        key = (obstacle.found.code, re.sub(r"\d+", "#", unnamed(obstacle)))
        groups.setdefault(key, []).append(obstacle)
    found = []
    for group in sorted(groups.values(), key=lambda group: (group[0].found.code != "CNN509", -len(group))):
        first = group[0].found
        if len(group) > 1:
            names = list(dict.fromkeys(shown(o.step.name or o.step.outputs[0]) for o in group if o.step))
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            places = f": {', '.join(names[:NAMED])}{more}" if names else ""
            first = replace(first, message=f"{unnamed(group[0])} ({len(group)} times{places})")
        found.append(first)
    return tuple(found)


def unnamed(obstacle: Obstacle) -> str:
    """The message without the name of the step."""
    step, message = obstacle.step, obstacle.found.message
    return message if step is None else message.replace(str(step), str(replace(step, name="", outputs=[])))


def inferred(model: Steps, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """The shape of each value's image as far as the standard tells it, `inputs` as they were given."""
    from onnx import ModelProto, shape_inference

    if model.proto is None:
        return {}
    skeleton = ModelProto()
    skeleton.CopyFrom(model.proto)
    for entry in skeleton.graph.input:
        for dim, size in zip(entry.type.tensor_type.shape.dim[1:], inputs.get(entry.name, ()), strict=False):
            dim.dim_value = size
    try:
        graph = shape_inference.infer_shapes(skeleton, data_prop=True).graph
    except Exception:  # the package's own classes: then nothing is known
        return {}
    found = {}
    for entry in graph.value_info:
        dims = entry.type.tensor_type.shape.dim
        shape = tuple(dim.dim_value for dim in list(dims)[1:])
        if 1 <= len(shape) <= 3 and min(shape) > 0:
            found[entry.name] = shape
    return found


@dataclass(frozen=True)
class Subnetwork:
    """A network within the network: from these values to that one, of so many layers."""

    inputs: tuple[str, ...]
    output: str
    layers: int


def longest_part(b: Builder, inputs: Sequence[str], values: Iterable[str]) -> Subnetwork | None:
    """The value that most layers lead to without a placeholder between: from the inputs, or from a placeholder."""
    before: dict[str, int] = {}  # by value: a bit for each node that it needs, itself included
    bits: dict[str, int] = {}
    leaves = own = 0
    for count, node in enumerate(b.nodes.values()):
        bit = bits[node.name] = 1 << count
        before[node.name] = bit
        for value in node.inputs:
            before[node.name] |= before[value]
        if isinstance(node.op, Input):
            leaves |= bit
            own |= bit if node.name in inputs else 0
    best = None
    for value in values:
        read = before[value] & leaves
        if read & ~own and read.bit_count() > 1:
            continue
        layers = (before[value] & ~leaves).bit_count()
        if layers and (best is None or layers > best.layers):
            whole = inputs if not read & ~own else ()
            names = whole or [name for name, bit in bits.items() if bit & read]
            best = Subnetwork(tuple(names), value, layers)
    return best
