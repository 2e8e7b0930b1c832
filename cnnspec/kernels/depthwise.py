"""Depthwise convolution: one kernel for each channel, so sums of shifted images instead of products of matrices."""

from __future__ import annotations

import numpy as np

from .conv import Pads, reach


def taps(x_shape, y_shape, kernel, stride, dilate, pad):
    """For each tap (u, v): the slices of output and input that it joins."""
    for u in range(kernel[0]):
        row = u * dilate[0] - pad[0][0]
        top, end = reach(y_shape[0], x_shape[0], stride[0], row)
        h = top * stride[0] + row
        for v in range(kernel[1]):
            column = v * dilate[1] - pad[1][0]
            lo, hi = reach(y_shape[2], x_shape[2], stride[1], column)
            w = lo * stride[1] + column
            if end > top and hi > lo:
                yield (
                    u,
                    v,
                    (slice(top, end), slice(None), slice(lo, hi)),
                    (
                        slice(h, h + (end - top - 1) * stride[0] + 1, stride[0]),
                        slice(None),
                        slice(w, w + (hi - lo - 1) * stride[1] + 1, stride[1]),
                    ),
                )


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
    for u, v, here, there in taps(x.shape, out.shape, weights.shape[1:], stride, dilate, pad):
        scale = weights[:, u, v, None, None]
        target, source = out[here], x[there]
        part = scratch[:, : target.shape[2]]
        for i in range(target.shape[0]):
            np.multiply(source[i], scale, out=part)
            np.add(target[i], part, out=target[i])


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
    for u, v, here, there in taps(out.shape, dy.shape, weights.shape[1:], stride, dilate, pad):
        scale = weights[:, u, v, None, None]
        source, target = dy[here], out[there]
        part = scratch[:, : source.shape[2]]
        for i in range(source.shape[0]):
            np.multiply(source[i], scale, out=part)
            np.add(target[i], part, out=target[i])


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
    for u, v, here, there in taps(x.shape, dy.shape, out.shape[1:], stride, dilate, pad):
        left, right = dy[here], x[there]
        part = scratch[:, : left.shape[2]]
        total = out[:, u, v]
        for i in range(left.shape[0]):
            np.multiply(left[i], right[i], out=part)
            np.add(total, part.reshape(part.shape[0], -1).sum(axis=1), out=total)
