"""From the steps of an ONNX model to a graph of words, with its weights.

ONNX moves numbers between axes where our words know what they mean: a pooled pixel is (c, 1, 1) there and a
vector here, a flattened image goes straight into `dense`. So a value is kept with the shape in which the
model sees it (`Seen`), and becomes another word (`flatten`, `reshape`) only where one needs it in that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeVar

import numpy as np

from ...diagnostics import Diagnostic, Fault, SpecError
from ...ir import Builder, Graph, TensorType, data
from ...ir.fields import Number, settings
from ...ir.leaves import Input
from ...ir.op import Op
from ...passes.dead_code import eliminate_dead_code
from ...train.tensors import shown
from .constants import fold
from .layout import padded, straightened
from .obstacles import OF_BATCHES, Obstacle, grouped, inferred, longest_part, unsaid
from .page import INIT
from .patterns import group
from .steps import Step, Steps, first_line, needed, refuse
from .values import Margin, Seen, Shape, Waiting, order, seen, word

T = TypeVar("T")


@dataclass(frozen=True)
class Network:
    """What a model says in our words; `sources` tells the ONNX value behind each of ours.

    `notes` tell where the model has its axes in another order than the network.
    """

    graph: Graph
    weights: dict[str, np.ndarray]
    sources: dict[str, str]
    notes: tuple[str, ...] = ()
    sizes: tuple[Shape, ...] = ()  # of an image of each output, as the model sees it
    missing: tuple[Diagnostic, ...] = ()  # of a part: what stands in the way of the rest


SIZES = {  # what may be done with an open size, so that -1 still stands for it
    *(
        "Identity",
        "Cast",
        "Gather",
        "Slice",
        "Concat",
        "Unsqueeze",
        "Squeeze",
        "Reshape",
        "Mul",
        "ReduceProd",
        "Size",
    ),
}


class Reader:
    """Translates one model; `operators` tells what each operator becomes (the table of operators.py)."""

    def __init__(
        self,
        model: Steps,
        inputs: Mapping[str, Seen],
        operators: Mapping[str, Callable[[Reader, Step], Seen | Waiting | None]],
    ) -> None:
        self.operators = operators
        self.model = model
        self.opset = model.opset
        self.lead = 0 if model.lone else 1  # axes of the model before those of an image: the batch's
        self.b = Builder()
        self.known: dict[str, np.ndarray] = dict(model.arrays)
        self.values: dict[str, Seen] = {}
        self.names: dict[str, list[str]] = {}  # by our value: what the model calls it
        self.margins: dict[str, Margin] = {}  # of values that are kept without their padding
        self.open_sizes: set[str] = set()  # known arrays in which the batch stands as -1
        self.waiting: dict[str, Waiting] = {}  # what becomes a value when something reads it
        self.notes: list[str] = list(model.notes)
        self.weights: dict[str, np.ndarray] = {}
        self.owners: dict[tuple[Any, ...], str] = {}  # the first node with an operator and arrays
        self.sources: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.origins: dict[str, str] = {}  # constants that are another one in other axes
        self.readers: dict[str, int] = {}
        self.obstacles: list[Obstacle] = []
        self.lost: set[str] = set()  # values that depend on an obstacle, of which nothing is known
        self.shapes: dict[str, Shape] | None = None
        self.inputs = []
        self.sizes: list[Shape] = []
        self.turned = any(not value.straight for value in inputs.values())
        for count, (name, value) in enumerate(inputs.items(), 1):
            kind = data(*value.shape) if 1 <= len(value.shape) <= 3 else data(prod(value.shape))
            ours = self.b.add(Input(kind), name="input" if len(inputs) == 1 else f"input{count}")
            self.inputs.append(ours)
            self.hold(name, replace(value, value=ours))
            if not value.straight:
                self.notes.append(f"the input {shown(name)} is ({order(value)}) in the model")

    def run(self, partial: bool = False) -> Network:
        """The network, or every obstacle as one error; with `partial` the longest part between obstacles."""
        steps = self.counted()
        for step in steps:
            self.attempt(step, self.translate)
        outputs = [self.attempt(None, self.output, name) for name in self.model.outputs if name not in self.lost]
        if not self.obstacles:
            return self.network(self.inputs, [output for output in outputs if output])
        missing = grouped(self.obstacles)
        held = [value.value for value in self.values.values()]
        part = longest_part(self.b, self.inputs, held) if partial else None
        if part is None:
            raise SpecError(missing)
        start, end = (self.sources[name] for name in (part.inputs[0], part.output))
        self.notes = [f"a part of it, from {shown(start)} to {shown(end)}"]
        return replace(self.network(part.inputs, [part.output]), missing=missing)

    def counted(self) -> list[Step]:
        """The steps that outputs need, groups made one, and how often each value is read."""
        self.model = replace(self.model, steps=self.folded(self.model.steps))
        model = replace(self.model, steps=group(self.model, self.known))
        steps = needed(model)
        for step in steps:
            for name in step.inputs if step.op != "Shape" else ():
                self.readers[name] = self.readers.get(name, 0) + 1
        for name in model.outputs:
            self.readers[name] = self.readers.get(name, 0) + 1
        return steps

    def network(self, inputs: Sequence[str], outputs: Sequence[str]) -> Network:
        """The graph from these inputs to these outputs, and the weights that it needs."""
        graph = eliminate_dead_code(self.b.graph(tuple(inputs), tuple(outputs)))
        graph = graph.with_nodes({n.name: n for n in graph if n.name in inputs or not isinstance(n.op, Input)})
        left = next((node.name for node in graph if not node.op.word and not isinstance(node.op, Input)), "")
        if left:
            refuse("CNN503", case="values", values=shown(left))
        in_use = {f"{node.owner}.{p.name}" for node in graph for p in node.op.parameters(*graph.types(node))}
        weights = {name: array for name, array in self.weights.items() if name in in_use}
        return Network(graph, weights, self.sources, tuple(self.notes), tuple(self.sizes))

    def attempt(self, step: Step | None, way: Callable[..., T], *arguments: Any) -> T | None:
        """What a step becomes; None where it is an obstacle, and noted as one."""
        if step is not None and any(name in self.lost for name in step.inputs):
            self.pass_over(step)
            return None
        try:
            return way(*((step,) if step is not None else ()), *arguments)
        except SpecError as refused:
            self.obstacles += [Obstacle(step, found) for found in refused.diagnostics]
        if step is not None:
            self.pass_over(step)
        return None

    def pass_over(self, step: Step) -> None:
        """Go on from placeholders for what a step makes, where its shape is known."""
        if self.shapes is None:
            sizes = {name: value.sizes for name, value in self.values.items() if value.value in self.inputs}
            self.shapes = inferred(self.model, sizes)
        for name in filter(None, step.outputs):
            if name in self.values or name in self.known:
                continue
            if name in self.shapes:
                ours = self.b.add(Input(data(*self.shapes[name])), name=f"after {name}")
                self.hold(name, seen(ours, self.shapes[name]))
            else:
                self.lost.add(name)

    def translate(self, step: Step) -> None:
        if all(name in self.known for name in step.outputs if name):
            return
        if self.computable(step) and self.compute(step):
            return
        operator = self.operators.get(step.op)
        if operator is None:
            unsaid(step)
        if not self.lead and step.op in OF_BATCHES:
            refuse("CNN504", case="no batch here", step=step)
        try:
            self.operate(step, operator)
        except Fault as fault:
            refuse("CNN504", case="shape", step=step, fault=fault.message)
        except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
            refuse("CNN502", case="malformed", step=step, reason=first_line(error))

    def folded(self, steps: list[Step]) -> list[Step]:
        """The steps that are left when those that need no image are computed."""
        return [step for step in steps if not (self.computable(step) and self.attempt(step, self.compute))]

    def computable(self, step: Step) -> bool:
        known = all(name in self.known for name in step.inputs if name)
        if step.op == "CastLike":  # like a value of the network, that is a float
            known = step.input(0) in self.known
        return step.op == "Constant" or (known and bool(step.inputs))

    def compute(self, step: Step) -> bool:
        """Compute a step whose inputs are known, if it is one that can be."""
        unknown = self.open_sizes & set(step.inputs)
        if unknown and (step.op not in SIZES or (step.op == "Mul" and len(unknown) > 1)):
            refuse("CNN504", case="batch size", step=step)
        found = fold(step, [self.known.get(name) for name in step.inputs])
        if found is None:
            return False
        self.known[step.outputs[0]] = found
        if unknown and (found < 0).any():
            self.open_sizes.add(step.outputs[0])
        if step.op in ("Identity", "Unsqueeze", "Squeeze"):
            self.origins[step.outputs[0]] = self.origins.get(step.inputs[0], step.inputs[0])
        return True

    def operate(self, step: Step, operator: Callable[[Reader, Step], Seen | Waiting | None]) -> None:
        """Translate a step."""
        made = operator(self, step)
        if isinstance(made, Seen):
            self.hold(step.outputs[0], made)
        elif made is not None:
            self.waiting[step.outputs[0]] = made
        for name in step.outputs[1:]:
            if name and self.readers.get(name) and name not in self.values:
                refuse("CNN504", case="further output", step=step, name=name)

    def hold(self, name: str, value: Seen) -> None:
        """Keep a value under the model's name for it."""
        self.values[name] = value
        self.sources.setdefault(value.value, name)
        self.names.setdefault(value.value, []).append(name)

    def output(self, name: str) -> str:
        """An output of the model, its channels first."""
        value = self.at(name, "an output")
        last = len(value.perm) - 1
        self.sizes.append(value.sizes)
        if self.model.free and self.model.exact:
            return straightened(self, value).value
        ours = self.model.free and not self.turned  # the axes are in an order that we gave them
        if self.model.exact or ours or value.perm != (*range(1, last + 1), 0) or not last:
            return self.plain(value)
        self.notes.append(f"the output {shown(name)} is ({order(value)}) in the model")
        return self.plain(seen(value.value, value.shape))

    def axis(self, value: Seen, axis: int) -> int:
        """Which of our axes (0 is c) the model's axis is; -1 for the batch."""
        axis = axis % (len(value.perm) + self.lead) - self.lead
        return value.perm[axis] if axis >= 0 else -1

    # ---- what operators read -----------------------------------------------------------------------

    def at(self, name: str, whose: object) -> Seen:
        """The value of that name."""
        if name in self.margins or name in self.waiting:
            self.lost.add(name)  # unless it becomes a value now
            if name in self.margins:
                made = self.bordered(self.values.pop(name), self.margins.pop(name))
            else:
                made = self.waiting.pop(name).settled(self)
            self.lost.remove(name)
            self.hold(name, made)
        if name in self.values:
            return self.values[name]
        if name in self.known:
            refuse("CNN504", case="constant", reader=whose, name=name)
        refuse("CNN502", case="nothing makes", reader=whose, name=name)

    def with_margin(self, step: Step, filler: float) -> tuple[str, list[tuple[int, int]] | None]:
        """The first input as an image, and the padding that waits for the step, where it is by that filler."""
        margin = self.margins.get(step.input(0))
        if margin is None or margin.filler != filler:
            return self.image(step), None
        return self.plain(self.values[step.input(0)]), list(margin.sides)

    def bordered(self, value: Seen, margin: Margin) -> Seen:
        """A value with padding that no window takes."""
        if margin.filler:
            refuse("CNN504", case="padding by a number", step=margin.step, filler=margin.filler)
        made = padded(self, margin.step, self.upright(value), 0, list(margin.sides))
        return Seen(made, self.type(made).shape, value.perm)

    def alone(self, value: str) -> bool:
        """Whether one step reads a value, under whichever of its names: each name but one is read for the next."""
        names = self.names.get(value, [])
        return sum(self.readers.get(name, 0) for name in names) - (len(names) - 1) == 1

    def summands(self, value: str) -> list[str]:
        """What a value is the sum of, through sums that nobody else reads; the value alone where it is none."""
        node = self.b.nodes[value]
        if node.op.word != "add" or not self.alone(value):
            return [value]
        return [part for branch in node.inputs for part in self.summands(branch)]

    def array(self, step: Step, index: int, what: str) -> np.ndarray:
        """An input that must be known."""
        name = step.input(index)
        if name not in self.known:
            refuse("CNN504", case="computed", step=step, what=what)
        return self.known[name]

    def optional(self, step: Step, index: int, what: str) -> np.ndarray | None:
        return self.array(step, index, what) if step.input(index) else None

    def type(self, value: str) -> TensorType:
        return self.b.type(value)

    def plain(self, value: Seen) -> str:
        """Our value in exactly the shape in which the model sees it; another word where it takes one."""
        if self.model.free and (value.ravel or not value.straight):
            value = straightened(self, value)
        if value.ravel:
            axes = order(replace(value, perm=value.ravel, ravel=()))
            refuse("CNN504", case="row", axes=axes)
        if (
            self.type(value.value).shape == value.shape[:1] and not value.ravel
        ):  # of one pixel the axes' order is all one
            value = seen(value.value, value.sizes)
        if not value.straight:
            refuse("CNN504", case="order of axes", order=order(value))
        if self.type(value.value).shape == value.shape:
            return value.value
        if not 1 <= len(value.shape) <= 3:
            refuse("CNN504", case="axes", axes=len(value.shape) + self.lead)
        op = word("flatten") if len(value.shape) == 1 else word("reshape", value.shape)
        for node in self.b.nodes.values():
            if node.op == op and node.inputs == (value.value,):
                return node.name
        return self.add(op, value.value)

    def upright(self, value: Seen) -> str:
        """Our value, channels first, of one in whichever order of axes."""
        return self.plain(seen(value.value, value.shape) if not value.ravel else value)

    def image(self, step: Step, index: int = 0) -> str:
        """An input as an image, a sequence or a vector of the model's own shape."""
        return self.plain(self.at(step.input(index), step))

    def loose(self, step: Step, index: int = 0, any_order: bool = False) -> Seen:
        """An input of an operator that minds no shape: a pooled pixel, or other axes, stay as they are.

        With `any_order` the operator is pointwise.
        """
        value = self.at(step.input(index), step)
        if any_order and (value.ravel or self.model.free):
            return value
        kind = self.type(value.value)
        pooled = kind.kind == "vector" and value.shape[:1] == kind.shape
        if pooled or kind.shape == value.shape:
            return value
        return seen(self.plain(value), value.sizes)

    # ---- what operators make -----------------------------------------------------------------------

    def add(self, op: Op, *inputs: str, **parts: Any) -> str:
        """Add a word; names are given out as the language does."""
        self.counts[op.word] = self.counts.get(op.word, 0) + 1
        return self.b.add(op, *inputs, name=f"{op.word}{self.counts[op.word]}", **parts)

    def made(self, op: Op, *inputs: str, **parts: Any) -> Seen:
        value = self.add(op, *inputs, **parts)
        return seen(value, self.type(value).shape)

    def learnt(
        self, step: Step, op: Op, x: str, arrays: dict[str, np.ndarray], sources: tuple[str | bytes, ...]
    ) -> Seen:
        """Add a word with weights; one set where two steps name the same arrays."""
        if step.notes.get(INIT) and hasattr(op, "init"):
            op = initialised(op, step.notes[INIT])
        of = tuple(self.origins.get(name, name) if isinstance(name, str) else name for name in sources)
        key = (op, of, self.type(x)["c"])
        owner = self.owners.get(key, "")
        made = self.made(op, x, weights=owner)
        self.owners.setdefault(key, made.value)
        for parameter in op.parameters(self.type(x)):
            array = arrays[parameter.name]
            if array.shape != parameter.type.shape:
                wanted, found = parameter.type, "x".join(map(str, array.shape))
                refuse("CNN502", case="attribute", step=step, attribute=parameter.name, found=found, wanted=wanted)
            if not owner:
                self.weights[f"{made.value}.{parameter.name}"] = np.array(
                    array, dtype=np.promote_types(array.dtype, "f4")
                )
        return made

    def like(self, value: Seen, made: str) -> Seen:
        """A value made number by number from another, seen as that one is."""
        return replace(value, value=made)


def initialised(op: Op, init: str) -> Op:
    """A word with the initialiser that a note names, if there is such a one."""
    kind = settings(type(op))["init"].metadata["kind"]
    try:
        return op.changed(init=kind.read(float(init) if isinstance(kind, Number) else init))
    except (Fault, ValueError):
        return op
