"""A convolution and the 2x2 pooling after it as one product, for one image, where calls cost more than products.

The four outputs that a window pools see kernels of u+1 by v+1 pixels together (a stride more than u by v). So the
filters stand in such kernels four times, each time in another corner: four bands of filters, and a quarter of the
outputs' pixels. Of the product's bands, each in one piece, the largest numbers are the pooled image.
"""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..dense import multiplying
from .columns import padded
from .convolve import Convolve
from .polyphase import image_type


def pooled_geometry(g: Geometry) -> Geometry:
    """The windows that the four outputs of a 2x2 pooling see together."""
    (u, v), (down, across) = g.kernel, g.stride
    return Geometry((u + down, v + across), (2 * down, 2 * across), g.pad)


@record
class CornerFilters(Op):
    """Filters in each corner of a larger kernel: upper left, upper right, lower left, lower right."""

    kernel: tuple[int, int]

    def type(self, w: TensorType) -> TensorType:
        return parameter(f=4 * w["f"], c=w["c"], u=self.kernel[0], v=self.kernel[1])

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        (height, width), (u, v) = self.kernel, w.shape[2:]
        low, right = height - u, width - v
        corners = ((0, 0), (0, right), (low, 0), (low, right))
        return np.concatenate(
            [np.pad(w, ((0, 0), (0, 0), (i, low - i), (j, right - j))) for i, j in corners], dtype=w.dtype
        )

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        filters, channels, u, v = e.type(w).shape
        taps = e.view_of(w, "taps", f"{e[w]}.reshape({filters}, {u}, {v}, {channels})")
        shape = (2, 2, filters, channels, *self.kernel)
        e.call(kernels.pool.corner_filters, taps, out=e.view("corners", f"{e[node.name]}.reshape{shape}"))


@record
class PooledConvolve(Op):
    """x convolved with filters in four bands, and the largest number of the four."""

    geometry: Geometry

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        height, width = self.geometry.out(*size_2d(x))
        return image_type(TensorType((("c", w["f"] // 4), ("h", height))), width)

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements * self.type(x, w).elements * 4 // w["f"]

    def evaluate(self, x: Array, w: Array) -> Array:
        y = Convolve(self.geometry).convolved(x, w)
        n, filters, height, width = y.shape
        return y.reshape(n, 4, filters // 4, height, width).max(axis=1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        _, channels, _, n = e.shape(x)
        height, filters, width, _ = e.shape(node.name)
        (u, v), pixels = self.geometry.kernel, height * width * n
        source = padded(x, self.geometry, e)
        columns = e.scratch("columns", (channels, u, v, height, width, n))
        seen = e.source(kernels.conv.windows, source, self.geometry.kernel, self.geometry.stride)
        e.call(kernels.np.copyto, columns, e.view("windows", seen))
        products = e.scratch("products", (4, filters, height, width, n))
        depth = channels * u * v
        e.call(
            multiplying(4 * filters, depth, pixels),
            e.matrix(w),
            e.view("rows", f"{columns}.reshape({depth}, {pixels})"),
            out=e.view("bands", f"{products}.reshape({4 * filters}, {pixels})"),
        )
        e.call(kernels.pool.largest_band, products, out=e[node.name])
