"""Max pooling before what commutes with it."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Builder, Graph, Node
from ..primitives.activation import Activation
from ..primitives.convolution.convolve import AddBias
from ..primitives.windows import MaxWindows
from .rewrite import rewrite


def commutes(node: Node) -> bool:
    """Adding a channel's number and rising activations do not change which value is the largest."""
    return isinstance(node.op, AddBias) or (isinstance(node.op, Activation) and node.op.monotone)


def hoist_pooling(graph: Graph) -> Graph:
    """Pool, then add the bias and apply the activation, to a quarter of the numbers.

        a = add_bias y b;  r = relu a;  p = max_windows r
        p.pooled = max_windows y;  p.a = add_bias p.pooled b;  p = relu p.a

    Not where another node reads the values in between: they would have to be computed as well. A rising
    function keeps which value is the largest, though values that it maps to one (all negative ones under relu)
    may now send their gradient, which is zero there, to another pixel.
    """
    readers = graph.readers()
    results = set(graph.results)

    def chain_above(node: Node) -> list[Node]:
        """What can move below the pool, nearest first."""
        found: list[Node] = []
        value = node.inputs[0]
        while True:
            above = graph[value]
            if not commutes(above) or len(readers[above.name]) != 1 or above.name in results:
                return found
            found.append(above)
            value = above.inputs[0]

    moved: dict[str, list[Node]] = {}
    for node in graph:
        if isinstance(node.op, MaxWindows):
            chain = chain_above(node)
            if chain:
                moved[node.name] = chain
    skipped = {above.name for chain in moved.values() for above in chain}
    if not moved:
        return graph

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        if node.name in skipped:
            return {node.name: inputs[0]}  # nobody but the pool reads it
        if node.name not in moved:
            return None
        value = b.add(node.op, inputs[0], name=f"{node.name}.pooled", like=node)
        for above in reversed(moved[node.name]):
            last = above is moved[node.name][0]
            name = node.name if last else above.name
            value = b.add(above.op, value, *above.inputs[1:], name=name, like=above)
            b.nodes[value] = replace(b.nodes[value], span=above.span)
        return value

    return rewrite(graph, rule)
