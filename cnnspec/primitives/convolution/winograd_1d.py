"""Convolution by Winograd's method along the width, on polyphase rows (polyphase.py)."""

from __future__ import annotations

from collections.abc import Mapping

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter, Slides
from ...record import record
from ..norm import BLOCK, ReluBatchNormSums
from .bias import AddBias
from .convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from .polyphase import as_image, as_polyphase, image_type, moments_of, moments_type, polyphase_type

SKEW = 2_736  # numbers between two components, so that they do not fall on the same sets of the cache

READY = 1 << 20  # numbers of transformed filters that are kept from one call to the next


@record
class WinogradConvolve(Slides):
    """A 3x3 convolution, stride 1, from polyphase rows to polyphase rows, with half the products.

    A pass may give it what follows: a bias, a value that is added, `relu`; `moments` for batch normalisation; with
    `keep` its transformed input is a by-product, for the gradient. With `ready` it is given filters that are
    transformed already.
    """

    width: int  # of the input
    relu: bool = False
    moments: bool = False
    keep: bool = False
    ready: bool = False

    @property
    def to_filters(self) -> TransformFilters:
        """What makes of filters those that are ready."""
        return TransformFilters()

    @property
    def left(self) -> int:
        return self.geometry.pad[1][0]

    def of(self, x: TensorType) -> Convolve:
        """The convolution that it stands for."""
        return Convolve(self.geometry)

    def type(self, x: TensorType, w: TensorType, *rest: TensorType) -> TensorType:
        image = image_type(x, self.width)
        return polyphase_type(Convolve(self.geometry).type(image, w))

    def extras(self, x: TensorType, w: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        made = {"moments": moments_type(w["f"])} if self.moments else {}
        return {**made, "transformed": self.transformed(x, self.type(x, w))} if self.keep else made

    def transformed(self, x: TensorType, y: TensorType) -> TensorType:
        """Six components, laid out as an image's rows: for each channel the padded rows, a number a tile."""
        return TensorType((("c", x["c"]), ("h", 6), ("r", y["h"] + 2), ("t", y["t"])))

    def macs(self, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        """Six products for four outputs, where the definition takes twelve."""
        return Convolve(self.geometry).macs(image_type(x, self.width), of_3x3(w)) // 2

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        dx = b.add(self.way_back, dy, *node.inputs, name=f"{node.name}.dx", like=node)
        return dx, f"{dx}:dw"

    @property
    def way_back(self) -> WinogradConvolveGradient:
        return WinogradConvolveGradient(self.geometry, self.width)

    def evaluate(self, x: Array, w: Array, *rest: Array) -> Array | tuple[Array, ...]:
        w = self.to_filters.undone(w) if self.ready else w
        y = as_polyphase(Convolve(self.geometry).convolved(as_image(x, self.width), w))
        y = AddBias(self.relu).evaluate(y, *rest) if rest else y
        made = [y, moments_of(y)] if self.moments else [y]
        if self.keep:
            made.append(self.transform_input(x, y))
        return tuple(made) if made[1:] else y

    def transform_input(self, x: Array, y: Array) -> Array:
        return transform_input(as_image(x, self.width), self.geometry, y.shape[4])

    def epilogue(self, node: Node, filters: int, e: PlanWriter) -> dict[str, str | bool]:
        """What is done while the rows are hot, as arguments."""
        _, _, *rest = node.inputs
        made: dict[str, str | bool] = {name: e[value] for name, value in zip(("bias", "add"), rest, strict=False)}
        if self.relu:
            made["relu"] = True
        if self.moments:
            made["moments"] = e.partial_sums(f"{node.name}:moments", "part", (3, filters))
        return made

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w, *_ = node.inputs
        f, c, block, length = sizes(x, w, node.name, e)
        rows = e.shape(node.name)[0]
        scratch: dict[str, tuple[int, ...]] = {
            **({} if self.ready else {"u": (6, f, 3, c)}),
            "products": (6, block, f, length),
            **side_by_side(self.geometry, block, c, length),
        }
        if self.keep:
            transformed = {"transformed": saved_input(f"{node.name}:transformed", e)}
        else:
            transformed, scratch["transformed"] = {}, (6, held(rows, block) * c * length + SKEW)
        e.call(
            kernels.winograd_1d.winograd_1d,
            e[x],
            None if self.ready else taps(w, e),
            self.geometry.pad,
            block,
            **({"u": e[w]} if self.ready else {}),
            **lent(scratch, e),
            **transformed,
            **self.epilogue(node, f, e),
            out=e[node.name],
        )


@record
class TransformFilters(Op):
    """Filters as Winograd's method multiplies with them: where they do not change this is done once."""

    def type(self, w: TensorType) -> TensorType:
        return parameter(k=6, f=w["f"], u=3, c=w["c"])

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        return np.ascontiguousarray(np.einsum("kv,fcuv->kfuc", filter_matrix(w), w))

    def undone(self, u: Array) -> Array:
        """The filters w[f,c,3,3] that have this transform."""
        import numpy as np

        return np.einsum("vk,kfuc->fcuv", np.linalg.pinv(filter_matrix(u)), u)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        e.call(kernels.winograd_1d.transform_filters, taps(w, e), out=e[node.name])


def filter_matrix(like: Array) -> Array:
    """G, in the type of an array's numbers."""
    import numpy as np

    from ...kernels.winograd_1d import FILTERS

    return np.array(FILTERS, like.dtype)


def of_3x3(w: TensorType) -> TensorType:
    """The type of the filters, of which some may be transformed."""
    return parameter(f=w["f"], c=w["c"], u=3, v=3)


@record
class WinogradConvolveGradient(Op):
    """dx, and as a by-product dw, of a WinogradConvolve: they share the transformed dy.

    A pass may give it what batch normalisation and relu before the convolution want of dx: with `sums` the value
    and by-products are theirs, the inputs theirs without the gradient, and then a gradient that is added first.
    With `saved`, the type of x, the second input is not x but the transformed input that the convolution saved.
    """

    geometry: Geometry
    width: int
    sums: ReluBatchNormSums | None = None
    saved: TensorType | None = None

    def type(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> TensorType:
        return self.saved or x

    def extras(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        return {"dw": w, **(self.sums.extras(x, *rest) if self.sums else {})}

    def macs(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        return 2 * WinogradConvolve(self.geometry, self.width).macs(self.saved or x, w)

    def evaluate(self, dy: Array, x: Array, w: Array, *rest: Array) -> tuple[Array, ...]:
        if self.saved:
            x = self.invert_input(x)
        if self.sums is not None:
            dx, dw = self.changed(sums=None, saved=None).evaluate(dy, x, w)
            given, add = rest[: self.sums.given], rest[self.sums.given :]
            dz, *made = self.sums.evaluate(sum(add, dx), *given)
            return dz, dw, *made
        from ...ir import data, parameter

        image = as_image(x, self.width)
        grad = as_image(dy, self.geometry.out(*image.shape[2:])[1])
        kind = data(*image.shape[1:])
        dx = ConvolveInputGradient(self.geometry, 1, kind).evaluate(grad, w)
        weights = parameter(**dict(zip("fcuv", w.shape, strict=True)))
        return as_polyphase(dx), ConvolveFilterGradient(self.geometry, 1, weights).evaluate(image, grad)

    def invert_input(self, transformed: Array) -> Array:
        assert self.saved is not None
        return invert_input(transformed, self.geometry, self.saved)

    def sums_by_rows(self, rest: list[str], e: PlanWriter) -> str:
        """The argument that takes the sums of dx block by block, or none."""
        if self.sums is None:
            return ""
        before, _, _, *more = rest
        sums = e.source(kernels.norm.GradientSums, *(e[value] for value in (before, *more)))
        return e.view("sums_by_rows", sums)

    def filter_gradient(self, node: Node, filters: int, channels: int, e: PlanWriter) -> str:
        return e.view("dw_taps", f"{e[node.name + ':dw']}.reshape({filters}, 3, 3, {channels})")

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, w, *rest = node.inputs
        f, c, block, length = sizes(x, w, dy, e)
        height, rows = e.shape(node.name)[0], e.shape(dy)[0]
        scratch = {
            "u": (6, f, 3, c),
            "back": (6, c, 3, f),
            "du": (6, 3, c, f),
            "parts": (6, block, 3 * c, f),
            "gradients": (6, held(height, block) * f * length + SKEW),
            "products": (6, block, c, length),
            **side_by_side(self.geometry, block, c, length),
        }
        given: str | None = e[x]
        transformed, epilogue = {}, self.sums_by_rows(rest, e)
        if self.saved:
            given, transformed = None, {"transformed": saved_input(x, e)}
        else:
            scratch["transformed"] = (6, held(rows, block) * c * length + SKEW)
        e.call(
            kernels.winograd_1d.winograd_1d_gradient,
            e[dy],
            given,
            taps(w, e),
            self.geometry.pad,
            block,
            **lent(scratch, e),
            **transformed,
            **({"epilogue": epilogue} if epilogue else {}),
            dw=self.filter_gradient(node, f, c, e),
            out=e[node.name],
        )
        if self.sums is not None:
            self.sums.emit_total(node, rest, epilogue, e)


def sizes(x: str, w: str, y: str, e: PlanWriter) -> tuple[int, int, int, int]:
    """Filters, channels, rows of a block, pixels of a row's block."""
    _, _, _, tiles, n = e.shape(y)
    f, c = e.type(w)["f"], e.type(w)["c"]
    length = tiles * n
    return f, c, max(1, min(e.shape(y)[0], BLOCK // (max(f, c) * length))), length


def held(rows: int, block: int) -> int:
    """How many transformed rows are held: all of a small image, else what slides three blocks down at a time."""
    return min(rows + 2, 3 * block + 6)


def side_by_side(geometry: Geometry, rows: int, channels: int, length: int) -> dict[str, tuple[int, ...]]:
    """Scratch for the six pixels of each tile of some rows, which all tiles have of their own with padding."""
    return {} if geometry.pad[1][0] else {"pixels": (rows, 6, channels, length)}


def saved_input(value: str, e: PlanWriter) -> str:
    return e.view_of(value, "by_plane", f"{e[value]}.reshape(6, -1)")


def taps(w: str, e: PlanWriter) -> str:
    kind = e.type(w)
    return e.view_of(w, "taps", f"{e[w]}.reshape({kind['f']}, 3, 3, {kind['c']})")


def lent(scratch: Mapping[str, tuple[int, ...]], e: PlanWriter) -> dict[str, str]:
    """Scratch as arguments."""
    return {name: e.scratch(name, shape) for name, shape in scratch.items()}


def transform_input(x: Array, geometry: Geometry, tiles: int) -> Array:
    """x[n,c,h,w] -> [n,c,6,h+2,t]: what the six pixels of each tile come to, before the products."""
    import numpy as np

    from ...kernels.winograd_1d import INPUT

    (top, bottom), (left, _) = geometry.pad
    right = max(0, 4 * tiles + 2 - left - x.shape[3])
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    pixels = np.stack([padded[..., j : j + 4 * tiles : 4][..., :tiles] for j in range(6)], axis=2)
    return np.einsum("kj,ncjht->nckht", np.array(INPUT, x.dtype), pixels)


def invert_input(transformed: Array, geometry: Geometry, x: TensorType) -> Array:
    """The x (polyphase rows) with this transform: B^T d solved for d, four of which are the tile's own."""
    import numpy as np

    from ...kernels.winograd_1d import INPUT

    (top, _), (left, _) = geometry.pad
    pixels = np.einsum("jk,nckht->njcht", np.linalg.inv(np.array(INPUT, transformed.dtype)), transformed)
    rows = pixels[:, left : left + 4, :, top : top + x["h"]].transpose(0, 2, 3, 1, 4)
    return np.ascontiguousarray(rows)
