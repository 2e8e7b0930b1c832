"""A convolution and the 2x2 pooling after it as one product, for one image, where calls cost more than products.

The four outputs that a window pools see kernels of u+1 by v+1 pixels together (a stride more than u by v). So the
filters stand in such kernels four times, each time in another corner: four bands of filters, and a quarter of the
outputs' pixels. Of the product's bands, each in one piece, the largest numbers are the pooled image.
"""

from __future__ import annotations

from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..dense import multiplying_two
from .convolve import Convolve
from .im2col import padded
from .polyphase import image_type


def pooled_geometry(g: Geometry) -> Geometry:
    """The windows that the four outputs of a 2x2 pooling see together."""
    (u, v), (down, across) = g.kernel, g.stride
    return Geometry((u + down, v + across), (2 * down, 2 * across), g.pad)


@record
class CornerFilters(Op):
    """Filters in each corner of a larger kernel: upper left, upper right, lower left, lower right.

    A column for each, of its taps and, with a second input, of its bias: BLAS begins sooner with them than rows.
    """

    kernel: tuple[int, int]

    def type(self, w: TensorType, *bias: TensorType) -> TensorType:
        return parameter(i=w["c"] * prod(self.kernel) + len(bias), o=4 * w["f"])

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array, *bias: Array) -> Array:
        import numpy as np

        (height, width), (u, v) = self.kernel, w.shape[2:]
        low, right = height - u, width - v
        corners = ((0, 0), (0, right), (low, 0), (low, right))
        bands = [np.pad(w, ((0, 0), (0, 0), (i, low - i), (j, right - j))) for i, j in corners]
        rows = np.concatenate(bands, dtype=w.dtype).reshape(4 * len(w), -1)
        return np.concatenate([rows, *(np.tile(b, 4)[:, None] for b in bias)], axis=1).T.copy()

    def emit(self, node: Node, e: PlanWriter) -> None:
        w, *bias = node.inputs
        filters, channels, u, v = e.type(w).shape
        taps = e.view_of(w, "taps", f"{e[w]}.reshape({filters}, {u}, {v}, {channels})")
        e.call(kernels.pool.corner_filters, taps, self.kernel, *(e[b] for b in bias), out=f"{e[node.name]}.T")


@record
class PooledConvolve(Op):
    """x convolved with filters in four bands, and the largest number of the four; then relu, if asked for.

    With `bias` the filters have theirs with them.
    """

    geometry: Geometry
    bias: bool = False
    relu: bool = False

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        height, width = self.geometry.out(*size_2d(x))
        return image_type(TensorType((("c", w["o"] // 4), ("h", height))), width)

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements * self.type(x, w).elements * 4 // w["o"]

    def evaluate(self, x: Array, w: Array) -> Array:
        taps = (w.shape[1], x.shape[1], *self.geometry.kernel)
        y = Convolve(self.geometry).convolved(x, w[: prod(taps[1:])].T.reshape(taps))
        if self.bias:
            y = y + w[-1, :, None, None]
        n, filters, height, width = y.shape
        y = y.reshape(n, 4, filters // 4, height, width).max(axis=1)
        return y * (y > 0) if self.relu else y

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        _, channels, _, n = e.shape(x)
        height, filters, width, _ = e.shape(node.name)
        (u, v), pixels = self.geometry.kernel, height * width * n
        depth = channels * u * v
        shape = depth + self.bias, height, width, n
        columns = e.filled("columns", shape, 1) if self.bias else e.scratch("columns", shape)  # ones for the bias
        taps = e.view("taps", f"{columns}[:{depth}].reshape({channels}, {u}, {v}, {height}, {width}, {n})")
        source = padded(x, self.geometry, e)
        seen = e.source(kernels.conv.windows, source, self.geometry.kernel, self.geometry.stride)
        e.call(kernels.np.copyto, taps, e.view("windows", seen))
        products = e.scratch("products", (4, filters, height, width, n))
        e.call(
            multiplying_two(4 * filters, depth + self.bias, pixels),
            e.view_of(w, "rows", f"{e[w]}.T"),
            e.view("rows", f"{columns}.reshape({depth + self.bias}, {pixels})"),
            out=e.view("bands", f"{products}.reshape({4 * filters}, {pixels})"),
        )
        upper, lower = e.view("upper", f"{products}[:2]"), e.view("lower", f"{products}[2:]")
        left, right = e.view("left", f"{products}[0]"), e.view("right", f"{products}[1]")
        out = e.view("by_filter", f"{e[node.name]}.swapaxes(0, 1)")
        e.call(kernels.np.maximum, upper, lower, out=upper)
        e.call(kernels.np.maximum, left, right, out=left if self.relu else out)
        if self.relu:
            import numpy as np

            zeros = e.constant("zeros", np.zeros((filters, height, width, n)))
            e.call(kernels.np.maximum, left, zeros, out=out)
