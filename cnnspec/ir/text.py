"""A graph as text, a node a line, for people."""

from __future__ import annotations

import dataclasses

from .graph import Graph, Node


def listing(graph: Graph) -> str:
    """Every node with its op, inputs and type; results last.

    conv1.products = Convolve input conv1.weight              8x26x26
    """
    lines = [(node.name, call(node), str(node.type)) for node in graph]
    left = max((len(name) for name, _, _ in lines), default=0)
    middle = min(90, max((len(code) for _, code, _ in lines), default=0))
    text = [f"{name:<{left}} = {code:<{middle}}  {kind}" for name, code, kind in lines]
    if graph.outputs:
        text.append(f"return {', '.join(graph.outputs)}")
    if graph.cost:
        text.append(f"cost {graph.cost}")
    text += [f"d {parameter:<{left}} = {value}" for parameter, value in graph.gradients.items()]
    text += [f"{state:<{left}} <- {value}" for state, value in graph.updates.items()]
    return "\n".join(text) + "\n"


def call(node: Node) -> str:
    """The op of a node and what it reads; a word as it is written, a primitive by its name."""
    op = node.op
    name = op.written() if op.word else type(op).__name__
    numbers = [] if op.word else [
        f"{f.name}={getattr(op, f.name)}" for f in dataclasses.fields(op)
        if isinstance(getattr(op, f.name), (int, float, str)) and getattr(op, f.name) != f.default
    ]  # fmt: skip
    return " ".join([name, *numbers, *node.inputs])
