"""Rebuilding a graph: node after node, some replaced, readers following."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ..diagnostics import Span
from ..ir import Builder, Graph, Node

Rule = Callable[[Node, tuple[str, ...], Builder], "str | dict[str, str] | None"]
Absorbed = dict[str, tuple[str, ...]]
ARROW = re.compile(r"\s*->\s*")


def both(first: Node, last: Node) -> Span | None:
    """Where two nodes come from, `bn -> relu`, if the text has one behind the other; else where the first does."""
    a, b = first.span, last.span
    if a is None or b is None or a.source is not b.source or not ARROW.fullmatch(a.source.text[a.end : b.start]):
        return a
    return a.to(b)


def rewrite(graph: Graph, rule: Rule, absorbed: Absorbed | None = None) -> Graph:
    """Rebuild the graph; `rule(node, inputs, b)` may add other nodes and return the value that stands for the
    node (or a dictionary that names one for each of its values), or None to leave the node as it is.

    `inputs` are the node's inputs as they are called in the new graph. A node named in `absorbed` is left out: what
    takes its place finds there what its inputs are called now.
    """
    absorbed = {} if absorbed is None else absorbed
    b = Builder()
    now: dict[str, str] = {}
    for node in graph:
        inputs = tuple(now.get(value, value) for value in node.inputs)
        if node.name in absorbed:
            absorbed[node.name] = inputs
            continue
        made = rule(node, inputs, b)
        if made is None:
            b.copy(node, inputs)
        elif isinstance(made, str):
            now[node.name] = made
        else:
            now |= made

    def new(value: str) -> str:
        return now.get(value, value)

    changed = b.graph(
        graph.inputs,
        tuple(map(new, graph.outputs)),
        cost=new(graph.cost),
        **graph.circumstances,
    )
    return replace(
        changed,
        gradients={name: new(value) for name, value in graph.gradients.items()},
        updates={name: new(value) for name, value in graph.updates.items()},
    )
