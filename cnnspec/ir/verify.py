"""Invariants of every graph, after every pass."""

from __future__ import annotations

from .graph import Graph, made


def verify(graph: Graph) -> Graph:
    """The graph itself; AssertionError where a pass left it broken.

    Nodes stand after what they read, under their own names, with the types that their ops give; every result
    is there; a gradient has its parameter's shape, an update its state's.
    """
    seen: set[str] = set()
    for name, node in graph.nodes.items():
        assert node.name == name, f"{node.name} stands under the name {name}"
        for value in node.inputs:
            assert value in seen, f"{name} reads {value}, which nobody has made before it"
        types = graph.types(node)
        assert node.type == made(node.op, types), f"{name} is {node.type}, its op makes {made(node.op, types)}"
        assert dict(node.extras) == dict(node.op.extras(*types)), f"{name} has other by-products than its op makes"
        seen |= {name, *(f"{name}:{extra}" for extra in node.extras)}
    for value in (*graph.inputs, *graph.results):
        assert value in seen, f"{value} is wanted, and nobody makes it"
    assert not graph.cost or graph.type(graph.cost).kind == "scalar", "the cost is one number"
    for parameter, value in {**graph.gradients, **graph.updates}.items():
        shapes = graph.type(value).shape, graph.type(parameter).shape
        assert shapes[0] == shapes[1], f"{value} is {shapes[0]}, {parameter} is {shapes[1]}"
    return graph
