"""The primitives of joins: products, sums over pixels, some of the channels."""

from __future__ import annotations

from collections.abc import Callable

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record
from .channels import ChannelTotal


def pairwise(node: Node, e: PlanWriter, function: Callable[..., object]) -> None:
    """out = a op b op c ..., one call for each further input."""
    first, *rest = node.inputs
    out = e[node.name]
    e.call(function, e[first], e[rest[0]], out=out)
    for value in rest[1:]:
        e.call(function, out, e[value], out=out)


@record
class MaxGradient(Op):
    """dy where branch `which` is the first to equal the maximum y."""

    which: int

    def evaluate(self, dy: Array, y: Array, *branches: Array) -> Array:
        argmax_mask = branches[self.which] == y
        for earlier in branches[: self.which]:
            argmax_mask = argmax_mask & (earlier != y)
        return dy * argmax_mask

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, y, *branches = node.inputs
        argmax_mask = e.scratch("argmax_mask", e.shape(y), "bool")
        e.call(kernels.np.equal, e[branches[self.which]], e[y], out=argmax_mask)
        if self.which:
            lost = e.scratch("lost", e.shape(y), "bool")
            for earlier in branches[: self.which]:
                e.call(kernels.np.not_equal, e[earlier], e[y], out=lost)
                e.call(kernels.np.logical_and, argmax_mask, lost, out=argmax_mask)
        e.call(kernels.np.multiply, e[dy], argmax_mask, out=e[node.name])


@record
class Product(Op):
    """a * b, where b may be one number for each channel, or for each pixel."""

    row_by_row = True

    def type(self, a: TensorType, b: TensorType) -> TensorType:
        return a

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        left, right = node.inputs
        da = b.add(Product(), dy, right, name=f"{node.name}.da", like=node)
        full = b.add(Product(), dy, left, name=f"{node.name}.db", like=node)
        gate, kind = b.type(right), b.type(left)
        if gate["c"] != kind["c"]:
            full = b.add(ChannelTotal(), full, name=f"{node.name}.map", like=node)
        if gate.axes != b.type(full).axes:
            full = b.add(PixelSum(gate), full, name=f"{node.name}.gate", like=node)
        return da, full

    def evaluate(self, a: Array, b: Array) -> Array:
        return a * b.reshape(*b.shape, *[1] * (a.ndim - b.ndim))

    def emit(self, node: Node, e: PlanWriter) -> None:
        a, b = node.inputs
        if e.type(b).kind == "vector" and e.type(a).kind != "vector":
            scratch = e.scratch("gate", e.shape(a)[1:])
            e.call(kernels.channels.gate_pixels, e[a], e[b], scratch=scratch, out=e[node.name])
        else:
            e.call(kernels.np.multiply, e[a], e[b], out=e[node.name])


@record
class PixelSum(Op):
    """The sum over the pixels of each channel of each image."""

    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x: Array) -> Array:
        return x.sum(axis=tuple(range(2, x.ndim))).reshape(len(x), *self.made.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        out = e.view("sums", f"{e[node.name]}.reshape(-1, {e.n})")
        e.call(kernels.channels.pixel_sums, e[x], scratch=e.scratch("row", e.shape(x)[1:]), out=out)


@record
class Scale(Op):
    """x times a number."""

    can_alias = (0,)
    layout_agnostic = True
    by: float

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Scale(self.by), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x * x.dtype.type(self.by)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.np.multiply, e[x], e.number(self.by), out=e[node.name])


@record
class Channels(Op):
    """Channels start..stop of a value."""

    row_by_row = True
    start: int
    stop: int
    made: TensorType

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        return self.changed(made=self.made.sized("h", height))

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = PlaceChannels(self.start, b.type(node.inputs[0]))
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x[:, self.start : self.stop]

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        before = ":, " if len(e.shape(x)) > 2 else ""
        part = e.view("part", f"{e[x]}[{before}{self.start}:{self.stop}]")
        e.call(kernels.np.copyto, e[node.name], part)


@record
class PlaceChannels(Op):
    """A value at its place among more channels, zero elsewhere."""

    row_by_row = True
    start: int
    made: TensorType

    def for_rows(self, height: int, pad: tuple[int, int]) -> Op:
        return self.changed(made=self.made.sized("h", height))

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        y = np.zeros((len(x), *self.made.shape), x.dtype)
        y[:, self.start : self.start + x.shape[1]] = x
        return y

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        before = ":, " if len(e.shape(x)) > 2 else ""
        stop = self.start + e.type(x)["c"]
        part = e.view("part", f"{e[node.name]}[{before}{self.start}:{stop}]")
        e.zero(node.name)
        e.call(kernels.np.copyto, part, e[x])
