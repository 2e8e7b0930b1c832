"""From words to primitives: the costs attached, every word decomposed."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Builder, Graph, Node, data
from ..ir.leaves import ImageWeights, Input, Target, Weight
from ..primitives.costs.base import Total
from ..words.composed import has_primitives, spell_out
from ..words.costs import Cost

WEIGHTS = "cost.weights"  # of the images, where they are fed


def attach_costs(graph: Graph, costs: tuple[Cost, ...], weighted: bool = False) -> Graph:
    """Give every judged output its target and its cost, and the graph their sum.

        p = softmax z
        p = softmax z;  p.target = target;  p.cost = cross_entropy p p.target;  cost = total p.cost

    A cost without `of` judges the first output that no other cost names. Where they are `weighted` all costs read
    a number for each image that its costs are multiplied by.
    """
    b = Builder(graph)
    weights = (b.add(ImageWeights(data(1)), name=WEIGHTS),) if weighted else ()
    named = {cost.of for cost in costs}
    open_outputs = [value for value in graph.outputs if value not in named]
    parts = []
    for cost in costs:
        value = cost.of or open_outputs.pop(0)
        target = b.add(Target(b.type(value)), name=f"{value}.target")
        parts.append(b.add(cost, value, target, *weights, name=f"{value}.cost", like=graph[value]))
    total = b.add(Total(), *parts, name="cost")
    return b.graph(graph.inputs, graph.outputs, cost=total, **graph.circumstances)


class Decomposer(Builder):
    """Builds the graph of primitives. `training` is the mode; `values` maps words to what became of them."""

    def __init__(self, words: Graph, training: bool) -> None:
        super().__init__()
        self.words, self.training = words, training
        self.values: dict[str, str] = {}
        self.updates: dict[str, str] = {}

    def learns(self, node: Node) -> bool:
        """Whether a word is being trained, which one that is frozen is not."""
        return self.training and node.owner not in self.words.frozen

    def parameter(self, node: Node, name: str) -> str:
        """The value of a word's parameter: one leaf, however many words share it."""
        full = f"{node.owner}.{name}"
        if full not in self.nodes:
            types = self.words.types(node)
            found = next(p for p in node.op.parameters(*types) if p.name == name)
            if node.owner in self.words.frozen:
                found = replace(found, trained=False)
            self.add(Weight(found), name=full, like=node)
        return full

    def word(self, name: str) -> Node:
        return self.words[name]

    def update(self, state: str, value: str) -> None:
        """A training step moves this state."""
        self.updates[state] = value


def decompose(graph: Graph, training: bool) -> Graph:
    """Replace every word by its primitives.

    c = conv 8x3x3 x
    w = weight;  c.products = convolve x w;  b = weight;  c = add_bias c.products b
    """
    graph = spell_out(graph, has_primitives)
    b = Decomposer(graph, training)
    for node in graph:
        inputs = tuple(b.values[value] for value in node.inputs)
        if isinstance(node.op, (Input, Target, Total)):
            b.values[node.name] = b.add(node.op, *inputs, name=node.name, like=node)
        else:
            b.values[node.name] = node.op.decompose(node, inputs, b)
            assert b.type(b.values[node.name]) == node.type, f"{node.name} becomes a value of another type"
    outputs = tuple(b.values[value] for value in graph.outputs)
    cost = b.values[graph.cost] if graph.cost else ""
    return b.graph(graph.inputs, outputs, cost=cost, updates=b.updates, **graph.circumstances)


def decompose_training(graph: Graph) -> Graph:
    """Words as they are while training: dropout drops, bn uses the batch, state is updated."""
    return decompose(graph, training=True)


def decompose_inference(graph: Graph) -> Graph:
    """Words as they are afterwards: dropout is gone, bn uses its running mean and variance."""
    return decompose(graph, training=False)
