"""A training step of a network: what it is in a module of JavaScript, and by the definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scripts
from networks import STRUCTURES, engine_for, examples, values_for
from oracles.nets import SumOfProducts, TimesEach
from oracles.random_nets import random_net

from cnnspec.api import read_spec
from cnnspec.codegen.evaluate import evaluate
from cnnspec.passes import run
from cnnspec.passes.decompose import attach_costs
from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.targets.js.module import LEARN, module_source
from cnnspec.words.costs import COSTS

COST = {cost.word: f"input 4x3x3\nconv 3x3x3 -> {{}}\ntrain {{ cost {cost.word} }}" for cost in COSTS}
ENDS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
TEXTS = {
    **examples(),
    **STRUCTURES,
    **{word: text.replace("{}", ENDS.get(word, "tanh")) for word, text in COST.items()},
}


def judged(graph, n):
    """Targets: rows with a single 1 where there are classes, else numbers."""
    generator = np.random.default_rng(2)
    found = {}
    for name in [name for name in graph.nodes if name.endswith(".target")]:
        kind = graph.type(name)
        hot = np.moveaxis(np.eye(kind["c"])[generator.integers(0, kind["c"], (n, *kind.spatial))], -1, 1)
        found[name] = hot if kind["c"] > 1 else generator.random((n, *kind.shape))
    return found


def of_outputs(targets):
    return {name.removesuffix(".target"): values for name, values in targets.items()}


def one_step(spec, seed=3):
    """A job of a step by plain descent, and the parameters and the cost that it should come to."""
    parameters = engine_for(spec.graph).parameters
    graph = run(attach_costs(spec.graph, spec.train.cost), LEARN)
    given, n = values_for(spec.graph), 3
    targets, generator, masks, randoms = judged(graph, n), np.random.default_rng(seed), {}, []
    for node in graph:
        if "mask" in node.extras:
            kind = node.extras["mask"]
            drawn = generator.random((*kind.shape, n))  # as they lie: the images of the batch innermost
            randoms += drawn.reshape(-1).tolist()
            kept = np.where(drawn < node.op.rate, 0, 1 / (1 - node.op.rate))
            masks[f"{node.name}:mask"] = np.moveaxis(kept, -1, 0)
    known = evaluate(graph, {**parameters, **given, **targets, **masks})
    after = {
        name: values - 0.1 * known.get(graph.gradients.get(name, ""), 0) for name, values in parameters.items()
    }
    for state, value in graph.updates.items():
        node = graph[value]
        new = known[node.inputs[1]] * node.op.correction(n)
        after[state] = (1 - node.op.momentum) * parameters[state] + node.op.momentum * new
    calls = [["learn", given, of_outputs(targets)], *(["get", name] for name in parameters)]
    plain = replace(spec, train=replace(spec.train, optimiser=OPTIMISERS[0](lr=0.1)))
    source = module_source(plain, parameters, train=True)
    job = scripts.job(source, parameters, calls, randoms, dtype="float64")
    return job, [float(known[graph.cost]), *after.values()]


def compare(found, expected):
    done, *parameters = found
    np.testing.assert_allclose(done["cost"], expected[0], rtol=1e-9)
    for mine, values in zip(parameters, expected[1:], strict=True):
        np.testing.assert_allclose(mine, np.reshape(values, -1), rtol=1e-9, atol=1e-9)


def times_each(e, node):
    x, w = node.inputs
    e.line(f"timesChannel({e[x]}, {e[w]}, {e[node.name]}, {node.type.elements}, n)")


def sum_of_products(e, node):
    x, dy = node.inputs
    e.line(f"channelDots({e[x]}, {e[dy]}, {e[node.name]}, {node.type.elements}, n)")


OWN_LINES = {TimesEach: times_each, SumOfProducts: sum_of_products}  # of the tests' own word


def random_step(seed):
    graph, costs = random_net(seed)
    spec = read_spec(text="input 2\ndense 1\n")
    return one_step(replace(spec, graph=graph, train=replace(spec.train, cost=costs)), seed)
