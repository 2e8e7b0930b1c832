"""Convolution of images hardly larger than the kernel: for each tap a product, with the pixels that it meets."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from ... import kernels
from ...ir import TensorType
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record
from ..dense import outweighs, share
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
        most = e.n * most_met(self.geometry, e.type(x))
        scratch = {"met": (e.type(x)["c"], most), "products": (e.type(w)["f"], most)}
        arguments = self.geometry.arguments
        e.call(kernels.taps.convolve_by_tap, e[x], taps(w, e), *arguments, **lent(scratch, e), out=e[node.name])


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
        most = e.n * most_met(self.geometry, self.x)
        scratch = {"met": (e.type(w)["f"], most), "products": (self.x["c"], most)}
        by, arguments = kernels.taps.input_gradient_by_tap, self.geometry.arguments
        e.call(by, e[dy], taps(w, e), *arguments, **lent(scratch, e), out=e[node.name])


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
            images = 2 * e.batch  # of all shards, each of which has room for as many as the largest
            given, some = shown_to_all(given, (e.shape(dy), e.shape(x)), e)
            dw = e.view("some_filters", f"{dw}[{some}]")
        most = images * most_met(self.geometry, e.type(x))
        scratch = {"made": (filters, most), "met": (channels, most)}
        by, arguments = kernels.taps.filter_gradient_by_tap, self.geometry.arguments
        e.call(by, *given, *arguments, **lent(scratch, e), out=dw)


def shown_to_all(
    given: tuple[str, str], shapes: tuple[tuple[int, ...], tuple[int, ...]], e: PlanWriter
) -> tuple[tuple[str, str], str]:
    """dy[f,shards,i,j,n] of this shard's filters and x[c,shards,h,w,n], of all shards; and which they are."""
    everyone = []
    for what, mine, (height, channels, width, n) in zip(("dy", "x"), given, shapes, strict=True):
        shown = e.shown(what, (channels, height, width, n))
        everyone.append(f"{shown}.reshape({channels}, len({shown}), {height}, {width}, -1)")
        place = e.view(f"{what}_of_mine", f"{everyone[-1]}[:, b.shard, ..., :{n}]")
        e.call(kernels.conv.copy_pixels, mine, out=place)
    e.barrier("every shard has shown its pixels")
    some = share(shapes[0][1], shown)
    return (e.view("dy_of_all", f"{everyone[0]}[{some}]"), e.view("x_of_all", everyone[1])), some


def most_met(geometry: Geometry, x: TensorType) -> int:
    """Pixels of an image that the tap meets which meets most."""
    return max(geometry.meetings(*size_2d(x)))


def taps(w: str, e: PlanWriter) -> str:
    """Filters, or their gradient, as [f,u,v,c]."""
    filters, channels, *kernel = e.type(w).shape
    height, width = (1, *kernel)[-2:]
    return e.view_of(w, "taps", f"{e[w]}.reshape({filters}, {height}, {width}, {channels})")


def by_channel(x: str, e: PlanWriter) -> str:
    """Rows x[h,c,w,n] as a view [c,h,w,n]."""
    return e.view_of(x, "by_channel", f"{e[x]}.swapaxes(0, 1)")
