"""Convolution tap by tap: for each tap of the kernel a product, with the pixels that it meets.

Where images are hardly larger than the kernel, most of what im2col multiplies is padding: the taps of a 3x3 kernel,
padded by one, meet 2x2 pixels 16 times, and there are 9 for each of 4 outputs. The weights of a tap are taken as
they lie, and read once for all pixels.

Names: u v kernel row and column, h w a pixel's row and column, i j those of an output.
"""

from __future__ import annotations

from functools import cache
from math import prod
from types import EllipsisType

import numpy as np

from .conv import Pads, beginning, copy_pixels, reach
from .gemm import gemm

Size = tuple[int, int]
Place = tuple[slice | EllipsisType, ...]  # the index of pixels in an array [...,h,w,n]


@cache
def meetings(
    kernel: Size, y: Size, x: Size, stride: Size, dilate: Size, pad: Pads
) -> tuple[tuple[int, int, Place, Place], ...]:
    """The taps of a kernel that meet pixels, those that meet most first: u, v, which outputs, and which pixels."""

    def along(axis: int, tap: int) -> tuple[slice, slice]:
        offset = tap * dilate[axis] - pad[axis][0]
        start, stop = reach(y[axis], x[axis], stride[axis], offset)
        first = start * stride[axis] + offset
        return slice(start, stop), slice(first, first + (stop - start - 1) * stride[axis] + 1, stride[axis])

    found = []
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            (i, h), (j, w) = along(0, u), along(1, v)
            count = (i.stop - i.start) * (j.stop - j.start)
            if count:
                found.append((-count, u, v, (..., i, j, slice(None)), (..., h, w, slice(None))))
    return tuple(tap[1:] for tap in sorted(found, key=lambda tap: tap[:3]))


def together(x: np.ndarray, scratch: np.ndarray) -> np.ndarray:
    """x[c,...,n] as [c,l], copied into scratch."""
    copy = beginning(scratch, x.shape)
    copy_pixels(x, out=copy)
    return copy.reshape(len(x), -1)


def add_taps(
    weights: np.ndarray,
    given: np.ndarray,
    taps: list[tuple[int, int, Place, Place]],
    *,
    met: np.ndarray,
    products: np.ndarray,
    out: np.ndarray,
) -> None:
    """Each tap's weights[o,u,v,i] times what it meets of given[i,...], summed where it belongs in out[o,...].

    The taps with what they meet in out, and in given.
    """
    begun = bool(taps) and out[taps[0][2]].shape == out.shape
    if not begun:
        out[...] = 0
    for u, v, to, at in taps:
        pixels, place = together(given[at], met), out[to]
        product = beginning(products, place.shape)
        gemm(weights[:, u, v], pixels, out=product.reshape(len(place), -1))
        if begun:
            np.copyto(place, product)
            begun = False
        else:
            np.add(place, product, out=place)


def convolve_by_tap(
    x: np.ndarray,
    weights: np.ndarray,
    stride: Size,
    dilate: Size,
    pad: Pads,
    *,
    met: np.ndarray,
    products: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[c,h,w,n], weights[f,u,v,c] -> out[f,i,j,n].

    Scratch for the tap that meets most: met[c,...], its pixels, and products[f,...].
    """
    taps = meetings(weights.shape[1:3], out.shape[1:3], x.shape[1:3], stride, dilate, pad)
    add_taps(weights, x, list(taps), met=met, products=products, out=out)


def input_gradient_by_tap(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: Size,
    dilate: Size,
    pad: Pads,
    *,
    met: np.ndarray,
    products: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[f,i,j,n], weights[f,u,v,c] -> out[c,h,w,n]; scratch met[f,...] and products[c,...] as above."""
    taps = meetings(weights.shape[1:3], dy.shape[1:3], out.shape[1:3], stride, dilate, pad)
    back = [(u, v, at, to) for u, v, to, at in taps]
    add_taps(weights.transpose(3, 1, 2, 0), dy, back, met=met, products=products, out=out)


def filter_gradient_by_tap(
    dy: np.ndarray,
    x: np.ndarray,
    stride: Size,
    dilate: Size,
    pad: Pads,
    *,
    made: np.ndarray,
    met: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[f,i,j,n], x[c,h,w,n] -> out[f,u,v,c], summed over all images.

    Scratch for the tap that meets most: made[f,...] and met[c,...].
    """
    taps = meetings(out.shape[1:3], dy.shape[1:3], x.shape[1:3], stride, dilate, pad)
    if len(taps) < prod(out.shape[1:3]):
        out[...] = 0
    for u, v, to, at in taps:
        gemm(together(dy[to], made), together(x[at], met).T, out=out[:, u, v])
