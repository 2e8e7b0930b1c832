"""Activations and their gradients, element by element, in any layout."""

from __future__ import annotations

import numpy as np

_ZEROS: dict[np.dtype, np.ndarray] = {}


def zeros(x: np.ndarray) -> np.ndarray:
    """Zeros that broadcast over x: comparing with an array is four times as fast as with a scalar."""
    shape = x.shape[1:] if x.ndim > 2 else x.shape
    size = int(np.prod(shape))
    kept = _ZEROS.get(x.dtype)
    if kept is None or kept.size < size:
        kept = _ZEROS[x.dtype] = np.zeros(max(size, 4096), x.dtype)
    return kept[:size].reshape(shape)


def relu(x: np.ndarray, *, out: np.ndarray) -> None:
    """max(x, 0)"""
    np.maximum(x, zeros(x), out=out)


def relu_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy where y > 0; scratch of bools"""
    np.greater(y, zeros(y), out=scratch)
    np.multiply(dy, scratch, out=out)


def leaky(x: np.ndarray, slope: float, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x where positive, slope * x elsewhere (slope from 0 to 1)"""
    np.multiply(x, x.dtype.type(slope), out=scratch)
    np.maximum(x, scratch, out=out)


def leaky_gradient(dy: np.ndarray, y: np.ndarray, slope: float, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy where y > 0, slope * dy elsewhere"""
    np.greater(y, zeros(y), out=scratch)
    np.multiply(scratch, y.dtype.type(1 - slope), out=scratch)
    np.add(scratch, y.dtype.type(slope), out=scratch)
    np.multiply(dy, scratch, out=out)


def sigmoid(x: np.ndarray, *, out: np.ndarray) -> None:
    """1 / (1 + exp(-x)), as (tanh(x / 2) + 1) / 2, which overflows nowhere"""
    half = x.dtype.type(0.5)
    np.multiply(x, half, out=out)
    np.tanh(out, out=out)
    np.multiply(out, half, out=out)
    np.add(out, half, out=out)


def sigmoid_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * y * (1 - y)"""
    np.multiply(y, y, out=scratch)
    np.subtract(y, scratch, out=scratch)
    np.multiply(dy, scratch, out=out)


def tanh_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (1 - y^2)"""
    np.multiply(y, y, out=scratch)
    np.multiply(dy, scratch, out=scratch)
    np.subtract(dy, scratch, out=out)


def softmax(x: np.ndarray, axis: int, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """exp(x) / sum of exp(x) along an axis; scratch has x's shape with that axis 1"""
    np.maximum.reduce(x, axis=axis, keepdims=True, out=scratch)
    np.subtract(x, scratch, out=out)
    np.exp(out, out=out)
    np.add.reduce(out, axis=axis, keepdims=True, out=scratch)
    np.divide(out, scratch, out=out)


def softmax_gradient(
    dy: np.ndarray, y: np.ndarray, axis: int, *, part: np.ndarray, scratch: np.ndarray, out: np.ndarray
) -> None:
    """y * (dy - sum of dy * y); part has y's shape, scratch too with the axis 1"""
    np.multiply(dy, y, out=part)
    np.add.reduce(part, axis=axis, keepdims=True, out=scratch)
    np.subtract(dy, scratch, out=part)
    np.multiply(part, y, out=out)
