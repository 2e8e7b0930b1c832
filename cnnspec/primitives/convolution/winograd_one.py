"""Winograd's convolution of one image: on all its squares of 4x4 outputs at once, with filters transformed before.

What `winograd_2d.py` does with many images' pixels side by side, one image has too few for. Here the channels of a
pixel lie side by side, and each step is one call over the whole image. The filters' transform, four times as many
numbers, depends on parameters alone, and is made once after they have changed.
"""

from __future__ import annotations

from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, Node, Op, PlanWriter, Slides
from ...record import record
from ..dense import multiplying
from .convolve import Convolve
from .polyphase import image_type
from .winograd_1d import taps

TILE, SEEN = 4, 6  # pixels along a square of the output, and of the input that it sees
FILLED = 1 << 16  # numbers of an image with its padding that may stay in memory of its own
PIECE = 64  # filters that are multiplied at a time where all squares are one product; workers may share them
FEW, MANY = 16, 64  # squares, with fewer of which one product is best, and from which on it may be in four pieces


@record
class WinogradFilters(Op):
    """G w G^T, a matrix of channels by filters for each of 36 components, those down within those across.

    Or such matrices for each of some `pieces` of the filters, which lie apart.
    """

    pieces: int = 1

    def type(self, w: TensorType) -> TensorType:
        apart = {"p": self.pieces} if self.pieces > 1 else {}
        return parameter(**apart, k=SEEN * SEEN, c=w["c"], f=w["f"] // self.pieces)

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        from ...kernels.winograd_1d import FILTERS

        g = np.array(FILTERS, w.dtype)
        w = w.reshape(self.pieces, -1, *w.shape[1:])
        u = np.einsum("lv,ku,pfcuv->plkcf", g, g, w).reshape(self.pieces, -1, w.shape[2], w.shape[1])
        return u if self.pieces > 1 else u[0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        e.call(kernels.winograd_phases.transform_filters_at_once, taps(w, e), out=e[node.name])


@record
class WinogradOneImage(Slides):
    """A 3x3 convolution of one image, stride 1, with filters that are transformed; or that and its 2x2 max pooling.

    A product is of so many strips of squares `together`, or of 0 for all: the more, the better BLAS does, but bands
    begin where a product does. `pooled`, its geometry is that of the four outputs of a window (`pooled.py`), which
    always are of one square.
    """

    together: int
    pooled: bool = False

    @property
    def row_geometry(self) -> Geometry | None:
        return self.geometry if self.together else None

    @property
    def each(self) -> int:
        """Rows that are made of a strip of squares, and columns."""
        return TILE // self.geometry.stride[0]

    @property
    def rows_together(self) -> int:
        return self.each * max(self.together, 1)

    def tiles(self, y: TensorType) -> tuple[int, int]:
        """How many squares there are, down and across; the last may be partly empty."""
        return -(-y["h"] // self.each), -(-y["w"] // self.each)

    def type(self, x: TensorType, u: TensorType) -> TensorType:
        height, width = self.geometry.out(*size_2d(x))
        return image_type(TensorType((("c", u.elements // (SEEN * SEEN * u["c"])), ("h", height))), width)

    def macs(self, x: TensorType, u: TensorType) -> int:
        """36 products of a square of sixteen outputs, for which the definition takes 144, and the transforms."""
        into, back = SEEN * SEEN * 2 * SEEN, TILE * (SEEN + TILE) * SEEN
        y = self.type(x, u)
        return (u.elements + into * u["c"] + back * y["c"]) * prod(self.tiles(y))

    def evaluate(self, x: Array, u: Array) -> Array:
        import numpy as np

        from ...kernels.winograd_1d import FILTERS

        inverse = np.linalg.pinv(np.array(FILTERS, u.dtype))
        channels, filters = u.shape[-2:]
        u = u.reshape(-1, SEEN, SEEN, channels, filters)
        w = np.einsum("vl,uk,plkcf->pfcuv", inverse, inverse, u).reshape(-1, channels, 3, 3)
        y = Convolve(Geometry((3, 3), pad=self.geometry.pad)).convolved(x, w)
        if not self.pooled:
            return y
        height, width = self.geometry.out(*x.shape[2:])
        windows = y[:, :, : 2 * height, : 2 * width].reshape(*y.shape[:2], height, 2, width, 2)
        return np.asarray(windows.max(axis=(3, 5)))

    def emit(self, node: Node, e: PlanWriter) -> None:
        import numpy as np

        from ...kernels.winograd_1d import INPUT, OUTPUT

        x, u = node.inputs
        channels, each = e.type(u)["c"], self.each
        rows, filters, columns, _ = e.shape(node.name)
        down, across = self.tiles(e.type(node.name))
        wide, squares = TILE * across + 2, down * across
        widest = SEEN * SEEN * squares * max(channels, filters)
        memory = [e.scratch(name, (max(widest, SEEN * down * wide * channels),)) for name in ("one", "other")]

        def turn(suffix: str, *shape: int) -> str:
            """What the next step makes, in the memory that it does not read."""
            memory.reverse()
            return e.view(suffix, f"{memory[0]}[:{prod(shape)}].reshape{shape}")

        matrix, back = e.constant("input_transform", np.array(INPUT)), e.constant("transform", np.array(OUTPUT))
        image = self.emit_image(x, (TILE * down + 2, wide, channels), node, e)
        mixed = turn("mixed", SEEN, down, wide, channels)
        by_strip = e.view("by_strip", f"{mixed}.reshape({SEEN}, {down}, -1).swapaxes(0, 1)")
        strips = e.view("strips", e.source(kernels.winograd_phases.strips_seen, image))
        e.call(kernels.np.matmul, matrix, strips, out=by_strip)
        seen = turn("seen", SEEN, SEEN, down, across, channels)
        e.call(kernels.np.copyto, seen, e.view("columns", e.source(kernels.winograd_phases.squares_seen, mixed)))
        made = turn("components", SEEN, SEEN * squares * channels)
        by = multiplying(SEEN, SEEN, SEEN * squares * channels)
        e.call(by, matrix, e.view("flat", f"{seen}.reshape({SEEN}, -1)"), out=made)
        products = turn("products", SEEN * SEEN, down, across * filters)
        self.emit_products(made, u, products, (down, across), e)
        half = turn("half", TILE, SEEN * squares * filters)
        by = multiplying(TILE, SEEN, SEEN * squares * filters)
        e.call(by, back, e.view("across", f"{products}.reshape({SEEN}, -1)"), out=half)
        pixels = turn("pixels", TILE, TILE, squares * filters)
        e.call(kernels.np.matmul, back, e.view("down", f"{half}.reshape({TILE}, {SEEN}, -1)"), out=pixels)
        if self.pooled:
            larger = turn("larger", each, TILE, squares * filters)
            left, right = e.view("left", f"{pixels}[::2]"), e.view("right", f"{pixels}[1::2]")
            e.call(kernels.np.maximum, left, right, out=larger)
            pixels = turn("largest", each, each, squares * filters)
            upper, lower = e.view("upper", f"{larger}[:, ::2]"), e.view("lower", f"{larger}[:, 1::2]")
            e.call(kernels.np.maximum, upper, lower, out=pixels)
        in_order = turn("in_order", down, each, across, each, filters)
        ordered = e.view("by_pixel", f"{in_order}.transpose(3, 1, 0, 2, 4)")
        given = e.view("by_square", f"{pixels}.reshape({each}, {each}, {down}, {across}, {filters})")
        e.call(kernels.np.copyto, ordered, given)
        image = f"{in_order}.reshape({each * down}, {each * across}, {filters})[:{rows}, :{columns}]"
        out = e.view("rows", f"{e[node.name]}[..., 0]")
        e.call(kernels.np.copyto, out, e.view("made", f"{image}.swapaxes(1, 2)"))

    def emit_products(self, made: str, u: str, products: str, tiles: tuple[int, int], e: PlanWriter) -> None:
        """One product for each component of so many strips, and one more of what is left; or for some filters."""
        *_, channels, filters = e.type(u).shape
        down, across = tiles
        if "p" in e.type(u):
            given = e.view("squares", f"{made}.reshape({SEEN * SEEN}, -1, {channels})")
            out = e.view(
                "made", f"{products}.reshape({SEEN * SEEN}, {down * across}, -1, {filters}).transpose(2, 0, 1, 3)"
            )
            e.call(multiplying(down * across, channels, filters), given, e[u], out=out)
            return
        strips = self.together or down
        whole = down // strips * strips
        weights = e.view_of(u, "of_each", f"{e[u]}[:, None]")
        for start, stop, size in ((0, whole, strips), (whole, down, down - whole)):
            if start < stop:
                some = f"reshape({SEEN * SEEN}, {down}, -1)[:, {start}:{stop}]"
                piece = f"{some}.reshape({SEEN * SEEN}, -1, {size * across}"
                given = e.view("squares", f"{made}.{piece}, {channels}, copy=False)")
                out = e.view("made", f"{products}.{piece}, {filters}, copy=False)")
                e.call(multiplying(size * across, channels, filters), given, weights, out=out)

    def emit_image(self, x: str, shape: tuple[int, int, int], node: Node, e: PlanWriter) -> str:
        """x with its padding and what the last squares see beyond it, its channels side by side."""
        (top, _), (left, _) = self.geometry.pad
        height, _, width, _ = e.shape(x)
        height, width = min(height, shape[0] - top), min(width, shape[1] - left)
        if (height, width) == shape[:2]:
            image = e.scratch("image", shape)
        elif prod(shape) <= FILLED:
            image = e.filled("image", shape, 0)
        else:
            image = e.scratch("image", shape)
            e.call(kernels.conv.fill, image, 0)
        inside = e.view("inside", f"{image}[{top}:{top + height}, {left}:{left + width}]")
        given = e.view("given", f"{e[x]}[:{height}, :, :{width}, 0].swapaxes(1, 2)")
        e.call(kernels.np.copyto, inside, given)
        return image


def pieces(y: TensorType) -> int:
    """How many products a component's filters are, so that workers who share the image have some each.

    Where strips are products of their own, workers have some rows.
    """
    return y["c"] // PIECE if not strips_together(y) and y["c"] % PIECE == 0 else 1


def strips_together(y: TensorType) -> int:
    """How many strips of an image's squares are one product: a half or a quarter of them, or 0 for all, if few."""
    down, across = (-(-size // TILE) for size in size_2d(y))
    return 0 if down * across < FEW or down == 1 else -(-down // (4 if down * across >= MANY else 2))
