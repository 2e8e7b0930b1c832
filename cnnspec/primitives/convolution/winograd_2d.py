"""Convolution by Winograd's method on squares of 4x4 outputs (kernels/winograd_2d.py), on polyphase rows."""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, PlanWriter
from ...record import record
from ..norm import STRIP
from .convolve import Convolve
from .polyphase import as_image, as_polyphase, image_type
from .winograd_1d import (
    TransformFilters,
    WinogradConvolve,
    WinogradConvolveGradient,
    filter_matrix,
    lent,
    of_3x3,
    side_by_side,
    taps,
)

APART = 80  # numbers, five lines of the cache: what lies side by side does not fall on the same sets of it
LARGE = 1 << 16  # weights of each tap from which on filters and their gradient take turns in one memory
TRANSFORMED = 1 << 14  # weights of each tap that are transformed at a time, in the cache
AT_ONCE = 1 << 20  # numbers of the filters' gradient, of large layers, that a strip adds to at a time


def strips(rows: int) -> int:
    """How many strips of four rows there are; the last may be partly empty."""
    return -(-rows // STRIP)


@record
class Winograd2dConvolve(WinogradConvolve):
    """A 3x3 convolution, stride 1, from polyphase rows to polyphase rows, with a quarter of the products."""

    def macs(self, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        """36 products for sixteen outputs, where the definition takes 144."""
        return Convolve(self.geometry).macs(image_type(x, self.width), of_3x3(w)) // 4

    @property
    def to_filters(self) -> TransformFilters2d:
        return TransformFilters2d()

    @property
    def way_back(self) -> Winograd2dConvolveGradient:
        return Winograd2dConvolveGradient(self.geometry, self.width)

    def transformed(self, x: TensorType, y: TensorType) -> TensorType:
        """36 components of each strip, laid out as an image's rows: for each channel a number a tile."""
        return TensorType((("c", x["c"]), ("h", strips(y["h"])), ("r", 36), ("t", y["t"])))

    def transform_input(self, x: Array, y: Array) -> Array:
        return transform_input_2d(as_image(x, self.width), self.geometry)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w, *_ = node.inputs
        f, c, length = sizes(w, node.name, e)
        scratch: dict[str, tuple[int, ...]] = {
            **({} if self.ready else {**some_filters(f, c), "u": (6, 6, f, c)}),
            "strip": (6, 4 * max(c * tile_row(x, e), f * length) + APART),
            "products": (36, f * length + APART),
            **side_by_side(self.geometry, 6, c, length),
        }
        if self.keep:
            transformed = {"transformed": saved_input_2d(f"{node.name}:transformed", e)}
        else:
            transformed, scratch["transformed"] = {}, (1, 36, c * length + APART)
        e.call(
            kernels.winograd_2d.winograd_2d,
            e[x],
            None if self.ready else taps(w, e),
            self.geometry.pad,
            **({"u": e[w]} if self.ready else {}),
            **lent(scratch, e),
            **transformed,
            **self.epilogue(node, f, e),
            out=e[node.name],
        )


@record
class TransformFilters2d(TransformFilters):
    """The same in both directions."""

    def type(self, w: TensorType) -> TensorType:
        return parameter(k=6, l=6, f=w["f"], c=w["c"])

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        g = filter_matrix(w)
        return np.ascontiguousarray(np.einsum("ku,lv,fcuv->klfc", g, g, w))

    def undone(self, u: Array) -> Array:
        import numpy as np

        back = np.linalg.pinv(filter_matrix(u))
        return np.einsum("uk,vl,klfc->fcuv", back, back, u)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        scratch = lent(some_filters(e.type(w)["f"], e.type(w)["c"]), e)
        e.call(kernels.winograd_2d.transform_filters_2d, taps(w, e), **scratch, out=e[node.name])


@record
class Winograd2dConvolveGradient(WinogradConvolveGradient):
    """dx, and as a by-product dw, of a Winograd2dConvolve; see WinogradConvolveGradient."""

    def macs(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        return 2 * Winograd2dConvolve(self.geometry, self.width).macs(self.saved or x, w)

    def invert_input(self, transformed: Array) -> Array:
        assert self.saved is not None
        return as_polyphase(invert_input_2d(transformed, self.geometry, self.saved["h"], self.width))

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, w, *rest = node.inputs
        f, c, length = sizes(w, dy, e)
        row = c * tile_row(node.name, e)
        scratch: dict[str, tuple[int, ...]] = {
            **some_filters(f, c),
            "u": (6, 6, f, c),
            "parts": (kernels.gemm.divisor(36, max(1, AT_ONCE // (f * c))), f, c),
            "strip": (6, 4 * max(row, f * length) + APART),
            "gradients": (1, 36, f * length + APART),
            "products": (36, c * length + APART),
            "both": (12, 4 * row + APART),
            **side_by_side(self.geometry, 6, c, length),
        }
        rows = strips(e.type(dy)["h"])
        # unless what must be kept of the images meanwhile is more than that saves
        if f * c >= LARGE and rows * length <= c:
            scratch["gradients"] = (rows, *scratch["gradients"][1:])
        else:
            scratch["du"] = scratch["u"]
        given: str | None = e[x]
        transformed = {}
        if self.saved:
            given, transformed = None, {"transformed": saved_input_2d(x, e)}
        else:
            scratch["transformed"] = (1, 36, c * length + APART)
        epilogue = self.sums_by_rows(rest, e)
        e.call(
            kernels.winograd_2d.winograd_2d_gradient,
            e[dy],
            given,
            taps(w, e),
            self.geometry.pad,
            **lent(scratch, e),
            **transformed,
            **({"epilogue": epilogue} if epilogue else {}),
            dw=self.filter_gradient(node, f, c, e),
            out=e[node.name],
        )
        if self.sums is not None:
            self.sums.emit_total(node, rest, epilogue, e)


def some_filters(f: int, c: int) -> dict[str, tuple[int, ...]]:
    """Scratch for the transforms of filters, of so many at a time."""
    some = kernels.gemm.divisor(f, max(1, TRANSFORMED // c))
    return {"taps": (3, 3, some, c), "across": (3, 6, some, c)}


def sizes(w: str, y: str, e: PlanWriter) -> tuple[int, int, int]:
    """Filters, channels, numbers of a row of tiles."""
    return e.type(w)["f"], e.type(w)["c"], tile_row(y, e)


def tile_row(x: str, e: PlanWriter) -> int:
    """Numbers of a row of tiles; the input may have a tile more than the output."""
    _, _, _, tiles, n = e.shape(x)
    return tiles * n


def saved_input_2d(value: str, e: PlanWriter) -> str:
    return e.view_of(value, "by_strip", f"{e[value]}.reshape({e.shape(value)[0]}, 36, -1)")


def transform_input_2d(x: Array, geometry: Geometry) -> Array:
    """x[n,c,h,w] -> [n,c,strips,36,t]: what the 6x6 pixels of each square come to, before the products."""
    import numpy as np

    from ...kernels.winograd_1d import INPUT

    (top, bottom), (left, right) = geometry.pad
    height, width = geometry.out(*x.shape[2:])
    down, across = strips(height), -(-width // 4)
    beyond = (4 * down - height, 4 * across - width)
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom + beyond[0]), (left, right + beyond[1])))
    seen = [[padded[:, :, i : i + 4 * down : 4, j : j + 4 * across : 4] for j in range(6)] for i in range(6)]
    b = np.array(INPUT, x.dtype)
    transformed = np.einsum("ki,lj,ijncst->ncsklt", b, b, np.array(seen))
    return transformed.reshape(*transformed.shape[:3], 36, across)


def invert_input_2d(transformed: Array, geometry: Geometry, height: int, width: int) -> Array:
    """The x[n,c,h,w] with this transform: B^T d B solved for d, each pixel put where it is from."""
    import numpy as np

    from ...kernels.winograd_1d import INPUT

    n, c, down, _, across = transformed.shape
    inverse = np.linalg.inv(np.array(INPUT, transformed.dtype))
    pixels = np.einsum("ik,jl,ncsklt->ijncst", inverse, inverse, transformed.reshape(n, c, down, 6, 6, across))
    padded = np.zeros((n, c, 4 * down + 2, 4 * across + 2), transformed.dtype)
    for i in range(6):
        for j in range(6):
            padded[:, :, i : i + 4 * down : 4, j : j + 4 * across : 4] = pixels[i, j]
    (top, _), (left, _) = geometry.pad
    return padded[:, :, top : top + height, left : left + width]
