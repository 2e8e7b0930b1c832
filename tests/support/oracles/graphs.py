"""Graphs of primitives at some point of a pipeline, and whether two of them mean the same."""

from __future__ import annotations

import numpy as np
from oracles.trial import close, target

from cnnspec.codegen.evaluate import evaluate
from cnnspec.ir import Graph
from cnnspec.ir.leaves import Input, Target, Weight
from cnnspec.ir.verify import verify
from cnnspec.lang.lowering.costs import implied
from cnnspec.passes import TRAINING, run
from cnnspec.passes.decompose import attach_costs
from cnnspec.primitives.regularise import Drop


def judged(words: Graph, *costs) -> Graph:
    """The words with the costs given, or with those that their last words mean."""
    return attach_costs(words, costs or tuple(implied(words, output)() for output in words.outputs))


def after(words: Graph, last: str, *costs, passes=TRAINING) -> Graph:
    """The graph after a pass, verified after each."""
    return run(judged(words, *costs), passes, after=last, check=verify)


def ops(graph: Graph) -> list[str]:
    """The names of the ops, leaves left out."""
    leaves = (Input, Target, Weight)
    return [type(node.op).__name__ for node in graph if not isinstance(node.op, leaves)]


def random_values(graph: Graph, batch: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """Numbers for every leaf, and masks."""
    generator = np.random.default_rng(seed)
    found = {}
    for node in graph:
        shape = (batch, *node.type.shape) if node.type.batched else node.type.shape
        if isinstance(node.op, Target):
            found[node.name] = target("cross_entropy", shape, generator)
        elif isinstance(node.op, (Input, Weight)):
            found[node.name] = generator.normal(size=shape)
            if node.name.endswith("running_var"):
                found[node.name] = np.abs(found[node.name]) + 0.5
        elif isinstance(node.op, Drop):
            kind = node.extras["mask"]
            found[f"{node.name}:mask"] = 2.0 * generator.integers(0, 2, (batch, *kind.shape))
    return found


def mean_the_same(before: Graph, after: Graph, seed: int = 0) -> None:
    """Outputs, cost, gradients and updates of two graphs are equal by the definitions."""
    values = random_values(before, seed=seed)
    one, two = evaluate(before, values), evaluate(after, values)
    for old, new in zip(before.outputs, after.outputs, strict=True):
        close(two[new], one[old], old)
    if before.cost:
        close(two[after.cost], one[before.cost], "cost")
    for old, new in ((before.gradients, after.gradients), (before.updates, after.updates)):
        assert set(old) == set(new)
        for name in old:
            close(two[new[name]], one[old[name]], name)
