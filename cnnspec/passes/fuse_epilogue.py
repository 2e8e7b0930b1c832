"""Fusion of epilogues (bias, relu, moments) into convolutions."""

from __future__ import annotations

from .. import kernels
from ..ir import Builder, Graph, Node
from ..primitives.convolution.convolve import AddBias, BroadcastBias
from ..primitives.convolution.winograd_1d import WinogradConvolve
from .rewrite import Absorbed, rewrite


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
    """Give the bias of one image's layer as the numbers of a row.

        y = add_bias x b
        b.broadcast = broadcast_bias b;  y = add_bias x b.broadcast

    They are made of parameters alone, so once. Not for several images, whose rows are long runs of a channel, nor
    for large ones, which are gone over in blocks.
    """
    if graph.images > 1:
        return graph

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        image = node.type.batched and node.type.names == ("c", "h", "w")
        if not (isinstance(node.op, AddBias) and image and node.type.elements <= kernels.norm.SHORT):
            return None
        x, bias, *add = inputs
        name = b.free_name(f"{bias}.broadcast")
        broadcast = b.add(BroadcastBias(node.type["w"]), bias, name=name, like=b.nodes[bias], span=node.span)
        return b.add(node.op, x, broadcast, *add, name=node.name, like=node, why=node.why)

    return rewrite(graph, rule)
