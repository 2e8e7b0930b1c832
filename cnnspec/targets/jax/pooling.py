"""Pooling."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ir.geometry import Geometry
from ...words.pool import AvgPool, Gap, OfFormula, Pool
from .activation import computed, first_largest
from .call import Array, Call, Word, along
from .layout import pixels


def over_windows(op: Pool, call: Call, x: Array, start: float, function: Callable[[Array, Array], Array]) -> Array:
    """All numbers of each window taken together."""
    geometry = op.geometry(call.types[0])
    window, stride = (1, *along(geometry.kernel, x), 1), (1, *along(geometry.stride, x), 1)
    pad = ((0, 0), *along(geometry.pad, x), (0, 0))
    dilate = (1, *along(geometry.dilate, x), 1)
    if max(dilate) > 1:  # JAX derives no gradient of those: one look at the image for each pixel of the window
        return reduce(function, looks(geometry, x, start))
    return lax.reduce_window(x, np.array(start, x.dtype), function, window, stride, pad)


def looks(geometry: Geometry, x: Array, filler: float) -> list[Array]:
    """What each pixel of the windows sees: arrays like the output, in reading order."""
    kernel, stride, dilate = (along(sizes, x) for sizes in (geometry.kernel, geometry.stride, geometry.dilate))
    x = jnp.pad(x, ((0, 0), *along(geometry.pad, x), (0, 0)), constant_values=filler)
    extent = along(geometry.extent, x)
    counts = [(size - e) // s + 1 for size, e, s in zip(x.shape[1:-1], extent, stride, strict=True)]
    found = []
    for tap in np.ndindex(*kernel):
        starts = [u * d for u, d in zip(tap, dilate, strict=True)]
        look = [slice(at, at + s * (n - 1) + 1, s) for at, s, n in zip(starts, stride, counts, strict=True)]
        found.append(x[(slice(None), *look)])
    return found


def maxpool(op: Pool, call: Call, x: Array) -> Array:
    geometry = op.geometry(call.types[0])
    kernel = along(geometry.kernel, x)
    apart = max(geometry.dilate) > 1
    if along(geometry.stride, x) == kernel and not np.any(geometry.pad) and not apart:
        return largest_of_tiles(x, kernel)
    if apart:
        return first_largest(looks(geometry, x, -jnp.inf))
    return over_windows(op, call, x, -jnp.inf, lax.max)  # of a tie, JAX's gradient takes the first too


def largest_of_tiles(x: Array, kernel: tuple[int, ...]) -> Array:
    """The largest number of each window where windows touch and never overlap.

    Each pixel then belongs to one window, and its gradient is found where the pixel is. The gradient of
    `reduce_window` looks for it among all windows, which on a GPU takes several times as long.
    """
    counts = [size // step for size, step in zip(x.shape[1:-1], kernel, strict=True)]
    x = x[(slice(None), *(slice(n * k) for n, k in zip(counts, kernel, strict=True)))]
    sides = (size for pair in zip(counts, kernel, strict=True) for size in pair)
    tiles = x.reshape(x.shape[0], *sides, x.shape[-1])
    within = tuple(range(2, tiles.ndim - 1, 2))
    seen = lax.stop_gradient(tiles)
    place = jnp.arange(prod(kernel)).reshape(*(n for k in kernel for n in (1, k)), 1)
    largest = (seen == seen.max(axis=within, keepdims=True)) | (seen != seen)  # NaN stays NaN, to be found
    first = jnp.where(largest, place, place.size).min(axis=within, keepdims=True)
    return jnp.where(place == first, tiles, 0).sum(axis=within)


def avgpool(op: AvgPool, call: Call, x: Array) -> Array:
    if op.count_pad:
        kernel = op.geometry(call.types[0]).kernel
        return over_windows(op, call, x, 0, lax.add) / (kernel[0] * kernel[1])
    counts = over_windows(op, call, jnp.ones_like(x[:1, ..., :1]), 0, lax.add)
    return over_windows(op, call, x, 0, lax.add) / counts


def formula(op: OfFormula, call: Call, x: Array) -> Array:
    """The formula of each window; the largest measure of one is no part of the gradient."""
    geometry, of = op.geometry(call.types[0]), op.formula(call.types[0])
    seen = jnp.stack(looks(geometry, x, 0))
    inside = jnp.stack(looks(geometry, jnp.ones_like(x[:1, ..., :1]), 0)) > 0
    measured = jnp.where(inside, computed(of.measure, x=lax.stop_gradient(seen)), -jnp.inf)
    m = measured.max(axis=0)
    s = jnp.where(inside, computed(of.each, x=seen, m=m), 0).sum(axis=0)
    return computed(of.total, s=s, m=m)


def gap(op: Gap, call: Call, x: Array) -> Array:
    return x.mean(axis=pixels(x))


WORDS: dict[str, Word] = {
    "maxpool": maxpool,
    "avgpool": avgpool,
    "gap": gap,
}
