"""The derivation of a shape: the arithmetic of each step, from the input on.

input    1x28x28                                      lenet5.cnn:2:1
conv1    conv 6x5x5 pad 2           6x28x28           lenet5.cnn:4:1
         height (28 + 2 + 2 - 5) // 1 + 1 = 28
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..ir import Graph, Node, TensorType
from ..ir.op import Op

if TYPE_CHECKING:
    from ..validation import Json

SIDES = {"h": "height", "w": "width"}


class Derivation(NamedTuple):
    """A value on the way: how it is written, its type, the sums that gave it, and what it reads."""

    name: str
    written: str
    type: TensorType
    sums: tuple[str, ...]
    reads: tuple[str, ...]
    place: str

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "written": self.written,
            "shape": list(self.type.shape),
            "arithmetic": list(self.sums),
            "reads": list(self.reads),
            "place": self.place,
        }


def why(graph: Graph, name: str) -> tuple[Derivation, ...]:
    """The steps that a value's shape depends on, in order, the value itself last.

    A join of equal branches is followed to the first of them: the others have the same shape by rule.
    """
    wanted = {name}
    for node in reversed(list(graph)):
        if node.name in wanted:
            wanted.update(graph[value].name for value in _shaping(node, graph))
    return tuple(_step(node, graph) for node in graph if node.name in wanted)


def _shaping(node: Node, graph: Graph) -> tuple[str, ...]:
    """The inputs that decide about the shape of a node's value."""
    types = graph.types(node)
    if node.op.join and node.type in types:
        return (node.inputs[types.index(node.type)],)
    return node.inputs


def _step(node: Node, graph: Graph) -> Derivation:
    types = graph.types(node)
    op = node.op
    written = op.written() if op.word else "input"
    place = str(node.span) if node.span else ""
    return Derivation(node.name, written, node.type, tuple(_sums(node, types)), node.inputs, place)


def _sums(node: Node, types: tuple[TensorType, ...]) -> Iterable[str]:
    """The arithmetic of a step, an axis a line; nothing where number after number stays as it is."""
    op = node.op
    if types and len(types) > 1 and node.type.axes == types[0].axes:
        yield f"all {len(types)} branches are {node.type}"
        return
    if not types or (node.type.axes == types[0].axes and not _looks_around(op, types)):
        return
    x, made = types[0], node.type
    if op.join:
        yield f"channels {' + '.join(str(kind['c']) for kind in types)} = {made['c']}"
        return
    if made.kind == "vector" and x.kind != "vector" and made["c"] == x.elements:
        yield f"{' * '.join(map(str, x.shape))} = {made['c']} numbers"
        return
    if made.elements == x.elements and op.looks_everywhere and not op.macs(*types):
        yield f"the same {x.elements} numbers in other axes"
        return
    if made["c"] != x["c"] or _counts_filters(op, made):
        yield _channels(op, x, made)
    if not made.spatial or op.looks_everywhere:
        if x.spatial and not made.spatial:
            yield f"one number for each channel of {'x'.join(map(str, x.spatial))}"
        return
    for axis, size in made.axes:
        if axis in SIDES and (size != x[axis] or op.window(*types) is not None):
            yield f"{SIDES[axis]} {_along(op, types, axis)} = {size}"


def _looks_around(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Whether a number is made of more than the number in its own place: what is 28 by arithmetic, not by rule."""
    return op.window(*types) is not None or op.word == "dense"


def _counts_filters(op: Op, made: TensorType) -> bool:
    """Whether the word says how many channels it makes."""
    return op.word in ("conv", "upconv", "dense") and _first_size(op) == made["c"]


def _first_size(op: Op) -> Json:
    size = getattr(op, "size", None)
    return size[0] if isinstance(size, tuple) else size


def _channels(op: Op, x: TensorType, made: TensorType) -> str:
    """How many channels there are, and where the number stands."""
    what = "filters" if x.spatial and made.spatial else "outputs"
    return (
        f"{made['c']} {what}, whatever the {x['c']} that come in"
        if _first_size(op) == made["c"]
        else f"channels {made['c']}"
    )


def _along(op: Op, types: tuple[TensorType, ...], axis: str) -> str:
    """The sum that gives the size of an axis."""
    x = types[0]
    window = op.window(*types)
    if window is None:
        return f"{x[axis]} ->"
    at = x.names.index(axis) - 1
    n, kernel, stride = x[axis], window.kernel[at], window.stride[at]
    extent = window.dilate[at] * (kernel - 1) + 1
    if window.grow:
        return _grown(op, types, at, n, extent, window.grow[at])
    pads = op.geometry(x).pad[at - len(window.kernel)] if hasattr(op, "geometry") else (window.pad[at],) * 2
    padded = f"{n} + {pads[0]} + {pads[1]}" if any(pads) else f"{n}"
    taps = f"({window.dilate[at]} * {kernel - 1} + 1)" if window.dilate[at] > 1 else f"{kernel}"
    return f"({padded} - {taps}) // {stride} + 1"


def _grown(op: Op, types: tuple[TensorType, ...], at: int, n: int, extent: int, grow: int) -> str:
    """The size of an image that grows: pixels move apart, and each spreads over a kernel."""
    made = op.type(*types).spatial[at]
    if made == n * grow and grow > 1:
        return f"{n} * {grow}"
    cut = (n - 1) * grow + extent - made
    trimmed = f" - {cut}" if cut > 0 else f" + {-cut}" if cut else ""
    return f"({n} - 1) * {grow} + {extent}{trimmed}"


def page(steps: Iterable[Derivation]) -> str:
    """The steps as aligned text, the arithmetic under each."""
    shown = list(steps)
    names, words, shapes = (
        max(len(text) for text in texts)
        for texts in zip(*((step.name, step.written, str(step.type)) for step in shown), strict=True)
    )
    lines = []
    for step in shown:
        line = f"{step.name:{names}}  {step.written:{words}}  {step.type!s:>{shapes}}  {step.place}"
        lines.append(line.rstrip())
        lines += [" " * (names + 4) + sums for sums in step.sums]
    return "\n".join(lines) + "\n"
