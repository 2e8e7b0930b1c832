"""Winograd's convolution where it pays, and polyphase rows as far as they carry."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..ir.leaves import Input
from ..primitives.convolution.convolve import Convolve
from ..primitives.convolution.polyphase import FromPolyphase, ToPolyphase
from ..primitives.convolution.winograd_1d import WinogradConvolve
from ..primitives.convolution.winograd_2d import Winograd2dConvolve
from ..primitives.windows import PolyphasePool
from .methods import Convolution, layer_method, no_im2col
from .rewrite import rewrite

WAYS: dict[str, type[WinogradConvolve]] = {"Winograd": WinogradConvolve, "Winograd 2d": Winograd2dConvolve}


def winograd(graph: Graph) -> Graph:
    """Convolutions that Winograd's method is chosen for (`methods.py`), and what lies between, in polyphase rows.

        y = convolve x w;  r = relu y;  z = convolve r v
        y = winograd (polyphase x) w;  r = relu y;  z = pixels (winograd r v)

    Pooling takes polyphase rows and gives an image. Not for strides or dilations, few channels, or a handful of
    images; where four does not divide the width, the image is itself again after each convolution. Every
    convolution gets its method and the reason.
    """

    def moved(value: str, b: Builder) -> str | None:
        """The value in polyphase rows where it comes from there, with every tile full."""
        made = b.nodes[value.partition(":")[0]]
        full = isinstance(made.op, FromPolyphase) and made.op.full(b.type(made.inputs[0]))
        return made.inputs[0] if full and ":" not in value else None

    def back(value: str, node: Node, b: Builder) -> dict[str, str]:
        return {node.name: b.add(FromPolyphase(node.type["w"]), value, name=f"{node.name}.in_order", like=node)}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        op = node.op
        types = tuple(b.type(value) for value in inputs)
        if isinstance(op, Convolve):
            first = isinstance(b.nodes[inputs[0].partition(":")[0]].op, Input)
            convolution = Convolution(op.geometry, types[0], types[1]["f"], op.groups, graph.images, first)
            choice = layer_method(convolution, graph.measured)
            if choice.method not in WAYS:
                op = op.changed(dense=choice.method == "dense")
                return b.add(op, *inputs, name=node.name, like=node, why=choice.why)
            x = polyphase(inputs[0], b)
            made = WAYS[choice.method](op.geometry, types[0]["w"])
            return back(b.add(made, x, inputs[1], name=node.name, like=node, why=choice.why), node, b)
        same = op.for_polyphase(*types)
        if node.type.kind == "image" and same is not None:
            images = [value for value, kind in zip(inputs, types, strict=True) if kind.batched]
            if any(moved(value, b) for value in images):
                there = [polyphase(v, b) if kind.batched else v for v, kind in zip(inputs, types, strict=True)]
                value = b.add(same, *there, name=node.name, like=node)
                return value if b.type(value).kind == "image" else back(value, node, b)
        return None

    return rewrite(graph, rule)


def polyphase_early(graph: Graph) -> Graph:
    """polyphase rows from where an image is made, if all that reads it does not mind or wants them.

        y = convolve x w;  n = batch_norm y g b;  r = relu n;  z = winograd (polyphase r) v
        y = convolve x w;  n = batch_norm (polyphase y) g b;  r = relu n;  z = winograd r v

    The epilogue can then be fused in the backward pass as well. Pooling of polyphase rows makes polyphase rows
    itself, and so does a first convolution by im2col, from columns in that order. Not where a tile is half empty,
    nor for sums of images.
    """
    readers, results = graph.readers(), set(graph.results)
    moved: set[str] = set()

    def first(node: Node) -> bool:
        """A convolution by im2col whose input needs no gradient."""
        op = node.op
        if not isinstance(op, Convolve) or op.groups > 1 or not isinstance(graph[node.inputs[0]].op, Input):
            return False
        x = graph.type(node.inputs[0])
        convolution = Convolution(op.geometry, x, node.type["c"], op.groups, graph.images, first=True)
        return not no_im2col(convolution) and op.geometry.dilate[0] == 1

    for node in reversed(list(graph)):
        kind, makes = node.type, isinstance(node.op, PolyphasePool) or first(node)
        if not (node.op.layout_agnostic or makes) or kind.kind != "image" or kind["w"] % 4 or node.name in results:
            continue
        images = [value for value in node.inputs if graph.type(value).batched]
        wanted = readers.get(node.name, ())
        if len(images) == 1 and wanted and all(isinstance(r.op, ToPolyphase) or r.name in moved for r in wanted):
            moved.add(node.name)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if isinstance(node.op, ToPolyphase) and node.inputs[0] in moved:
            return inputs[0]
        if node.name not in moved:
            return None
        if isinstance(node.op, PolyphasePool):
            return b.add(node.op.changed(onward=True), *inputs, name=node.name, like=node)
        if isinstance(node.op, Convolve):
            return b.add(node.op.changed(polyphase=True), *inputs, name=node.name, like=node, why=node.why)
        there = tuple(
            polyphase(new, b) if graph.type(old).batched and old not in moved else new
            for old, new in zip(node.inputs, inputs, strict=True)
        )
        return b.add(node.op, *there, name=node.name, like=node)

    return rewrite(graph, rule)


def polyphase(value: str, b: Builder) -> str:
    """The value in polyphase rows: what it was made of, or a node for it, one for all readers.

    A convolution leaves anything at all where its last tile is empty, so there the rows are made anew.
    """
    made = b.nodes[value.partition(":")[0]]
    if isinstance(made.op, FromPolyphase) and made.op.full(b.type(made.inputs[0])):
        return made.inputs[0]
    for other in b.nodes.values():
        if isinstance(other.op, ToPolyphase) and other.inputs == (value,):
            return other.name
    return b.add(ToPolyphase(), value, name=f"{made.name}.as_polyphase", like=made)
