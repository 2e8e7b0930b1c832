"""Pooling."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...ir.geometry import Geometry
from ...words.pool import AvgPool, Gap, OfFormula, Pool
from .activation import computed
from .call import Array, Call, Word, along
from .layout import pixels

MOST_TAPS = 25  # of windows that are looked through one tap after the other


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
    if along(geometry.stride, x) == kernel and not np.any(geometry.pad) and max(geometry.dilate) == 1:
        return largest_of_tiles(x, kernel)
    if prod(kernel) <= MOST_TAPS or max(geometry.dilate) > 1:  # JAX derives no gradient of dilated windows
        return largest_of_windows(x, geometry, x.shape[1:-1])
    return over_windows(op, call, x, -jnp.inf, lax.max)  # of a tie, its gradient takes the first too


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def largest_of_windows(x: Array, geometry: Geometry, size: tuple[int, ...]) -> Array:
    """The largest number of each window, of images of that size; of a tie the first gets the gradient.

    Its tap is noted, so that the gradient is a sum of nine pieces for windows of 3x3. That of `reduce_window` sorts
    them where sums are made in one order, a seventh of ResNet-50's step on a GPU.
    """
    return with_its_tap(x, geometry, size)[0]


def with_its_tap(x: Array, geometry: Geometry, size: tuple[int, ...]) -> tuple[Array, Array]:
    """The largest number of each window, and the tap that sees it."""
    largest, *others = looks(geometry, x, -jnp.inf)
    kind = jnp.int8 if len(others) < 128 else jnp.int32
    tap = jnp.zeros(largest.shape, kind)
    for k, look in enumerate(others, 1):
        larger = (look > largest) | (look != look)  # NaN stays NaN, to be found
        largest, tap = jnp.where(larger, look, largest), jnp.where(larger, kind(k), tap)
    return largest, tap


def back_to_its_tap(geometry: Geometry, size: tuple[int, ...], tap: Array, dy: Array) -> tuple[Array]:
    """The gradient of `largest_of_windows`: each tap's piece lies apart by the stride, where the tap looked."""
    kernel, stride, dilate = (along(sizes, dy) for sizes in (geometry.kernel, geometry.stride, geometry.dilate))
    pad = along(geometry.pad, dy)
    zero, dx = np.array(0, dy.dtype), jnp.zeros((dy.shape[0], *size, dy.shape[-1]), dy.dtype)
    for k, taps in enumerate(np.ndindex(*kernel)):
        firsts = [u * d - before for u, d, (before, _) in zip(taps, dilate, pad, strict=True)]
        lasts = [first + (n - 1) * s for first, n, s in zip(firsts, dy.shape[1:-1], stride, strict=True)]
        sides = [(a, n - 1 - b, s - 1) for a, b, n, s in zip(firsts, lasts, size, stride, strict=True)]
        dx += lax.pad(jnp.where(tap == k, dy, zero), zero, ((0, 0, 0), *sides, (0, 0, 0)))
    return (dx,)


largest_of_windows.defvjp(with_its_tap, back_to_its_tap)


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
