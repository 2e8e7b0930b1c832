"""The same numbers in other axes: flattening, reshaping, shuffling channels."""

from __future__ import annotations

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType, data
from ..ir.fields import Count, Shape, size
from ..ir.op import Array, Decomposer, GraphBuilder, Node, Op, PlanWriter
from ..primitives.shape import Contiguous, Flattening, Fold, Move, Unflatten, two_orders
from ..record import record


@record
class Flatten(Flattening):
    """Flattening: an image or a sequence becomes a vector, channel after channel."""

    word = "flatten"
    family = "dense and shape"
    example = "flatten -> dense 4"
    account = "move"


@record
class Reshape(Move):
    """Another shape for the same numbers, taken channel after channel and row after row."""

    word = "reshape"
    family = "dense and shape"
    example = "dense 32 -> reshape 8x2x2 -> conv 4x2x2"
    account = "move"
    aliases = ("view", "unflatten")

    size: tuple[int, ...] = size(Shape((1, 2, 3)), "CxHxW", "the new shape: CxHxW, CxW or C")

    @property
    def looks_everywhere(self) -> bool:
        return True

    def type(self, x: TensorType) -> TensorType:
        made = data(*self.size)
        if made.elements != x.elements:
            raise Fault.of("CNN108", "size", made=made, count=made.elements, given=x, have=x.elements)
        return made

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        """Flattened and seen in other axes; copied only where the plan's order is not a text book's."""
        (value,) = inputs
        x, made = b.type(value), data(*self.size)
        steps: list[Op] = [] if x.kind == "vector" else [Flatten()]
        folded = x.folded if x.kind == "vector" else Flatten().type(x).folded
        if folded and folded != made.axes:
            steps.append(Contiguous())
            folded = ()
        if made.kind != "vector":
            steps.append(Fold(made) if two_orders(made) and not folded else Unflatten(made))
        for count, op in enumerate(steps, 1):
            name = node.name if count == len(steps) else f"{node.name}.{type(op).__name__.lower()}"
            value = b.add(op, value, name=name, like=node)
        return value

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), *self.size)


@record
class Shuffle(Move):
    """Channel shuffle: the channels as G rows, read column by column, so that groups exchange channels."""

    word = "shuffle"
    family = "dense and shape"
    example = "conv 6x1x1 groups 3 -> shuffle 3 -> conv 6x1x1 groups 3"
    account = "move"
    aliases = ("channel_shuffle", "channelshuffle")

    size: int = size(Count(1), "G", "groups that are mixed")

    def type(self, x: TensorType) -> TensorType:
        if x["c"] % self.size:
            raise Fault.of("CNN106", "size", parts=self.size, channels=x["c"], rest=x["c"] % self.size)
        return x

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        back = Shuffle(node.type["c"] // self.size)
        return (b.add(back, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        parts = x.reshape(len(x), self.size, -1, *x.shape[2:])
        return parts.swapaxes(1, 2).reshape(x.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        height, channels, length = e.rows_shape(x)
        rows, columns = self.size, channels // self.size
        source = e.view("from", f"{e[x]}.reshape({height}, {rows}, {columns}, {length}).swapaxes(1, 2)")
        out = e.view("to", f"{e[node.name]}.reshape({height}, {columns}, {rows}, {length})")
        e.call(kernels.np.copyto, out, source)


OPS: tuple[type[Op], ...] = (Flatten, Reshape, Shuffle)
