"""Flattened images in a text book's order, for the ops that mind."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.shape import Contiguous
from .rewrite import rewrite


def canonicalise_layout(graph: Graph) -> Graph:
    """Put a flattened image's numbers in order before an op that minds where they stand.

        f = flatten x;  y = batch_norm f w b
        f = flatten x;  f.straight = canonicalise_layout f;  y = batch_norm f.straight w b

    A dense layer minds not, since its weights are kept in the image's order; nor does relu. A join of
    vectors that are folded in different ways gets all of them straightened.
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        vectors = {value: b.type(value) for value in inputs}
        vectors = {value: kind for value, kind in vectors.items() if kind.batched and kind.kind == "vector"}
        alike = len({kind.folded for kind in vectors.values()}) <= 1
        crooked = {value for value, kind in vectors.items() if kind.folded}
        if not crooked or isinstance(node.op, Contiguous) or (node.op.any_order and alike):
            return None
        straight = {value: straightened(value, node, b) for value in crooked}
        return b.copy(node, tuple(straight.get(value, value) for value in inputs))

    return rewrite(graph, rule)


def straightened(value: str, node: Node, b: Builder) -> str:
    """A value in order; made once, however many ask for it."""
    name = f"{value}.straight"
    return name if name in b.nodes else b.add(Contiguous(), value, name=name, like=node)
