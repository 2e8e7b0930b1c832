"""Activations and their gradients, element by element, in any layout; random masks, and gradients cut short."""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

FLAT = 32_768  # numbers that are compared at once with as many zeros, which takes half as long as row by row
_ZEROS: dict[np.dtype, np.ndarray] = {}


def zeros(x: np.ndarray, flat: int = 0) -> np.ndarray:
    """Zeros that broadcast over x and its rows: comparing with an array is four times as fast as with a scalar.

    As many as x has if that are no more than `flat`.
    """
    shape = x.shape[1:] if x.ndim > 2 and x.size > flat else x.shape
    size = prod(shape)
    cached = _ZEROS.get(x.dtype)
    if cached is None or cached.size < size:
        cached = _ZEROS[x.dtype] = np.zeros(max(size, 4096), x.dtype)
    return cached[:size].reshape(shape)


def relu(x: np.ndarray, *, out: np.ndarray) -> None:
    """max(x, 0)"""
    np.maximum(x, zeros(x, FLAT), out=out)


def relu_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy where y > 0; scratch of bools"""
    np.greater(y, zeros(y, FLAT), out=scratch)
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


def clip(x: np.ndarray, factor: float, shift: float, high: float, *, out: np.ndarray) -> None:
    """min(max(factor * x + shift, 0), high)"""
    if factor != 1 or shift:
        np.multiply(x, factor, out=out)
        np.add(out, shift, out=out)
        x = out
    np.clip(x, x.dtype.type(0), high, out=out)


def clip_gradient(
    dy: np.ndarray,
    y: np.ndarray,
    factor: float,
    shift: float,
    high: float,
    *,
    scratch: tuple[np.ndarray, np.ndarray],
    out: np.ndarray,
) -> None:
    """factor * dy where 0 < y < high; scratch of bools, two"""
    inside, below = scratch
    np.greater(y, zeros(y), out=inside)
    np.less(y, high, out=below)
    np.logical_and(inside, below, out=inside)
    np.multiply(dy, inside, out=out)
    if factor != 1:
        np.multiply(out, factor, out=out)


def elu(x: np.ndarray, low: float, high: float, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """high * x where positive, low * (exp(x) - 1) elsewhere"""
    np.minimum(x, zeros(x), out=scratch)
    np.expm1(scratch, out=scratch)
    np.multiply(scratch, low, out=scratch)
    np.maximum(x, zeros(x), out=out)
    np.multiply(out, high, out=out)
    np.add(out, scratch, out=out)


def elu_gradient(
    dy: np.ndarray,
    y: np.ndarray,
    low: float,
    high: float,
    *,
    scratch: tuple[np.ndarray, np.ndarray],
    out: np.ndarray,
) -> None:
    """high * dy where y > 0, (y + low) * dy elsewhere"""
    slope, positive = scratch
    np.minimum(y, zeros(y), out=slope)
    np.add(slope, low, out=slope)
    if low != high:
        np.greater(y, zeros(y), out=positive)
        np.copyto(slope, high, where=positive)
    np.multiply(dy, slope, out=out)


def celu(x: np.ndarray, alpha: float, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere"""
    np.minimum(x, zeros(x), out=scratch)
    np.divide(scratch, alpha, out=scratch)
    np.expm1(scratch, out=scratch)
    np.multiply(scratch, alpha, out=scratch)
    np.maximum(x, zeros(x), out=out)
    np.add(out, scratch, out=out)


def celu_gradient(dy: np.ndarray, y: np.ndarray, alpha: float, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy where y > 0, (y / alpha + 1) * dy elsewhere"""
    np.minimum(y, zeros(y), out=scratch)
    np.divide(scratch, alpha, out=scratch)
    np.add(scratch, y.dtype.type(1), out=scratch)
    np.multiply(dy, scratch, out=out)


def softplus(x: np.ndarray, *, out: np.ndarray) -> None:
    """log(1 + exp(x))"""
    np.logaddexp(x, zeros(x), out=out)


def softplus_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (1 - exp(-y))"""
    np.multiply(y, y.dtype.type(-1), out=scratch)
    np.expm1(scratch, out=scratch)
    np.multiply(dy, scratch, out=out)
    np.multiply(out, y.dtype.type(-1), out=out)


def softsign(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x / (1 + |x|)"""
    np.abs(x, out=scratch)
    np.add(scratch, x.dtype.type(1), out=scratch)
    np.divide(x, scratch, out=out)


def softsign_gradient(dy: np.ndarray, y: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (1 - |y|)^2"""
    np.abs(y, out=scratch)
    np.subtract(y.dtype.type(1), scratch, out=scratch)
    np.multiply(scratch, scratch, out=scratch)
    np.multiply(dy, scratch, out=out)


def step(x: np.ndarray, *, out: np.ndarray) -> None:
    """1 where x > 0, else 0"""
    np.greater(x, zeros(x), out=out)


def random_mask(key: tuple[int, int, int, int], rate: float, *, out: np.ndarray) -> None:
    """out = 0 with probability rate, else 1 / (1 - rate).

    key = (seed, step, shard, node): the counter of a Philox generator, so the same key gives the same mask on
    any machine and in any order.
    """
    seed, *counter = key
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, *counter]))
    generator.random(dtype=out.dtype.type, out=out)
    keep = out.dtype.type(1 / (1 - rate))
    np.greater_equal(out, out.dtype.type(rate), out=out, casting="unsafe")
    np.multiply(out, keep, out=out)


def clip_scale(square_norm: float, clip: float) -> float:
    """The factor that shortens a gradient to the norm `clip`; 1 where it is shorter.

    The 1e-6 is PyTorch's (torch.nn.utils.clip_grad_norm_).
    """
    scale = clip / (sqrt(square_norm) + 1e-6)
    return 1.0 if scale > 1 else scale  # a gradient that is not a number stays none: its scale is neither
