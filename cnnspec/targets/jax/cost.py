"""Costs: the mean over the images of a batch.

A cost that reads the activation it is made for computes both as one, which is exact for logits of any size.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...words.channels import LogSoftmax
from ...words.costs import BinaryCrossEntropy, CrossEntropy, Hinge, Huber, Mae, Mse
from .call import Array, Call, Word, wide


def log(p: Array) -> Array:
    return jnp.log(jnp.maximum(p, jnp.finfo(p.dtype).tiny))


def cross_entropy(op: CrossEntropy, call: Call, p: Array, t: Array) -> Array:
    t = t * (1 - op.smoothing) + op.smoothing / t.shape[-1]
    if call.logits is not None:
        log_p = jax.nn.log_softmax(wide(call.logits), axis=-1)
    else:
        log_p = wide(p) if isinstance(call.judged, LogSoftmax) else log(wide(p))
    return -op.weight * call.mean((t * log_p).sum(axis=-1))


def binary_cross_entropy(op: BinaryCrossEntropy, call: Call, p: Array, t: Array) -> Array:
    if call.logits is None:
        p = wide(p)
        return -op.weight * call.mean(t * log(p) + (1 - t) * log(1 - p))
    z = wide(call.logits)
    return op.weight * call.mean(jax.nn.softplus(z) - z * t)


def mse(op: Mse, call: Call, p: Array, t: Array) -> Array:
    return op.weight * call.mean((wide(p) - t) ** 2)


def mae(op: Mae, call: Call, p: Array, t: Array) -> Array:
    return op.weight * call.mean(jnp.abs(wide(p) - t))


def huber(op: Huber, call: Call, p: Array, t: Array) -> Array:
    d = jnp.abs(wide(p) - t)
    return op.weight * call.mean(jnp.where(d < op.delta, d * d / 2, op.delta * (d - op.delta / 2)))


def hinge(op: Hinge, call: Call, p: Array, t: Array) -> Array:
    p = wide(p)
    behind = op.margin + p - (p * t).sum(axis=-1, keepdims=True)
    return op.weight * call.mean(jnp.where(behind <= 0, 0, behind) * (1 - t))


WORDS: dict[str, Word] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "hinge": hinge,
}
