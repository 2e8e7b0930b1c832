"""Which pixels of an input reach an output.

Walked backwards, each spatial axis on its own: an output of a window at i reads the inputs at
i * stride - pad + u * dilate. Sets of indices are kept as the bits of an int.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...ir import Graph, Node, TensorType
from ...ir.figures import Figures

AXES = ("h", "w")
Seen = tuple[int, int]  # bits along h, and along w
NONE: Seen = (0, 0)


class Lost(NamedTuple):
    """Pixels at the end of an axis of an input that no output sees, and the layer that lets them go."""

    axis: str
    pixels: int
    node: Node


def unreached(graph: Graph, name: str) -> Iterator[Lost]:
    """For each axis of an input, the pixels at its end that lie in the window of no output."""
    seen = seen_along(graph)
    for axis, size in graph.type(name).axes:
        if axis not in AXES:
            continue
        along = AXES.index(axis)
        count = size - seen.get(name, NONE)[along].bit_length()
        if 0 < count < size:
            node = _culprit(graph, name, along, seen)
            if node is not None:
                yield Lost(axis, count, node)


def seen_along(graph: Graph) -> dict[str, Seen]:
    """For each value, the indices along h and along w that some output depends on, as bits."""
    seen = {value: _all(graph.type(value)) for value in graph.outputs}
    known: dict[tuple[int | Seen, ...], Seen] = {}  # a network has the same layer on the same input again and again
    for node in reversed(list(graph)):
        bits = seen.get(node.name, NONE)
        if bits == NONE:
            continue
        figures = graph.figures[node.name]
        for value in node.inputs:
            kind = graph.type(value)
            key = (id(figures), id(node.type), id(kind), bits)
            read = known.get(key)
            if read is None:
                sizes = _sizes(kind)
                read = known[key] = (
                    _read(node, figures, sizes, 0, bits[0]) if bits[0] else 0,
                    _read(node, figures, sizes, 1, bits[1]) if bits[1] else 0,
                )
            before = seen.get(value)
            seen[value] = read if before is None else (before[0] | read[0], before[1] | read[1])
    return seen


def _sizes(kind: TensorType) -> tuple[int, int]:
    """Pixels along h and w; none where a type has no such axis."""
    sizes = dict(kind.axes)
    return sizes.get("h", 0), sizes.get("w", 0)


def _read(node: Node, known: Figures, sizes: tuple[int, int], along: int, bits: int) -> int:
    """The indices of an input that a node reads for some of its outputs."""
    size = sizes[along]
    if not size:
        return 1
    everything = (1 << size) - 1
    if not known.steps:
        same = not node.op.looks_everywhere and _sizes(node.type)[along] == size
        return bits & everything if same else everything
    kernel, stride, pad, dilate, grow = known.steps[-1 if along else 0]
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


def _all(kind: TensorType) -> Seen:
    """Every index of a value; one where it has no such axis."""
    high, wide = _sizes(kind)
    return (1 << high) - 1 or 1, (1 << wide) - 1 or 1


def _culprit(graph: Graph, name: str, along: int, seen: dict[str, Seen]) -> Node | None:
    """The first layer whose own output is seen whole while its input is not."""
    for node in graph:
        for value in node.inputs:
            size, bits = _sizes(graph.type(value))[along], seen.get(value, NONE)[along]
            if bits and bits.bit_length() < size:
                own, made = seen.get(node.name, NONE)[along], _sizes(node.type)[along]
                if not made or own.bit_length() == made:
                    return node
    return None
