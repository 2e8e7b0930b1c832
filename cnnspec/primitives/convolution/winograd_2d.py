"""Convolution by Winograd's method on squares of 4x4 outputs (kernels/winograd_2d.py), on polyphase rows."""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, PlanWriter
from ...record import record
from ..norm import STRIP
from .convolve import Convolve
from .polyphase import as_image, as_polyphase, image_type
from .winograd_1d import WinogradConvolve, WinogradConvolveGradient, lent, taps

APART = 80  # numbers, five lines of the cache: what lies side by side does not fall on the same sets of it


def strips(rows: int) -> int:
    """How many strips of four rows there are; the last may be partly empty."""
    return -(-rows // STRIP)


@record
class Winograd2dConvolve(WinogradConvolve):
    """A 3x3 convolution, stride 1, from polyphase rows to polyphase rows, with a quarter of the products."""

    def macs(self, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        """36 products for sixteen outputs, where the definition takes 144."""
        return Convolve(self.geometry).macs(image_type(x, self.width), w) // 4

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
            "taps": (3, 3, f, c),
            "across": (3, 6, f, c),
            "u": (6, 6, f, c),
            "strip": (6, 4 * max(c * tile_row(x, e), f * length) + APART),
            "products": (36, f * length + APART),
        }
        if self.keep:
            transformed = {"transformed": saved_input_2d(f"{node.name}:transformed", e)}
        else:
            transformed, scratch["transformed"] = {}, (1, 36, c * length + APART)
        e.call(
            kernels.winograd_2d.winograd_2d,
            e[x],
            taps(w, e),
            self.geometry.pad,
            **lent(scratch, e),
            **transformed,
            **self.epilogue(node, f, e),
            out=e[node.name],
        )


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
            "taps": (3, 3, f, c),
            "across": (3, 6, f, c),
            "u": (6, 6, f, c),
            "du": (6, 6, f, c),
            "parts": (6, 6, f, c),
            "strip": (6, 4 * max(row, f * length) + APART),
            "gradients": (36, f * length + APART),
            "products": (36, c * length + APART),
            "both": (12, 4 * row + APART),
        }
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
