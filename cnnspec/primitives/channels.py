"""Primitives over all channels of a pixel: their sum, and the gradients of activations."""

from __future__ import annotations

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record


@record
class ChannelTotal(Op):
    """The sum over the channels of each pixel."""

    row_by_row = True
    any_order = True

    def type(self, x: TensorType) -> TensorType:
        return x.resized(x.spatial, 1)

    def flops(self, x: TensorType) -> int:
        return x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = RepeatChannels(b.type(node.inputs[0])["c"])
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.sum(axis=1, keepdims=True)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        axis, _ = channel_axis(e.shape(x))
        e.call(kernels.np.add.reduce, e[x], axis=axis, keepdims=True, out=e[node.name])


@record
class RepeatChannels(Op):
    """One channel as so many that are alike."""

    row_by_row = True
    channels: int

    def type(self, x: TensorType) -> TensorType:
        return x.resized(x.spatial, self.channels)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(ChannelTotal(), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.repeat(self.channels, axis=1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.call(kernels.channels.repeat_channels, e[node.inputs[0]], out=e[node.name])


@record
class SoftmaxGradient(Op):
    """dx = y * (dy - sum of dy * y)"""

    def type(self, dy: TensorType, y: TensorType) -> TensorType:
        return y

    def evaluate(self, dy: Array, y: Array) -> Array:
        return y * (dy - (dy * y).sum(axis=1, keepdims=True))

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, y = node.inputs
        axis, single = channel_axis(e.shape(y))
        part, scratch = e.scratch("part", e.shape(y)), e.scratch("sums", single)
        e.call(kernels.channels.softmax_gradient, e[dy], e[y], axis, part=part, scratch=scratch, out=e[node.name])


@record
class RadixSoftmaxGradient(Op):
    """dx = y * (dy - sum of dy * y), the sum over the parts of the channels."""

    row_by_row = True
    parts: int

    def type(self, dy: TensorType, y: TensorType) -> TensorType:
        return y

    def evaluate(self, dy: Array, y: Array) -> Array:
        apart = (len(y), self.parts, -1, *y.shape[2:])
        return SoftmaxGradient().evaluate(dy.reshape(apart), y.reshape(apart)).reshape(y.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, y = (in_parts(value, self.parts, e) for value in node.inputs)
        height, channels, length = e.rows_shape(node.name)
        part = e.scratch("part", (height, self.parts, channels // self.parts, length))
        scratch = e.scratch("sums", (height, 1, channels // self.parts, length))
        out = in_parts(node.name, self.parts, e)
        e.call(kernels.channels.softmax_gradient, dy, y, 1, part=part, scratch=scratch, out=out)


@record
class LogSoftmaxGradient(Op):
    """dx = dy - exp(y) * sum of dy"""

    def type(self, dy: TensorType, y: TensorType) -> TensorType:
        return y

    def evaluate(self, dy: Array, y: Array) -> Array:
        import numpy as np

        return dy - np.exp(y) * dy.sum(axis=1, keepdims=True)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, y = node.inputs
        axis, single = channel_axis(e.shape(y))
        part, scratch = e.scratch("part", e.shape(y)), e.scratch("sums", single)
        e.call(
            kernels.channels.log_softmax_gradient, e[dy], e[y], axis, part=part, scratch=scratch, out=e[node.name]
        )


@record
class MaxoutGradient(Op):
    """dy goes to the largest channel of each part."""

    size: int

    def type(self, dy: TensorType, x: TensorType, y: TensorType) -> TensorType:
        return x

    def evaluate(self, dy: Array, x: Array, y: Array) -> Array:
        import numpy as np

        parts = x.reshape(len(x), -1, self.size, *x.shape[2:])
        argmax = np.expand_dims(parts.argmax(axis=2), 2)
        made = np.zeros_like(parts)
        np.put_along_axis(made, argmax, np.expand_dims(dy, 2), axis=2)
        return made.reshape(x.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, y = node.inputs
        argmax_mask, free = (e.scratch(name, e.rows_shape(y), "bool") for name in ("argmax_mask", "free"))
        e.call(
            kernels.channels.maxout_gradient,
            e.rows(dy),
            pieces(x, self.size, e),
            e.rows(y),
            argmax_mask=argmax_mask,
            free=free,
            out=pieces(node.name, self.size, e),
        )


def pieces(value: str, size: int, e: PlanWriter) -> str:
    """A value as [h, c/k, k, l]."""
    height, channels, length = e.rows_shape(value)
    return e.view_of(value, f"by{size}", f"{e[value]}.reshape({height}, {channels // size}, {size}, {length})")


def in_parts(value: str, parts: int, e: PlanWriter) -> str:
    """A value as [h, k, c/k, l]."""
    height, channels, length = e.rows_shape(value)
    return e.view_of(
        value, f"parts{parts}", f"{e[value]}.reshape({height}, {parts}, {channels // parts}, {length})"
    )


def channel_axis(shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Where the channels stand in an array of the plan, and its shape with that axis 1."""
    axis = 0 if len(shape) == 2 else 1
    return axis, (*shape[:axis], 1, *shape[axis + 1 :])
