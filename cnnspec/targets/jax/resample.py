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
    return jnp.pad(x, [(0, 0), *pairs, (op.channels, op.channels)], mode=mode)


def crop(op: Crop, call: Call, x: Array) -> Array:
    _, *before = op.before(call.types[0])
    starts, sizes = before[4 - x.ndim :], call.node.type.spatial
    cut = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    return x[(slice(None), *cut)]


def upsample(op: Upsample, call: Call, x: Array) -> Array:
    for axis, factor in enumerate(along(op.factors(call.types[0]), x), 1):
        x = jnp.repeat(x, factor, axis=axis)
    return x


def resize(op: Resize, call: Call, x: Array) -> Array:
    made = op.target(call.types[0])
    if op.mode == "area" or op.align_corners:
        for axis, matrix in enumerate(op.blends(call.types[0])[4 - x.ndim :], 1):
            x = jnp.moveaxis(jnp.tensordot(x, jnp.array(matrix, x.dtype), ((axis,), (1,))), -1, axis)
        return x
    if op.mode == "bilinear":
        return jax.image.resize(x, (x.shape[0], *made, x.shape[-1]), "linear", antialias=False)
    for axis, want in enumerate(made, 1):
        x = x.take(np.arange(want) * x.shape[axis] // want, axis=axis)
    return x


def pixel_shuffle(op: PixelShuffle, call: Call, x: Array) -> Array:
    factors, (channels, *pixels) = along(op.factors(call.types[0]), x), call.node.type.shape
    rank = len(factors)
    parts = x.reshape(*x.shape[:-1], channels, *factors)
    order = (0, *(axis for k in range(rank) for axis in (1 + k, 2 + rank + k)), 1 + rank)
    return parts.transpose(order).reshape(x.shape[0], *pixels, channels)


def pixel_unshuffle(op: PixelUnshuffle, call: Call, x: Array) -> Array:
    factors, (channels, *pixels) = along(op.factors(call.types[0]), x), call.node.type.shape
    rank = len(factors)
    split = (size for pair in zip(pixels, factors, strict=True) for size in pair)
    order = (0, *(1 + 2 * k for k in range(rank)), 1 + 2 * rank, *(2 + 2 * k for k in range(rank)))
    parts = x.reshape(x.shape[0], *split, x.shape[-1])
    return parts.transpose(order).reshape(x.shape[0], *pixels, channels)


WORDS: dict[str, Word] = {
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixel_shuffle,
    "pixelunshuffle": pixel_unshuffle,
}
