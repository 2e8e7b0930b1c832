"""Numbers for each channel: products, sums over pixels, slopes of the negative part."""

from __future__ import annotations

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record


def column(w: Array, like: Array) -> Array:
    """A number for each channel against (n, c, h, w)."""
    return w.reshape(-1, *[1] * (like.ndim - 2))


@record
class TimesChannel(Op):
    """y = x * w, one factor for each channel."""

    row_by_row = True
    can_alias = (0,)

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return x

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        dx = b.add(TimesChannel(), dy, w, name=f"{node.name}.dx", like=node)
        return dx, b.add(ChannelDot(), x, dy, w, name=f"{node.name}.dw", like=node)

    def evaluate(self, x: Array, w: Array) -> Array:
        return x * column(w, x)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        factors = e.view("factors", f"{e[w]}[:, None]")
        e.call(kernels.np.multiply, e.rows(x), factors, out=e.rows(node.name))


@record
class ChannelDot(Op):
    """The sum over images and pixels of a * b, a number for each channel; w only says how many."""

    def type(self, a: TensorType, b: TensorType, w: TensorType) -> TensorType:
        return w

    def macs(self, a: TensorType, b: TensorType, w: TensorType) -> int:
        return a.elements

    def evaluate(self, a: Array, b: Array, w: Array) -> Array:
        return (a * b).sum(axis=(0, *range(2, a.ndim)))

    def emit(self, node: Node, e: PlanWriter) -> None:
        a, b, _ = node.inputs
        e.call(kernels.standardise.channel_dots, e.rows(a), e.rows(b), out=e[node.name])


@record
class Bend(Op):
    """y = x where x > 0, w * x elsewhere."""

    row_by_row = True

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return x

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        dx = b.add(BendGradient(), dy, x, w, name=f"{node.name}.dx", like=node)
        below = b.add(NegativePart(), x, name=f"{node.name}.below", like=node)
        return dx, b.add(ChannelDot(), below, dy, w, name=f"{node.name}.dw", like=node)

    def evaluate(self, x: Array, w: Array) -> Array:
        return x * (x > 0) + column(w, x) * x * (x <= 0)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        negative_slopes = e.view("negative_slopes", f"{e[w]}[:, None]")
        row = e.scratch("row", e.rows_shape(x)[1:])
        e.call(kernels.standardise.prelu, e.rows(x), negative_slopes, scratch=row, out=e.rows(node.name))


@record
class BendGradient(Op):
    """dy where x > 0, w * dy elsewhere."""

    def type(self, dy: TensorType, x: TensorType, w: TensorType) -> TensorType:
        return x

    def evaluate(self, dy: Array, x: Array, w: Array) -> Array:
        return dy * (x > 0) + column(w, x) * dy * (x <= 0)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, w = node.inputs
        negative_slopes = e.view("negative_slopes", f"{e[w]}[:, None]")
        row = e.scratch("row", e.rows_shape(x)[1:])
        above = e.scratch("above", e.rows_shape(x)[1:], "bool")
        e.call(
            kernels.standardise.prelu_gradient,
            e.rows(dy),
            e.rows(x),
            negative_slopes,
            scratch=row,
            above=above,
            out=e.rows(node.name),
        )


@record
class NegativePart(Op):
    """min(x, 0)"""

    def evaluate(self, x: Array) -> Array:
        return x * (x < 0)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.standardise.negative_part, e[x], out=e[node.name])
