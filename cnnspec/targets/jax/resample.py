"""More or fewer pixels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ...words.resample import Crop, Pad, PixelShuffle, PixelUnshuffle, Resize, Upsample
from .call import Array, Call, Word, along


def pad(op: Pad, call: Call, x: Array) -> Array:
    pairs = op.sides(call.types[0])[4 - x.ndim :]
    mode = {"zeros": "constant"}.get(op.mode, op.mode)
    return jnp.pad(x, [(0, 0), (op.channels, op.channels), *pairs], mode=mode)


def crop(op: Crop, call: Call, x: Array) -> Array:
    starts = sides(op.before(call.types[0]), x)
    cut = [slice(start, start + size) for start, size in zip(starts, call.node.type.shape, strict=True)]
    return x[(slice(None), *cut)]


def upsample(op: Upsample, call: Call, x: Array) -> Array:
    for axis, factor in enumerate(along(op.factors(call.types[0]), x), 2):
        x = jnp.repeat(x, factor, axis=axis)
    return x


def resize(op: Resize, call: Call, x: Array) -> Array:
    made = op.target(call.types[0])
    if op.mode == "area" or op.align_corners:
        for axis, matrix in enumerate(op.blends(call.types[0])[4 - x.ndim :], 2):
            x = jnp.moveaxis(jnp.tensordot(x, jnp.array(matrix, x.dtype), ((axis,), (1,))), -1, axis)
        return x
    if op.mode == "bilinear":
        return jax.image.resize(x, (*x.shape[:2], *made), "linear", antialias=False)
    for axis, want in enumerate(made, 2):
        x = x.take(np.arange(want) * x.shape[axis] // want, axis=axis)
    return x


def pixel_shuffle(op: PixelShuffle, call: Call, x: Array) -> Array:
    factors, (channels, *pixels) = along(op.factors(call.types[0]), x), call.node.type.shape
    rank = len(factors)
    parts = x.reshape(x.shape[0], channels, *factors, *x.shape[2:])
    order = (0, 1, *(axis for k in range(rank) for axis in (2 + rank + k, 2 + k)))
    return parts.transpose(order).reshape(x.shape[0], channels, *pixels)


def pixel_unshuffle(op: PixelUnshuffle, call: Call, x: Array) -> Array:
    factors, (channels, *pixels) = along(op.factors(call.types[0]), x), call.node.type.shape
    rank = len(factors)
    split = (size for pair in zip(pixels, factors, strict=True) for size in pair)
    order = (0, 1, *(3 + 2 * k for k in range(rank)), *(2 + 2 * k for k in range(rank)))
    return x.reshape(*x.shape[:2], *split).transpose(order).reshape(x.shape[0], channels, *pixels)


def sides(before: tuple[int, int, int], x: Array) -> tuple[int, ...]:
    """What is before an image's channels, rows and columns, for the axes that x has."""
    channels, *pixels = before
    return (channels, *pixels[4 - x.ndim :])


WORDS: dict[str, Word] = {
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixel_shuffle,
    "pixelunshuffle": pixel_unshuffle,
}
