"""Regularisation: noise while training, nothing afterwards."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...words.regularise import Dropout, DropPath
from .call import Array, Call, Word


def dropout(op: Dropout, call: Call, x: Array) -> Array:
    if not call.training or op.rate == 0:
        return x
    return drop(call, x, op.rate, x.shape)


def droppath(op: DropPath, call: Call, x: Array) -> Array:
    if not call.training or op.rate == 0:
        return x
    return drop(call, x, op.rate, (x.shape[0], *(1,) * (x.ndim - 1)))


def drop(call: Call, x: Array, rate: float, shape: tuple[int, ...]) -> Array:
    """Numbers zero with probability `rate`, the others grown; `shape` says which share a fate."""
    mask = jax.random.bernoulli(call.key, 1 - rate, shape)
    return jnp.where(mask, x / (1 - rate), 0)


WORDS: dict[str, Word] = {
    "dropout": dropout,
    "droppath": droppath,
}
