"""Words that are made of other words: `spell_out` puts those in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from ..ir import Builder, Graph, TensorType
from ..ir.geometry import Window
from ..ir.leaves import Input
from ..ir.op import Node, Op, Parameter
from ..record import record

Known = Callable[[Op, tuple[TensorType, ...]], bool]  # of a word and the types of its inputs


class Parts:
    """Builds what a node's word is made of: parts called by its name and theirs, the last by its name alone."""

    def __init__(self, b: Builder, node: Node) -> None:
        self.b, self.node = b, node
        self.owners: set[str] = set()

    def type(self, value: str) -> TensorType:
        return self.b.type(value)

    def add(self, op: Op, *inputs: str, name: str = "") -> str:
        """Add a word; parts of words that share their weights share theirs."""
        node = self.node
        own, owner = (f"{of}.{name}" if name else of for of in (node.name, node.owner))
        assert own not in self.b.nodes, f"`{node.op.word}` has two parts called {name!r}"
        self.owners.add(owner)
        weights = "" if own == owner else owner
        return self.b.add(op, *inputs, name=own, like=node, weights=weights, given=node.given and not name)


def spell_out(graph: Graph, known: Known) -> Graph:
    """Replace words by those that they are made of, except what is `known`.

    s = softpool 2 x
    s.weight = exp x;  s.weighted = mul x s.weight;  ...;  s = mul s.sum s.share
    """

    def composed(node: Node) -> bool:
        return type(node.op).in_words is not Op.in_words and not known(node.op, graph.types(node))

    while any(map(composed, graph)):
        b = Builder()
        frozen = set(graph.frozen)
        for node in graph:
            if not composed(node):
                b.copy(node)
                continue
            parts = Parts(b, node)
            value = node.op.in_words(parts, *node.inputs)
            assert value == node.name, f"the last part of `{node.op.word}` has a name"
            assert b.type(value) == node.type, f"{node.name} becomes a value of another type"
            frozen |= parts.owners if node.owner in frozen else set()
        graph = graph.with_nodes(b.nodes, frozen=frozenset(frozen))
    return graph


def has_primitives(op: Op, types: tuple[TensorType, ...]) -> bool:
    """What plans know."""
    return type(op).has_primitives()


@lru_cache(1024)
def spelled(op: Op, types: tuple[TensorType, ...]) -> Graph:
    """The words of a word on inputs of these types; the last is called `value`, its parts `value.part`."""
    b = Builder()
    inputs = tuple(b.add(Input(kind), name=f"input{k}") for k, kind in enumerate(types))
    value = op.in_words(Parts(b, Node("value", op, inputs, types[0])), *inputs)
    assert value == "value", f"`{op.word}` says no word without a name"
    return b.graph(inputs, ("value",))


@record
class Composed(Op):
    """A word whose `in_words` says all: its type, its parameters, its work and its window are those of its words.

    If one of them looks at the whole image, it says so itself (`looks_everywhere`).
    """

    def type(self, *inputs: TensorType) -> TensorType:
        return spelled(self, inputs).type("value")

    def parameters(self, *inputs: TensorType) -> tuple[Parameter, ...]:
        graph, found = spelled(self, inputs), []
        for node in graph:
            part = node.name.removeprefix("value").removeprefix(".")
            for parameter in node.op.parameters(*graph.types(node)):
                found.append(replace(parameter, name=f"{part}.{parameter.name}" if part else parameter.name))
        return tuple(found)

    def macs(self, *inputs: TensorType) -> int:
        graph = spelled(self, inputs)
        return sum(node.op.macs(*graph.types(node)) for node in graph)

    def flops(self, *inputs: TensorType) -> int:
        graph = spelled(self, inputs)
        return sum(node.op.flops(*graph.types(node)) for node in graph)

    def window(self, *inputs: TensorType) -> Window | None:
        graph = spelled(self, inputs)
        found: dict[str, Window | None] = {}
        for node in graph:
            before = [found[value] for value in node.inputs]
            widest = max(before, key=extent, default=None)
            found[node.name] = after(widest, node.op.window(*graph.types(node)))
        return found["value"]


def extent(window: Window | None) -> tuple[int, ...]:
    """How many pixels a window reaches over, along each axis."""
    if window is None:
        return ()
    return tuple(d * (k - 1) + 1 for k, d in zip(window.kernel, window.dilate, strict=True))


def after(first: Window | None, then: Window | None) -> Window | None:
    """The window of one look through another."""
    if first is None or then is None:
        return then if first is None else first
    assert not (first.grow or then.grow), "a word that enlarges and slides says its window itself"
    axes = zip(extent(first), extent(then), first.stride, then.stride, first.pad, then.pad, strict=True)
    steps = [(a + (b - 1) * s, s * t, p + q * s) for a, b, s, t, p, q in axes]
    kernel, stride, pad = zip(*steps, strict=True)
    return Window(kernel, stride, pad, (1,) * len(steps))
