"""Live ranges of values, and the memory that they can share."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from math import prod

from ..ir import Graph, Node
from ..ir.leaves import Input, Target, Weight
from ..ir.op import Op

FOREVER = 1 << 30


def of_parameters_alone(graph: Graph) -> set[str]:
    """Nodes that depend on parameters alone, where nothing is learnt: made once, not at every call."""
    found: set[str] = set()
    for node in () if graph.gradients else graph:
        sources = (graph[value].op for value in node.inputs if value not in found)
        if node.inputs and not node.type.batched and all(isinstance(op, Weight) for op in sources):
            found.add(node.name)
    return found


def moves_nothing(op: Op) -> bool:
    return op.is_view


def overwritten(op: Op) -> tuple[int, ...]:
    return op.can_alias


def share_memory(
    graph: Graph,
    external: Container[str],
    shape: Callable[[str], tuple[int, ...]],
    is_view: Callable[[Op], bool] = moves_nothing,
    can_alias: Callable[[Op], tuple[int, ...]] = overwritten,
) -> tuple[dict[str, str], dict[str, int]]:
    """Two tables: `roots`, for each value the value in whose memory it lies (itself, or an input that it
    overwrites or is a view of), and `last`, for each root the number of the last node that reads its memory.

    An op may overwrite an input that it `can_alias` if no later node reads that and sizes agree; not one that it
    reads twice itself, since add(a, b, a) would find its sum there. Values in `external` lie outside of this
    memory.
    """
    index = {name: k for k, name in enumerate(graph.nodes)}
    roots: dict[str, str] = {}
    last: dict[str, int] = {}

    def root(value: str) -> str:
        while roots.get(value, value) != value:
            value = roots[value]
        return value

    for node in graph:
        for value in (node.name, *(f"{node.name}:{extra}" for extra in node.extras)):
            roots[value] = value
        if is_view(node.op):
            roots[node.name] = root(node.inputs[0])
    for node in graph:
        for value in read(graph, node):
            last[root(value)] = FOREVER if node.op.stateful else max(last.get(root(value), 0), index[node.name])
    for value in graph.results:
        last[root(value)] = FOREVER
    for node in graph:
        if node.name in external or not node.type.batched:
            continue
        for which in can_alias(node.op):
            if which >= len(node.inputs):
                continue
            source = root(node.inputs[which])
            once = sum(root(value) == source for value in node.inputs) == 1
            free = once and last.get(source, 0) == index[node.name] and source not in external
            same = shape(node.inputs[which]) == shape(node.name)
            same = same and prod(shape(source)) == prod(shape(node.name))  # not some rows of it
            leaf = isinstance(graph[source].op, (Input, Target))
            if free and same and not leaf and graph.type(source).dtype == "float":
                mine = root(node.name)
                last[source] = last.get(mine, index[node.name])
                roots[mine] = source
                break
    return {value: root(value) for value in roots}, last


def read(graph: Graph, node: Node) -> Iterator[str]:
    """The values that a node reads; of a value that is `fused_into_reader` also those that it is computed from."""
    for value in node.inputs:
        yield value
        if graph[value].op.fused_into_reader:
            yield from read(graph, graph[value])
