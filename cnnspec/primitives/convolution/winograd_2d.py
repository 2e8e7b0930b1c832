"""Convolution by Winograd's method on squares of 4x4 outputs (kernels/winograd_2d.py), on polyphase rows."""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, PlanWriter
from ...record import record
from ..norm import STRIP
from ..together import TRANSFORMED_LIGHT, most, share, takes_reading
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
        if made_together(w, x, node.name, e):
            self.emit_together(node, e)
            return
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

    def emit_together(self, node: Node, e: PlanWriter) -> None:
        """Components of all shards' images, their products with some filters, and of all this shard's images."""
        x, w, *_ = node.inputs
        kernel = kernels.winograd_2d
        f, c, length = sizes(w, node.name, e)
        some, each = share(f, e), f // e.shards
        seen, mine = components_of_all("components", c, node.name, e)
        e.seen[f"{node.name}:transformed", "components"] = seen
        scratch = lent(
            {
                "strip": (6, 4 * max(c * tile_row(x, e), f * length) + APART),
                "transformed": (36, c * length + APART),
                "products": (36, f * length + APART),
                **side_by_side(self.geometry, 6, c, length),
            },
            e,
        )
        strip, products = scratch["strip"], scratch.pop("products")
        e.call(kernel.to_components_2d, e[x], self.geometry.pad, **scratch, out=e.view("mine", mine))
        e.barrier("every shard has shown its components")
        u = transform_some(f"{taps(w, e)}[{some}]", each, c, e)
        made, mine = components_of_all("products_of_all", f, node.name, e)
        u = e.view("u_by_component", f"{u}.reshape(36, {each}, {c})")
        e.call(kernels.gemm.gemm, u, e.view("all", seen), out=e.view("some", f"{made}[:, {some}]"))
        e.barrier("every shard has made its part")
        e.call(
            kernel.from_components_2d,
            e.view("products_of_mine", mine),
            strip=strip,
            products=products,
            **self.epilogue(node, f, e),
            out=e[node.name],
        )


def made_together(w: str, x: str, y: str, e: PlanWriter) -> bool:
    """Whether shards make the layer together; each has as many filters and channels as the others."""
    even = e.type(w)["f"] % e.shards == e.type(w)["c"] % e.shards == 0
    return even and takes_reading(e.type(w), e.type(x), e.type(y), e, TRANSFORMED_LIGHT)


def components_of_all(what: str, channels: int, y: str, e: PlanWriter) -> tuple[str, str]:
    """Source of memory that all shards see for components [36,c,l], and of this shard's as [6,6,c,s,l]."""
    down, (*_, tiles, n) = strips(e.type(y)["h"]), e.shape(y)
    whole = f"{e.shown(what, (36, channels, down * tiles * most(e)))}.reshape(36, {channels}, -1)"
    by_shard = f"{whole}.reshape(6, 6, {channels}, {e.shards}, {down}, -1)"
    return whole, f"{by_shard}[:, :, :, b.shard, :, :{tiles * n}]"


def transform_some(weights: str, f: int, c: int, e: PlanWriter) -> str:
    """Lines that transform some filters, some of their channels: u[6,6,f,c]."""
    scratch, u = lent(some_filters(f, c), e), e.scratch("u", (6, 6, f, c))
    e.call(kernels.winograd_2d.transform_filters_2d, e.view("some_taps", weights), **scratch, out=u)
    return u


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
        if (x, "components") in e.seen:
            self.emit_together(node, e)
            return
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

    def emit_together(self, node: Node, e: PlanWriter) -> None:
        """The gradients of some filters and some channels of all shards' images, and of all this shard's images."""
        dy, _, w, *rest = node.inputs
        kernel = kernels.winograd_2d
        f, c, length = sizes(w, dy, e)
        row, pad = c * tile_row(node.name, e), self.geometry.pad
        channels = share(c, e)
        shown, mine = components_of_all("gradients_of_all", f, dy, e)
        scratch = lent(
            {
                "strip": (6, 4 * f * length + APART),
                "gradients": (36, f * length + APART),
                "products": (36, c * length + APART),
                "both": (12, 4 * row + APART),
                **side_by_side(self.geometry, 6, c, length),
            },
            e,
        )
        strip, gradients = scratch.pop("strip"), scratch.pop("gradients")
        e.call(kernel.gradient_to_components_2d, e[dy], strip=strip, gradients=gradients, out=e.view("mine", mine))
        e.barrier("every shard has shown its components")
        self.emit_filter_gradient(node, shown, e)
        u = transform_some(f"{taps(w, e)}[..., {channels}]", f, c // e.shards, e)
        for_each = e.view("u_by_filter", f"{u}.transpose(2, 0, 1, 3)")
        e.call(kernel.scale_filters_2d, e[dy], "slice(None)", out=for_each)
        made, mine = components_of_all("products_of_all", c, dy, e)
        across = e.view("u_across", f"{u}.reshape(36, {f}, -1).swapaxes(1, 2)")
        e.call(kernels.gemm.gemm, across, e.view("all", shown), out=e.view("some", f"{made}[:, {channels}]"))
        e.barrier("every shard has made its part")
        epilogue = self.sums_by_rows(rest, e)
        given = {"epilogue": epilogue} if epilogue else {}
        by, products = kernel.input_gradient_from_components_2d, e.view("products_of_mine", mine)
        e.call(by, products, pad, **scratch, **given, out=e[node.name])
        if self.sums is not None:
            self.sums.emit_total(node, rest, epilogue, e)

    def emit_filter_gradient(self, node: Node, dy_of_all: str, e: PlanWriter) -> None:
        """The gradient of this shard's share of the filters, from the images of all; filters that are shared by
        layers have one in every shard, and it is nothing elsewhere.
        """
        dy, x, w, *_ = node.inputs
        kernel = kernels.winograd_2d
        f, c, _ = sizes(w, dy, e)
        if not e.made_together(f"{node.name}:dw"):
            e.zero(f"{node.name}:dw")
        some, each = share(f, e), f // e.shards
        scratch, du = lent(some_filters(each, c), e), e.scratch("du", (6, 6, each, c))
        out = e.view("some_filters", f"{self.filter_gradient(node, f, c, e)}[{some}]")
        given = e.view("some_gradients", f"{dy_of_all}[:, {some}]")
        seen = e.view("x_of_all", f"{e.seen[x, 'components']}.swapaxes(1, 2)")
        e.call(kernels.gemm.gemm, given, seen, out=e.view("du_by_component", f"{du}.reshape(36, {each}, {c})"))
        e.call(kernel.inverse_transform_filters_2d, du, **scratch, out=out)
        e.call(kernel.scale_filters_2d, e[dy], f"slice({', '.join(some.split(' : '))})", out=out)


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
