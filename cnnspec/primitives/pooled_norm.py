"""Batch normalisation together with the max pooling that follows it, on polyphase rows."""

from __future__ import annotations

from collections.abc import Mapping

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, PlanWriter
from ..record import record
from .convolution.polyphase import as_image, as_polyphase
from .norm import BLOCK, BatchNorm, BatchNormGradient, BatchNormSums, mask_of, row_scratch, statistics
from .windows import PolyphasePool


@record
class PooledBatchNorm(BatchNorm):
    """Batch normalisation, then the largest of each 2x2 window, and relu of that where a pass gave it.

    Made block by block, so that what lies between has no memory. For the gradient there remains the argmax:
    whether the left pixel of the upper row, of the lower row, and the upper row is the largest.
    """

    layout_agnostic = False
    pool: PolyphasePool = PolyphasePool()

    def type(self, x: TensorType, *rest: TensorType) -> TensorType:
        return self.pool.type(x)

    def extras(self, x: TensorType, weight: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        sizes = {**dict(self.pool.pooled(x).axes), "h": 3 * (x["h"] // 2)}
        argmax = mask_of(TensorType(tuple(sizes.items())))
        relu_mask = {"relu_mask": mask_of(self.pool.type(x))} if self.relu else {}
        return {**statistics(weight), "argmax": argmax, **relu_mask}

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, weight, *_ = node.inputs
        mean, var = f"{node.name}:mean", f"{node.name}:var"
        masks = [f"{node.name}:argmax"] + [f"{node.name}:relu_mask"] * self.relu
        made = PooledBatchNormSums(self.eps)
        dz = b.add(made, dy, x, mean, var, *masks, name=f"{node.name}.dy", like=node)
        op = BatchNormGradient(self.eps)
        dx = b.add(op, dz, x, mean, var, weight, f"{dz}:sums", name=f"{node.name}.dx", like=node)
        return dx, f"{dz}:dweight", f"{dz}:dbias"

    def evaluate(self, x: Array, weight: Array, bias: Array, *sums: Array) -> tuple[Array, ...]:
        import numpy as np

        y, mean, var = BatchNorm(self.eps).evaluate(x, weight, bias)
        pooled, top, bottom = self.pool.evaluate(y)
        image = as_image(y, 4 * y.shape[4])[:, :, : y.shape[2] // 2 * 2]
        left = image[..., 0::2] >= image[..., 1::2]
        upper, lower = (a.reshape(*a.shape[:3], -1, 2).swapaxes(3, 4) for a in (left[:, :, 0::2], left[:, :, 1::2]))
        made = pooled * (pooled > 0) if self.relu else pooled, mean, var
        argmax = np.concatenate([upper, lower, top >= bottom], axis=2)
        return *made, argmax, *[pooled > 0] * self.relu

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, weight, bias, *_ = node.inputs
        mean, var = self.emit_moments(node, e)
        height, _, c, t, n = e.shape(x)
        block = rows_of_a_block(height, c * t * n)
        scratch = {"block": (2 * block, 4, c, t, n), "top": (block, 2, c, t, n), "bottom": (block, 2, c, t, n)}
        lent = {name: e.scratch(name, shape) for name, shape in scratch.items()}
        relu_mask = {"relu_mask": e[f"{node.name}:relu_mask"]} if self.relu else {}
        e.call(
            kernels.polyphase.normalise_pooled,
            e[x],
            mean,
            var,
            e[weight],
            e[bias],
            self.eps,
            **lent,
            argmax=argmax_of(node.name + ":argmax", e),
            **relu_mask,
            **row_scratch((height, 4, c, t * n), e),
            out=e[node.name],
        )


@record
class PooledBatchNormSums(BatchNormSums):
    """dy goes to the maximum of each window: the value; the sums of other norms are by-products."""

    def type(self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType) -> TensorType:
        return x

    def extras(
        self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType
    ) -> Mapping[str, TensorType]:
        return {"sums": BatchNormSums.type(self, dy, x, mean), **BatchNormSums.extras(self, dy, x, mean)}

    def evaluate(
        self, dy: Array, x: Array, mean: Array, var: Array, argmax: Array, *relu_mask: Array
    ) -> tuple[Array, ...]:
        import numpy as np

        dy = dy * relu_mask[0] if relu_mask else dy
        dy = as_image(dy, 4 * dy.shape[4]) if dy.ndim == 5 else dy
        upper, lower, above = (side_by_side(part) for part in np.split(argmax, 3, axis=2))
        image = np.zeros((*x.shape[:3], 4 * x.shape[4]), dy.dtype)
        for row, (left, here) in enumerate(((upper, above), (lower, ~above))):
            for column, mask in enumerate((left & here, ~left & here)):
                image[:, :, row : 2 * dy.shape[2] : 2, column::2] = dy * mask
        dz = as_polyphase(image)
        return dz, *BatchNormSums.evaluate(self, dz, x, mean, var)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, mean, var, argmax, *relu_mask = node.inputs
        height, _, c, t, n = e.shape(x)
        shape = (rows_of_a_block(height, c * t * n), 2, c, t, n)
        mine = e.partial_sums(f"{node.name}:sums", "part", (2, c))
        mask = {"relu_mask": e[relu_mask[0]]} if relu_mask else {}
        lent = {name: e.scratch(name, shape) for name in ("upper", "lower")}
        e.call(
            kernels.polyphase.pooled_gradient,
            e[dy],
            e[x],
            e[mean],
            e[var],
            argmax_of(argmax, e),
            **mask,
            **lent,
            sums=mine,
            out=e[node.name],
        )
        self.emit_gradients(node, e, mine, var)


def side_by_side(rows: Array) -> Array:
    """rows[n,c,i,2,t] as an image [n,c,i,2t]: column w = 2t + r."""
    return rows.swapaxes(3, 4).reshape(*rows.shape[:3], -1)


def rows_of_a_block(height: int, numbers: int) -> int:
    """How many rows of windows make a block, where a row of one phase has so many numbers."""
    return max(1, min(height // 2, BLOCK // (8 * numbers)))


def argmax_of(value: str, e: PlanWriter) -> str:
    rows, *rest = e.shape(value)
    return e.view_of(value, "by_pair", f"{e[value]}.reshape(3, {rows // 3}, {', '.join(map(str, rest))})")
