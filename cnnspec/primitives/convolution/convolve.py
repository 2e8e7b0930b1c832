"""The primitives of convolutions and their gradients.

A pass chooses how each is computed: by im2col (`im2col.py`), by Winograd's method (`winograd.py`), or as it
stands here, where a kernel has one tap or every channel a kernel of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter, Slides
from ...record import record
from ..activation import ActivationGradient, Rectifier
from ..dense import multiplying
from . import depthwise
from .polyphase import FromPolyphase, as_image, as_polyphase, moments_of, moments_type, polyphase_type

FEW = 2_048  # numbers that are compared with one number as quickly as with an array


@record
class Convolve(Slides):
    """y = x convolved with w, no bias; a pass chooses how (`passes/convolutions.py`).

    A pass may have it make `polyphase` rows (`winograd.py`), and with `moments` those for batch normalisation. A
    depthwise one and its gradients may be `dense`, a matrix for each channel (`kernels/depthwise.py`).
    """

    groups: int = 1
    polyphase: bool = False
    moments: bool = False
    dense: bool = False

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
        if self.groups > 1 and e.type(w)["c"] == 1 and e.type(w)["f"] == self.groups:
            depthwise.emit_layer(x, w, node.name, self.geometry, self.dense, e)
            return
        assert self.geometry.plain and self.groups == 1, "other convolutions are unrolled by a pass"
        filters, channels = e.type(w)["f"], e.type(w)["c"]
        weights = e.view("matrix", f"{e[w]}.reshape({filters}, {channels})")
        out = e.view("pixels", e.source(kernels.conv.pixels, e[node.name]))
        length = prod(e.shape(node.name)[-2:])
        e.call(multiplying(filters, channels, length), weights, e.pixels(x), out=out)


@record
class ConvolveInputGradient(Op):
    """dx of a convolution: exact for every stride, since each output's gradient goes to the pixels it saw.

    With `by_taps` each tap's products are made by themselves, though the kernel's rows would come for nothing.
    """

    geometry: Geometry
    groups: int
    x: TensorType
    by_taps: bool = False
    dense: bool = False

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
            matrix = e.view("transposed", f"{e[w]}.reshape({wt['f']}, {wt['c']}).T")
            out = e.view("pixels", e.source(kernels.conv.pixels, e[node.name]))
            length = prod(e.shape(dy)[-2:])
            e.call(multiplying(wt["c"], wt["f"], length, across=True), matrix, e.pixels(dy), out=out)
            return
        height, _, width, n = e.shape(dy)
        weights = e.view("taps", f"{e[w]}.reshape({wt['f']}, {kernel_h}, {kernel_w}, {wt['c']})")
        pad = self.geometry.pad
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


@record
class AddBias(Op):
    """y = x + b, one number for each channel.

    As with a normalisation, a pass may give it what follows: a third input is added, `relu` is applied. For one
    image it may give it the numbers of a whole row (`BroadcastBias`).
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
        y = sum(add, x + (b[:, None] if b.ndim == 2 else b.reshape(-1, *[1] * (x.ndim - 2))))
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
        if len(e.shape(bias)) == 2:
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
        height, channels, width = e.rows_shape(x)
        shape = height, channels * width
        source, target = (e.view_of(value, "lines", f"{e[value]}.reshape{shape}") for value in (x, out))
        e.call(kernels.np.add, source, e.view_of(bias, "line", f"{e[bias]}.reshape(-1)"), out=target)


@record
class BroadcastBias(Op):
    """b[c] -> [c,w]: the number of each channel for every pixel of a row.

    A row of one image is short runs of a channel each; broadcast beforehand, they are added in one.
    """

    width: int

    def type(self, b: TensorType) -> TensorType:
        return parameter(c=b.elements, w=self.width)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, b: Array) -> Array:
        return b[:, None].repeat(self.width, axis=1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (b,) = node.inputs
        e.call(kernels.np.copyto, e[node.name], e.view_of(b, "column", f"{e[b]}[:, None]"))


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
