"""Normalisation, and numbers learnt for each channel.

Sums run over the whole batch, on however many devices it lies: XLA adds the meetings.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ops import Bn, ChannelScale, GroupNorm, LayerNorm, Lrn, PRelu
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
    return affine(call, (z - column(mean, x)) * column(lax.rsqrt(var + op.eps), x), x)


def layernorm(op: LayerNorm, call: Call, x: Array) -> Array:
    return affine(call, standard(wide(x), op.eps, (1,)), x)


def groupnorm(op: GroupNorm, call: Call, x: Array) -> Array:
    groups = wide(x).reshape(len(x), op.size[0], -1)
    return affine(call, standard(groups, op.eps, (2,)).reshape(x.shape), x)


def standard(x: Array, eps: float, axes: tuple[int, ...]) -> Array:
    """Mean 0 and variance 1 along some axes."""
    return (x - x.mean(axis=axes, keepdims=True)) * lax.rsqrt(x.var(axis=axes, keepdims=True) + eps)


def affine(call: Call, z: Array, x: Array) -> Array:
    """z * weight + bias for each channel, in the dtype of x."""
    return (z * column(call.state("weight"), x) + column(call.state("bias"), x)).astype(x.dtype)


def lrn(op: Lrn, call: Call, x: Array) -> Array:
    z, before, rest = wide(x), op.size // 2, x.ndim - 2
    pad = ((0, 0), (before, op.size - 1 - before), *((0, 0),) * rest)
    window, stride = (1, op.size, *(1,) * rest), (1,) * x.ndim
    sums = lax.reduce_window(z * z, np.array(0, z.dtype), lax.add, window, stride, pad)
    return (z * (op.k + op.alpha / op.size * sums) ** -op.beta).astype(x.dtype)


def scale(op: ChannelScale, call: Call, x: Array) -> Array:
    return x * column(call["weight"], x)


def prelu(op: PRelu, call: Call, x: Array) -> Array:
    return jnp.where(x > 0, x, x * column(call["weight"], x))
