"""Reverse-mode differentiation: the gradient as further nodes of the same graph."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ..ir import Builder, Graph
from ..ir.leaves import Weight
from ..words.merge import Add


def differentiate(graph: Graph) -> Graph:
    """Add the gradient of the cost with respect to every trained parameter.

        c = convolve x w;  cost = mse c t
        c = convolve x w;  cost = mse c t;  cost.dp = 2 (c - t) / n;  c.dw = filter_gradient x cost.dp

    Only what leads to a parameter is differentiated, so the network's input gets no gradient. Gradients of a
    value with several readers are added up, the last reader's first.
    """
    b = Builder(graph)
    wanted: set[str] = set()
    for node in graph:
        trained = isinstance(node.op, Weight) and node.op.parameter.trained
        if trained or any(value.partition(":")[0] in wanted for value in node.inputs):
            wanted.add(node.name)
    found: dict[str, list[str]] = defaultdict(list)
    gradients: dict[str, str] = {}

    def total(name: str) -> str | None:
        parts = found.pop(name, [])
        if len(parts) < 2:
            return parts[0] if parts else None
        return b.add(Add(), *parts, name=f"{name}.sum_of_gradients", like=graph[name])

    found[graph.cost] = [""]
    ways_back = set(graph.updates.values())
    for node in reversed(tuple(graph)):
        if node.name not in wanted or node.name in ways_back:
            continue
        dy = total(node.name)
        if dy is None:
            continue
        if isinstance(node.op, Weight):
            gradients[node.name] = dy
            continue
        for value, part in zip(node.inputs, node.op.gradient(node, dy, b), strict=False):
            if part is not None and value in wanted:
                found[value].append(part)
    ordered = {node.name: gradients[node.name] for node in graph if node.name in gradients}
    return replace(
        b.graph(graph.inputs, (), cost=graph.cost, updates=graph.updates, **graph.circumstances),
        gradients=ordered,
    )
