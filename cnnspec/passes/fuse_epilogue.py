"""Fusion of epilogues (bias, relu, moments) into convolutions."""

from __future__ import annotations

from .. import kernels
from ..ir import Builder, Graph, Node
from ..primitives.convolution.bias import AddBias, BroadcastBias
from ..primitives.convolution.winograd_1d import WinogradConvolve
from .rewrite import Absorbed, rewrite

ROW = 65_536  # numbers of a row beside which adding them run by run costs little


def fuse_epilogue(graph: Graph) -> Graph:
    """Add the bias, the residual and apply relu where a block of rows comes out of Winograd's transform.

        y = winograd x w;  z = add_bias y b r, relu
        z = winograd x w b r, relu

    After `fuse_norm`, which brings bias, residual and relu together. Not where another node reads y.
    """
    readers, results = graph.readers(), set(graph.results)

    def before(node: Node) -> Node | None:
        if not isinstance(node.op, AddBias):
            return None
        made = graph[node.inputs[0]]
        alone = len(readers[made.name]) == 1 and made.name not in results
        return made if alone and isinstance(made.op, WinogradConvolve) else None

    found = {node.name: made for node in graph if (made := before(node))}
    gone: Absorbed = {made.name: () for made in found.values()}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name not in found:
            return None
        made = found[node.name]
        assert isinstance(node.op, AddBias)
        op = made.op.changed(relu=node.op.relu)
        return b.add(op, *gone[made.name], *inputs[1:], name=node.name, like=made, span=node.span, why=made.why)

    return rewrite(graph, rule, gone)


def broadcast_bias(graph: Graph) -> Graph:
    """Give a bias as the numbers of a row.

        y = add_bias x b
        b.broadcast = broadcast_bias b;  y = add_bias x b.broadcast

    They are made of parameters alone, so once. Not for large images, which are gone over in blocks where something
    follows, and whose rows are long runs of a channel.
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op, image = node.op, node.type.batched and node.type.names == ("c", "h", "w")
        if not (isinstance(op, AddBias) and image):
            return None
        x, bias, *add = inputs
        height, numbers = node.type["h"], node.type.elements * graph.images
        alone = graph.images > 1 and not add and not op.relu and numbers <= height * ROW
        if (height == 1 and graph.images > 1) or not (alone or numbers <= kernels.norm.SHORT):
            return None
        name = b.free_name(f"{bias}.broadcast")
        to_row = BroadcastBias(node.type["w"], graph.images)
        broadcast = b.add(to_row, bias, name=name, like=b.nodes[bias], span=node.span)
        return b.add(op, x, broadcast, *add, name=node.name, like=node, why=node.why)

    return rewrite(graph, rule)
