"""One net, computed in every way there is."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from unittest.mock import patch
from zlib import crc32

import numpy as np

from cnnspec.codegen.evaluate import evaluate
from cnnspec.ir import Graph
from cnnspec.ir.leaves import Target
from cnnspec.kernels import KERNELS
from cnnspec.passes import TRAINING, run
from cnnspec.primitives.regularise import Drop
from cnnspec.runtime.engine import Engine
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.words.costs import Cost


class Trial:
    """A net in float64 with random numbers everywhere: its plan, its evaluator, its differences.

    `masks` are the random masks that the plan drew in training, by the name of their value.
    """

    def __init__(
        self, graph: Graph, *costs: Cost, batch=3, shards=1, workers=1, seed=0, dtype="float64", record=True
    ) -> None:
        self.words, self.batch = graph, batch
        self.engine = Engine(
            graph, costs, Sgd(), shards=shards, workers_wanted=workers, parallel="threads", dtype=dtype
        )
        generator = np.random.default_rng(seed)
        for name, array in self.engine.parameters.items():
            noise = 0.5 * generator.normal(size=array.shape) / np.sqrt(np.prod(array.shape[1:]))
            positive = name.endswith("running_var")
            self.engine.parameters[name] = np.abs(noise) + 0.5 if positive else array + noise
        judged = self.engine.judged
        assert judged is not None
        self.arrays = {}
        for name in graph.inputs:
            self.arrays[name] = generator.normal(size=(batch, *graph.type(name).shape)).astype(dtype)
        for node, cost in zip([n for n in judged if isinstance(n.op, Target)], costs, strict=True):
            self.arrays[node.name] = target(cost.word, (batch, *node.type.shape), generator).astype(dtype)
        self.masks: dict[str, np.ndarray] = {}
        self.drawn: dict[tuple[int, int], np.ndarray] = {}  # by shard and name
        if record:
            with self.recording():
                self.engine.plan("train", batch)

    @contextmanager
    def recording(self):
        """Plans that are made here keep the masks that they draw."""
        random_mask = KERNELS["random_mask"]

        def recorded(key, rate, *, out):
            random_mask(key, rate, out=out)
            self.drawn[key[2:]] = out.copy()

        with patch.dict(KERNELS, random_mask=recorded):
            yield

    @cached_property
    def shown(self) -> dict[str, np.ndarray]:
        """Every value of the net in use, by the plan; names are those of the words."""
        found = self.engine.forward(self.inputs, "show")
        return {node.name: array.copy() for node, array in zip(self.words, found, strict=True)}

    @cached_property
    def learnt(self) -> tuple[float, dict[str, np.ndarray]]:
        """Cost and gradients in training, by the plan."""
        with self.recording():
            cost, gradients = self.engine.differentiate(self.arrays)
        graph = self.engine.graph("train", self.batch)
        for node in graph:
            if isinstance(node.op, Drop):
                name = crc32(node.name.encode())
                parts = [self.drawn[shard, name] for shard in range(len(self.engine.sizes(self.batch)))]
                self.masks[f"{node.name}:mask"] = in_order(np.concatenate(parts, axis=-1), node)
        return cost, dict(gradients)

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        return {name: self.arrays[name] for name in self.words.inputs}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        return dict(self.engine.parameters)

    @cached_property
    def graph(self) -> Graph:
        """The graph in training with its gradient, before anything is rewritten for speed."""
        return run(self.engine.judged, TRAINING, after="differentiate")

    @cached_property
    def evaluated(self) -> dict[str, np.ndarray]:
        """Every value in training and every gradient, by the definitions."""
        _ = self.learnt  # for the masks
        return evaluate(self.graph, {**self.arrays, **self.parameters, **self.masks})

    def cost_at(self, **changed: np.ndarray) -> float:
        """The cost by the definitions, with some parameters changed."""
        graph = run(self.engine.judged, TRAINING, after="fuse_softmax_cross_entropy")
        found = evaluate(graph, {**self.arrays, **self.parameters, **self.masks, **changed})
        return float(found[graph.cost])


def target(word: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """An answer that a cost can judge: a class, yes or no, or numbers."""
    if word in ("cross_entropy", "hinge"):
        classes = generator.integers(0, shape[1], (shape[0], *shape[2:]))
        return np.moveaxis(np.eye(shape[1])[classes], -1, 1)
    if word == "binary_cross_entropy":
        return generator.integers(0, 2, shape).astype(float)
    return generator.normal(size=shape)


def in_order(array: np.ndarray, node) -> np.ndarray:
    """A mask of the plan in the oracle's order."""
    if array.ndim == 4:
        array = array.transpose(3, 1, 0, 2)
        return array if node.type.kind == "image" else array[:, :, 0]
    folded = node.type.folded if array.shape[0] > 1 else ()
    if folded:
        sizes = dict(folded)
        image = array.reshape(sizes["h"], sizes["c"], sizes["w"], -1)
        return image.transpose(3, 1, 0, 2).reshape(array.shape[1], -1)
    return array.T


def agrees_with_evaluator(trial: Trial) -> None:
    """The plan's cost and every gradient are the definitions'."""
    cost, gradients = trial.learnt
    close(cost, trial.evaluated[trial.graph.cost], "cost")
    for name, value in trial.graph.gradients.items():
        close(gradients[name], trial.evaluated[value], name)
    for name in set(gradients) - set(trial.graph.gradients):
        assert not gradients[name].any(), name


def agrees_with_differences(trial: Trial, step: float = 1e-6, tolerance: float = 1e-7) -> None:
    """Each gradient is the slope of the cost: along random directions, and for single numbers."""
    _, gradients = trial.learnt
    generator = np.random.default_rng(5)
    for name, gradient in gradients.items():
        here = trial.parameters[name]
        directions = [generator.normal(size=here.shape) for _ in range(2)]
        for _ in range(2):
            directions.append(np.zeros(here.shape))
            directions[-1].flat[generator.integers(here.size)] = 1
        for along in directions:
            along = along / np.sqrt((along**2).sum())
            up, down = (trial.cost_at(**{name: here + sign * step * along}) for sign in (1, -1))
            close((up - down) / (2 * step), (gradient * along).sum(), name, tolerance)


def close(found, wanted, what: str = "", tolerance: float = 1e-10) -> None:
    """Equal to a tolerance, relative to the largest number."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, f"{what}: {found.shape} is not {wanted.shape}"
    scale = max(1.0, float(np.abs(wanted).max(initial=0)))
    error = float(np.abs(found - wanted).max(initial=0)) / scale
    assert error <= tolerance, f"{what}: off by {error:.2g}"
