"""The gradient of the cost with respect to every value, not only to parameters."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from ..ir import Builder, Graph, TensorType
from ..ir.leaves import Target, Weight
from ..ir.op import Array, Node, Op, PlanWriter
from ..primitives.shape import Flattening, Unflatten
from ..words.merge import Add


@dataclass(frozen=True)
class ValueGradient(Op):
    """The gradient of the cost with respect to a value, under a name of its own."""

    is_view = True
    any_order = True
    layout_agnostic = True

    def evaluate(self, x: Array) -> Array:
        return x


@dataclass(frozen=True)
class Flat(Op):
    """The gradient of a value on which the cost does not depend: zero."""

    any_order = True
    layout_agnostic = True
    of: TensorType

    def type(self) -> TensorType:
        return self.of

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.zero(node.name)


def activation_gradients(graph: Graph) -> Graph:
    """Add the gradient of the cost with respect to every output; the outputs are then both, values first.

        c = convolve x w;  cost = mse c t;  return x, c
        ...;  cost.dp = 2 (c - t) / n;  c.dx = input_gradient cost.dp w
        x.gradient = c.dx;  c.gradient = cost.dp;  return x, c, x.gradient, c.gradient

    Parameters get none: their gradients are sums over these, which is what is to be shown.
    """
    return replace(every_gradient(graph), gradients={})


def every_gradient(graph: Graph) -> Graph:
    """The same, and the gradient of every trained parameter that has one as well.

    ...;  c.dw = filter_gradient x cost.dp
    """
    b = Builder(graph)
    found: dict[str, list[str]] = defaultdict(list)
    total: dict[str, str] = {}
    found[graph.cost] = [""]
    for node in reversed(tuple(graph)):
        parts = found.pop(node.name, [])
        if not parts or isinstance(node.op, Target):
            continue
        together = len(parts) > 1
        dy = b.add(Add(), *parts, name=f"{node.name}.activation_gradients", like=node) if together else parts[0]
        total[node.name] = dy
        if node.inputs:
            for value, part in zip(node.inputs, node.op.gradient(node, dy, b), strict=False):
                if part is not None:
                    found[value].append(part)
    shown = []
    for value in graph.outputs:
        node = graph[value]
        if value in total:
            shown.append(
                b.add(ValueGradient(), in_order(total[value], node, b), name=f"{value}.gradient", like=node)
            )
        else:
            shown.append(b.add(Flat(node.type), name=f"{value}.gradient", like=node))
    made = b.graph(graph.inputs, (*graph.outputs, *shown), cost=graph.cost, **graph.circumstances)
    trained = [node.name for node in graph if isinstance(node.op, Weight) and node.op.parameter.trained]
    return replace(made, updates={}, gradients={name: total[name] for name in trained if name in total})


def in_order(gradient: str, node: Node, b: Builder) -> str:
    """The gradient of a flattened image as one that knows how it is folded: a dense layer's does not tell.

    f = flatten x;  f.dx = multiply_input_gradient dy w;  f.gradient = f.dx
    f = flatten x;  f.dx = ...;  f.image = unflatten f.dx;  f.folded = flatten f.image;  f.gradient = f.folded
    """
    if not node.type.folded or b.type(gradient).folded == node.type.folded:
        return gradient
    image = b.add(Unflatten(TensorType(node.type.folded)), gradient, name=f"{node.name}.image", like=node)
    return b.add(Flattening(), image, name=f"{node.name}.folded", like=node)
