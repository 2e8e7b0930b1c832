"""Normalisation. Sums run over the whole batch, on however many devices it lies: XLA adds the meetings."""

from __future__ import annotations

from jax import lax

from ...ops import Bn
from .call import Array, Call, column, wide


def bn(op: Bn, call: Call, x: Array) -> Array:
    mean, var = call.state("running_mean"), call.state("running_var")
    z = wide(x)
    if call.training:
        axes = (0, *range(2, x.ndim))
        count, kept = x.size // x.shape[1], 1 - op.momentum
        new_mean, new_var = z.mean(axis=axes), z.var(axis=axes)
        call.update("running_mean", kept * mean + op.momentum * new_mean)
        call.update("running_var", kept * var + op.momentum * new_var * (count / max(count - 1, 1)))
        mean, var = new_mean, new_var
    z = (z - column(mean, x)) * column(lax.rsqrt(var + op.eps) * call.state("weight"), x)
    return (z + column(call.state("bias"), x)).astype(x.dtype)
