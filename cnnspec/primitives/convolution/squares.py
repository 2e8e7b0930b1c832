"""Convolution of images of few pixels by Winograd's method on squares of 2x2 (kernels/winograd_phases.py)."""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from .convolve import Convolve
from .winograd_1d import TransformFilters, lent, taps

# for an image's side: components of a square, and squares
COMPONENTS = {1: (1, 1), 2: (3, 1)} | {side: (4, -(-side // 2)) for side in range(3, 9)}


@record
class TransformFiltersOfSquares(TransformFilters):
    """Filters as they are multiplied with for images of a certain size."""

    height: int
    width: int

    def type(self, w: TensorType) -> TensorType:
        return parameter(k=COMPONENTS[self.height][0] * COMPONENTS[self.width][0], f=w["f"], c=w["c"])

    def matrix(self, like: Array) -> Array:
        return kernels.winograd_phases.squares(self.height, self.width, like.dtype).filters

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        filters, channels = w.shape[:2]
        return np.einsum("kv,fcv->kfc", self.matrix(w), w.reshape(filters, channels, 9))

    def undone(self, u: Array) -> Array:
        import numpy as np

        _, filters, channels = u.shape
        return np.einsum("vk,kfc->fcv", np.linalg.pinv(self.matrix(u)), u).reshape(filters, channels, 3, 3)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        e.call(
            kernels.winograd_phases.transform_filters_of_squares,
            taps(w, e),
            self.height,
            self.width,
            out=e[node.name],
        )


GEOMETRY = Geometry((3, 3), (1, 1), ((1, 1), (1, 1)))


@record
class ConvolveSquares(Op):
    """A 3x3 convolution, stride 1, padded by one, of images of few pixels a side and transformed filters.

    By products for so many filters `at_once`, or for all.
    """

    at_once: int = 0

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return x.resized(x.spatial, w["f"])

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements * COMPONENTS[x["h"]][1] * COMPONENTS[x["w"]][1]

    def evaluate(self, x: Array, w: Array) -> Array:
        return Convolve(GEOMETRY).convolved(x, TransformFiltersOfSquares(*x.shape[2:]).undone(w))

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        height, channels, width, n = e.shape(x)
        count, filters = e.type(w)["k"], e.type(w)["f"]
        tiles = COMPONENTS[height][1] * COMPONENTS[width][1]
        outputs = min(2, height) * min(2, width)
        scratch = {
            "pixels": (height, width, channels, n),
            "components": (count, tiles, channels, n),
            **({"together": (count, channels, tiles, n)} if tiles > 1 else {}),
            "products": (count, filters, tiles, n),
            "outputs": (outputs, filters, tiles, n),
        }
        some = self.at_once or filters
        e.call(kernels.winograd_phases.convolve_squares, e[x], e[w], some, **lent(scratch, e), out=e[node.name])
