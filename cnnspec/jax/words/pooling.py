"""Pooling."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ops import AvgPool, Gap, Gmp, MaxPool, MinPool
from ...ops.pool import Pool
from .call import Array, Call, along


def over_windows(op: Pool, call: Call, x: Array, start: float, function: Any) -> Array:
    """All numbers of each window taken together."""
    geometry = op.geometry(call.types[0])
    window, stride = (1, 1, *along(geometry.kernel, x)), (1, 1, *along(geometry.stride, x))
    pad = ((0, 0), (0, 0), *along(geometry.pad, x))
    return lax.reduce_window(x, np.array(start, x.dtype), function, window, stride, pad)


def maxpool(op: MaxPool, call: Call, x: Array) -> Array:
    return over_windows(op, call, x, -jnp.inf, lax.max)  # of a tie, JAX's gradient takes the first too


def minpool(op: MinPool, call: Call, x: Array) -> Array:
    return -over_windows(op, call, -x, -jnp.inf, lax.max)


def avgpool(op: AvgPool, call: Call, x: Array) -> Array:
    if op.count_pad:
        kernel = op.geometry(call.types[0]).kernel
        return over_windows(op, call, x, 0, lax.add) / (kernel[0] * kernel[1])
    counts = over_windows(op, call, jnp.ones_like(x[:1, :1]), 0, lax.add)
    return over_windows(op, call, x, 0, lax.add) / counts


def gap(op: Gap, call: Call, x: Array) -> Array:
    return x.mean(axis=tuple(range(2, x.ndim)))


def gmp(op: Gmp, call: Call, x: Array) -> Array:
    window = (1, 1, *x.shape[2:])
    return lax.reduce_window(x, np.array(-jnp.inf, x.dtype), lax.max, window, window, "VALID").reshape(x.shape[:2])
