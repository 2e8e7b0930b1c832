"""Images made larger or smaller: x[h,c,w,n] within a plan, x[...,h,w] before one."""

from __future__ import annotations

import numpy as np


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
    np.copyto(by_block(out, factors), x[:, None, :, :, None])


def enlarge_gradient(dy: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """Every pixel gets the sum of its block."""
    np.add.reduce(by_block(dy, factors), axis=(1, 4), out=out)


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
    np.copyto(out.reshape(shape), parts.transpose(0, 2, 1, 4, 3, 5))


def pixel_unshuffle(x: np.ndarray, factors: tuple[int, int], *, out: np.ndarray) -> None:
    """out[h,(c*u+i)*v+j,w,n] = x[h*u+i,c,w*v+j,n]: the pixels of a block become channels."""
    parts, shape = by_channel(out, factors)
    np.copyto(parts.transpose(0, 2, 1, 4, 3, 5), x.reshape(shape))
