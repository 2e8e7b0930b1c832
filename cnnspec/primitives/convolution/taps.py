"""Convolution of images hardly larger than the kernel: for each tap a product, with the pixels that it meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from ... import kernels
from ...ir import TensorType
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record
from ..together import by_channel, gather, outweighs, places, room, share, show, takes_reading
from .convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from .winograd_1d import lent


@record
class ConvolveByTap(Op):
    """y = x convolved with w, of one group."""

    geometry: Geometry

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return Convolve(self.geometry).type(x, w)

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements // prod(self.geometry.kernel) * sum(self.geometry.meetings(*size_2d(x)))

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        to_input = ConvolveInputGradient(self.geometry, 1, b.type(x))
        to_filters = FilterGradientByTap(self.geometry, b.type(w))
        return (
            b.add(to_input, dy, w, name=f"{node.name}.dx", like=node),
            b.add(to_filters, x, dy, name=f"{node.name}.dw", like=node),
        )

    def evaluate(self, x: Array, w: Array) -> Array:
        return Convolve(self.geometry).convolved(x, w)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        emit_by_tap(kernels.taps.convolve_by_tap, x, w, node, self.geometry, most_met(self.geometry, e.type(x)), e)


@record
class InputGradientByTap(Op):
    """dx of a convolution."""

    geometry: Geometry
    x: TensorType

    def type(self, dy: TensorType, w: TensorType) -> TensorType:
        return replace(self.x, folded=())

    def macs(self, dy: TensorType, w: TensorType) -> int:
        return w.elements // prod(self.geometry.kernel) * sum(self.geometry.meetings(*size_2d(self.x)))

    def evaluate(self, dy: Array, w: Array) -> Array:
        return ConvolveInputGradient(self.geometry, 1, self.x).evaluate(dy, w)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, w = node.inputs
        by = kernels.taps.input_gradient_by_tap
        emit_by_tap(by, dy, w, node, self.geometry, most_met(self.geometry, self.x), e, across=True)


@record
class FilterGradientByTap(Op):
    """dw of a convolution; where filters outweigh the pixels of a batch, all shards make some filters' each."""

    geometry: Geometry
    w: TensorType

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, x: TensorType, dy: TensorType) -> int:
        return self.w.elements // prod(self.geometry.kernel) * sum(self.geometry.meetings(*size_2d(x)))

    def evaluate(self, x: Array, dy: Array) -> Array:
        return ConvolveFilterGradient(self.geometry, 1, self.w).evaluate(x, dy)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, dy = node.inputs
        (height, filters, width, n), channels = e.shape(dy), e.type(x)["c"]
        dw, given, images = taps(node.name, e), (by_channel(dy, e), by_channel(x, e)), n
        if outweighs(self.w, height * width * e.batch) and e.made_together(node.name):
            everyone, some, images = show(e, dy=dy, x=x), share(filters, e), places(e)
            given = e.view("dy_of_all", f"{everyone['dy']}[{some}]"), e.view("x_of_all", everyone["x"])
            dw = e.view("some_filters", f"{dw}[{some}]")
        most = images * most_met(self.geometry, e.type(x))
        scratch = {"made": (filters, most), "met": (channels, most)}
        by, arguments = kernels.taps.filter_gradient_by_tap, self.geometry.arguments
        e.call(by, *given, *arguments, **lent(scratch, e), out=dw)


def emit_by_tap(
    by: Callable[..., None],
    x: str,
    w: str,
    node: Node,
    geometry: Geometry,
    met: int,
    e: PlanWriter,
    across: bool = False,
) -> None:
    """A value made of x and filters, which are read across for the gradient of an input; where a tap meets so many
    pixels of an image. Where it takes longest to read them, all shards make some channels each.
    """
    filters, made, images = taps(w, e), node.type["c"], e.n
    given, out = by_channel(x, e), by_channel(node.name, e)
    together = takes_reading(e.type(w), e.type(x), node.type, e)
    if together:
        some, images, made = share(made, e), places(e), -(-made // e.shards)
        given = e.view("x_of_all", show(e, x=x)["x"])
        whole, mine = room(e, "y", node.name)
        filters = e.view("some_filters", f"{filters}[{':, :, :, ' * across}{some}]")
        out = e.view("made", f"{whole}[{some}]")
    scratch = {"met": (e.type(x)["c"], images * met), "products": (made, images * met)}
    e.call(by, given, filters, *geometry.arguments, **lent(scratch, e), out=out)
    if together:
        gather(e, mine, node.name)


def most_met(geometry: Geometry, x: TensorType) -> int:
    """Pixels of an image that the tap meets which meets most."""
    return max(geometry.meetings(*size_2d(x)))


def taps(w: str, e: PlanWriter) -> str:
    """Filters, or their gradient, as [f,u,v,c]."""
    filters, channels, *kernel = e.type(w).shape
    height, width = (1, *kernel)[-2:]
    return e.view_of(w, "taps", f"{e[w]}.reshape({filters}, {height}, {width}, {channels})")
