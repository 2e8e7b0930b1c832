"""`--tune`: the methods by which each convolution may be computed, timed on this machine.

Every distinct convolution of a network that leaves a choice (`passes/methods.py`) becomes a plan of its own, once
by each method: the layer and, where something is learnt, its gradients. The plans take turns for a few rounds; the
medians are what the passes then choose by, and are remembered (`remember.py`). The ways into polyphase rows and out
of them are not counted: in a network, a chain of layers stays in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from statistics import median
from time import get_clock_info, perf_counter, thread_time

import numpy as np

from ..codegen.program import generate
from ..ir import Builder, Graph, Node, TensorType
from ..ir.leaves import Input, Weight
from ..ir.op import Op, Parameter, PlanWriter
from ..passes import INFERENCE, TRAINING, run
from ..passes.convolutions import flip_input_gradients, lower_convolutions
from ..passes.decompose import attach_costs
from ..passes.methods import FILTERS, INPUT, LAYER, Convolution, filter_key, input_key, no_im2col, possible
from ..passes.save_for_backward import save_for_backward
from ..passes.winograd import WAYS
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.im2col import Im2col, Im2colFilterGradient
from ..primitives.convolution.polyphase import polyphase_type
from ..record import record
from ..words.conv import kernel_parameters
from ..words.costs import Cost
from . import remember
from .blas import single_thread
from .load import BoundProgram, bind

ROUNDS = 7
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
        c = Convolution(op.geometry, x, graph.type(node.inputs[1])["f"], op.groups, graph.images)
        first = isinstance(graph[node.inputs[0]].op, Input)
        if learns:
            ask(filter_key(c), {m.name: partial(filter_graph, c, m.name) for m in possible(c, FILTERS)})
        if learns and not (first and isinstance(op, Convolve)):
            ask(input_key(c), {m.name: partial(input_graph, c, m.name) for m in possible(c, INPUT)})
        if isinstance(op, Convolve):
            c = replace(c, first=first)
            ask(str(c), {m.name: partial(layer_graph, c, m.name, learns) for m in possible(c, LAYER)})
    return list(found.items())


def layer_graph(c: Convolution, method: str, learns: bool) -> Graph:
    """A layer by a method; where it learns with the gradients of its filters, and of its input where wanted."""
    b = Builder()
    way = WAYS.get(method)
    x = b.add(Filled(polyphase_type(c.x) if way else c.x), name="x")
    w = b.add(Weight(filters(c)), name="w")
    dy = b.add(Filled(polyphase_type(c.y) if way else c.y), name="dy") if learns else ""
    dense = method == "dense"
    op = way(c.geometry, c.x["w"]) if way else Convolve(c.geometry, c.groups, dense=dense)
    y = b.add(op, x, w, name="y")
    if not learns:
        return lower_convolutions(b.graph((), (), cost=y, updates={"x": x}))
    if way:
        _, dw = b.nodes[y].op.gradient(b.nodes[y], dy, b)
    else:
        dw = b.add(ConvolveFilterGradient(c.geometry, c.groups, b.type(w), dense=dense), x, dy, name="dw")
        if not c.first:
            b.add(ConvolveInputGradient(c.geometry, c.groups, c.x, dense=dense), dy, w, name="dx")
    assert dw is not None
    made = b.graph((), (), cost=y, gradients={w: dw}, updates={"x": x, "dy": dy}, images=c.images)
    return lower_convolutions(flip_input_gradients(save_for_backward(made)))


def input_graph(c: Convolution, method: str) -> Graph:
    """The gradient of a layer's input by a method."""
    b = Builder()
    dy = b.add(Filled(c.y), name="dy")
    w = b.add(Weight(filters(c)), name="w")
    dx = b.add(ConvolveInputGradient(c.geometry, c.groups, c.x), dy, w, name="dx")
    forced = {input_key(c): {m.name: float(m.name != method) for m in possible(c, INPUT)}}
    made = b.graph((), (), cost=dx, updates={"dy": dy}, images=c.images, measured=forced)
    return lower_convolutions(flip_input_gradients(made))


def filter_graph(c: Convolution, method: str) -> Graph:
    """The gradient of a layer's filters by a method; the columns are there already, from the layer."""
    b = Builder()
    kind = b.add(Weight(filters(c)), name="w")
    dy = b.add(Filled(c.y), name="dy")
    op = ConvolveFilterGradient(c.geometry, c.groups, b.type(kind))
    if no_im2col(c):
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
    """Median seconds of each plan, all of them in turn for a few rounds after one that warms up."""
    steps = {name: step(graph, images, dtype) for name, graph in plans.items()}
    seconds: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(1 + ROUNDS):
        for name, once in steps.items():
            start = clock()
            once()
            seconds[name].append(clock() - start)
    return {name: median(times[1:]) for name, times in seconds.items()}


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
