"""Names that a network takes for itself: those of its parameters, and of what its answers are held against."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import Graph, Node


def claimed(graph: Graph) -> Iterator[tuple[Node, str]]:
    """The values that are called as something else is, and what that is."""
    if not any("." in node.name for node in graph):
        return
    taken = {f"{value}.target": f"the targets of `{value}` are" for value in graph.outputs}
    for node in graph:
        for parameter in node.op.parameters(*graph.types(node)):
            taken[f"{node.owner}.{parameter.name}"] = f"a parameter of `{node.owner}` is"
    yield from ((node, taken[node.name]) for node in graph if node.name in taken)
