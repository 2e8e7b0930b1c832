"""The primitives of convolutions and their gradients.

A pass chooses how each is computed: by im2col (`im2col.py`), by Winograd's method (`winograd.py`), or as it
stands here, where a kernel has one tap or every channel a kernel of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from ... import kernels
from ...ir import TensorType
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter, Slides
from ...record import record
from ..dense import multiplying
from ..together import outweighs, share
from . import depthwise
from .polyphase import FromPolyphase, as_image, as_polyphase, moments_of, moments_type, polyphase_type

FILTERS, APART = 64, 16  # filters that are turned at a time, and numbers between their rows
AT_A_TIME = 100_000  # numbers of a phase that are made before they are put in their places


@record
class Convolve(Slides):
    """y = x convolved with w, no bias; a pass chooses how (`passes/convolutions.py`).

    A pass may have it make `polyphase` rows (`winograd.py`), and with `moments` those for batch normalisation. A
    depthwise one and its gradients may be `dense`, a matrix for each channel (`kernels/depthwise.py`). All rows of
    images may be made `at_once`, by a product for so many of the filters.
    """

    groups: int = 1
    polyphase: bool = False
    moments: bool = False
    dense: bool = False
    at_once: int = 0

    @property
    def row_geometry(self) -> Geometry | None:
        return None if self.at_once else self.geometry

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        image = x.resized(self.geometry.out(*size_2d(x))[-len(x.spatial) :], w["f"])
        return polyphase_type(image) if self.polyphase else image

    def extras(self, x: TensorType, w: TensorType) -> Mapping[str, TensorType]:
        return {"moments": moments_type(w["f"])} if self.moments else {}

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements * self.type(x, w).elements // w["f"]

    @property
    def depthwise(self) -> bool:
        return self.groups > 1

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        pixels = dy
        if self.polyphase:
            width = self.geometry.out(*size_2d(b.type(x)))[1]
            pixels = b.add(FromPolyphase(width), dy, name=f"{node.name}.dy", like=node)
        dx = b.add(
            ConvolveInputGradient(self.geometry, self.groups, b.type(x), dense=self.dense),
            pixels,
            w,
            name=f"{node.name}.dx",
            like=node,
        )
        dw = b.add(
            ConvolveFilterGradient(self.geometry, self.groups, b.type(w), self.polyphase, dense=self.dense),
            x,
            dy,
            name=f"{node.name}.dw",
            like=node,
        )
        return dx, dw

    def evaluate(self, x: Array, w: Array) -> Array | tuple[Array, ...]:
        y = self.convolved(x, w)
        y = as_polyphase(y) if self.polyphase else y
        return (y, moments_of(y)) if self.moments else y

    def convolved(self, x: Array, w: Array) -> Array:
        import numpy as np

        x4, w4 = image_4d(x), image_4d(w)
        padded = np.pad(x4, ((0, 0), (0, 0), *self.geometry.pad))
        height, width = self.geometry.out(*x4.shape[2:])
        y = np.zeros((len(x), w.shape[0], height, width), x.dtype)
        for group in range(self.groups):
            f, c = part(w.shape[0], self.groups, group), part(x.shape[1], self.groups, group)
            for u, v, seen in looks(self.geometry, padded, height, width):
                y[:, f] += np.einsum("nchw,fc->nfhw", seen[:, c], w4[f, :, u, v])
        return y if x.ndim == 4 else y[:, :, 0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        assert self.geometry.plain and self.groups == 1, "other convolutions are unrolled by a pass"
        filters, channels = e.type(w)["f"], e.type(w)["c"]
        if self.at_once:
            emit_at_once(w, e.pixels(x), self.at_once, node, e)
            return
        weights = e.view("matrix", f"{e[w]}.reshape({filters}, {channels})")
        out = e.view("pixels", e.source(kernels.conv.pixels, e[node.name]))
        length = prod(e.shape(node.name)[-2:])
        e.call(multiplying(filters, channels, length), weights, e.pixels(x), out=out)


def emit_at_once(w: str, rows: str, some: int, node: Node, e: PlanWriter) -> None:
    """A product for `some` filters at a time and all rows[i,d,l], put side by side, and back."""
    height, filters, length = e.rows_shape(node.name)
    depth = e.type(w).elements // filters
    columns = e.scratch("columns", (depth, height, length))
    products = e.scratch("by_filter", (filters, height, length))
    e.call(kernels.np.copyto, columns, e.view("by_tap", f"{rows}.swapaxes(0, 1)"))
    pieces = e.view("pieces", f"{e.matrix(w)}.reshape(-1, {some}, {depth})")
    beside = e.view("beside", f"{columns}.reshape({depth}, -1)")
    made = e.view("made", f"{products}.reshape(-1, {some}, {height * length})")
    e.call(multiplying(some, depth, height * length), pieces, beside, out=made)
    e.call(kernels.np.copyto, e.view("rows_first", f"{e.pixels(node.name)}.swapaxes(0, 1)"), products)


@record
class ConvolveInputGradient(Op):
    """dx of a convolution: exact for every stride, since each output's gradient goes to the pixels it saw.

    With `by_taps` each tap's products are made by themselves, though the kernel's rows would come for nothing; with
    `by_phase` pixels that lie a stride apart are made together, from the outputs that their taps meet.
    """

    geometry: Geometry
    groups: int
    x: TensorType
    by_taps: bool = False
    dense: bool = False
    by_phase: bool = False

    def type(self, dy: TensorType, w: TensorType) -> TensorType:
        return replace(self.x, folded=())

    def macs(self, dy: TensorType, w: TensorType) -> int:
        return w.elements * dy.elements // w["f"]

    def gradient(self, node: Node, dbig: str, b: GraphBuilder) -> tuple[str | None, ...]:
        """As a transposed convolution (`upconv`) it has gradients of its own: a convolution, and dw as ever."""
        dy, w = node.inputs
        convolve = Convolve(self.geometry, self.groups)
        filters = ConvolveFilterGradient(self.geometry, self.groups, b.type(w))
        return (
            b.add(convolve, dbig, w, name=f"{node.name}.dx", like=node),
            b.add(filters, dbig, dy, name=f"{node.name}.dw", like=node),
        )

    def evaluate(self, dy: Array, w: Array) -> Array:
        import numpy as np

        dy4, w4 = image_4d(dy), image_4d(w)
        sizes = [n + sum(p) for n, p in zip(size_2d(self.x), self.geometry.pad, strict=True)]
        padded = np.zeros((len(dy), self.x["c"], *sizes), dy.dtype)
        for group in range(self.groups):
            f, c = part(w.shape[0], self.groups, group), part(self.x["c"], self.groups, group)
            for u, v, seen in looks(self.geometry, padded, *dy4.shape[2:]):
                seen[:, c] += np.einsum("nfhw,fc->nchw", dy4[:, f], w4[f, :, u, v])
        (top, _), (left, _) = self.geometry.pad
        height, width = size_2d(self.x)
        dx = padded[:, :, top : top + height, left : left + width]
        return dx if dy.ndim == 4 else dx[:, :, 0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, w = node.inputs
        arguments = self.geometry.arguments
        wt = e.type(w)
        kernel_h, kernel_w = self.geometry.kernel
        if self.groups > 1 and wt["c"] == 1 and wt["f"] == self.groups:
            depthwise.emit_input_gradient(dy, w, node.name, self.geometry, self.dense, e)
            return
        if self.geometry.plain and self.groups == 1:
            out = e.view("pixels", e.source(kernels.conv.pixels, e[node.name]))
            rows, filters, length = e.rows_shape(dy)
            some = kernels.gemm.pieces_across(filters, wt["c"], length)
            if some is not None:
                parts = e.scratch("parts", (filters // some[0], wt["c"] // some[1], rows, some[1], length))
                e.call(kernels.gemm.across_by_bands, e.matrix(w), e.pixels(dy), parts=parts, out=out)
                return
            matrix = e.view("transposed", f"{e[w]}.reshape({wt['f']}, {wt['c']}).T")
            e.call(multiplying(wt["c"], wt["f"], length, across=True), matrix, e.pixels(dy), out=out)
            return
        height, _, width, n = e.shape(dy)
        weights = e.view("taps", f"{e[w]}.reshape({wt['f']}, {kernel_h}, {kernel_w}, {wt['c']})")
        pad = self.geometry.pad
        if self.by_phase:
            self.emit_by_phase(weights, node, e)
            return
        if not self.by_taps and self.groups == 1 and self.geometry.adjacent:
            rows_x = e.shape(node.name)[0]
            transposed = e.scratch("transposed", (kernel_w, wt["c"], kernel_h, wt["f"]))
            scratch = e.scratch("products", (rows_x, kernel_w, wt["c"], width, n))
            e.call(
                kernels.conv.col2im_width,
                weights,
                e[dy],
                pad,
                transposed=transposed,
                scratch=scratch,
                out=e[node.name],
            )
            return
        depth = kernel_h * kernel_w * self.x["c"]
        block = max(1, min(height, 1_000_000 // max(1, depth * width * n)))
        shape = (block, self.groups, kernel_h, kernel_w, wt["c"], width, n)
        scratch = e.scratch("products", shape)
        e.call(kernels.conv.col2im, weights, e[dy], *arguments, scratch=scratch, out=e[node.name])

    def emit_by_phase(self, weights: str, node: Node, e: PlanWriter) -> None:
        dy = node.inputs[0]
        (rows, filters, _, n), (height, channels, width, _) = e.shape(dy), e.shape(node.name)
        stride, (before, _) = self.geometry.stride, self.geometry.pad[0]
        down, across = (-(-k // s) for k, s in zip(self.geometry.kernel, stride, strict=True))
        phase_h, phase_w = -(-height // stride[0]), -(-width // stride[1])
        below = max(0, phase_h + (before + stride[0] - 1) // stride[0] - rows)
        row = channels * phase_w * n
        scratch = {
            "wide": e.scratch("wide", (down - 1 + rows + below, across, filters, phase_w, n)),
            "taps": e.scratch("taps", (channels, down, across, filters)),
            "few": e.scratch("few", (min(filters, FILTERS), channels + APART)),
            "products": e.scratch("products", (max(1, min(phase_h, AT_A_TIME // row)), row)),
        }
        e.call(
            kernels.conv.input_gradient_by_phase,
            weights,
            e[dy],
            stride,
            self.geometry.pad,
            **scratch,
            out=e[node.name],
        )


@record
class ConvolveFilterGradient(Op):
    """dw of a convolution: for each tap, what it saw times the gradient of what it made."""

    geometry: Geometry
    groups: int
    w: TensorType
    polyphase: bool = False  # of dy
    at_once: bool = False  # as one product over all pixels
    dense: bool = False

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, x: TensorType, dy: TensorType) -> int:
        return self.w.elements * dy.elements // self.w["f"]

    def evaluate(self, x: Array, dy: Array) -> Array:
        import numpy as np

        x4 = image_4d(x)
        dy4 = as_image(dy, self.geometry.out(*x4.shape[2:])[1]) if self.polyphase else image_4d(dy)
        padded = np.pad(x4, ((0, 0), (0, 0), *self.geometry.pad))
        dw = np.zeros(self.w.shape, x.dtype)
        dw4 = image_4d(dw)
        for group in range(self.groups):
            f, c = part(dy.shape[1], self.groups, group), part(x.shape[1], self.groups, group)
            for u, v, seen in looks(self.geometry, padded, *dy4.shape[2:]):
                dw4[f, :, u, v] += np.einsum("nfhw,nchw->fc", dy4[:, f], seen[:, c])
        return dw

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, dy = node.inputs
        if self.groups > 1 and self.w["c"] == 1 and self.w["f"] == self.groups:
            depthwise.emit_filter_gradient(x, dy, node.name, self.geometry, self.dense, e)
            return
        assert self.geometry.plain and self.groups == 1, "other convolutions are unrolled by a pass"
        emit_filter_gradient(node.name, dy, f"{e.pixels(x)}[None]", 1, self.w, e, self.at_once)


def emit_filter_gradient(
    name: str, dy: str, rows: str, groups: int, w: TensorType, e: PlanWriter, at_once: bool
) -> None:
    """dw as one product of matrices, or as one for each row, a block of rows at a time."""
    filters = w["f"] // groups
    depth = w.elements // w["f"]
    height, _, width, n = e.shape(dy)
    by_row = e.view_of(dy, f"by_row{groups}", e.source(kernels.conv.by_group, e[dy], groups))
    out = e.view("matrix", f"{e[name]}.reshape({groups}, {filters}, -1)")
    if groups == 1 and outweighs(w, height * width * e.batch) and e.made_together(name):
        emit_some_filters(by_row, rows, out, e.shape(dy), w, e)
        return
    if at_once:
        copies = {
            "by_filter": e.scratch("by_filter", (groups, filters, height, width * n)),
            "by_tap": e.scratch("by_tap", (groups, depth, height, width * n)),
        }
        e.call(kernels.conv.filter_gradient_at_once, by_row, rows, **copies, out=out)
        return
    block = max(1, min(height, 500_000 // (groups * filters * depth)))
    scratch = e.scratch("parts", (groups, block, filters, depth))
    e.call(kernels.conv.filter_gradient, by_row, rows, scratch=scratch, out=out)


def emit_some_filters(dy: str, rows: str, dw: str, shape: tuple[int, ...], w: TensorType, e: PlanWriter) -> None:
    """The gradient of this shard's filters, as one product over the pixels of all shards.

    What they show one another for that are dy[f,shards,i,l] and the columns [d,shards,i,l].
    """
    height, filters, width, n = shape
    everyone = []
    for what, given, count in (("dy", dy, filters), ("x", rows, w.elements // filters)):
        shown = e.shown(what, (count, height, width * n))
        mine = f"{shown}.reshape({count}, len({shown}), -1)[:, b.shard, :{height * width * n}]"
        mine = e.view(f"{what}_of_mine", f"{mine}.reshape({count}, {height}, -1).swapaxes(0, 1)[None]")
        e.call(kernels.np.copyto, mine, given)
        everyone.append(f"{shown}.reshape({count}, -1)")
    e.barrier("every shard has shown its pixels")
    some = share(filters, e)
    e.call(
        kernels.gemm.gemm,
        e.view("dy_of_all", f"{everyone[0]}[{some}]"),
        e.view("x_of_all", f"{everyone[1]}.T"),
        out=e.view("filters", f"{dw}[0, {some}]"),
    )


def image_4d(x: Array) -> Array:
    """A sequence's array (or its kernel's) as an image of height 1."""
    return x if x.ndim == 4 else x[:, :, None]


def part(count: int, groups: int, group: int) -> slice:
    """The slice of `count` things that a group holds."""
    group_channels = count // groups
    return slice(group * group_channels, (group + 1) * group_channels)


def looks(geometry: Geometry, padded: Array, height: int, width: int) -> Iterator[tuple[int, int, Array]]:
    """For each tap: the pixels of the padded image that it meets, one for each output."""
    for u in range(geometry.kernel[0]):
        for v in range(geometry.kernel[1]):
            i, j = u * geometry.dilate[0], v * geometry.dilate[1]
            yield (
                u,
                v,
                padded[
                    :,
                    :,
                    i : i + (height - 1) * geometry.stride[0] + 1 : geometry.stride[0],
                    j : j + (width - 1) * geometry.stride[1] + 1 : geometry.stride[1],
                ],
            )
