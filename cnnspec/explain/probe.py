"""A network to look at: every value of a few images and the slope of the cost at each, by a plan in float64.

Numbers are those of the network as it is in use (running statistics, no dropout). In float64 a sum of
products that is added up again, in any order, agrees with the plan's to every digit that is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..capacity import SPARE, free_memory, mebibytes
from ..codegen.program import generate
from ..diagnostics import Diagnostic, SpecError
from ..ir.owned import parameters_of
from ..passes import run
from ..passes.activation_gradients import activation_gradients
from ..passes.canonicalise_layout import canonicalise_layout
from ..passes.convolutions import depthwise_bands, flip_input_gradients, lower_convolutions
from ..passes.dead_code import eliminate_dead_code
from ..passes.decompose import attach_costs, decompose_inference
from ..runtime.load import bind
from ..runtime.parameters import ParameterBlock, View

if TYPE_CHECKING:
    from ..model import Model

LOOKING = (
    decompose_inference,
    canonicalise_layout,
    activation_gradients,
    eliminate_dead_code,
    flip_input_gradients,
    depthwise_bands,
    lower_convolutions,
)
FORWARD = (decompose_inference, canonicalise_layout, eliminate_dead_code, depthwise_bands, lower_convolutions)
DTYPE = "float64"


@dataclass(frozen=True)
class Seen:
    """The values and gradients of a batch by name, (n, c, h, w), and the mean cost."""

    values: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    cost: float


class Probe:
    """Runs batches of `n` images through a network and keeps all values."""

    def __init__(self, model: Model, n: int = 1) -> None:
        words = replace(model.graph, outputs=tuple(node.name for node in model.graph), images=n)
        judged = attach_costs(replace(words, outputs=model.graph.outputs), model.costs)
        judged = replace(judged, outputs=words.outputs)
        self.words, self.n = model.graph, n
        graph = run(judged, LOOKING)
        program = generate(graph, n, n, DTYPE)
        ensure_room(program.arena_bytes + 2 * 8 * n * sum(graph.type(name).elements for name in graph.outputs))
        self.parameters = stored(model)
        targets = [name for name in graph.nodes if name.endswith(".target") and name not in model.graph.nodes]
        self.feeds = {name: np.zeros((n, *graph.type(name).shape)) for name in (*graph.inputs, *targets)}
        fetches = {name: np.zeros((n, *graph.type(name).shape)) for name in graph.outputs}
        self.fetches = [fetches[name] for name in graph.outputs]  # two words may be one value: dropout, in use
        self.costs = np.zeros(max(1, program.costs))
        numbers: dict[str, np.ndarray | int] = {
            "costs": self.costs,
            "correct": np.zeros(2, np.int64),
            "clock": np.zeros(2, np.int64),
            "shard": 0,
        }
        arena, prepared = (np.zeros(size, np.uint8) for size in (program.arena_bytes, program.prepared_bytes))
        self.bound = bind(
            program,
            DTYPE,
            arena,
            prepared,
            self.parameters,
            None,
            {},
            self.feeds,
            fetches,
            numbers,
        )

    def look(self, arrays: Mapping[str, np.ndarray]) -> Seen:
        """Inputs and targets by name, as `Model` hands them to its engine."""
        for name, array in arrays.items():
            np.copyto(self.feeds[name], array)
        if self.bound.prepare is not None:
            self.bound.prepare(self.bound.b, self.bound.p)
        self.bound.forward(self.bound.b, self.bound.p)
        names = [node.name for node in self.words]
        copies = [array.copy() for array in self.fetches]
        return Seen(
            dict(zip(names, copies, strict=False)),
            dict(zip(names, copies[len(names) :], strict=True)),
            float(self.costs.sum()),
        )


def values_of(model: Model, names: tuple[str, ...], arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The values (c, h, w) of some words for one image, in float32 and as the network is in use.

    Where `Probe` keeps everything this keeps what is asked for, of a network that is too large for it; SpecError
    (CNN555) where the memory that is free is too little even so.
    """
    graph = run(replace(model.graph, outputs=names, images=1), FORWARD)
    program = generate(graph, 1, 1, "float32")
    known = parameters_of(model.graph)
    ensure_room(program.arena_bytes + program.prepared_bytes + 4 * sum(p.type.elements for p in known.values()))
    block = ParameterBlock(known, np.zeros(sum(p.type.elements for p in known.values()), np.float32))
    view = View(known, block.arrays)
    for name in known:
        view[name] = model.parameters[name]
    feeds = {name: np.zeros((1, *graph.type(name).shape), np.float32) for name in graph.inputs}
    fetches = {name: np.zeros((1, *graph.type(name).shape), np.float32) for name in graph.outputs}
    taken = [fetches[name] for name in graph.outputs]
    arena, prepared = (np.zeros(size, np.uint8) for size in (program.arena_bytes, program.prepared_bytes))
    numbers: dict[str, np.ndarray | int] = {"clock": np.zeros(2, np.int64), "shard": 0}
    bound = bind(program, "float32", arena, prepared, block.arrays, None, {}, feeds, fetches, numbers)
    for name in feeds:
        np.copyto(feeds[name], arrays[name])
    if bound.prepare is not None:
        bound.prepare(bound.b, bound.p)
    bound.forward(bound.b, bound.p)
    return {name: array[0] for name, array in zip(names, taken, strict=True)}


def ensure_room(need: int, free: int | None = None) -> None:
    """Refuse, before anything is allocated, what is more than the memory that is free."""
    free = free_memory() if free is None else free
    if free is not None and need + SPARE > free:
        raise SpecError((Diagnostic.of("CNN555", needed=mebibytes(need), free=mebibytes(free)),))


def stored(model: Model) -> dict[str, np.ndarray]:
    """The model's parameters in float64, in the plan's order."""
    known = parameters_of(model.graph)
    block = ParameterBlock(known, np.zeros(sum(p.type.elements for p in known.values())))
    view = View(known, block.arrays)
    for name in known:
        view[name] = model.parameters[name]
    return block.arrays


def look(model: Model, x: np.ndarray, y: np.ndarray) -> Seen:
    """Look at a batch once."""
    return Probe(model, len(x)).look(model.arrays(x, y))
