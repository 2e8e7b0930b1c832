"""Joins: several branches become one value."""

from __future__ import annotations

from collections.abc import Sequence

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.op import Array, Decomposer, GraphBuilder, Node, Op, PlanWriter
from ..primitives.merge import Channels, MaxGradient, Product, Scale, pairwise
from ..primitives.windows import Negate
from ..record import record


@record
class Join(Op):
    """The base of joins: two or more inputs of equal shape."""

    family = "join"
    account = "join"
    join = True
    layout_agnostic = True
    any_order = True

    def type(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        for number, other in enumerate(inputs[1:], 1):
            if other.axes != first.axes:
                because = (("input0", f"this one gives {first}"),)
                raise Fault.of("CNN101", f"input{number}", "", because, word=self.word, first=first, other=other)
        return first

    def flops(self, *inputs: TensorType) -> int:
        return inputs[0].elements * (len(inputs) - 1)


@record
class Add(Join):
    """The sum of the branches; shapes must be equal, nothing is broadcast or projected."""

    word = "add"
    example = "add( conv 3x3x3 pad same | id )"
    aliases = ("sum", "plus")
    can_alias = (0, 1)

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (dy,) * len(node.inputs)

    def evaluate(self, *inputs: Array) -> Array:
        return sum(inputs[1:], inputs[0])

    def emit(self, node: Node, e: PlanWriter) -> None:
        pairwise(node, e, kernels.np.add)


@record
class Mean(Join):
    """The mean of the branches."""

    word = "mean"
    example = "mean( relu | id | tanh )"
    aliases = ("average",)

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        part = b.add(Scale(1 / len(node.inputs)), dy, name=f"{node.name}.part", like=node)
        return (part,) * len(node.inputs)

    def evaluate(self, *inputs: Array) -> Array:
        return sum(inputs[1:], inputs[0]) / len(inputs)

    def emit(self, node: Node, e: PlanWriter) -> None:
        pairwise(node, e, kernels.np.add)
        e.call(kernels.np.multiply, e[node.name], e.number(1 / len(node.inputs)), out=e[node.name])


@record
class Max(Join):
    """The largest of the branches, number by number; a tie goes to the first."""

    word = "max"
    example = "max( conv 4x3x3 | conv 4x3x3 )"

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        """The gradient of branch k is dy where it is the first that equals the maximum."""
        return tuple(
            b.add(MaxGradient(k), dy, node.name, *node.inputs[: k + 1], name=f"{node.name}.d{k}", like=node)
            for k in range(len(node.inputs))
        )

    def evaluate(self, *inputs: Array) -> Array:
        import numpy as np

        return np.maximum.reduce(inputs)

    def emit(self, node: Node, e: PlanWriter) -> None:
        pairwise(node, e, kernels.np.maximum)


@record
class Min(Join):
    """The smallest of the branches, number by number; a tie goes to the first."""

    word = "min"
    example = "min( conv 4x3x3 | conv 4x3x3 )"
    aliases = ("minimum",)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        negated = [b.add(Negate(), x, name=f"{node.name}.negated{k}", like=node) for k, x in enumerate(inputs)]
        largest = b.add(Max(), *negated, name=f"{node.name}.largest", like=node)
        return b.add(Negate(), largest, name=node.name, like=node)


@record
class Sub(Join):
    """The first branch less the others; shapes must be equal."""

    word = "sub"
    example = "sub( id | avgpool 3 stride 1 pad 1 )"
    aliases = ("subtract", "minus", "difference")

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        first, *others = inputs
        negated = [b.add(Negate(), x, name=f"{node.name}.negated{k}", like=node) for k, x in enumerate(others)]
        return b.add(Add(), first, *negated, name=node.name, like=node)


@record
class Mul(Op):
    """The product of two branches; one may be a gate: a number for each channel (cx1x1 or c) or pixel (1xhxw)."""

    word = "mul"
    family = "join"
    account = "join"
    join = True
    example = "mul( id | gap -> dense 3 -> sigmoid -> reshape 3x1x1 )"
    aliases = ("multiply", "prod", "gate")

    def type(self, *inputs: TensorType) -> TensorType:
        full = max(inputs, key=lambda t: (t.elements, len(t.axes)))
        for number, other in enumerate(inputs):
            within = other["c"] in (1, full["c"]) and (set(other.spatial) <= {1} or other.spatial == full.spatial)
            gate = within and other.kind in (full.kind, "vector")
            if other.axes != full.axes and not gate:
                second = inputs[1] if number == 0 else other
                raise Fault.of(
                    "CNN101",
                    f"input{number}",
                    "gate",
                    gates=gates(full),
                    first=inputs[0],
                    second=second,
                    other=other,
                )
        return full

    def flops(self, *inputs: TensorType) -> int:
        return self.type(*inputs).elements * (len(inputs) - 1)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        """A product of two at a time, the larger first."""
        ordered = sorted(inputs, key=lambda value: b.type(value).axes != node.type.axes)
        product, *rest = ordered
        for number, value in enumerate(rest):
            name = node.name if number == len(rest) - 1 else f"{node.name}.product"
            product = b.add(Product(), product, value, name=name, like=node)
        return product


def gates(full: TensorType) -> str:
    """The gates that a value takes: `4x1x1 or 1x8x8`."""
    channels = "x".join(map(str, (full["c"], *[1] * len(full.spatial))))
    return f"{channels} or {'x'.join(map(str, (1, *full.spatial)))}"


@record
class Concat(Op):
    """The branches' channels one after the other; height and width must agree."""

    word = "concat"
    family = "join"
    join = True
    row_by_row = True
    example = "concat( conv 4x1x1 | conv 4x3x3 pad same )"
    account = "concat"
    aliases = ("cat", "concatenate", "stack")

    def type(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        for number, other in enumerate(inputs[1:], 1):
            if other.kind != first.kind or other.spatial != first.spatial:
                because = (("input0", f"this one gives {first}"),)
                raise Fault.of("CNN101", f"input{number}", "concat", because, first=first, other=other)
        return first.resized(first.spatial, sum(x["c"] for x in inputs))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def starts(self, types: Sequence[TensorType]) -> list[int]:
        starts = [0]
        for kind in types:
            starts.append(starts[-1] + kind["c"])
        return starts

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        types = [b.type(value) for value in node.inputs]
        starts = self.starts(types)
        return tuple(
            b.add(Channels(starts[k], starts[k + 1], kind), dy, name=f"{node.name}.d{k}", like=node)
            for k, kind in enumerate(types)
        )

    def evaluate(self, *inputs: Array) -> Array:
        import numpy as np

        return np.concatenate(inputs, axis=1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        starts = self.starts([e.type(value) for value in node.inputs])
        before = ":, " if len(e.shape(node.name)) > 2 else ""
        for k, value in enumerate(node.inputs):
            part = e.view(f"part{k}", f"{e[node.name]}[{before}{starts[k]}:{starts[k + 1]}]")
            e.call(kernels.np.copyto, part, e[value])


OPS: tuple[type[Op], ...] = (Add, Concat, Mul, Max, Min, Mean, Sub)
