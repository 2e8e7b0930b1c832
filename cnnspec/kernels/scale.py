"""Numbers as they are stored become those that a network sees."""

from __future__ import annotations

from typing import Any

import numpy as np

OFF_CENTRE = 3  # deviations: a mean further from zero is taken off before the scale


def rescale(x: np.ndarray, scale: tuple[float, ...], offset: tuple[float, ...], out: np.ndarray) -> np.ndarray:
    """x[n,c,...] -> out[n,c,...] = x * scale + offset, floats; a single number serves all channels."""
    # one pass that converts and one in floats are quicker than a product of mixed types
    np.copyto(out, x, casting="unsafe")
    centre, offset = centred(scale, offset, out.dtype)
    if any(centre):
        np.subtract(out, column(centre, out), out=out)
    if scale != (1.0,):
        np.multiply(out, column(scale, out), out=out)
    if any(offset):
        np.add(out, column(offset, out), out=out)
    return out


def centred(
    scale: tuple[float, ...], offset: tuple[float, ...], dtype: np.dtype[Any]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A number to take off first, zero in most channels, and the offset that is left.

    x * scale + offset cancels in channels whose mean is many deviations from zero.
    """
    pairs = [
        (float(dtype.type(-o / s)) if abs(o) > OFF_CENTRE else 0.0, s, o)
        for s, o in zip(scale, offset, strict=True)
    ]
    return tuple(c for c, _, _ in pairs), tuple(o + c * s for c, s, o in pairs)


def column(numbers: tuple[float, ...], like: np.ndarray) -> np.ndarray | np.floating:
    """A number for each channel, as it meets images (n, c, ...)."""
    if len(numbers) == 1:
        return like.dtype.type(numbers[0])
    return np.array(numbers, like.dtype).reshape(-1, *(1,) * (like.ndim - 2))
