"""Joins: several branches become one value."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.op import Op
from ..record import record


@record
class Join(Op):
    """What joins share: two or more inputs of equal shape."""

    family = "join"
    join = True
    layout_agnostic = True
    any_order = True

    def type(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        for number, other in enumerate(inputs[1:], 1):
            if other.axes != first.axes:
                raise Fault(
                    "CNN101",
                    f"`{self.word}` needs branches of equal shape, got {first} and {other}",
                    at=f"input{number}",
                    label=f"this branch gives {other}",
                    because=(("input0", f"this one gives {first}"),),
                )
        return first

    def flops(self, *inputs: TensorType) -> int:
        return inputs[0].elements * (len(inputs) - 1)


def pairwise(node, e, function: str) -> None:
    """out = a op b op c ..., one call for each further input."""
    first, *rest = node.inputs
    out = e[node.name]
    e.line(f"{function}({e[first]}, {e[rest[0]]}, out={out})")
    for value in rest[1:]:
        e.line(f"{function}({out}, {e[value]}, out={out})")


@record
class Add(Join):
    """The sum of the branches; shapes must be equal, nothing is broadcast or projected."""

    word = "add"
    example = "add( conv 3x3x3 pad same | id )"
    aliases = ("sum", "plus")
    can_alias = (0, 1)

    def gradient(self, node, dy, b):
        return (dy,) * len(node.inputs)

    def evaluate(self, *inputs):
        return sum(inputs[1:], inputs[0])

    def emit(self, node, e) -> None:
        pairwise(node, e, "np.add")


@record
class Mean(Join):
    """The mean of the branches."""

    word = "mean"
    example = "mean( relu | id | tanh )"
    aliases = ("average",)

    def gradient(self, node, dy, b):
        part = b.add(Scale(1 / len(node.inputs)), dy, name=f"{node.name}.part", like=node)
        return (part,) * len(node.inputs)

    def evaluate(self, *inputs):
        return sum(inputs[1:], inputs[0]) / len(inputs)

    def emit(self, node, e) -> None:
        pairwise(node, e, "np.add")
        e.line(f"np.multiply({e[node.name]}, {e.number(1 / len(node.inputs))}, out={e[node.name]})")


@record
class Max(Join):
    """The largest of the branches, number by number; a tie goes to the first."""

    word = "max"
    example = "max( conv 4x3x3 | conv 4x3x3 )"

    def gradient(self, node, dy, b):
        """The gradient of branch k is dy where it is the first that equals the maximum."""
        return tuple(
            b.add(MaxGradient(k), dy, node.name, *node.inputs[: k + 1], name=f"{node.name}.d{k}", like=node)
            for k in range(len(node.inputs))
        )

    def evaluate(self, *inputs):
        import numpy as np

        return np.maximum.reduce(inputs)

    def emit(self, node, e) -> None:
        pairwise(node, e, "np.maximum")


@record
class MaxGradient(Op):
    """dy where branch `which` is the first to equal the maximum y."""

    which: int

    def evaluate(self, dy, y, *branches):
        won = branches[self.which] == y
        for earlier in branches[: self.which]:
            won = won & (earlier != y)
        return dy * won

    def emit(self, node, e) -> None:
        dy, y, *branches = node.inputs
        won = e.scratch("won", e.shape(y), "bool")
        e.line(f"np.equal({e[branches[self.which]]}, {e[y]}, out={won})")
        if self.which:
            lost = e.scratch("lost", e.shape(y), "bool")
            for earlier in branches[: self.which]:
                e.line(f"np.not_equal({e[earlier]}, {e[y]}, out={lost})")
                e.line(f"np.logical_and({won}, {lost}, out={won})")
        e.line(f"np.multiply({e[dy]}, {won}, out={e[node.name]})")


@record
class Mul(Op):
    """The product of two branches; one of them may be a gate of one number for each channel (cx1x1 or c)."""

    word = "mul"
    family = "join"
    join = True
    example = "mul( id | gap -> dense 3 -> sigmoid -> reshape 3x1x1 )"
    aliases = ("multiply", "prod", "gate")

    def type(self, *inputs: TensorType) -> TensorType:
        full = max(inputs, key=lambda t: (t.elements, len(t.axes)))
        for number, other in enumerate(inputs):
            gate = other["c"] == full["c"] and set(other.spatial) <= {1} and other.kind in (full.kind, "vector")
            if other.axes != full.axes and not gate:
                raise Fault(
                    "CNN101",
                    f"`mul` needs branches of equal shape, or a gate of {full['c']}x1x1; "
                    f"got {inputs[0]} and {inputs[1] if number == 0 else other}",
                    at=f"input{number}",
                    label=f"this branch gives {other}",
                )
        return full

    def flops(self, *inputs: TensorType) -> int:
        return self.type(*inputs).elements * (len(inputs) - 1)

    def decompose(self, node, inputs, b) -> str:
        """A product of two at a time, the larger first."""
        ordered = sorted(inputs, key=lambda value: b.type(value).axes != node.type.axes)
        product, *rest = ordered
        for number, value in enumerate(rest):
            name = node.name if number == len(rest) - 1 else f"{node.name}.product"
            product = b.add(Product(), product, value, name=name, like=node)
        return product


@record
class Product(Op):
    """a * b, where b may be one number for each channel."""

    row_by_row = True

    def type(self, a: TensorType, b: TensorType) -> TensorType:
        return a

    def gradient(self, node, dy, b):
        left, right = node.inputs
        da = b.add(Product(), dy, right, name=f"{node.name}.da", like=node)
        full = b.add(Product(), dy, left, name=f"{node.name}.db", like=node)
        if b.type(right).axes != b.type(left).axes:
            full = b.add(PixelSum(b.type(right)), full, name=f"{node.name}.gate", like=node)
        return da, full

    def evaluate(self, a, b):
        return a * b.reshape(*b.shape, *[1] * (a.ndim - b.ndim))

    def emit(self, node, e) -> None:
        a, b = node.inputs
        gate = e[b]
        if e.graph.type(b).kind == "vector" and e.graph.type(a).kind != "vector":
            gate = e.view("gate", f"{e[b]}[None, :, None, :]")
        e.line(f"np.multiply({e[a]}, {gate}, out={e[node.name]})")


@record
class PixelSum(Op):
    """The sum over the pixels of each channel of each image."""

    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x):
        return x.sum(axis=tuple(range(2, x.ndim))).reshape(len(x), *self.made.shape)

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        out = e.view("sums", f"{e[node.name]}.reshape(-1, {e.n})")
        e.line(f"np.add.reduce({e[x]}, axis=(0, 2), out={out})")


@record
class Scale(Op):
    """x times a number."""

    can_alias = (0,)
    layout_agnostic = True
    by: float

    def gradient(self, node, dy, b):
        return (b.add(Scale(self.by), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        return x * x.dtype.type(self.by)

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        e.line(f"np.multiply({e[x]}, {e.number(self.by)}, out={e[node.name]})")


@record
class Concat(Op):
    """The branches' channels one after the other; height and width must agree."""

    word = "concat"
    family = "join"
    join = True
    row_by_row = True
    example = "concat( conv 4x1x1 | conv 4x3x3 pad same )"
    aliases = ("cat", "concatenate", "stack")

    def type(self, *inputs: TensorType) -> TensorType:
        first = inputs[0]
        for number, other in enumerate(inputs[1:], 1):
            if other.kind != first.kind or other.spatial != first.spatial:
                raise Fault(
                    "CNN101",
                    f"`concat` needs branches of equal height and width, got {first} and {other}",
                    at=f"input{number}",
                    label=f"this branch gives {other}",
                    because=(("input0", f"this one gives {first}"),),
                )
        return first.resized(first.spatial, sum(x["c"] for x in inputs))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def starts(self, types) -> list[int]:
        starts = [0]
        for kind in types:
            starts.append(starts[-1] + kind["c"])
        return starts

    def gradient(self, node, dy, b):
        types = [b.type(value) for value in node.inputs]
        starts = self.starts(types)
        return tuple(
            b.add(Channels(starts[k], starts[k + 1], kind), dy, name=f"{node.name}.d{k}", like=node)
            for k, kind in enumerate(types)
        )

    def evaluate(self, *inputs):
        import numpy as np

        return np.concatenate(inputs, axis=1)

    def emit(self, node, e) -> None:
        starts = self.starts([e.graph.type(value) for value in node.inputs])
        before = ":, " if len(e.shape(node.name)) > 2 else ""
        for k, value in enumerate(node.inputs):
            part = e.view(f"part{k}", f"{e[node.name]}[{before}{starts[k]}:{starts[k + 1]}]")
            e.line(f"np.copyto({part}, {e[value]})")


@record
class Channels(Op):
    """Channels start..stop of a value."""

    row_by_row = True
    start: int
    stop: int
    made: TensorType

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        return self.changed(made=self.made.of_rows(height))

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node, dy, b):
        op = PlaceChannels(self.start, b.type(node.inputs[0]))
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        return x[:, self.start : self.stop]

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        before = ":, " if len(e.shape(x)) > 2 else ""
        part = e.view("part", f"{e[x]}[{before}{self.start}:{self.stop}]")
        e.line(f"np.copyto({e[node.name]}, {part})")


@record
class PlaceChannels(Op):
    """A value at its place among more channels, zero elsewhere."""

    row_by_row = True
    start: int
    made: TensorType

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        return self.changed(made=self.made.of_rows(height))

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x):
        import numpy as np

        y = np.zeros((len(x), *self.made.shape), x.dtype)
        y[:, self.start : self.start + x.shape[1]] = x
        return y

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        before = ":, " if len(e.shape(x)) > 2 else ""
        stop = self.start + e.graph.type(x)["c"]
        part = e.view("part", f"{e[node.name]}[{before}{self.start}:{stop}]")
        e.line(f"{e[node.name]}[...] = 0")
        e.line(f"np.copyto({part}, {e[x]})")
