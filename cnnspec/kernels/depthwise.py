"""Depthwise convolution: one kernel for each channel, so sums of shifted rows instead of products of matrices.

All three functions walk the same way: a block of channels, an output row, the taps that meet it. The rows that a
tap needs were there for the tap before, so they are still in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .conv import Pads, reach
from .norm import BLOCK

Meeting = tuple[slice, int, int, int, int, slice, slice]


def meetings(
    x: np.ndarray,
    y: np.ndarray,
    kernel: tuple[int, ...],
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
) -> Iterator[Meeting]:
    """Which pixels of x[h,c,w,n] each tap brings to which of y[i,c,j,n]: c, i, h, u, v, columns of y, of x."""
    height, channels, width, n = y.shape
    columns = []
    for v in range(kernel[1]):
        offset = v * dilate[1] - pad[1][0]
        lo, hi = reach(width, x.shape[2], stride[1], offset)
        first = lo * stride[1] + offset
        columns.append((slice(lo, hi), slice(first, first + max(0, hi - lo - 1) * stride[1] + 1, stride[1])))
    block = max(1, BLOCK // (width * n))
    for start in range(0, channels, block):
        some = slice(start, start + block)
        for i in range(height):
            for u in range(kernel[0]):
                h = i * stride[0] + u * dilate[0] - pad[0][0]
                if 0 <= h < x.shape[0]:
                    for v, (here, there) in enumerate(columns):
                        if here.stop > here.start:
                            yield some, i, h, u, v, here, there


def add_scaled(source: np.ndarray, scale: np.ndarray, target: np.ndarray, scratch: np.ndarray) -> None:
    """target[c,j,n] += source[c,j,n] * scale[c]"""
    part = scratch[: len(source), : source.shape[1]]
    np.multiply(source, scale[:, None, None], out=part)
    np.add(target, part, out=target)


def depthwise(
    x: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], weights[c,u,v] -> out[i,c,j,n]; scratch has one row's shape [c,j,n]."""
    out[...] = 0
    for c, i, h, u, v, here, there in meetings(x, out, weights.shape[1:], stride, dilate, pad):
        add_scaled(x[h, c, there], weights[c, u, v], out[i, c, here], scratch)


def depthwise_input_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n]; scratch has one row's shape [c,j,n]."""
    out[...] = 0
    for c, i, h, u, v, here, there in meetings(out, dy, weights.shape[1:], stride, dilate, pad):
        add_scaled(dy[i, c, here], weights[c, u, v], out[h, c, there], scratch)


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
    out[...] = 0
    for c, i, h, u, v, here, there in meetings(x, dy, out.shape[1:], stride, dilate, pad):
        seen, grad = x[h, c, there], dy[i, c, here]
        if stride[1] > 1:  # pixels apart are brought together first
            seen = scratch[: len(grad), : grad.shape[1]]
            np.copyto(seen, x[h, c, there])
        total = out[c, u, v]
        np.add(total, np.vecdot(seen.reshape(len(grad), -1), grad.reshape(len(grad), -1)), out=total)
