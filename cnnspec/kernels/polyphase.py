"""polyphase rows: the pixels of a row sorted by their column modulo 4, [h,c,w,n] <-> [h,4,c,t,n], w = 4t + r.

And rows in 2x2 phases, even columns before odd ones.
"""

from __future__ import annotations

import numpy as np

from .activation import zeros
from .conv import copy_pixels
from .gemm import gemm
from .norm import BlockwiseNormGradient, GradientSums, Moments, Normalisation, merged


def to_polyphase(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,4,c,t,n]; columns beyond the image are zero."""
    width = x.shape[2]
    for r in range(4):
        tiles = len(range(r, width, 4))
        copy_pixels(x[:, :, r::4], out=out[:, r, :, :tiles])
        if tiles < out.shape[3]:
            out[:, r, :, tiles:] = 0


def from_polyphase(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,4,c,t,n] -> out[h,c,w,n]"""
    for r in range(4):
        part = out[:, :, r::4]
        copy_pixels(x[:, r, :, : part.shape[2]], out=part)


def products_and_moments(
    matrix: np.ndarray, columns: np.ndarray, block: int, *, moments: np.ndarray, out: np.ndarray
) -> None:
    """matrix[f,d] . columns[i,4,d,l] -> out[i,4,f,l], `block` rows at a time.

    While they are in the cache, the moments of each channel are taken: moments[3,f], see `Moments`.
    """
    taken = Moments(out)
    for start in range(0, len(out), block):
        rows = slice(start, min(start + block, len(out)))
        gemm(matrix, columns[rows], out=out[rows])
        taken.take(rows, out[rows])
    taken.total(out=moments)


def polyphase_filter_gradient(
    dy: np.ndarray | BlockwiseNormGradient,
    columns: np.ndarray,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """dw[f,d] = sum over i and r of dy[i,r,f,l] . columns[i,r,d,l]; see `filter_gradient`.

    dy may be the gradient of a normalisation, made here block by block, and its scale brought in at the end;
    scratch[b,4,f,d] holds the products of a block of rows.
    """
    block, height = len(scratch), len(columns)
    for start in range(0, height, block):
        stop = min(start + block, height)
        part = scratch[: stop - start]
        gemm(dy[start:stop], columns[start:stop].swapaxes(2, 3), out=part)
        if start == 0:
            np.add.reduce(part, axis=(0, 1), out=out)
        else:
            np.add(out, np.add.reduce(part, axis=(0, 1)), out=out)
    if isinstance(dy, BlockwiseNormGradient):
        np.multiply(out, dy.scale, out=out)


def by_phase(rows: np.ndarray) -> np.ndarray:
    """rows[1,2i+u,d,2l], a row's even columns before its odd ones -> a view [u,v,i,d,l]."""
    _, height, depth, length = rows.shape
    return rows.reshape(height // 2, 2, depth, 2, length // 2).transpose(1, 3, 0, 2, 4)


def phased_filter_gradient(dy: np.ndarray, columns: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dw[f,d] = sum over u, v and i of dy[u,v,i,f,l] . columns[u,v,i,d,l]; see `filter_gradient`.

    scratch[u,v,r,f,d] holds the products of r rows of windows at a time.
    """
    height, block = dy.shape[2], scratch.shape[2]
    for start in range(0, height, block):
        rows = np.s_[:, :, start : min(start + block, height)]
        part = scratch[:, :, : min(block, height - start)]
        gemm(dy[rows], columns[rows].swapaxes(-1, -2), out=part)
        if start == 0:
            np.add.reduce(part, axis=(0, 1, 2), out=out)
        else:
            np.add(out, np.add.reduce(part, axis=(0, 1, 2)), out=out)


def window_pixels(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x[2i,4,c,t,n] -> the four pixels of each 2x2 window [i,2,c,t,n], in reading order, as views."""
    height = x.shape[0] // 2 * 2
    upper, lower = x[0:height:2], x[1:height:2]
    return upper[:, 0::2], upper[:, 1::2], lower[:, 0::2], lower[:, 1::2]


def interleaved_views(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Views of pooled rows x and of `rows` [i,2,c,t,n], their source, with the same order of axes: w = 2t + r.

    x is an image [i,c,2t,n], or in polyphase rows [i,4,c,t/2,n].
    """
    if x.ndim == 4:
        height, channels, width, n = x.shape
        return x.reshape(height, channels, width // 2, 2, n).transpose(0, 3, 1, 2, 4), rows
    height, _, channels, tiles, n = x.shape
    x = x.reshape(height, 2, 2, channels, tiles, n).transpose(0, 2, 3, 4, 1, 5)
    return x, rows.reshape(x.shape)


def polyphase_maxpool2(x: np.ndarray, *, top: np.ndarray, bottom: np.ndarray, out: np.ndarray) -> None:
    """The largest of each 2x2 window of x[h,4,c,t,n], as an image out[i,c,2t,n] or polyphase rows out[i,4,c,t/2,n].

    top and bottom [i,2,c,t,n] save the maximum of each row for the backward pass.
    """
    a, b, c, d = window_pixels(x)
    np.maximum(a, b, out=top)
    np.maximum(c, d, out=bottom)
    pooled, upper = interleaved_views(out, top)
    _, lower = interleaved_views(out, bottom)
    np.maximum(upper, lower, out=pooled)


def route_gradient(dy: np.ndarray, argmax_mask: np.ndarray, *, first: np.ndarray, second: np.ndarray) -> None:
    """dy to `first` where the mask is set, elsewhere to `second`, which may be dy; zeros to the other."""
    np.multiply(dy, argmax_mask, out=first)
    np.subtract(dy, first, out=second)


def polyphase_maxpool2_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    *,
    upper: np.ndarray,
    lower: np.ndarray,
    argmax_mask: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy, like `polyphase_maxpool2`'s out, goes to the largest pixel; a tie goes to the first in reading order.

    upper, lower and argmax_mask, of bools, are scratch [i,2,c,t,n].
    """
    a, b, c, d = window_pixels(x)
    da, db, dc, dd = window_pixels(out)
    if out.shape[0] % 2:
        out[-1] = 0
    given, all_of_it = interleaved_views(dy, lower)
    copy_pixels(given, out=all_of_it)
    np.greater_equal(top, bottom, out=argmax_mask)
    route_gradient(lower, argmax_mask, first=upper, second=lower)
    np.greater_equal(a, b, out=argmax_mask)
    route_gradient(upper, argmax_mask, first=da, second=db)
    np.greater_equal(c, d, out=argmax_mask)
    route_gradient(lower, argmax_mask, first=dc, second=dd)


def normalise_pooled(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    eps: float,
    *,
    block: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    argmax: np.ndarray,
    relu_mask: np.ndarray | None = None,
    scratch: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,4,c,t,n] normalised and pooled, as `normalise` and `polyphase_maxpool2` do; then relu, with `relu_mask`.

    argmax[3,i,2,c,t,n], bools, gets whether the left pixel of the upper row, of the lower row, and
    the upper row is the largest; relu_mask, like out, where the relu is positive. block[2r,4,c,t,n], top and
    bottom[r,2,c,t,n] are scratch for r rows of windows; `scratch` is that of `Normalisation`.
    """
    values, zero = merged(x), zeros(out)
    normalisation = Normalisation(mean, var, weight, bias, eps, values, scratch)
    for start in range(0, len(out), len(top)):
        rows = slice(start, min(start + len(top), len(out)))
        count = rows.stop - start
        y = block[: 2 * count]
        normalisation.write(values[2 * start : 2 * rows.stop], out=merged(y))
        a, b, c, d = window_pixels(y)
        upper, lower, pooled = top[:count], bottom[:count], out[rows]
        np.greater_equal(a, b, out=argmax[0, rows])
        np.maximum(a, b, out=upper)
        np.greater_equal(c, d, out=argmax[1, rows])
        np.maximum(c, d, out=lower)
        np.greater_equal(upper, lower, out=argmax[2, rows])
        to, above = interleaved_views(pooled, upper)
        _, below = interleaved_views(pooled, lower)
        np.maximum(above, below, out=to)
        if relu_mask is not None:
            np.maximum(pooled, zero, out=pooled)
            np.greater(pooled, zero, out=relu_mask[rows])


def pooled_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    argmax: np.ndarray,
    *,
    relu_mask: np.ndarray | None = None,
    upper: np.ndarray,
    lower: np.ndarray,
    sums: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy, like the out of `normalise_pooled`, goes to each window's maximum in out[h,4,c,t,n].

    sums[2,c] gets those of `gradient_sums`, with x[h,4,c,t,n]. upper and lower[r,2,c,t,n] are scratch.
    """
    total, target = GradientSums(x), merged(out)
    if len(out) % 2:
        out[-1] = 0
        total.take(slice(len(out) - 1, len(out)), target[-1:], target[-1:])
    for start in range(0, len(dy), len(upper)):
        rows = slice(start, min(start + len(upper), len(dy)))
        up, low = upper[: rows.stop - start], lower[: rows.stop - start]
        given, all_of_it = interleaved_views(dy[rows], low)
        if relu_mask is None:
            copy_pixels(given, out=all_of_it)
        else:
            np.multiply(given, interleaved_views(relu_mask[rows], low)[0], out=all_of_it)
        route_gradient(low, argmax[2, rows], first=up, second=low)
        both = slice(2 * start, 2 * rows.stop)
        da, db, dc, dd = window_pixels(out[both])
        route_gradient(up, argmax[0, rows], first=da, second=db)
        route_gradient(low, argmax[1, rows], first=dc, second=dd)
        total.take(both, target[both], target[both])
    total.total(out, mean, var, out=sums)
