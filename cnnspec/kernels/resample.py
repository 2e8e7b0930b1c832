"""Images made larger or smaller: x[h,c,w,n] within a plan, x[...,h,w] before one, where numbers are scaled too."""

from __future__ import annotations

from typing import Any

import numpy as np

from .conv import copy_pixels

OFF_CENTRE = 3  # deviations: a mean further from zero is taken off before the scale


def inside(x: np.ndarray, y: np.ndarray, before: tuple[int, int, int]) -> np.ndarray:
    """The part of a larger y that x covers, as a view; before = (channels, rows, columns) ahead of it."""
    c, h, w = before
    return y[h : h + x.shape[0], c : c + x.shape[1], w : w + x.shape[2]]


def place(x: np.ndarray, before: tuple[int, int, int], *, out: np.ndarray) -> None:
    """x in the midst of zeros."""
    out[...] = 0
    np.copyto(inside(x, out, before), x)


def take(x: np.ndarray, before: tuple[int, int, int], *, out: np.ndarray) -> None:
    """The part of x that out covers."""
    np.copyto(out, inside(out, x, before))


def by_block(y: np.ndarray, factors: tuple[int, int]) -> np.ndarray:
    """y[h*u,c,w*v,n] -> a view [h,u,c,w,v,n]."""
    (u, v), (height, channels, width, n) = factors, y.shape
    return y.reshape(height // u, u, channels, width // v, v, n)


def enlarge(x: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """Every pixel becomes a block of itself."""
    copy_pixels(x[:, None, :, :, None], out=by_block(out, factors))


def enlarge_gradient(dy: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """Every pixel gets the sum of its block."""
    blocks = by_block(dy, factors)
    np.copyto(out, blocks[:, 0, :, :, 0])
    for u, v in list(np.ndindex(*factors))[1:]:
        np.add(out, blocks[:, u, :, :, v], out=out)


def blend_pixels(
    x: np.ndarray, down: np.ndarray, across: np.ndarray, *, scratch: np.ndarray, out: np.ndarray
) -> None:
    """out = down x across^T: rows are blended by down[i,h], columns by across[j,w]; scratch is [i,c,w,n]."""
    np.matmul(down, x.reshape(len(x), -1), out=scratch.reshape(len(down), -1))
    np.matmul(across, scratch, out=out)


def resample(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """x[...,h,w] -> [...,height,width], bilinear; made smaller, each pixel is the mean of those that it covers.

    Pillow's resize by BILINEAR, which rounds bytes twice on the way, is at most one step of 255 away.
    """
    return np.asarray(coverage(x.shape[-2], height) @ x @ coverage(x.shape[-1], width).T)


def coverage(count: int, wanted: int) -> np.ndarray:
    """How much of each of `count` pixels is in each of `wanted`: a triangle as wide as one of them [wanted,count].

    coverage(4, 2) == [[3/7, 3/7, 1/7, 0], [0, 1/7, 3/7, 3/7]]
    """
    ratio = count / wanted
    centres = (np.arange(wanted) + 0.5) * ratio - 0.5
    distance = np.abs(np.arange(count) - centres[:, None]) / max(ratio, 1.0)
    found = np.maximum(0.0, 1 - distance)
    return np.asarray(found / found.sum(1, keepdims=True))


def by_channel(x: np.ndarray, factors: tuple[int, int]) -> tuple[np.ndarray, tuple[int, ...]]:
    """x[h,c*u*v,w,n] as [h,c,u,v,w,n], and the shape of its pixels in place: [h,u,c,w,v,n]."""
    (u, v), (height, channels, width, n) = factors, x.shape
    count = channels // (u * v)
    return x.reshape(height, count, u, v, width, n), (height, u, count, width, v, n)


def pixel_shuffle(x: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """out[h*u+i,c,w*v+j,n] = x[h,(c*u+i)*v+j,w,n]: channels become pixels."""
    parts, shape = by_channel(x, factors)
    copy_pixels(parts.transpose(0, 2, 1, 4, 3, 5), out=out.reshape(shape))


def pixel_unshuffle(x: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """out[h,(c*u+i)*v+j,w,n] = x[h*u+i,c,w*v+j,n]: the pixels of a block become channels."""
    parts, shape = by_channel(out, factors)
    copy_pixels(x.reshape(shape), out=parts.transpose(0, 2, 1, 4, 3, 5))


def rescale(x: np.ndarray, scale: tuple[float, ...], offset: tuple[float, ...], out: np.ndarray) -> np.ndarray:
    """Numbers as they are stored become those that a network sees: x[n,c,...] -> out[n,c,...] = x * scale + offset.

    Floats; a single number serves all channels.
    """
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
