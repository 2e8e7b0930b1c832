"""Activations over the channels of each pixel, and numbers for whole channels: sums, means and gates.

Channels stand on `axis`; the images come last.
"""

from __future__ import annotations

import numpy as np


def softmax(x: np.ndarray, axis: int, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """exp(x) / sum of exp(x) along an axis; scratch has x's shape with that axis 1"""
    np.maximum.reduce(x, axis=axis, keepdims=True, out=scratch)
    np.subtract(x, scratch, out=out)
    np.exp(out, out=out)
    np.add.reduce(out, axis=axis, keepdims=True, out=scratch)
    np.divide(out, scratch, out=out)


def softmax_of_one(x: np.ndarray, ones: np.ndarray, *, out: np.ndarray) -> None:
    """The same of a single vector x[c], in half the time: searching and adding up begin more slowly than these."""
    np.subtract(x, x[x.argmax()], out=out)
    np.exp(out, out=out)
    np.divide(out, out.dot(ones), out=out)


def softmax_gradient(
    dy: np.ndarray, y: np.ndarray, axis: int, *, part: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """y * (dy - sum of dy * y); part has y's shape, scratch too with the axis 1"""
    np.multiply(dy, y, out=part)
    np.add.reduce(part, axis=axis, keepdims=True, out=scratch)
    np.subtract(dy, scratch, out=part)
    np.multiply(part, y, out=out)


def log_softmax(x: np.ndarray, axis: int, *, part: np.ndarray, scratch: np.ndarray, out: np.ndarray) -> None:
    """x - log of sum of exp(x) along an axis; part has x's shape, scratch too with that axis 1"""
    np.maximum.reduce(x, axis=axis, keepdims=True, out=scratch)
    np.subtract(x, scratch, out=out)
    np.exp(out, out=part)
    np.add.reduce(part, axis=axis, keepdims=True, out=scratch)
    np.log(scratch, out=scratch)
    np.subtract(out, scratch, out=out)


def log_softmax_gradient(
    dy: np.ndarray, y: np.ndarray, axis: int, *, part: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """dy - exp(y) * sum of dy"""
    np.add.reduce(dy, axis=axis, keepdims=True, out=scratch)
    np.exp(y, out=part)
    np.multiply(part, scratch, out=part)
    np.subtract(dy, part, out=out)


def maxout_gradient(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, *, argmax_mask: np.ndarray, free: np.ndarray, out: np.ndarray
) -> None:
    """dy[h,c,l], x[h,c,k,l], y[h,c,l] -> out[h,c,k,l]: dy to the first of the k that is the largest.

    argmax_mask and free are scratch of bools.
    """
    free[...] = True
    for k in range(x.shape[2]):
        np.equal(x[:, :, k], y, out=argmax_mask)
        np.logical_and(argmax_mask, free, out=argmax_mask)
        np.not_equal(free, argmax_mask, out=free)
        np.multiply(dy, argmax_mask, out=out[:, :, k])


def repeat_channels(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[..,1,..] -> out[..,c,..]: the same number for every channel."""
    out[...] = x


def pixel_sums(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[c,n], summed over the pixels; scratch[c,w,n].

    Rows are added up, then one half of the columns to the other: on long spans, since images alone are short ones.
    """
    np.add.reduce(x, axis=0, out=scratch)
    width = scratch.shape[1]
    while width > 1:
        half = width // 2
        np.add(scratch[:, :half], scratch[:, width - half : width], out=scratch[:, :half])
        width -= half
    np.copyto(out, scratch[:, 0])


def image_means(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[c,n], the mean over the pixels; scratch[c,w,n]."""
    pixel_sums(x, scratch=scratch, out=out)
    np.multiply(out, out.dtype.type(1 / (x.shape[0] * x.shape[2])), out=out)


def image_means_gradient(dy: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy[c,n] -> out[h,c,w,n]: dy / (h * w) for each pixel; scratch[c,w,n] is a row of them."""
    np.multiply(dy[:, None], dy.dtype.type(1 / (out.shape[0] * out.shape[2])), out=scratch)
    np.copyto(out, scratch)


def gate_pixels(x: np.ndarray, gate: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x[h,c,w,n] * gate[c,n], a number for each channel of each image; scratch[c,w,n] is a row of them."""
    np.copyto(scratch, gate[:, None])
    np.multiply(x, scratch, out=out)
