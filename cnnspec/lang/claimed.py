"""Names that a network takes for itself: those of its parameters, and of what its answers are held against."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import Graph, Node


def claimed(graph: Graph) -> Iterator[tuple[Node, str]]:
    """The values that are called as something else is, and what that is."""
    names = {*graph.nodes, *(node.owner for node in graph)}
    within = {node.name.rpartition(".")[0] for node in graph}
    near = {before for path in within for before in (path, *_before_dots(path)) if before in names}
    if not near:  # no name is another one with more behind it
        return
    taken = {f"{value}.target": f"the targets of `{value}` are" for value in graph.outputs}
    for node in graph:
        for parameter in node.op.parameters(*graph.types(node)) if node.owner in near else ():
            taken[f"{node.owner}.{parameter.name}"] = f"a parameter of `{node.owner}` is"
    yield from ((node, taken[node.name]) for node in graph if node.name in taken)


def _before_dots(name: str) -> Iterator[str]:
    """`a` and `a.b` of `a.b.c`."""
    dot = name.find(".")
    while dot >= 0:
        yield name[:dot]
        dot = name.find(".", dot + 1)
