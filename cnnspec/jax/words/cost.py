"""Costs: the mean over the images of a batch.

A cost that reads the activation it is made for computes both as one, which is exact for logits of any size.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...ops.costs import BinaryCrossEntropy, CrossEntropy, Mse
from .call import Array, Call, wide


def log(p: Array) -> Array:
    return jnp.log(jnp.maximum(p, jnp.finfo(p.dtype).tiny))


def cross_entropy(op: CrossEntropy, call: Call, p: Array, t: Array) -> Array:
    t = t * (1 - op.smoothing) + op.smoothing / t.shape[1]
    log_p = log(wide(p)) if call.logits is None else jax.nn.log_softmax(wide(call.logits), axis=1)
    return -op.weight * (t * log_p).sum(axis=1).mean()


def binary_cross_entropy(op: BinaryCrossEntropy, call: Call, p: Array, t: Array) -> Array:
    if call.logits is None:
        p = wide(p)
        return -op.weight * (t * log(p) + (1 - t) * log(1 - p)).mean()
    z = wide(call.logits)
    return op.weight * (jax.nn.softplus(z) - z * t).mean()


def mse(op: Mse, call: Call, p: Array, t: Array) -> Array:
    return op.weight * ((wide(p) - t) ** 2).mean()
