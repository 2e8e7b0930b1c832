"""Normalisation, and numbers learnt for each channel.

Sums run over the whole batch, on however many devices it lies: XLA adds the reductions.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from ...words.affine import ChannelScale, PRelu
from ...words.norm import Bn
from ...words.standardise import Grn, GroupNorm, LayerNorm, Lrn
from .call import Array, Call, Word, wide
from .layout import pixels


def bn(op: Bn, call: Call, x: Array) -> Array:
    mean, var = call.state("running_mean"), call.state("running_var")
    if not call.training or call.frozen:
        z = wide(x) - mean
    else:
        count, decay = x.size // x.shape[-1], 1 - op.momentum
        z, new_mean, var = centred(wide(x), (0, *pixels(x)))
        call.update("running_mean", decay * mean + op.momentum * new_mean.reshape(-1))
        unbiased = var.reshape(-1) * (count / max(count - 1, 1))
        call.update("running_var", decay * call.state("running_var") + op.momentum * unbiased)
    return affine(call, z * lax.rsqrt(var + op.eps), x)


def layernorm(op: LayerNorm, call: Call, x: Array) -> Array:
    return affine(call, standard(wide(x), op.eps, (-1,)), x)


def groupnorm(op: GroupNorm, call: Call, x: Array) -> Array:
    groups = wide(x).reshape(*x.shape[:-1], op.size[0], -1)
    return affine(call, standard(groups, op.eps, (*pixels(x), x.ndim)).reshape(x.shape), x)


def standard(x: Array, eps: float, axes: tuple[int, ...]) -> Array:
    """Mean 0 and variance 1 along some axes."""
    z, _, var = centred(x, axes)
    return z * lax.rsqrt(var + eps)


def centred(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """x less its mean along some axes, the mean, and the variance, with these axes of size 1.

    The mean is taken in two steps: that of numbers far from zero is rounded, and what is left of it is the mean of
    what it was taken from.
    """
    near = lax.stop_gradient(x.mean(axis=axes, keepdims=True))
    apart = x - near
    rest = apart.mean(axis=axes, keepdims=True)
    z = apart - rest
    return z, near + rest, (z * z).mean(axis=axes, keepdims=True)


def affine(call: Call, z: Array, x: Array) -> Array:
    """z * weight + bias for each channel, in the dtype of x."""
    return (z * call.state("weight") + call.state("bias")).astype(x.dtype)


def lrn(op: Lrn, call: Call, x: Array) -> Array:
    z, before, rest = wide(x), op.size // 2, x.ndim - 1
    pad = (*((0, 0),) * rest, (before, op.size - 1 - before))
    window, stride = (*(1,) * rest, op.size), (1,) * x.ndim
    sums = lax.reduce_window(z * z, np.array(0, z.dtype), lax.add, window, stride, pad)
    return (z * (op.k + op.alpha / op.size * sums) ** -op.beta).astype(x.dtype)


def scale(op: ChannelScale, call: Call, x: Array) -> Array:
    y = x * call["weight"]
    return y + call["bias"] if op.bias else y


def prelu(op: PRelu, call: Call, x: Array) -> Array:
    return jnp.where(x > 0, x, x * call["weight"])


def grn(op: Grn, call: Call, x: Array) -> Array:
    z = wide(x)
    squares = (z * z).sum(axis=pixels(x), keepdims=True)
    norm = jnp.where(
        squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1)), 0
    )  # flat at 0, where a root is steep
    ratio = norm / (norm.mean(axis=-1, keepdims=True) + op.eps)
    return x + affine(call, z * ratio, x)


WORDS: dict[str, Word] = {
    "prelu": prelu,
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "grn": grn,
    "scale": scale,
}
