"""The primitives of a bias: what is added to every pixel of a channel, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record
from ..activation import ActivationGradient, Rectifier

FEW = 2_048  # numbers that are compared with one number as quickly as with an array


@record
class AddBias(Op):
    """y = x + b, one number for each channel.

    As with a normalisation, a pass may give it what follows: a third input is added, `relu` is applied. It may also
    give it the numbers of a whole row (`BroadcastBias`).
    """

    can_alias = (0,)
    layout_agnostic = True
    relu: bool = False

    def type(self, x: TensorType, b: TensorType, *add: TensorType) -> TensorType:
        return x

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        if self.relu:
            dy = b.add(ActivationGradient(Rectifier()), dy, node.name, name=f"{node.name}.dy", like=node)
        _, bias, *add = node.inputs
        return dy, b.add(ChannelSum(b.type(bias)), dy, name=f"{node.name}.db", like=node), *(dy for _ in add)

    def evaluate(self, x: Array, b: Array, *add: Array) -> Array:
        y = sum(add, x + (b[:, None, :, 0] if b.ndim == 3 else b.reshape(-1, *[1] * (x.ndim - 2))))
        return y * (y > 0) if self.relu else y

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, bias, *add = node.inputs
        shape = e.rows_shape(node.name)
        if (add or self.relu) and prod(shape) <= kernels.norm.SHORT:
            seen = e.rows if len(e.shape(x)) > 2 else e.__getitem__
            out = seen(node.name)
            self.emit_sum(x, bias, node.name, seen, e)
            for value in add:
                e.call(kernels.np.add, out, seen(value), out=out)
            if self.relu and shape[0] == shape[2] == 1:
                import numpy as np

                e.call(kernels.np.maximum, out, e.constant("zeros", np.zeros(shape[1:])), out=out)
            elif self.relu and prod(shape) <= FEW:
                e.call(kernels.np.maximum, out, e.number(0.0), out=out)
            elif self.relu:
                e.call(kernels.activation.relu, out, out=out)
            return
        if add or self.relu:
            more: dict[str, str | bool] = {"add": e.rows(add[0])} if add else {}
            more |= {"relu": True} if self.relu else {}
            e.call(kernels.norm.add_bias, e.rows(x), e[bias], **more, out=e.rows(node.name))
            return
        if len(e.shape(bias)) == 3:
            self.emit_sum(x, bias, node.name, e.rows, e)
            return
        ones = ", 1" if len(e.shape(x)) == 2 else ", 1, 1"  # images and pixels, which come after the channels
        column = e.view("bias", f"{e[bias]}.reshape(-1{ones})")
        e.call(kernels.np.add, e[x], column, out=e[node.name])

    def emit_sum(self, x: str, bias: str, out: str, seen: Callable[[str], str], e: PlanWriter) -> None:
        """x + b, a row in one run where b has the numbers of a row."""
        if len(e.shape(bias)) == 1:
            source, column = seen(x), e.view_of(bias, "column", f"{e[bias]}[:, None]")
            e.call(kernels.np.add, source, column, out=seen(out))
            return
        if e.shape(bias)[2] != e.n:  # a shard of fewer images than the others
            e.call(kernels.np.add, e[x], e.view_of(bias, "of_some", f"{e[bias]}[:, :, :{e.n}]"), out=e[out])
            return
        height, channels, width = e.rows_shape(x)
        shape = height, channels * width
        source, target = (e.view_of(value, "lines", f"{e[value]}.reshape{shape}") for value in (x, out))
        e.call(kernels.np.add, source, e.view_of(bias, "line", f"{e[bias]}.reshape(-1)"), out=target)


@record
class BroadcastBias(Op):
    """b[c] -> [c,w,n]: the number of each channel for every pixel of a row, of so many images.

    A row is runs of a channel each, added one after the other; broadcast beforehand, they are added in one.
    """

    width: int
    images: int

    def type(self, b: TensorType) -> TensorType:
        return parameter(c=b.elements, w=self.width, i=self.images)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, b: Array) -> Array:
        return b[:, None, None].repeat(self.width, axis=1).repeat(self.images, axis=2)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (b,) = node.inputs
        e.call(kernels.np.copyto, e[node.name], e.view_of(b, "by_row", f"{e[b]}[:, None, None]"))


@record
class ChannelSum(Op):
    """The sum over images and pixels, a number for each channel: a bias's gradient."""

    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x: Array) -> Array:
        return x.sum(axis=(0, *range(2, x.ndim)))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.norm.channel_sums, e.rows(x), out=e[node.name])
