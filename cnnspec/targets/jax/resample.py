"""More or fewer pixels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ...words import Crop, Pad, Resize, Upsample
from .call import Array, Call, along


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
    if op.mode == "bilinear":
        return jax.image.resize(x, (*x.shape[:2], *made), "linear", antialias=False)
    for axis, want in enumerate(made, 2):
        x = x.take(np.arange(want) * x.shape[axis] // want, axis=axis)
    return x


def sides(before: tuple[int, int, int], x: Array) -> tuple[int, ...]:
    """What is before an image's channels, rows and columns, for the axes that x has."""
    channels, *pixels = before
    return (channels, *pixels[4 - x.ndim :])
