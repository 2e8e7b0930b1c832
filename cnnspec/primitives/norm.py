"""Batch normalisation: with the statistics of a batch, with given ones, folded into filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from .. import kernels
from ..ir import TensorType, parameter
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record
from .activation import ActivationGradient, Rectifier

BLOCK = 32_768  # numbers that a step works on at a time, as in kernels/norm.py
STRIP = 4  # rows that kernels/winograd_2d.py asks for at a time


@record
class Normalise(Op):
    """(x - mean) / sqrt(var + eps) * weight + bias with given mean and variance.

    As with BatchNorm, a pass may give it what follows: a sixth input is added, `relu` is applied.
    """

    can_alias = (0,)
    layout_agnostic = True
    eps: float
    relu: bool = False

    def type(self, x: TensorType, *rest: TensorType) -> TensorType:
        return x

    def evaluate(self, x: Array, mean: Array, var: Array, weight: Array, bias: Array, *add: Array) -> Array:
        import numpy as np

        mean, var, weight, bias = (a.reshape(-1, *[1] * (x.ndim - 2)) for a in (mean, var, weight, bias))
        y = sum(add, (x - mean) / np.sqrt(var + self.eps) * weight + bias).astype(x.dtype)
        return y * (y > 0) if self.relu else y

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        """That of x and of what is added; weight and bias are frozen, or else training takes other statistics."""
        if self.relu:
            dy = b.add(ActivationGradient(Rectifier()), dy, node.name, name=f"{node.name}.dy", like=node)
        _, _, var, weight, _, *add = node.inputs
        op = NormaliseGradient(self.eps)
        dx = b.add(op, dy, var, weight, name=f"{node.name}.dx", like=node)
        return dx, None, None, None, None, *(dy for _ in add)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, mean, var, weight, bias, *add = node.inputs
        e.call(
            kernels.norm.normalise,
            e.rows(x),
            e[mean],
            e[var],
            e[weight],
            e[bias],
            self.eps,
            **epilogue(self, add, e),
            **row_scratch(e.rows_shape(x), e),
            out=e.rows(node.name),
        )


@record
class NormaliseGradient(Op):
    """dx = dy / sqrt(var + eps) * weight, where mean and variance are given."""

    layout_agnostic = True
    eps: float

    def evaluate(self, dy: Array, var: Array, weight: Array) -> Array:
        import numpy as np

        none = np.zeros_like(weight)
        return Normalise(self.eps).evaluate(dy, none, var, weight, none)

    def emit(self, node: Node, e: PlanWriter) -> None:
        import numpy as np

        dy, var, weight = node.inputs
        none = e.constant("none", np.zeros(e.type(weight).shape))
        given = e.rows(dy), none, e[var], e[weight], none, self.eps
        e.call(kernels.norm.normalise, *given, **row_scratch(e.rows_shape(dy), e), out=e.rows(node.name))


@record
class FoldFilters(Op):
    """A convolution's filters with the scale of the normalisation that follows it: no work is left for that."""

    eps: float

    def type(self, w: TensorType, *rest: TensorType) -> TensorType:
        return w

    def evaluate(self, w: Array, var: Array, weight: Array) -> Array:
        import numpy as np

        return w * (weight / np.sqrt(var + self.eps)).reshape(-1, *[1] * (w.ndim - 1))

    def emit(self, node: Node, e: PlanWriter) -> None:
        w, var, weight = node.inputs
        out = e.view("filters", f"{e[node.name]}.reshape{e.shape(w)}")
        e.call(kernels.norm.fold_filters, e[w], e[var], e[weight], self.eps, out=out)


@record
class FoldBias(Op):
    """What is left of the normalisation then, a number for each channel; a convolution's bias comes in last."""

    eps: float

    def type(self, mean: TensorType, *rest: TensorType) -> TensorType:
        return mean

    def evaluate(self, mean: Array, var: Array, weight: Array, bias: Array, before: Array | float = 0.0) -> Array:
        import numpy as np

        return bias + (before - mean) * weight / np.sqrt(var + self.eps)

    def emit(self, node: Node, e: PlanWriter) -> None:
        mean, var, weight, bias, *before = node.inputs
        own = {"before": e[before[0]]} if before else {}
        e.call(kernels.norm.fold_bias, e[mean], e[var], e[weight], e[bias], self.eps, **own, out=e[node.name])


@record
class BatchNorm(Op):
    """Batch normalisation with the statistics of the whole batch, over all shards.

    A pass may give it what follows: with a fourth input, a value that is added; with `relu`, the activation, and
    where it is positive is a by-product, `relu_mask`, for the gradient: a quarter of the memory of the value,
    which then need not last. Where `summed`, the last input has the moments that it would take. Mean and variance
    are float64: a mean that is large beside the deviation says more than a float32 holds.
    """

    layout_agnostic = True
    eps: float
    relu: bool = False
    summed: bool = False

    def type(self, x: TensorType, weight: TensorType, bias: TensorType, *rest: TensorType) -> TensorType:
        return x

    def extras(self, x: TensorType, weight: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        return {**statistics(weight), **({"relu_mask": mask_of(x)} if self.relu else {})}

    def flops(self, x: TensorType, *rest: TensorType) -> int:
        return 6 * x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, weight, _, *add = node.inputs
        mean, var = f"{node.name}:mean", f"{node.name}:var"
        if self.relu:
            op = ReluBatchNormSums(self.eps)
            made = dy = b.add(op, dy, x, mean, var, f"{node.name}:relu_mask", name=f"{node.name}.dy", like=node)
            sums = f"{made}:sums"
        else:
            made = sums = b.add(BatchNormSums(self.eps), dy, x, mean, var, name=f"{node.name}.sums", like=node)
        dx = b.add(BatchNormGradient(self.eps), dy, x, mean, var, weight, sums, name=f"{node.name}.dx", like=node)
        return dx, f"{made}:dweight", f"{made}:dbias", *(dy for _ in add)

    def evaluate(self, x: Array, weight: Array, bias: Array, *rest: Array) -> tuple[Array, ...]:
        add = rest[:-1] if self.summed else rest
        axes = (0, *range(2, x.ndim))
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        y = sum(add, Normalise(self.eps).evaluate(x, mean, var, weight, bias))
        return (y * (y > 0), mean, var, y > 0) if self.relu else (y, mean, var)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, weight, bias, *add = node.inputs
        mean, var = self.emit_moments(node, e)
        add = add[:-1] if self.summed else add
        relu_mask = {"relu_mask": e.rows(f"{node.name}:relu_mask")} if self.relu else {}
        e.call(
            kernels.norm.normalise,
            e.rows(x),
            mean,
            var,
            e[weight],
            e[bias],
            self.eps,
            **epilogue(self, add, e),
            **row_scratch(e.rows_shape(x), e),
            **relu_mask,
            out=e.rows(node.name),
        )

    def emit_moments(self, node: Node, e: PlanWriter) -> tuple[str, str]:
        """Mean and variance of the whole batch."""
        x, weight, *_ = node.inputs
        mean, var = e[f"{node.name}:mean"], e[f"{node.name}:var"]
        if self.summed:
            moments = node.inputs[-1]
        else:
            moments = f"{node.name}:moments"
            mine = e.partial_sums(moments, "part", (3, e.type(weight)["c"]))
            e.call(kernels.norm.channel_moments, e.rows(x), out=mine)
        e.barrier()
        e.call(kernels.norm.batch_moments, e[moments], mean=mean, var=var)
        return mean, var


@record
class BatchNormSums(Op):
    """The sums of dy and of dy * (x - mean) over all shards; by-products are the gradients of weight and bias."""

    eps: float

    def type(self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType) -> TensorType:
        return TensorType((("k", 2), ("c", mean["c"])), batched=False, dtype="partial")

    def extras(
        self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType
    ) -> Mapping[str, TensorType]:
        kind = parameter(c=mean["c"])
        return {"dweight": kind, "dbias": kind}

    def flops(self, dy: TensorType, *rest: TensorType) -> int:
        return 4 * dy.elements

    def evaluate(self, dy: Array, x: Array, mean: Array, var: Array) -> tuple[Array, ...]:
        import numpy as np

        axes = (0, *range(2, x.ndim))
        apart = x - mean.reshape(-1, *[1] * (x.ndim - 2))
        sums = np.stack([dy.sum(axis=axes), (dy * apart).sum(axis=axes)])
        return sums, sums[1] / np.sqrt(var + self.eps), sums[0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        self.emit_sums(node, e, node.name)

    def emit_sums(self, node: Node, e: PlanWriter, sums: str, **masked: str) -> None:
        dy, x, mean, var, *_ = node.inputs
        mine = e.partial_sums(sums, "part", (2, e.type(mean)["c"]))
        e.call(kernels.norm.gradient_sums, e.rows(dy), e.rows(x), e[mean], e[var], **masked, out=mine)
        self.emit_gradients(node, e, mine, var)

    def emit_gradients(self, node: Node, e: PlanWriter, mine: str, var: str) -> None:
        """The gradients of weight and bias from this shard's sums; then every shard's are there."""
        e.call(
            kernels.norm.parameter_gradients,
            mine,
            e[var],
            self.eps,
            dweight=e[node.name + ":dweight"],
            dbias=e[node.name + ":dbias"],
        )
        e.barrier()


@record
class ReluBatchNormSums(BatchNormSums):
    """The same behind a relu: its value is dy where the relu let numbers through, the sums a by-product."""

    can_alias = (0,)
    given = 4  # inputs besides the gradient

    def type(self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType) -> TensorType:
        return x

    def extras(
        self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType
    ) -> Mapping[str, TensorType]:
        return {"sums": BatchNormSums.type(self, dy, x, mean), **BatchNormSums.extras(self, dy, x, mean)}

    def evaluate(self, dy: Array, x: Array, mean: Array, var: Array, relu_mask: Array) -> tuple[Array, ...]:
        dz = dy * relu_mask
        return dz, *BatchNormSums.evaluate(self, dz, x, mean, var)

    def emit(self, node: Node, e: PlanWriter) -> None:
        *_, relu_mask = node.inputs
        self.emit_sums(node, e, f"{node.name}:sums", relu_mask=e.rows(relu_mask), masked=e.rows(node.name))

    def emit_total(self, node: Node, rest: Sequence[str], by_rows: str, e: PlanWriter) -> None:
        """The totals and gradients from sums that another op took block by block."""
        _, mean, var, *_ = rest
        mine = e.partial_sums(f"{node.name}:sums", "part", (2, e.type(mean)["c"]))
        e.call(kernels.norm.GradientSums.total, by_rows, e[node.name], e[mean], e[var], out=mine)
        self.emit_gradients(node, e, mine, var)


@record
class BatchNormGradient(Op):
    """dx of batch normalisation. With `by_rows` it has no memory: its reader asks for it, block by block."""

    eps: float
    by_rows: bool = False

    @property
    def fused_into_reader(self) -> bool:
        return self.by_rows

    def type(self, dy: TensorType, x: TensorType, *rest: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, *rest: TensorType) -> int:
        return 6 * dy.elements

    def evaluate(self, dy: Array, x: Array, mean: Array, var: Array, weight: Array, sums: Array) -> Array:
        import numpy as np

        wide = (-1, *[1] * (x.ndim - 2))
        r = 1 / np.sqrt(var + self.eps)
        z = (x - mean.reshape(wide)) * r.reshape(wide)
        count = x.size // x.shape[1]
        mean_dyz = r * sums[1] / count
        inner = dy - (sums[0] / count).reshape(wide) - z * mean_dyz.reshape(wide)
        return inner * (weight * r).reshape(wide)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, mean, var, weight, sums = node.inputs
        if self.by_rows:
            rows, polyphase, *rest = e.shape(x)  # a reader's block is counted without the polyphase
            block = max(block_rows(rows, rest), min(rows, STRIP))
            shape: tuple[int, ...] = (block, polyphase, *rest)
            row = kernels.norm.row_shape((rows, polyphase, rest[0], prod(rest[1:])))
        else:
            rows, *rest = e.rows_shape(x)
            shape = (block_rows(rows, rest), *rest)
            row = kernels.norm.row_shape((rows, *rest))
        scratch = [e.scratch("block", shape, until_read=self.by_rows)]
        if row is not None:
            scratch.append(e.scratch("channels", (3, *row), until_read=self.by_rows))
        given = (e[dy], e[x]) if self.by_rows else (e.rows(dy), e.rows(x))
        kernel = kernels.norm.BlockwiseNormGradient
        made = e.view("by_rows", e.source(kernel, *given, *scratch))
        if self.by_rows:
            e.place(node.name, made)
        e.call(kernel.prepare, made, e[mean], e[var], e[weight], e[sums], e.pixel_count(x), self.eps)
        if not self.by_rows:
            e.call(kernel.write, made, out=e.rows(node.name))


def row_scratch(shape: tuple[int, ...], e: PlanWriter) -> dict[str, str]:
    """Room for what a normalisation writes out of its channels' numbers for a row, as an argument."""
    row = kernels.norm.row_shape(shape)
    return {"scratch": e.scratch("channels", (2, *row))} if row else {}


def epilogue(op: Normalise | BatchNorm, add: list[str], e: PlanWriter) -> dict[str, str | bool]:
    """What comes after normalising, as arguments."""
    found: dict[str, str | bool] = {"add": e.rows(add[0])} if add else {}
    return found | ({"relu": True} if op.relu else {})


def statistics(weight: TensorType) -> dict[str, TensorType]:
    """Mean and variance of each channel."""
    kind = replace(weight, dtype="float64")
    return {"mean": kind, "var": kind}


def mask_of(x: TensorType) -> TensorType:
    """A bool for each number."""
    return replace(x, dtype="bool")


def block_rows(rows: int, rest: list[int]) -> int:
    """How many rows make a block."""
    return max(1, min(rows, BLOCK // prod(rest)))


@record
class Blend(Op):
    """A running mean: state moves by a share towards the new value.

    For a variance, `pixels` an image makes of the biased one the unbiased (times count / (count - 1)).
    """

    stateful = True
    momentum: float
    pixels: int = 0

    def correction(self, images: int) -> float:
        count = images * self.pixels
        return count / (count - 1) if count > 1 else 1.0

    def evaluate(self, state: Array, new: Array) -> Array:
        return state  # what an update does is `blend`; the graph only says that it happens

    def emit(self, node: Node, e: PlanWriter) -> None:
        state, new = node.inputs
        factor = self.momentum * self.correction(e.batch)
        e.call_last(kernels.norm.blend, e[state], e[new], 1 - self.momentum, factor)
