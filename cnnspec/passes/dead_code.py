"""Dropping what nobody needs."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Graph
from ..ir.leaves import Input


def eliminate_dead_code(graph: Graph) -> Graph:
    """Drop the nodes that no result needs; inputs stay.

    a = conv x;  b = relu a;  c = dense a;  return b
    a = conv x;  b = relu a;                return b
    """
    needed = {value.partition(":")[0] for value in graph.results}
    for node in reversed(tuple(graph)):
        if node.name in needed:
            needed.update(value.partition(":")[0] for value in node.inputs)
    return graph.with_nodes(
        {node.name: node for node in graph if node.name in needed or isinstance(node.op, Input)}
    )


def drop_outputs(graph: Graph) -> Graph:
    """Forget the outputs; what is wanted is the cost.

    p = softmax z;  cost = softmax_cross_entropy z t;  return p, cost
    p = softmax z;  cost = softmax_cross_entropy z t;  return cost
    """
    return replace(graph, outputs=())
