"""Gradients of a 1x1 convolution and the batch normalisation behind it, from what goes in.

What the convolution makes, y = w . x for each pixel, is wanted for the sums of dy * (y - mean) and for the gradient
of the normalisation, scale * (dy + b * (y - mean) + c), whose products with w and x are those of the convolution.
All of it follows from dy, x and small matrices. With z = x - centre, x less its own means, y - mean is w . z, and

    sum of dy * (y - mean)  = the sum along a row of w * (dy . z^T)
    dw                      = scale * (dy . z^T + b * w . (z . z^T) + c * sums of z), and what the centre adds
    dx                      = (scale * w)^T . dy + (scale * w)^T . (b * w) . z + (scale * w)^T . c

Where x has few channels and y many, that goes over dy twice and over little else, instead of over dy and y three
times each and over a gradient as large. A row of ones under z makes the sums of dy and of z, and carries c. Less
their means, numbers that are far from zero do not cancel.
"""

from __future__ import annotations

import numpy as np

from .conv import filter_gradient
from .gemm import gemm
from .norm import ones

AT_ONCE = 131_072  # numbers of the gradient of the input that are made at a time


def subtract_means(x: np.ndarray, *, centre: np.ndarray, out: np.ndarray) -> None:
    """x[h,k,l] -> centre[k], the mean of each channel, and out[h,k+1,l]: x less it, with ones below."""
    height, channels, length = x.shape
    total = np.matmul(x, ones(length, x.dtype)).sum(axis=0, dtype=np.float64)
    np.multiply(total, 1 / (height * length), out=centre, casting="same_kind")
    np.subtract(x, centre[:, None], out=out[:, :channels])
    out[:, channels] = 1


def pointwise_norm_sums(
    dy: np.ndarray,
    x: np.ndarray,
    weights: np.ndarray,
    mean: np.ndarray,
    *,
    centre: np.ndarray,
    centred: np.ndarray,
    products: np.ndarray,
    parts: np.ndarray | None = None,
    by_channel: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """dy[h,f,l] and x[h,k,l], of which weights[f,k] made y -> out[3,f] in float64: sums of dy, of dy * (y - mean),

    and of y, which was rounded before its mean was taken.

    For `pointwise_norm_gradient` it leaves centre[k], centred[h,k+1,l], which is x less it above ones, and
    products[f+k+1,k+1], of dy and of that with that. They are made row by row, some rows' in the scratch
    parts[r*f*(k+1)], or of all pixels at once, with the scratch by_channel[f+k+1,h,l].
    """
    filters, channels = weights.shape
    subtract_means(x, centre=centre, out=centred)
    if by_channel is not None:
        np.copyto(by_channel[:filters].swapaxes(0, 1), dy)
        np.copyto(by_channel[filters:].swapaxes(0, 1), centred)
        flat = by_channel.reshape(len(by_channel), -1)
        gemm(flat, flat[filters:].T, out=products)
    elif parts is not None:
        for rows, made in ((dy, products[:filters]), (centred, products[filters:])):
            some = min(len(dy), parts.size // made.size)
            scratch = parts[: some * made.size].reshape(1, some, *made.shape)
            filter_gradient(rows[None], centred[None], scratch=scratch, out=made[None])
    middle = np.matmul(weights, centre, dtype=np.float64)
    out[0] = products[:filters, channels]
    out[1] = np.vecdot(products[:filters, :channels], weights)
    out[1] += out[0] * (middle - mean)
    out[2] = x[:, 0].size * middle + np.matmul(weights, products[filters:-1, channels], dtype=np.float64)


def pointwise_norm_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    scale: np.ndarray,
    sums: np.ndarray,
    count: int,
    eps: float,
    *,
    centre: np.ndarray,
    centred: np.ndarray,
    products: np.ndarray,
    scratch: np.ndarray,
    dw: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[h,f,l] -> out[h,k,l] and dw[f,k], through a normalisation with `scale` and a 1x1 convolution.

    sums[shards,3,f] are of all shards, over count pixels, the rest is what `pointwise_norm_sums` left;
    scratch[r,k,l] holds some rows.
    """
    (filters, channels), kind = weights.shape, weights.dtype
    products, squares = products[:filters], products[filters:]
    of_dy, of_both, of_y = np.add.reduce(sums, axis=0)
    exact = of_y / count
    r = 1 / np.sqrt(var + np.float64(eps))
    b = -r * r * (of_both + of_dy * (mean - exact)) / count
    middle = np.matmul(weights, centre, dtype=np.float64) - exact
    c = b * middle - of_dy / count
    scale = scale * r
    # in float64: of all shards they come to nothing, and means may be large
    bent_sums = b * np.matmul(weights, squares[:-1, channels], dtype=np.float64)
    left = scale * (products[:, channels] + bent_sums + c * centred[:, 0].size)
    b, c, scale = (a.astype(kind)[:, None] for a in (b, c, scale))
    bent = np.concatenate((weights * b, c), axis=1)
    np.matmul(bent, squares[:, :channels], out=dw)
    np.add(dw, products[:, :channels], out=dw)
    np.multiply(dw, scale, out=dw)
    np.add(dw, left.astype(kind)[:, None] * centre, out=dw)
    matrix = (weights * scale).T
    rest = matrix @ bent
    block = len(scratch)
    for start in range(0, len(out), block):
        rows = slice(start, start + block)
        y = out[rows]
        part = scratch[: len(y)]
        gemm(matrix, dy[rows], out=y)
        gemm(rest, centred[rows], out=part)
        np.add(y, part, out=y)
