"""Batch normalisation, or a bias, together with what follows it, and its gradient with what reads it."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Builder, Graph, Node
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import ConvolveFilterGradient
from ..primitives.convolution.polyphase import FromPolyphase
from ..primitives.convolution.winograd_1d import WinogradConvolveGradient
from ..primitives.norm import BatchNorm, BatchNormGradient, Normalise
from ..primitives.pooled_norm import PooledBatchNorm
from ..primitives.windows import PolyphasePool
from ..words.activation.rectifiers import Relu
from ..words.merge import Add
from .rewrite import Absorbed, both, rewrite

NORMS = (BatchNorm, Normalise, AddBias)


def pooled_norm(graph: Graph) -> Graph:
    """Normalise and pool polyphase rows block by block: what lies between has no memory.

        n = batch_norm x w b;  p = polyphase_maxpool2 n
        p = pooled_batch_norm x w b

    Not where another node reads n.
    """
    readers, results = graph.readers(), set(graph.results)
    gone: Absorbed = {
        node.inputs[0]: ()
        for node in graph
        if isinstance(node.op, PolyphasePool)
        and isinstance(graph[node.inputs[0]].op, BatchNorm)
        and len(readers[node.inputs[0]]) == 1
        and node.inputs[0] not in results
    }

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> dict[str, str] | None:
        if not isinstance(node.op, PolyphasePool) or node.inputs[0] not in gone:
            return None
        norm = graph[node.inputs[0]]
        assert isinstance(norm.op, BatchNorm)
        op = PooledBatchNorm(norm.op.eps, pool=node.op)
        made = b.add(op, *gone[norm.name], name=node.name, like=norm, span=both(norm, node))
        return {f"{norm.name}:{extra}": f"{made}:{extra}" for extra in norm.extras}

    return rewrite(settled_last(graph), rule, gone)


def fuse_norm(graph: Graph) -> Graph:
    """Normalise (or add the bias), add the residual and apply relu row by row, while the row is in the cache.

        n = batch_norm x w b;  s = add n r;  y = relu s
        y = batch_norm x w b r, relu

    Not where another node reads n or s, nor for a sum of three.
    """
    readers, results = graph.readers(), set(graph.results)

    def alone(value: str) -> bool:
        return len(readers[value]) == 1 and value not in results

    def normalisation(node: Node) -> tuple[Node, Node | None] | None:
        """The batch_norm that a relu ends, and the sum between them."""
        if not isinstance(node.op, Relu) or not alone(node.inputs[0]):
            return None
        above = graph[node.inputs[0]]
        if isinstance(above.op, NORMS):
            return above, None
        if isinstance(above.op, Add) and len(above.inputs) == 2:
            for value in above.inputs:
                op = graph[value].op
                plain = isinstance(op, NORMS) and not isinstance(op, PooledBatchNorm)
                if plain and value == graph[value].name and alone(value):
                    return graph[value], above
        return None

    found = {node.name: ends for node in graph if (ends := normalisation(node))}
    gone: Absorbed = {node.name: () for ends in found.values() for node in ends if node}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> dict[str, str] | None:
        if node.name not in found:
            return None
        norm, total = found[node.name]
        rest = [value for value in gone[total.name] if value != norm.name] if total else []
        op = norm.op.changed(relu=True)
        made = b.add(op, *gone[norm.name], *rest, name=node.name, like=norm, span=both(norm, node))
        return {f"{norm.name}:{extra}": f"{made}:{extra}" for extra in norm.extras}

    return rewrite(settled_last(graph), rule, gone)


def settled_last(graph: Graph) -> Graph:
    """Nodes that only keep running statistics at the end, where nothing has to wait for them."""
    nodes = sorted(graph, key=lambda node: node.op.stateful)
    return graph.with_nodes({node.name: node for node in nodes})


def gradients_by_rows(graph: Graph) -> Graph:
    """A normalisation's gradient that only a convolution's reads is made there, block by block.

        d.dx = batch_norm_gradient d x ...;  c.dx = winograd_gradient d.dx z w
        d.dx = batch_norm_gradient d x ..., by rows;  c.dx = winograd_gradient d.dx z w

    So it is where it leaves polyphase rows. Not where anybody else reads it: it has no memory then.
    """
    readers, results = graph.readers(), set(graph.results)

    def lazily(node: Node) -> bool:
        if not isinstance(node.op, BatchNormGradient) or node.name in results:
            return False
        reader, *others = readers[node.name]
        full = isinstance(reader.op, FromPolyphase) and reader.op.full(node.type)
        filters = isinstance(reader.op, ConvolveFilterGradient) and reader.op.polyphase
        return not others and (full or filters or isinstance(reader.op, WinogradConvolveGradient))

    nodes = {node.name: replace(node, op=node.op.changed(by_rows=True)) if lazily(node) else node for node in graph}
    return graph.with_nodes(nodes)
