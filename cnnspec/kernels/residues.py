"""Residue rows: the pixels of a row sorted by their column modulo 4, [h,c,w,n] <-> [h,4,c,t,n], w = 4t + r."""

from __future__ import annotations

import numpy as np


def to_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,4,c,t,n]; columns beyond the image are zero."""
    width = x.shape[2]
    for r in range(4):
        tiles = len(range(r, width, 4))
        np.copyto(out[:, r, :, :tiles], x[:, :, r::4])
        if tiles < out.shape[3]:
            out[:, r, :, tiles:] = 0


def from_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,4,c,t,n] -> out[h,c,w,n]"""
    for r in range(4):
        part = out[:, :, r::4]
        np.copyto(part, x[:, r, :, : part.shape[2]])


def pairs(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x[2i,4,c,t,n] -> the four pixels of each 2x2 window [i,2,c,t,n], in reading order, as views."""
    height = x.shape[0] // 2 * 2
    upper, lower = x[0:height:2], x[1:height:2]
    return upper[:, 0::2], upper[:, 1::2], lower[:, 0::2], lower[:, 1::2]


def halves(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pooled rows x and `rows` [i,2,c,t,n] of which they are made, in one order, as views: w = 2t + r.

    x is an image [i,c,2t,n], or in residue rows [i,4,c,t/2,n].
    """
    if x.ndim == 4:
        height, channels, width, n = x.shape
        return x.reshape(height, channels, width // 2, 2, n).transpose(0, 3, 1, 2, 4), rows
    height, _, channels, tiles, n = x.shape
    x = x.reshape(height, 2, 2, channels, tiles, n).transpose(0, 2, 3, 4, 1, 5)
    return x, rows.reshape(x.shape)


def pool_residues(x: np.ndarray, *, top: np.ndarray, bottom: np.ndarray, out: np.ndarray) -> None:
    """The largest of each 2x2 window of x[h,4,c,t,n], as an image out[i,c,2t,n] or residue rows out[i,4,c,t/2,n].

    top and bottom [i,2,c,t,n] keep the winners of each row for the way back.
    """
    a, b, c, d = pairs(x)
    np.maximum(a, b, out=top)
    np.maximum(c, d, out=bottom)
    pooled, upper = halves(out, top)
    _, lower = halves(out, bottom)
    np.maximum(upper, lower, out=pooled)


def pool_residues_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    *,
    upper: np.ndarray,
    lower: np.ndarray,
    won: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy, like `pool_residues`'s out, goes to the pixel that won; a tie goes to the first one in reading order.

    upper, lower and won, of bools, are scratch [i,2,c,t,n].
    """
    a, b, c, d = pairs(x)
    da, db, dc, dd = pairs(out)
    if out.shape[0] % 2:
        out[-1] = 0
    given, all_of_it = halves(dy, lower)
    np.copyto(all_of_it, given)
    np.greater_equal(top, bottom, out=won)
    np.multiply(lower, won, out=upper)
    np.subtract(lower, upper, out=lower)
    np.greater_equal(a, b, out=won)
    np.multiply(upper, won, out=da)
    np.subtract(upper, da, out=db)
    np.greater_equal(c, d, out=won)
    np.multiply(lower, won, out=dc)
    np.subtract(lower, dc, out=dd)
