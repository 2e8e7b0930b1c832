"""Which pixels of an input reach an output.

Walked backwards, each spatial axis on its own: an output of a window at i reads the inputs at
i * stride - pad + u * dilate. Sets of indices are kept as the bits of an int.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...ir import Graph, Node, TensorType
from ...ir.figures import Figures


class Lost(NamedTuple):
    """Pixels at the end of an axis of an input that no output sees, and the layer that lets them go."""

    axis: str
    pixels: int
    node: Node


def unreached(graph: Graph, name: str) -> Iterator[Lost]:
    """For each axis of an input, the pixels at its end that lie in the window of no output."""
    for axis in [axis for axis, _ in graph.type(name).axes if axis in ("h", "w")]:
        seen = seen_along(graph, axis)
        size = graph.type(name)[axis]
        count = size - seen.get(name, 0).bit_length()
        if 0 < count < size:
            node = _culprit(graph, name, axis, seen)
            if node is not None:
                yield Lost(axis, count, node)


def seen_along(graph: Graph, axis: str) -> dict[str, int]:
    """For each value, the indices along an axis that some output depends on, as bits."""
    seen = {value: _all(graph, value, axis) for value in graph.outputs}
    for node in reversed(list(graph)):
        bits = seen.get(node.name, 0)
        for value in dict.fromkeys(node.inputs) if bits else ():
            size = _size(graph.type(value), axis)
            if size:
                seen[value] = seen.get(value, 0) | _read(node, graph.figures[node.name], size, axis, bits)
            else:
                seen[value] = 1
    return seen


def _size(kind: TensorType, axis: str) -> int:
    """Pixels along an axis; none where a type has no such axis."""
    for name, size in kind.axes:
        if name == axis:
            return size
    return 0


def _read(node: Node, known: Figures, size: int, axis: str, bits: int) -> int:
    """The indices of an input that a node reads for some of its outputs."""
    everything = (1 << size) - 1
    if not known.steps:
        same = not node.op.looks_everywhere and _size(node.type, axis) == size
        return bits & everything if same else everything
    kernel, stride, pad, dilate, grow = known.steps[-1 if axis == "w" else 0]
    if pad < 0 or grow > 1:
        return everything  # a crop leaves out on purpose, an upsampling nothing
    if stride > 1:
        bits = _dilated_bits(bits, stride)
    read = 0
    for tap in range(0, dilate * kernel, dilate):
        read |= bits << tap
    return (read >> pad) & everything


def _dilated_bits(bits: int, stride: int) -> int:
    """Every bit moved to `stride` times its place.

    0b111 by 2 is 0b10101
    """
    gap = "0" * (stride - 1)
    return int(gap.join(bin(bits)[2:]), 2)


def _all(graph: Graph, value: str, axis: str) -> int:
    kind = graph.type(value)
    return (1 << kind[axis]) - 1 if axis in kind else 1


def _culprit(graph: Graph, name: str, axis: str, seen: dict[str, int]) -> Node | None:
    """The first layer whose own output is seen whole while its input is not."""
    for node in graph:
        for value in node.inputs:
            kind = graph.type(value)
            if axis in kind and seen.get(value, 0) and seen[value].bit_length() < kind[axis]:
                own = seen.get(node.name, 0)
                if axis not in node.type or own.bit_length() == node.type[axis]:
                    return node
    return None
