"""A convolution for the 2x2 pooling after it: its image in 2x2 phases, each window's four pixels in four blocks.

Phase 2u + v has the pixels of rows 2i + u and columns 2t + v. A phase lies in one piece, and the pooling runs over
it from end to end. Columns that are sorted by their parity make such an image at no cost.
"""

from __future__ import annotations

from collections.abc import Mapping

from ... import kernels
from ...ir import TensorType
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record
from ..dense import multiplying
from .convolve import Convolve, ConvolveFilterGradient
from .im2col import Im2col
from .polyphase import image_type


def phases_type(x: TensorType) -> TensorType:
    """The type of an image in 2x2 phases; an odd last row or column, which no window sees, is left out."""
    height, width = size_2d(x)
    return TensorType((("c", x["c"]), ("h", 4), ("r", height // 2), ("t", width // 2)))


def in_phases(x: Array) -> Array:
    """x[n,c,h,w] -> [n,c,2u+v,i,t]"""
    import numpy as np

    n, c, height, width = x.shape
    i, t = height // 2, width // 2
    windows = x[:, :, : 2 * i, : 2 * t].reshape(n, c, i, 2, t, 2)
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 5, 2, 4).reshape(n, c, 4, i, t))


def from_phases(x: Array, height: int, width: int) -> Array:
    """x[n,c,2u+v,i,t] -> [n,c,h,w], zero where no window sees."""
    import numpy as np

    n, c, _, i, t = x.shape
    image = np.zeros((n, c, height, width), x.dtype)
    image[:, :, : 2 * i, : 2 * t] = x.reshape(n, c, 2, 2, i, t).transpose(0, 1, 4, 2, 5, 3).reshape(n, c, 2 * i, -1)
    return image


@record
class PhasedConvolve(Op):
    """y = x, which is the network's input where it is trained, convolved with w, in 2x2 phases."""

    geometry: Geometry

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return phases_type(Convolve(self.geometry).type(x, w))

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements * self.type(x, w).elements // w["f"]

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        op = PhasedFilterGradient(self.geometry, b.type(w))
        return None, b.add(op, x, dy, name=f"{node.name}.dw", like=node)

    def evaluate(self, x: Array, w: Array) -> Array:
        return in_phases(Convolve(self.geometry).convolved(x, w))


@record
class PhasedFilterGradient(Op):
    """dw of a PhasedConvolve: for each tap, what it saw times the gradient of what it made."""

    geometry: Geometry
    w: TensorType

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, x: TensorType, dy: TensorType) -> int:
        return self.w.elements * dy.elements // self.w["f"]

    def evaluate(self, x: Array, dy: Array) -> Array:
        image = from_phases(dy, *self.geometry.out(*x.shape[2:]))
        return ConvolveFilterGradient(self.geometry, 1, self.w).evaluate(x, image)


# ---- by im2col ------------------------------------------------------------------------------------


@record
class PhasedIm2col(Im2col):
    """The input of a PhasedConvolve widened: even columns, then odd ones, a last one without partner left out."""

    def type(self, x: TensorType) -> TensorType:
        sizes = dict(super().type(x).axes)
        return TensorType(tuple({**sizes, "w": sizes["w"] // 2 * 2}.items()))

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        wide = super().evaluate(x)
        width = wide.shape[-1] // 2 * 2
        return np.concatenate([wide[..., 0:width:2], wide[..., 1:width:2]], axis=-1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        (_, kernel_w), (_, stride), (_, dilate) = self.geometry.kernel, self.geometry.stride, self.geometry.dilate
        e.call(kernels.conv.im2col_width, e[x], kernel_w, stride, dilate, self.geometry.pad, phases=2,
               out=e[node.name])  # fmt: skip

    def by_phase(self, columns: str, windows: int, e: PlanWriter) -> str:
        """The view [u,v,i,d,l] whose rows are multiplied."""
        kernel, stride = self.geometry.kernel[0], self.geometry.stride[0]
        rows = e.source(kernels.conv.rows, e[columns], kernel, stride, 2 * windows)
        return e.view_of(columns, "by_phase", e.source(kernels.polyphase.by_phase, rows))

    def image(self, columns: Array) -> Array:
        """The columns [n,g,h,v,c,w] as they were before they were sorted by parity."""
        import numpy as np

        half = columns.shape[-1] // 2
        return np.stack([columns[..., :half], columns[..., half:]], axis=-1).reshape(columns.shape)

    def rows_of_taps(self, columns: Array, windows: int) -> list[Array]:
        """For each row of the kernel: the columns [n,h,v,c,w] that it meets, in the image's order."""
        stride, wide = self.geometry.stride[0], self.image(columns)[:, 0]
        last = (2 * windows - 1) * stride
        return [wide[:, u : u + last + 1 : stride] for u in range(self.geometry.kernel[0])]


@record
class PhasedGemm(Op):
    """y = weights times columns, a product for each phase of each row of windows."""

    columns: PhasedIm2col
    y: TensorType

    def type(self, columns: TensorType, w: TensorType) -> TensorType:
        return self.y

    def macs(self, columns: TensorType, w: TensorType) -> int:
        return w.elements * self.y.elements // w["f"]

    def evaluate(self, columns: Array, w: Array) -> Array:
        import numpy as np

        seen = self.columns.rows_of_taps(columns, self.y["r"])
        parts = (np.einsum("nhvcw,fcv->nfhw", x, w[:, :, u]) for u, x in enumerate(seen))
        return in_phases(sum(parts))

    def emit(self, node: Node, e: PlanWriter) -> None:
        columns, w = node.inputs
        _, windows, filters, t, n = e.shape(node.name)
        out = e.view("by_phase", f"{e[node.name]}.reshape(2, 2, {windows}, {filters}, {t * n})")
        by = multiplying(filters, e.type(w).elements // filters, t * n)
        e.call(by, e.matrix(w), self.columns.by_phase(columns, windows, e), out=out)


@record
class PhasedIm2colFilterGradient(Op):
    """dw from the columns that the forward pass kept."""

    columns: PhasedIm2col
    w: TensorType

    def type(self, columns: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, columns: TensorType, dy: TensorType) -> int:
        return self.w.elements * dy.elements // self.w["f"]

    def evaluate(self, columns: Array, dy: Array) -> Array:
        import numpy as np

        _, _, _, windows, t = dy.shape
        seen, image = self.columns.rows_of_taps(columns, windows), from_phases(dy, 2 * windows, 2 * t)
        return np.stack([np.einsum("nhvcw,nfhw->fcv", x, image) for x in seen], axis=2)

    def emit(self, node: Node, e: PlanWriter) -> None:
        columns, dy = node.inputs
        _, windows, filters, t, n = e.shape(dy)
        depth = self.w.elements // filters
        block = max(1, min(windows, 500_000 // (4 * filters * depth)))
        scratch = e.scratch("parts", (2, 2, block, filters, depth))
        by_phase = e.view_of(dy, "by_phase", f"{e[dy]}.reshape(2, 2, {windows}, {filters}, {t * n})")
        rows = self.columns.by_phase(columns, windows, e)
        e.call(kernels.polyphase.phased_filter_gradient, by_phase, rows, scratch=scratch, out=e.matrix(node.name))


# ---- pooling ---------------------------------------------------------------------------------------


def argmax_type(pooled: TensorType) -> TensorType:
    """The argmax of each window: three masks."""
    sizes = (("c", pooled["c"]), ("h", 3), ("r", pooled["h"]), ("t", pooled["w"]))
    return TensorType(sizes, dtype="bool")


@record
class MaxPhases(Op):
    """The largest pixel of each 2x2 window of an image in phases; with `save` the argmax is a by-product."""

    save: bool = False

    def type(self, x: TensorType) -> TensorType:
        return image_type(TensorType((("c", x["c"]), ("h", x["r"]))), x["t"])

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"argmax": argmax_type(self.type(x))} if self.save else {}

    def flops(self, x: TensorType) -> int:
        return x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = MaxPhasesGradient(b.type(node.inputs[0]))
        return (b.add(op, dy, f"{node.name}:argmax", name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array | tuple[Array, ...]:
        y = x.max(axis=2)
        return (y, argmax_of(x)) if self.save else y

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        argmax = {"argmax": e[f"{node.name}:argmax"]} if self.save else {}
        lower = e.scratch("lower", e.shape(node.name))
        e.call(kernels.pool.phased_maxpool2, e[x], scratch=lower, **argmax, out=e[node.name])


@record
class MaxPhasesGradient(Op):
    """The gradient goes to the maximum of each window, of equal ones to the first in reading order."""

    x: TensorType

    def type(self, dy: TensorType, argmax: TensorType) -> TensorType:
        return self.x

    def flops(self, dy: TensorType, argmax: TensorType) -> int:
        return 4 * dy.elements

    def evaluate(self, dy: Array, argmax: Array) -> Array:
        import numpy as np

        left, right, upper = np.moveaxis(argmax, 2, 0)
        masks = (left & upper, ~left & upper, right & ~upper, ~right & ~upper)
        return np.stack([dy * mask for mask in masks], axis=2)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, argmax = node.inputs
        e.call(kernels.pool.phased_maxpool2_gradient, e[dy], e[argmax], out=e[node.name])


def argmax_of(x: Array) -> Array:
    """x[n,c,4,i,t] -> [n,c,3,i,t]: whether the left pixel above, the left one below, the upper row is largest."""
    import numpy as np

    a, b, c, d = np.moveaxis(x, 2, 0)
    return np.stack([a >= b, c >= d, np.maximum(a, b) >= np.maximum(c, d)], axis=2)
