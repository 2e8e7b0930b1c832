"""Batch normalisation after training, brought into the convolution before it."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import Convolve
from ..primitives.norm import FoldBias, FoldFilters, Normalise
from .rewrite import Absorbed, rewrite


def fold_norm(graph: Graph) -> Graph:
    """Scale the filters instead of what they make; what is left of the normalisation is a bias.

        y = convolve x w;  n = normalise y mean var g b
        w.n = fold_filters w var g;  b.n = fold_bias mean var g b;  y = convolve x w.n;  n = add_bias y b.n

    A bias of the convolution itself goes into the new one. Not where another node reads what the convolution
    makes.
    """
    readers, results = graph.readers(), set(graph.results)

    def above(value: str, kind: type) -> Node | None:
        """The node that makes a value which nobody else reads, if it is of this kind."""
        alone = len(readers[value]) == 1 and value not in results
        return graph[value] if alone and isinstance(graph[value].op, kind) else None

    def convolution(node: Node) -> tuple[Node, Node | None] | None:
        """The convolution before a normalisation, and the bias between them."""
        bias = above(node.inputs[0], AddBias)
        found = above(bias.inputs[0] if bias else node.inputs[0], Convolve)
        return (found, bias) if found else None

    folded = {node.name: found for node in graph if isinstance(node.op, Normalise) and (found := convolution(node))}
    gone: Absorbed = {part.name: () for parts in folded.values() for part in parts if part}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name not in folded or not isinstance(node.op, Normalise):
            return None
        convolve, bias = folded[node.name]
        x, w = gone[convolve.name]
        _, mean, var, weight, shift = inputs
        own = gone[bias.name][1:] if bias else ()
        filters = b.add(FoldFilters(node.op.eps), w, var, weight, name=f"{node.name}.filters", like=node)
        rest = b.add(FoldBias(node.op.eps), mean, var, weight, shift, *own, name=f"{node.name}.shift", like=node)
        y = b.add(convolve.op, x, filters, name=f"{node.name}.products", like=convolve)
        return b.add(AddBias(), y, rest, name=node.name, like=node)

    return rewrite(graph, rule, gone)
