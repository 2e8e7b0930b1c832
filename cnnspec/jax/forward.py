"""A graph of words as a function of parameters and images: what JAX differentiates and XLA compiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike

from ..ir import Graph, Node
from ..ir.leaves import Input, Target
from ..targets.jax import Call, known, meaning
from ..targets.jax.layout import channels_first, channels_last
from ..words.activation.sigmoids import Sigmoid
from ..words.channels import LogSoftmax, Softmax
from ..words.composed import spell_out
from ..words.costs import BinaryCrossEntropy, Cost, CrossEntropy

# costs, and the activations that they are made for
MADE_FOR = ((CrossEntropy, (Softmax, LogSoftmax)), (BinaryCrossEntropy, Sigmoid))


@dataclass
class Values:
    """The results of a forward pass: values and outputs, the cost, the correct answers, the new state."""

    words: dict[str, Array] = field(default_factory=dict)  # every word's value, channels last
    outputs: dict[str, Array] = field(default_factory=dict)  # the graph's, channels first
    costs: list[Array] = field(default_factory=list)
    correct: Array = field(default_factory=lambda: jnp.zeros(2, jnp.int32))  # by class, by label
    updates: dict[str, Array] = field(default_factory=dict)

    @property
    def cost(self) -> Array:
        return sum(self.costs[1:], self.costs[0])


def forward(
    graph: Graph,
    parameters: Mapping[str, Array],
    arrays: Mapping[str, Array],
    *,
    dtype: DTypeLike,
    training: bool = False,
    step_key: Array | None = None,
) -> Values:
    """Compute a graph of words; `arrays` has inputs and targets by name. Images and weights become `dtype`.

    Parameters lie as words compute with them (`targets.jax.layout`), inputs, targets and outputs channels first.
    """
    found = Values()
    graph = spell_out(graph, known)
    for node in graph:
        if isinstance(node.op, Input):
            found.words[node.name] = channels_last(arrays[node.name]).astype(dtype)
        elif isinstance(node.op, Target):
            found.words[node.name] = channels_last(arrays[node.name])
        elif node.name != graph.cost:
            call = Call(node, graph.types(node), parameters, dtype, training, step_key)
            call.frozen = node.owner in graph.frozen
            inputs = [found.words[value] for value in node.inputs]
            if isinstance(node.op, Cost):
                call.judged, call.logits = graph.behind(node.inputs[0]).op, logits(graph, node, found)
                inputs, call.weights = inputs[:2], inputs[2] if len(inputs) > 2 else None
                if not found.costs:
                    found.correct = count_correct(node.op, *inputs)
            value = meaning(node.op)(node.op, call, *inputs)
            if isinstance(node.op, Cost):
                found.costs.append(value)
            found.words[node.name] = value
            found.updates |= call.updates
    found.outputs = {name: channels_first(found.words[name]) for name in graph.outputs}
    return found


def logits(graph: Graph, cost: Node, found: Values) -> Array | None:
    """What stands before the activation that a cost is made for, or None where it judges another."""
    before = graph[cost.inputs[0]]
    fits = any(type(cost.op) is made and isinstance(before.op, activation) for made, activation in MADE_FOR)
    return found.words[before.inputs[0]] if fits else None


def count_correct(op: Cost, p: Array, t: Array) -> Array:
    """How many answers are correct, by class and by label (`model/targets.py`); 0 of what the cost never tells."""
    labels = isinstance(op, BinaryCrossEntropy) or p.shape[-1] == 1
    by_label = ((p > 0.5) == (t > 0.5)).sum(dtype=jnp.int32) if labels else jnp.int32(0)
    by_class = (p.argmax(axis=-1) == t.argmax(axis=-1)).sum(dtype=jnp.int32) if p.shape[-1] > 1 else jnp.int32(0)
    return jnp.stack([by_class, by_label])
