"""Gradients of a 1x1 convolution with a batch normalisation behind it, without what lies between them."""

from __future__ import annotations

from collections.abc import Mapping

from ... import kernels
from ...ir import TensorType, data, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..norm import BatchNormGradient, BatchNormSums
from .convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient

POINT = Geometry((1, 1))
PARTS = 500_000  # numbers of the products of some rows, which are summed together


@record
class PointwiseNormSums(BatchNormSums):
    """The sums of dy, of dy * (y - mean) and of y, where w makes y of x: from products with x, y is not read.

    By-products are those products and what else the gradient wants (`kernels/pointwise.py`), made for each row of
    the image or `at_once`.
    """

    at_once: bool = False

    def type(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> TensorType:
        return super().type(dy, x, *rest).sized("k", 3)

    def extras(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        more = x["c"] + 1
        return {
            **super().extras(dy, x, *rest),
            "centre": parameter(c=x["c"]),
            "centred": x.sized("c", more),
            "products": parameter(f=w["f"] + more, c=more),
        }

    def macs(self, dy: TensorType, x: TensorType, w: TensorType, *rest: TensorType) -> int:
        more = x["c"] + 1
        return (w["f"] + more) * more * (x.elements // x["c"])

    def evaluate(self, dy: Array, x: Array, w: Array, mean: Array, var: Array) -> tuple[Array, ...]:
        import numpy as np

        y = Convolve(POINT).evaluate(x, w)
        assert not isinstance(y, tuple)
        centre = x.mean(axis=(0, 2, 3))
        centred = np.concatenate((x - centre[:, None, None], np.ones_like(x[:, :1])), axis=1)
        products = np.einsum("nfhw,nchw->fc", np.concatenate((dy, centred), axis=1), centred)
        sums, *gradients = super().evaluate(dy, y, mean, var)
        sums = np.concatenate((sums, y.sum(axis=(0, 2, 3))[None]))
        return sums, *gradients, centre, centred, products

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, w, mean, var = node.inputs
        mine = e.partial_sums(node.name, "part", (3, e.type(mean)["c"]))
        (height, filters, length), more = e.rows_shape(dy), e.type(x)["c"] + 1
        if self.at_once:
            lent = {"by_channel": e.scratch("by_channel", (filters + more, height, length))}
        else:
            block = max(1, min(height, PARTS // (filters * more)))
            lent = {"parts": e.scratch("parts", (block * filters * more,))}
        e.call(
            kernels.pointwise.pointwise_norm_sums,
            e.pixels(dy),
            e.pixels(x),
            e.matrix(w),
            e[mean],
            **left(node.name, e),
            **lent,
            out=mine,
        )
        self.emit_gradients(node, e, mine, var)


@record
class PointwiseNormGradient(Op):
    """dx, and as a by-product dw, of a 1x1 convolution with a batch normalisation behind it."""

    eps: float

    def type(self, dy: TensorType, w: TensorType, *rest: TensorType) -> TensorType:
        centred = rest[5]
        return centred.sized("c", centred["c"] - 1)

    def extras(self, dy: TensorType, w: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        return {"dw": w}

    def macs(self, dy: TensorType, w: TensorType, *rest: TensorType) -> int:
        return (w.elements + w["c"] * (w["c"] + 1)) * (dy.elements // dy["c"])

    def evaluate(
        self,
        dy: Array,
        w: Array,
        mean: Array,
        var: Array,
        weight: Array,
        sums: Array,
        centre: Array,
        centred: Array,
        products: Array,
    ) -> tuple[Array, Array]:
        x = centred[:, :-1] + centre[:, None, None]
        y = Convolve(POINT).evaluate(x, w)
        assert not isinstance(y, tuple)
        between = BatchNormGradient(self.eps).evaluate(dy, y, mean, var, weight, sums[:2])
        image, filters = data(*x.shape[1:]), parameter(**dict(zip("fcuv", w.shape, strict=True)))
        dx = ConvolveInputGradient(POINT, 1, image).evaluate(between, w)
        dw = ConvolveFilterGradient(POINT, 1, filters).evaluate(x, between)
        return dx, dw

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, w, mean, var, weight, sums, *_ = node.inputs
        height, channels, length = e.rows_shape(node.name)
        rows = max(1, min(height, kernels.pointwise.AT_ONCE // (channels * length)))
        e.call(
            kernels.pointwise.pointwise_norm_gradient,
            e.pixels(dy),
            e.matrix(w),
            e[mean],
            e[var],
            e[weight],
            e[sums],
            e.pixel_count(dy),
            self.eps,
            **left(sums, e),
            scratch=e.scratch("part", (rows, channels, length)),
            dw=e.matrix(f"{node.name}:dw"),
            out=e.pixels(node.name),
        )


def left(sums: str, e: PlanWriter) -> dict[str, str]:
    """What the sums leave for the gradient, as arguments."""
    plain = {name: e[f"{sums}:{name}"] for name in ("centre", "products")}
    return {**plain, "centred": e.pixels(f"{sums}:centred")}
