"""`--tune`: the methods by which each convolution may be computed, timed on this machine.

Every distinct convolution of a network that leaves a choice (`passes/methods`) becomes a plan of its own, once
by each method: the layer and, where something is learnt, its gradients. The plans take turns, short ones for more
rounds; the shortest time of each, which others on the machine lengthened least, is what the passes choose by and
what is remembered (`remember.py`). The ways into polyphase rows and out are counted for the network's input and
where a last tile is partly empty: else a chain of layers stays in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from time import get_clock_info, perf_counter, thread_time

import numpy as np

from ..codegen.program import generate
from ..ir import Builder, Graph, Node, TensorType
from ..ir.leaves import Input, Weight
from ..ir.op import Op, Parameter, PlanWriter
from ..passes import INFERENCE, TRAINING, run
from ..passes.convolutions import (
    depthwise_bands,
    few_pixels_at_once,
    flip_input_gradients,
    lower_convolutions,
    winograd_phases,
)
from ..passes.decompose import attach_costs
from ..passes.methods import FILTERS, INPUT, LAYER, PHASES, Convolution, filter_key, input_key, no_im2col, possible
from ..passes.save_for_backward import save_for_backward
from ..passes.winograd import WAYS
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.im2col import Im2col, Im2colFilterGradient
from ..primitives.convolution.polyphase import FromPolyphase, ToPolyphase, polyphase_type
from ..primitives.convolution.squares import ConvolveSquares, TransformFiltersOfSquares
from ..primitives.convolution.taps import ConvolveByTap, FilterGradientByTap
from ..primitives.convolution.winograd_one import WinogradFilters, WinogradOneImage, pieces, strips_together
from ..record import record
from ..words.conv import kernel_parameters
from ..words.costs import Cost
from . import remember
from .blas import single_thread
from .load import BoundProgram, bind

ROUNDS, MOST_ROUNDS = 7, 100
ENOUGH = 0.06  # seconds after which the plans of a question have had rounds enough, where there were ROUNDS
Times = dict[str, dict[str, float]]
Clock = Callable[[], float]

# the processor's time of this thread, which others on the machine disturb least, where the system counts it finely
CLOCK: Clock = thread_time if get_clock_info("thread_time").resolution < 1e-5 else perf_counter


@record
class Filled(Op):
    """A value without computation: any numbers in its memory."""

    kind: TensorType

    def type(self) -> TensorType:
        return self.kind

    def emit(self, node: Node, e: PlanWriter) -> None:
        """Nothing has to be done for it."""


def tune(
    words: Graph, costs: tuple[Cost, ...], images: int, dtype: str = "float32", clock: Clock = CLOCK
) -> dict[str, Times]:
    """Measured times for a network's convolutions, `train` with their gradients and `infer` without.

    What this machine remembers is not measured again.
    """
    single_thread()
    found = {"infer": _tuned(replace(words, images=images), False, dtype, clock)}
    if costs:
        found["train"] = _tuned(replace(attach_costs(words, costs), images=images), True, dtype, clock)
    return found


def _tuned(graph: Graph, learns: bool, dtype: str, clock: Clock) -> Times:
    graph = run(graph, TRAINING if learns else INFERENCE, after="hoist_pooling")
    key = f"{remember.machine()}; {dtype}, {'with' if learns else 'without'} gradients"
    known = remember.recall(key)
    found: Times = {}
    for question, plans in questions(graph, learns):
        if set(known.get(question, {})) >= set(plans):
            found[question] = known[question]
        else:
            found[question] = measure({name: plan() for name, plan in plans.items()}, graph.images, dtype, clock)
    if new := {question: times for question, times in found.items() if times is not known.get(question)}:
        remember.remember(key, new)
    return found


def questions(graph: Graph, learns: bool) -> list[tuple[str, dict[str, Callable[[], Graph]]]]:
    """Every choice of a graph by its key, with a small graph for each method; each choice once."""
    found: dict[str, dict[str, Callable[[], Graph]]] = {}

    def ask(key: str, plans: dict[str, Callable[[], Graph]]) -> None:
        if len(plans) > 1:
            found.setdefault(key, plans)

    for node in graph:
        op = node.op
        if not isinstance(op, (Convolve, ConvolveInputGradient)):
            continue
        x = op.x if isinstance(op, ConvolveInputGradient) else graph.type(node.inputs[0])
        filters_made = graph.type(node.inputs[1])["f"]
        c = Convolution(op.geometry, x, filters_made, op.groups, graph.images, learns=learns)
        first = isinstance(graph[node.inputs[0]].op, Input)
        if learns:
            ask(filter_key(c), {m.name: partial(filter_graph, c, m.name) for m in possible(c, FILTERS)})
        if learns and not (first and isinstance(op, Convolve)):
            ask(input_key(c), {m.name: partial(input_graph, c, m.name) for m in possible(c, INPUT)})
        if isinstance(op, Convolve) or (learns and PHASES in (m.name for m in possible(c, LAYER))):
            c = replace(c, first=first and isinstance(op, Convolve))
            ask(str(c), {m.name: partial(layer_graph, c, m.name, learns) for m in possible(c, LAYER)})
    return list(found.items())


def layer_graph(c: Convolution, method: str, learns: bool) -> Graph:
    """A layer by a method; where it learns with the gradients of its filters, and of its input where wanted."""
    b = Builder()
    forced = {str(replace(c, first=False)): {m.name: float(m.name != method) for m in possible(c, LAYER)}}
    way = WAYS.get(method)
    turned = way is not None and c.y["w"] % 4 > 0  # a last tile is partly empty, and images stay in their own order

    def operand(kind: TensorType, name: str, turned: bool) -> str:
        value = b.add(Filled(polyphase_type(kind) if way and not turned else kind), name=name)
        return b.add(ToPolyphase(), value, name=f"{name}.as_polyphase") if turned else value

    def left(value: str, kind: TensorType) -> None:
        if turned:
            b.add(FromPolyphase(kind["w"]), value, name=f"{value}.in_order")

    x = operand(c.x, "x", turned or (way is not None and c.first))
    w = b.add(Weight(filters(c)), name="w")
    dense = method == "dense"
    if method in ("Winograd of one", "squares"):
        one = method == "Winograd of one"
        u = b.add(WinogradFilters(pieces(c.y)) if one else TransformFiltersOfSquares(*c.x.spatial), w, name="u")
        y = b.add(WinogradOneImage(c.geometry, strips_together(c.y)) if one else ConvolveSquares(), x, u, name="y")
        return b.graph((), (), cost=y, updates={"x": "x"})
    op: Op = way(c.geometry, c.x["w"]) if way else Convolve(c.geometry, c.groups, dense=dense)
    if method == "tap by tap":
        op = ConvolveByTap(c.geometry)
    y = b.add(op, x, w, name="y")
    left(y, c.y)
    if not learns:
        made = b.graph((), (), cost=y, updates={"x": "x"}, images=c.images, measured=forced)
        return lower_convolutions(depthwise_bands(few_pixels_at_once(winograd_phases(made))))
    dy = operand(c.y, "dy", turned)
    if way:
        dx, dw = b.nodes[y].op.gradient(b.nodes[y], dy, b)
        assert dx is not None
        left(dx, c.x)
    else:
        to_filters: Op = ConvolveFilterGradient(c.geometry, c.groups, b.type(w), dense=dense)
        if method == "tap by tap":
            to_filters = FilterGradientByTap(c.geometry, b.type(w))
        dw = b.add(to_filters, x, dy, name="dw")
        if not c.first:
            b.add(ConvolveInputGradient(c.geometry, c.groups, c.x, dense=dense), dy, w, name="dx")
    assert dw is not None
    held = {"x": "x", "dy": "dy"}
    made = b.graph((), (), cost=y, gradients={w: dw}, updates=held, images=c.images, measured=forced)
    return lower_convolutions(depthwise_bands(flip_input_gradients(winograd_phases(save_for_backward(made)))))


def input_graph(c: Convolution, method: str) -> Graph:
    """The gradient of a layer's input by a method."""
    b = Builder()
    dy = b.add(Filled(c.y), name="dy")
    w = b.add(Weight(filters(c)), name="w")
    dx = b.add(ConvolveInputGradient(c.geometry, c.groups, c.x), dy, w, name="dx")
    forced = {input_key(c): {m.name: float(m.name != method) for m in possible(c, INPUT)}}
    made = b.graph((), (), cost=dx, updates={"dy": dy}, images=c.images, measured=forced)
    return lower_convolutions(depthwise_bands(flip_input_gradients(made)))


def filter_graph(c: Convolution, method: str) -> Graph:
    """The gradient of a layer's filters by a method; the columns are there already, from the layer."""
    b = Builder()
    kind = b.add(Weight(filters(c)), name="w")
    dy = b.add(Filled(c.y), name="dy")
    op = ConvolveFilterGradient(c.geometry, c.groups, b.type(kind))
    if method == "tap by tap":
        x = b.add(Filled(c.x), name="x")
        dw = b.add(FilterGradientByTap(c.geometry, b.type(kind)), x, dy, name="dw")
    elif no_im2col(c):
        x = b.add(Filled(c.x), name="x")
        dw = b.add(op.changed(at_once=method == "at once"), x, dy, name="dw")
    else:
        columns = Im2col(c.geometry, c.groups)
        x = b.add(Filled(columns.type(c.x)), name="x")
        dw = b.add(Im2colFilterGradient(columns, op.w, method == "at once"), x, dy, name="dw")
    return b.graph((), (), cost=dw, updates={"dy": dy, "x": x}, images=c.images)


def filters(c: Convolution) -> Parameter:
    kernel = c.geometry.kernel[-len(c.x.spatial) :]
    return kernel_parameters(c.filters, c.channels, kernel, False, "zeros")[0]


def measure(plans: Mapping[str, Graph], images: int, dtype: str, clock: Clock = CLOCK) -> dict[str, float]:
    """The fewest seconds of each plan, all of them in turn after a round that warms up."""
    steps = {name: step(graph, images, dtype) for name, graph in plans.items()}
    for once in steps.values():
        once()
    fewest, spent, rounds = dict.fromkeys(plans, inf), 0.0, 0
    while rounds < ROUNDS or (spent < ENOUGH and rounds < MOST_ROUNDS):
        for name, once in steps.items():
            start = clock()
            once()
            seconds = clock() - start
            fewest[name] = min(fewest[name], seconds)
            spent += seconds
        rounds += 1
    return fewest


def step(graph: Graph, images: int, dtype: str) -> Callable[[], None]:
    """What runs a small graph once, on random numbers."""
    program = generate(graph, images, images, dtype)
    kind = np.dtype(dtype)
    random = np.random.default_rng(0)

    def numbers(count: int) -> np.ndarray:
        return random.standard_normal(count, kind)

    weight = graph["w"].op
    assert isinstance(weight, Weight)
    shape = weight.parameter.stored_shape
    count = weight.type().elements
    bound: BoundProgram = bind(
        program,
        dtype,
        numbers(-(-program.arena_bytes // kind.itemsize)).view("uint8"),
        np.zeros(program.prepared_bytes, "uint8"),
        {"w": numbers(count).reshape(shape)},
        {"w": numbers(count).reshape(shape)} if graph.gradients else None,
        {},
        {},
        {},
        {},
    )
    if bound.prepare is not None:
        bound.prepare(bound.b, bound.p)

    def once() -> None:
        bound.forward(bound.b, bound.p)
        if bound.backward is not None:
            bound.back()

    return once
