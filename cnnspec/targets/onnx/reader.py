"""From the steps of an ONNX model to a graph of words, with its weights.

ONNX moves numbers between axes where our words know what they mean: a pooled pixel is (c, 1, 1) there and a
vector here, a flattened image goes straight into `dense`. So a value is kept with the shape in which the
model sees it (`Seen`), and becomes another word (`flatten`, `reshape`) only where one needs it in that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...diagnostics import Fault
from ...ir import Builder, Graph, TensorType, data
from ...ir.fields import Number, settings
from ...ir.leaves import Input
from ...ir.op import Op
from ...passes.dead_code import eliminate_dead_code
from ...words import WORDS
from .constants import fold
from .page import INIT
from .patterns import group
from .steps import Step, Steps, first_line, needed, refuse

Shape = tuple[int, ...]
Pads = list[tuple[int, int]]


@dataclass(frozen=True)
class Seen:
    """One of our values as the model sees it: its numbers in `shape`, the axes then taken in the order `perm`."""

    value: str
    shape: Shape
    perm: Shape

    @property
    def sizes(self) -> Shape:
        """Sizes of one image, in the model's order."""
        return tuple(self.shape[axis] for axis in self.perm)

    @property
    def straight(self) -> bool:
        return self.perm == tuple(range(len(self.perm)))


def seen(value: str, shape: Shape) -> Seen:
    return Seen(value, shape, tuple(range(len(shape))))


@dataclass(frozen=True)
class Margin:
    """Padding that waits for a window to take it as its own: how much before and after each side, and of what."""

    step: Step
    sides: tuple[tuple[int, int], ...]
    filler: float


@dataclass(frozen=True)
class Network:
    """What a model says in our words; `sources` tells the ONNX value behind each of ours."""

    graph: Graph
    weights: dict[str, np.ndarray]
    sources: dict[str, str]


class Reader:
    """Translates one model; `operators` tells what each operator becomes (the table of operators.py)."""

    def __init__(
        self, model: Steps, inputs: dict[str, Shape], operators: Mapping[str, Callable[[Reader, Step], object]]
    ) -> None:
        self.operators = operators
        self.model = model
        self.opset = model.opset
        self.b = Builder()
        self.known: dict[str, np.ndarray] = dict(model.arrays)
        self.values: dict[str, Seen] = {}
        self.margins: dict[str, Margin] = {}  # of values that are kept without their padding
        self.weights: dict[str, np.ndarray] = {}
        self.owners: dict[tuple[Any, ...], str] = {}  # the first node with an operator and arrays
        self.sources: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.origins: dict[str, str] = {}  # constants that are another one in other axes
        self.inputs = []
        for count, (name, shape) in enumerate(inputs.items(), 1):
            ours = self.b.add(Input(data(*shape)), name="input" if len(inputs) == 1 else f"input{count}")
            self.inputs.append(ours)
            self.values[name] = seen(ours, shape)
            self.sources[ours] = name

    def run(self) -> Network:
        model = self.model
        self.model = model = replace(model, steps=self.folded(model.steps))
        model = replace(model, steps=group(model, self.known))
        self.readers: dict[str, int] = {}
        steps = needed(model)
        for step in steps:
            for name in step.inputs:
                self.readers[name] = self.readers.get(name, 0) + 1
        for name in model.outputs:
            self.readers[name] = self.readers.get(name, 0) + 1
        for step in steps:
            if all(name in self.known for name in step.outputs if name):
                continue
            if self.computable(step) and self.compute(step):
                continue
            operator = self.operators.get(step.op)
            if operator is None:
                refuse("CNN503", f"no word says what {step} does")
            try:
                self.operate(step, operator)
            except Fault as fault:
                refuse("CNN504", f"{step}: {fault.message}")
            except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
                refuse("CNN502", f"{step} is malformed: {first_line(error)}")
        outputs = tuple(self.plain(self.at(name, "an output")) for name in model.outputs)
        graph = eliminate_dead_code(self.b.graph(tuple(self.inputs), outputs))
        kept = {f"{node.owner}.{p.name}" for node in graph for p in node.op.parameters(*graph.types(node))}
        weights = {name: array for name, array in self.weights.items() if name in kept}
        return Network(graph, weights, self.sources)

    def folded(self, steps: list[Step]) -> list[Step]:
        """The steps that are left when those that need no image are computed."""
        return [step for step in steps if not (self.computable(step) and self.compute(step))]

    def computable(self, step: Step) -> bool:
        known = all(name in self.known for name in step.inputs if name)
        return step.op == "Constant" or (known and bool(step.inputs))

    def compute(self, step: Step) -> bool:
        """Compute a step whose inputs are known, if it is one that can be."""
        found = fold(step, [self.known.get(name) for name in step.inputs])
        if found is None:
            return False
        self.known[step.outputs[0]] = found
        if step.op in ("Identity", "Unsqueeze", "Squeeze"):
            self.origins[step.outputs[0]] = self.origins.get(step.inputs[0], step.inputs[0])
        return True

    def operate(self, step: Step, operator: Callable[[Reader, Step], object]) -> None:
        """Translate a step."""
        made = operator(self, step)
        if isinstance(made, Seen):
            self.values[step.outputs[0]] = made
            self.sources.setdefault(made.value, step.outputs[0])
        for name in step.outputs[1:]:
            if name and self.readers.get(name) and name not in self.values:
                refuse("CNN504", f"{step} has a further output `{name}` that the network uses")

    # ---- what operators read -----------------------------------------------------------------------

    def at(self, name: str, whose: object) -> Seen:
        """The value of that name."""
        if name in self.margins:
            self.values[name] = self.bordered(self.values[name], self.margins.pop(name))
        if name in self.values:
            return self.values[name]
        if name in self.known:
            refuse("CNN504", f"{whose} is a constant, `{name}`, where a value of the network belongs")
        refuse("CNN502", f"{whose} reads `{name}`, which nothing makes")

    def with_margin(self, step: Step, filler: float) -> tuple[str, list[tuple[int, int]] | None]:
        """The first input as an image, and the padding that waits for the step, where it is by that filler."""
        margin = self.margins.get(step.input(0))
        if margin is None or margin.filler != filler:
            return self.image(step), None
        return self.plain(self.values[step.input(0)]), list(margin.sides)

    def bordered(self, value: Seen, margin: Margin) -> Seen:
        """A value with padding that no window takes."""
        if margin.filler:
            refuse("CNN504", f"{margin.step} pads by {margin.filler:g}; `pad` does by zeros")
        made = padded(self, margin.step, self.plain(value), 0, list(margin.sides))
        return seen(made, self.type(made).shape)

    def summands(self, value: str) -> list[str]:
        """What a value is the sum of, through sums that nobody else reads; the value alone where it is none."""
        node = self.b.nodes[value]
        if node.op.word != "add" or self.readers.get(self.sources.get(value, ""), 0) != 1:
            return [value]
        return [part for branch in node.inputs for part in self.summands(branch)]

    def array(self, step: Step, index: int, what: str) -> np.ndarray:
        """An input that must be known."""
        name = step.input(index)
        if name not in self.known:
            refuse("CNN504", f"{step} computes its {what}, which must be a constant")
        return self.known[name]

    def optional(self, step: Step, index: int, what: str) -> np.ndarray | None:
        return self.array(step, index, what) if step.input(index) else None

    def type(self, value: str) -> TensorType:
        return self.b.type(value)

    def plain(self, value: Seen) -> str:
        """Our value in exactly the shape in which the model sees it; another word where it takes one."""
        if not value.straight:
            refuse(
                "CNN504",
                f"the model goes on with axes in another order ({order(value)}), for which there is no word",
            )
        if self.type(value.value).shape == value.shape:
            return value.value
        if not 1 <= len(value.shape) <= 3:
            refuse(
                "CNN504",
                f"the model goes on with a value of {len(value.shape) + 1} axes; at most 4 have a meaning here",
            )
        op = word("flatten") if len(value.shape) == 1 else word("reshape", value.shape)
        for node in self.b.nodes.values():
            if node.op == op and node.inputs == (value.value,):
                return node.name
        return self.add(op, value.value)

    def image(self, step: Step, index: int = 0) -> str:
        """An input as an image, a sequence or a vector of the model's own shape."""
        return self.plain(self.at(step.input(index), step))

    def loose(self, step: Step, index: int = 0) -> Seen:
        """An input of an operator that minds no shape: a pooled pixel, or other axes, stay as they are."""
        value = self.at(step.input(index), step)
        kind = self.type(value.value)
        pooled = kind.kind == "vector" and value.shape[:1] == kind.shape
        if pooled or kind.shape == value.shape:
            return value
        return seen(self.plain(value), value.shape)

    # ---- what operators make -----------------------------------------------------------------------

    def add(self, op: Op, *inputs: str, **parts: Any) -> str:
        """Add a word; names are given out as the language does."""
        self.counts[op.word] = self.counts.get(op.word, 0) + 1
        return self.b.add(op, *inputs, name=f"{op.word}{self.counts[op.word]}", **parts)

    def made(self, op: Op, *inputs: str, **parts: Any) -> Seen:
        value = self.add(op, *inputs, **parts)
        return seen(value, self.type(value).shape)

    def learnt(self, step: Step, op: Op, x: str, arrays: dict[str, np.ndarray], sources: tuple[str, ...]) -> Seen:
        """Add a word with weights; one set where two steps name the same arrays."""
        if step.notes.get(INIT) and hasattr(op, "init"):
            op = initialised(op, step.notes[INIT])
        key = (op, tuple(self.origins.get(name, name) for name in sources), self.type(x)["c"])
        owner = self.owners.get(key, "")
        made = self.made(op, x, weights=owner)
        self.owners.setdefault(key, made.value)
        for parameter in op.parameters(self.type(x)):
            array = arrays[parameter.name]
            if array.shape != parameter.type.shape:
                wanted, found = parameter.type, "x".join(map(str, array.shape))
                refuse("CNN502", f"{step} has a {parameter.name} of {found} where {wanted} belongs")
            if not owner:
                self.weights[f"{made.value}.{parameter.name}"] = np.array(
                    array, dtype=np.promote_types(array.dtype, "f4")
                )
        return made

    def rescaled(self, value: Seen, array: np.ndarray, name: str, unused: float) -> Seen | None:
        """A constant after a normalisation as its own scale or shift, if it has made no use of that so far."""
        node = self.b.nodes[value.value]
        full = f"{node.name}.{name}"
        once = self.readers.get(self.sources.get(node.name, ""), 0) == 1 and not node.weights
        wanted = tuple(node.type["c"] if axis == 0 else 1 for axis in value.perm)
        if not once or (self.weights[full] != unused).any() or stripped(array.shape) != stripped(wanted):
            return None
        self.weights[full] = floats(array).reshape(-1)
        self.owners = {key: owner for key, owner in self.owners.items() if owner != node.name}
        return value

    def like(self, value: Seen, made: str) -> Seen:
        """A value made number by number from another, seen as that one is."""
        return Seen(made, value.shape, value.perm)

    def biased(self, step: Step, value: Seen, bias: np.ndarray) -> Seen | None:
        """A constant added to what a layer without bias made, as its bias; None where it cannot be one."""
        node = self.b.nodes[value.value]
        if node.op.word in ("groupnorm", "layernorm"):
            return self.rescaled(value, bias, "bias", 0)
        filters = node.type.shape[0] if node.type.shape else 0
        once = self.readers.get(self.sources.get(node.name, ""), 0) == 1
        if not once or node.weights or node.op.word not in ("conv", "dwconv", "dense") or node.op.bias:  # type: ignore[attr-defined]
            return None
        wanted = tuple(filters if axis == 0 else 1 for axis in value.perm)
        if bias.size == 1:
            bias = np.full(filters, bias.reshape(()))
        elif (bias.shape[-len(wanted) :] if bias.ndim > len(wanted) else bias.shape) not in (
            wanted,
            stripped(wanted),
        ):
            return None
        self.b.nodes[node.name] = replace(node, op=node.op.changed(bias=True))
        self.weights[f"{node.name}.bias"] = floats(bias).reshape(filters)
        self.owners = {key: owner for key, owner in self.owners.items() if owner != node.name}
        return value


def word(name: str, *size: Any, **settings: Any) -> Op:
    """A word with its size and settings."""
    made: Any = WORDS[name]
    return made(*size, **settings)


def floats(array: np.ndarray) -> np.ndarray:
    """Weights as float32, or as float64 where they are."""
    return np.array(array, np.promote_types(array.dtype, np.float32))


def stripped(shape: Shape) -> Shape:
    """A shape without the ones that it begins with."""
    while shape[:1] == (1,):
        shape = shape[1:]
    return shape


def initialised(op: Op, init: str) -> Op:
    """A word with the initialiser that a note names, if there is such a one."""
    kind = settings(type(op))["init"].metadata["kind"]
    try:
        return op.changed(init=kind.read(float(init) if isinstance(kind, Number) else init))
    except (Fault, ValueError):
        return op


def order(value: Seen) -> str:
    return ", ".join(["n", *("chw"[axis] if axis < 3 else "?" for axis in value.perm)])


def axis_of(value: Seen, axis: int) -> int:
    """Which of our axes (0 is c) the model's axis is; -1 for the batch."""
    rank = len(value.perm) + 1
    axis = axis % rank
    return value.perm[axis - 1] if axis else -1


def padded(r: Reader, step: Step, x: str, channels: int, pads: Any) -> str:
    """The image with zeros around it, or with less of it where a number is negative.

    `crop` cuts an odd pixel off below, so what is one less below than above can be said too.
    """
    if not sayable(pads):
        refuse("CNN504", f"{step} pads by {pads}, before and after each side, for which there is no word")
    sides = [max(before, 0) for before, _ in pads]
    left = tuple(n + before + after for n, (before, after) in zip(r.type(x).spatial, pads, strict=True))
    if any(sides) or channels:
        size = sides[0] if len(set(sides)) == 1 else tuple(sides)
        x = r.add(word("pad", size, channels=channels), x)
    return x if r.type(x).spatial == left else r.add(word("crop", left), x)


def sayable(pads: Pads) -> bool:
    return all(before - after in (0, 1) for before, after in pads)
