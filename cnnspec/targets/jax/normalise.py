"""Normalisation, and numbers learnt for each channel.

Sums run over the whole batch, on however many devices it lies: XLA adds the reductions.
"""

from __future__ import annotations

from functools import partial

import jax
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
        return affine(call, (wide(x) - mean) * lax.rsqrt(var + op.eps), x)
    count, decay = x.size // x.shape[-1], 1 - op.momentum
    y, now_mean, now_var = normalised(x, call.state("weight"), call.state("bias"), op.eps)
    call.update("running_mean", decay * mean + op.momentum * now_mean)
    call.update("running_var", decay * var + op.momentum * now_var * (count / max(count - 1, 1)))
    return y


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def normalised(x: Array, weight: Array, bias: Array, eps: float) -> tuple[Array, Array, Array]:
    """x by its channels' mean and variance, times weight and bias, in the dtype of x; the mean, the variance.

    Each way reads x twice: once for two sums at a time, once for what is made of them. On a GPU that is what the
    step of a ResNet waits for. No gradient comes by the mean and the variance that are told.
    """
    return normalise_forward(x, weight, bias, eps)[0]


def normalise_forward(
    x: Array, weight: Array, bias: Array, eps: float
) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array, Array]]:
    """Sums are of what is apart from the mean of one row: far from zero, squares would lose the variance."""
    row = wide(x[:, x.shape[1] // 2] if x.ndim > 2 else x)
    near = row.mean(axis=tuple(range(row.ndim - 1)))
    apart, axes = wide(x) - near, (0, *pixels(x))
    rest, squares = apart.mean(axis=axes), (apart * apart).mean(axis=axes)
    mean, var = near + rest, jnp.maximum(squares - rest * rest, 0)
    rate = lax.rsqrt(var + eps)
    y = (apart - rest) * (rate * weight) + bias
    return (y.astype(x.dtype), mean, var), (x, weight, mean, rate)


def normalise_backward(
    eps: float, saved: tuple[Array, Array, Array, Array], given: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array]:
    """dx = weight * rate * (dy - mean of dy - z * mean of dy * z), z the normalised x."""
    x, weight, mean, rate = saved
    dy, z, axes = wide(given[0]), (wide(x) - mean) * rate, (0, *pixels(x))
    count = x.size // x.shape[-1]
    dbias, dweight = dy.sum(axis=axes), (dy * z).sum(axis=axes)
    dx = (weight * rate) * (dy - dbias / count - z * (dweight / count))
    return dx.astype(x.dtype), dweight, dbias


normalised.defvjp(normalise_forward, normalise_backward)


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
