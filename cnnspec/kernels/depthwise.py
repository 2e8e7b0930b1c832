"""Depthwise convolution: one kernel for each channel.

For each column of the kernel, a strip of output rows is a product of matrices: a band of the kernel's numbers,

    [ a b c 0 0 0 ]
    [ 0 a b c 0 0 ]     times the rows of the input that the strip sees, of w*n numbers.
    [ 0 0 a b c 0 ]
    [ 0 0 0 a b c ]

Half of its products are with zero, and it takes a quarter of the time of sums of scaled rows, which go through the
memory twice for each tap. The bands of all columns stand in one matrix for each channel; what they make is moved
sideways and added up. The input's gradient goes the same way with the matrix transposed.

An image of a few pixels is one product instead, of all pixels with a dense matrix for each channel: the kernel's
numbers where a tap leads from a pixel to a pixel, which are all products of the kernels with a table of 0 and 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .conv import Pads, reach
from .norm import BLOCK

Columns = list[tuple[slice, slice]]


def met_columns(width: int, seen: int, kernel: int, stride: int, dilate: int, left: int) -> Columns:
    """For each column of the kernel: which columns of the output meet a pixel through it, and which pixels."""
    found = []
    for v in range(kernel):
        offset = v * dilate - left
        lo, hi = reach(width, seen, stride, offset)
        first, count = lo * stride + offset, max(0, hi - lo)
        found.append((slice(lo, lo + count), slice(first, first + max(0, (count - 1) * stride + 1), stride)))
    return found


def add_strips(
    x: np.ndarray, bands: np.ndarray, step: int, base: int, columns: Columns, *, parts: np.ndarray, out: np.ndarray
) -> None:
    """out[i,c,j,n] = what bands[c,v,r,k] make of x[h,c,w,n], r rows at a time from k.

    Strip s sees rows s*step + base and those below it, where there are any. columns[v] tells which columns of `out`
    get which of what a band of column v made. parts[b,v,r,w,n] is scratch, for b channels at a time.
    """
    height, channels, width, n = x.shape
    block, kernel, rows = parts.shape[:3]
    span = bands.shape[3]
    widest = max(range(kernel), key=lambda v: columns[v][0].stop - columns[v][0].start)
    target = columns[widest][0]
    whole = (target.start, target.stop, target.step or 1) == (0, out.shape[2], 1)
    order = [widest, *(v for v in range(kernel) if v != widest)]
    for strip, start in enumerate(range(0, len(out), rows)):
        stop = min(start + rows, len(out))
        first = strip * step + base
        above, below = max(first, 0), min(first + span, height)
        for c in range(0, channels, block):
            some = slice(c, min(c + block, channels))
            made = parts[: some.stop - c]
            y = out[start:stop, some]
            if below <= above:
                y[...] = 0
                continue
            matrix = bands[some, :, :, above - first : below - first].reshape(len(made), -1, below - above)
            seen = x[above:below, some].reshape(below - above, len(made), width * n).swapaxes(0, 1)
            np.matmul(matrix, seen, out=made.reshape(len(made), kernel * rows, width * n))
            by_row = made[:, :, : stop - start].transpose(1, 2, 0, 3, 4)
            if not whole:
                y[...] = 0
            for v in order:
                here, there = columns[v]
                if v == widest and whole:
                    np.copyto(y, by_row[v][:, :, there])
                elif here.stop > here.start:
                    np.add(y[:, :, here], by_row[v][:, :, there], out=y[:, :, here])


def depthwise(
    x: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    parts: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], weights[c,u,v] -> out[i,c,j,n]; parts[b,v,r,w,n] is scratch (see `add_strips`)."""
    channels, kernel_h, kernel_w = weights.shape
    rows = parts.shape[2]
    bands = np.zeros((channels, kernel_w, rows, (rows - 1) * stride[0] + (kernel_h - 1) * dilate[0] + 1), x.dtype)
    for r in range(rows):
        for u in range(kernel_h):
            bands[:, :, r, r * stride[0] + u * dilate[0]] = weights[:, u]
    columns = met_columns(out.shape[2], x.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    add_strips(x, bands, rows * stride[0], -pad[0][0], columns, parts=parts, out=out)


def depthwise_input_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    parts: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n]; parts[b,v,r,j,n] is scratch, r a multiple of the stride."""
    channels, kernel_h, kernel_w = weights.shape
    rows, top = parts.shape[2], pad[0][0]
    # the first and the last row of dy that saw the first strip
    base, last = -(((kernel_h - 1) * dilate[0] - top) // stride[0]), (rows - 1 + top) // stride[0]
    bands = np.zeros((channels, kernel_w, rows, last - base + 1), dy.dtype)
    for i in range(base, last + 1):
        for u in range(kernel_h):
            r = i * stride[0] + u * dilate[0] - top
            if 0 <= r < rows:
                bands[:, :, r, i - base] = weights[:, u]
    met = met_columns(dy.shape[2], out.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    columns = [(there, here) for here, there in met]
    add_strips(dy, bands, rows // stride[0], base, columns, parts=parts, out=out)


def depthwise_filter_gradient(
    x: np.ndarray,
    dy: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], dy[i,c,j,n] -> out[c,u,v]: for each tap, the product of what it saw and the gradient."""
    height, channels, width, n = dy.shape
    _, kernel_h, kernel_w = out.shape
    columns = met_columns(width, x.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    block = max(1, BLOCK // (width * n))
    out[...] = 0
    for start in range(0, channels, block):
        c = slice(start, start + block)
        for i in range(height):
            for u in range(kernel_h):
                h = i * stride[0] + u * dilate[0] - pad[0][0]
                if not 0 <= h < len(x):
                    continue
                for v, (here, there) in enumerate(columns):
                    seen, grad, total = x[h, c, there], dy[i, c, here], out[c, u, v]
                    if stride[1] > 1:  # pixels apart are brought together first
                        together = scratch[: len(grad), : grad.shape[1]]
                        np.copyto(together, seen)
                        seen = together
                    np.add(total, np.vecdot(seen.reshape(len(grad), -1), grad.reshape(len(grad), -1)), out=total)


Pair = tuple[int, int]


@cache
def table_of_taps(
    made: Pair, seen: Pair, kernel: Pair, stride: Pair, dilate: Pair, pad: Pads, dtype: np.dtype
) -> np.ndarray:
    """[u*v, i*j*h*w]: 1 where tap (u, v) leads from pixel (h, w) of the input to pixel (i, j) of the output."""
    table = np.zeros((*kernel, *made, *seen), dtype)
    for u, v, i, j in np.ndindex(*kernel, *made):
        h, w = i * stride[0] + u * dilate[0] - pad[0][0], j * stride[1] + v * dilate[1] - pad[1][0]
        if 0 <= h < seen[0] and 0 <= w < seen[1]:
            table[u, v, i, j, h, w] = 1
    return table.reshape(kernel[0] * kernel[1], -1)


def size(x: np.ndarray) -> Pair:
    """Height and width of x[h,c,w,n]."""
    return x.shape[0], x.shape[2]


def channels_first(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[c,h*w,n]"""
    height, channels, width, n = x.shape
    np.copyto(out.reshape(channels, height, width, n), x.swapaxes(0, 1))


def rows_first(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[c,h*w,n] -> out[h,c,w,n]"""
    height, channels, width, n = out.shape
    np.copyto(out, x.reshape(channels, height, width, n).swapaxes(0, 1))


def depthwise_dense(
    x: np.ndarray,
    weights: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    matrix: np.ndarray,
    seen: np.ndarray,
    made: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], weights[c,u,v] -> out[i,c,j,n]; scratch is matrix[c,i*j,h*w], seen[c,h*w,n], made[c,i*j,n]."""
    table = table_of_taps(size(out), size(x), weights.shape[1:], stride, dilate, pad, x.dtype)
    np.matmul(weights.reshape(len(weights), -1), table, out=matrix.reshape(len(matrix), -1))
    channels_first(x, out=seen)
    np.matmul(matrix, seen, out=made)
    rows_first(made, out=out)


def depthwise_dense_input_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    matrix: np.ndarray,
    seen: np.ndarray,
    made: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n], by the matrices transposed; the same scratch."""
    table = table_of_taps(size(dy), size(out), weights.shape[1:], stride, dilate, pad, dy.dtype)
    np.matmul(weights.reshape(len(weights), -1), table, out=matrix.reshape(len(matrix), -1))
    channels_first(dy, out=made)
    np.matmul(matrix.swapaxes(1, 2), made, out=seen)
    rows_first(seen, out=out)


def depthwise_dense_filter_gradient(
    x: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    matrix: np.ndarray,
    seen: np.ndarray,
    made: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], dy[i,c,j,n] -> out[c,u,v]: the matrices' gradient, summed for each tap; the same scratch."""
    table = table_of_taps(size(dy), size(x), out.shape[1:], stride, dilate, pad, x.dtype)
    channels_first(x, out=seen)
    channels_first(dy, out=made)
    np.matmul(made, seen.swapaxes(1, 2), out=matrix)
    np.matmul(matrix.reshape(len(matrix), -1), table.T, out=out.reshape(len(out), -1))
