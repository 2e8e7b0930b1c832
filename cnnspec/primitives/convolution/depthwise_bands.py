"""Depthwise convolution by bands of the kernels, or by dense matrices, that are made of the kernels first."""

from __future__ import annotations

from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, Node, Op, PlanWriter, Slides
from ...record import record
from .convolve import Convolve
from .depthwise import taps

STRIP = 4  # rows of a layer that are a product
WIDE = 400_000  # numbers of the copies of some channels: fewer are more calls, more leave the cache


@record
class DepthwiseBands(Op):
    """Kernels w[c,1,u,v] as bands[c,r,k*v]: a row for each of r rows of output, of k rows of input and v columns.

    `flipped` both ways, they are those of the input's gradient.
    """

    geometry: Geometry
    rows: int
    flipped: bool = False

    @property
    def span(self) -> int:
        """Rows of the input that are seen together."""
        return (self.rows - 1) * self.geometry.stride[0] + self.geometry.extent[0]

    def type(self, w: TensorType) -> TensorType:
        return parameter(c=w["f"], r=self.rows, k=self.span * self.geometry.kernel[1])

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        kernel = self.geometry.kernel
        w = w.reshape(-1, *kernel)
        w = w[:, ::-1, ::-1] if self.flipped else w
        bands = np.zeros((len(w), self.rows, self.span, kernel[1]), w.dtype)
        for r, u in np.ndindex(self.rows, kernel[0]):
            bands[:, r, r * self.geometry.stride[0] + u * self.geometry.dilate[0]] = w[:, u]
        return bands.reshape(len(w), self.rows, -1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        weights = taps(node.inputs[0], self.geometry, e)
        if self.flipped:
            weights = e.view("flipped", f"{weights}[:, ::-1, ::-1]")
        stride, dilate = self.geometry.stride[0], self.geometry.dilate[0]
        e.call(kernels.depthwise.depthwise_bands, weights, stride, dilate, out=e[node.name])


@record
class ColumnsByPhase(Op):
    """An image whose columns stand by their phase, column modulo stride: 0 2 4 1 3 5."""

    row_by_row = True
    stride: int

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        return np.concatenate([x[..., phase :: self.stride] for phase in range(self.stride)], axis=-1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.depthwise.gather_phases, e[x], self.stride, out=e[node.name])


@record
class DepthwiseByBands(Slides):
    """Each channel of x convolved with its kernel, given as bands (`kernels/depthwise.py`).

    With `by_phase` the columns of x are those of `ColumnsByPhase`.
    """

    by_phase: bool = False

    def type(self, x: TensorType, bands: TensorType) -> TensorType:
        return x.resized(self.geometry.out(*size_2d(x))[-len(x.spatial) :], x["c"])

    def macs(self, x: TensorType, bands: TensorType) -> int:
        return prod(self.geometry.kernel) * self.type(x, bands).elements

    def evaluate(self, x: Array, bands: Array) -> Array:
        kernel_h, kernel_w = self.geometry.kernel
        taps = bands[:, 0].reshape(len(bands), 1, -1, kernel_w)[:, :, :: self.geometry.dilate[0]][:, :, :kernel_h]
        taps = taps if x.ndim == 4 else taps[:, :, 0]
        if self.by_phase:
            x = x.reshape(*x.shape[:-1], self.geometry.stride[1], -1).swapaxes(-1, -2).reshape(x.shape)
        return Convolve(self.geometry, len(bands)).convolved(x, taps)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, bands = node.inputs
        height, channels, width, n = e.shape(node.name)
        _, rows, depth = e.type(bands).shape
        kernel_w = self.geometry.kernel[1]
        span, step, row = depth // kernel_w, rows * self.geometry.stride[0], kernel_w * width * n
        strips = max(1, min(-(-height // rows), (WIDE // row - span) // step + 1))
        held = (strips - 1) * step + span
        block = max(1, min(channels, WIDE // (held * row)))
        lent = {"wide": e.scratch("wide", (held, kernel_w, block, width, n))}
        if height % rows:
            lent["tail"] = e.scratch("tail", (block, rows, width * n))
        how = {"by_phase": True} if self.by_phase else {}
        by, arguments = kernels.depthwise.depthwise, self.geometry.arguments
        e.call(by, e[x], e[bands], *arguments, **how, **lent, out=e[node.name])


@record
class DenseTaps(Op):
    """Kernels w[c,1,u,v] as a matrix [c,i*j,h*w] for each channel, from an image's pixels to those of a layer."""

    geometry: Geometry
    x: TensorType

    def type(self, w: TensorType) -> TensorType:
        made = prod(self.geometry.out(*size_2d(self.x)))
        return parameter(c=w["f"], i=made, k=prod(size_2d(self.x)))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        height, width = size_2d(self.x)
        kernel = w.reshape(len(w), 1, *self.geometry.kernel)
        # the layer of each single pixel, as images
        seen = np.eye(height * width, dtype=w.dtype).reshape(-1, 1, height, width)
        made = Convolve(self.geometry, len(w)).convolved(np.repeat(seen, len(w), axis=1), kernel)
        return np.ascontiguousarray(made.reshape(height * width, len(w), -1).transpose(1, 2, 0))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        sizes = self.geometry.out(*size_2d(self.x)), size_2d(self.x)
        e.call(
            kernels.depthwise.dense_matrices,
            taps(w, self.geometry, e),
            *sizes,
            *self.geometry.arguments,
            out=e[node.name],
        )


@record
class DepthwiseDense(Slides):
    """Each channel of x, of a few pixels, times a matrix (`DenseTaps`)."""

    def type(self, x: TensorType, matrix: TensorType) -> TensorType:
        return x.resized(self.geometry.out(*size_2d(x))[-len(x.spatial) :], x["c"])

    def macs(self, x: TensorType, matrix: TensorType) -> int:
        return prod(self.geometry.kernel) * self.type(x, matrix).elements

    def evaluate(self, x: Array, matrix: Array) -> Array:
        import numpy as np

        made = np.einsum("cik,nck->nci", matrix, x.reshape(*x.shape[:2], -1))
        sizes = self.geometry.out(*x.shape[2:]) if x.ndim == 4 else made.shape[2:]
        return made.reshape(*x.shape[:2], *sizes)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, matrix = node.inputs
        channels, made, seen = e.type(matrix).shape
        n = e.shape(x)[-1]
        lent = {"seen": e.scratch("seen", (channels, seen, n)), "made": e.scratch("made", (channels, made, n))}
        e.call(kernels.depthwise.depthwise_dense, e[x], e[matrix], **lent, out=e[node.name])
