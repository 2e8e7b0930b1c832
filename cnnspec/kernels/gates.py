"""Activations of the form x * gate(x), piece by piece, so that the scratch stays in the cache.

`scratch` has some rows, each as long as a piece. Arrays must be contiguous; `out` may be the first array.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from math import sqrt, tau

import numpy as np

from .activation import sigmoid

CUBIC = 0.044715  # of the approximation by tanh
BEND = sqrt(4 / tau)


def pieces(scratch: np.ndarray, *arrays: np.ndarray) -> Iterator[list[np.ndarray]]:
    """The rows of scratch and the arrays, cut into pieces of one length."""
    flat = [array.reshape(-1) for array in arrays]
    size, length = flat[0].size, scratch.shape[1]
    for start in range(0, size, length):
        stop = min(start + length, size)
        yield [*scratch[:, : stop - start], *(array[start:stop] for array in flat)]


def swish(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * sigmoid(x)"""
    for s, source, target in pieces(scratch, x, out):
        sigmoid(source, out=s)
        np.multiply(source, s, out=target)


def swish_gradient(dy: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * s * (1 + x - x * s), s = sigmoid(x)"""
    one = x.dtype.type(1)
    for s, slope, grad, source, target in pieces(scratch, dy, x, out):
        sigmoid(source, out=s)
        np.multiply(source, s, out=slope)
        np.subtract(source, slope, out=slope)
        np.add(slope, one, out=slope)
        np.multiply(slope, s, out=slope)
        np.multiply(grad, slope, out=target)


def hardswish(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * min(max(x / 6 + 1/2, 0), 1)"""
    for gate, source, target in pieces(scratch, x, out):
        sixth(source, out=gate)
        np.multiply(source, gate, out=target)


def hardswish_gradient(dy: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (g + (g - 1/2) where 0 < g < 1), g the gate"""
    kind = x.dtype.type
    for gate, inside, grad, source, target in pieces(scratch, dy, x, out):
        sixth(source, out=gate)
        np.multiply(gate, gate, out=inside)
        np.subtract(gate, inside, out=inside)
        np.sign(inside, out=inside)  # 1 where 0 < g < 1, else 0
        np.add(inside, kind(1), out=inside)
        np.multiply(gate, inside, out=gate)
        np.subtract(inside, kind(1), out=inside)
        np.multiply(inside, kind(0.5), out=inside)
        np.subtract(gate, inside, out=gate)
        np.multiply(grad, gate, out=target)


def sixth(x: np.ndarray, *, out: np.ndarray) -> None:
    """min(max(x / 6 + 1/2, 0), 1)"""
    kind = x.dtype.type
    np.multiply(x, kind(1 / 6), out=out)
    np.add(out, kind(0.5), out=out)
    np.clip(out, kind(0), kind(1), out=out)


def mish(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * tanh(log(1 + e)), e = exp(x), as x * k / (k + 2), k = e^2 + 2e"""
    for e, k, source, target in pieces(scratch, x, out):
        powers(source, e, k)
        np.add(k, k.dtype.type(2), out=e)
        np.divide(k, e, out=k)
        np.multiply(source, k, out=target)


def mish_gradient(dy: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (k / (k + 2) + 4 x (e^2 + e) / (k + 2)^2)"""
    kind = x.dtype.type
    for e, k, more, grad, source, target in pieces(scratch, dy, x, out):
        powers(source, e, k)
        np.subtract(k, e, out=e)
        np.add(k, kind(2), out=more)
        np.divide(k, more, out=k)
        np.divide(e, more, out=e)
        np.divide(e, more, out=e)
        np.multiply(e, kind(4), out=e)
        np.multiply(e, source, out=e)
        np.add(k, e, out=k)
        np.multiply(grad, k, out=target)


def powers(x: np.ndarray, e: np.ndarray, k: np.ndarray) -> None:
    """e = exp(x) and k = e^2 + 2e; above 20 the gate is 1 to the last bit, so larger powers need not be known"""
    np.minimum(x, x.dtype.type(20), out=e)
    np.exp(e, out=e)
    np.add(e, e.dtype.type(2), out=k)
    np.multiply(k, e, out=k)


def gelu(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * Phi(x)"""
    for a, b, phi, source, target in pieces(scratch, x, out):
        normal(source, a, b, out=phi)
        np.multiply(source, phi, out=target)


def gelu_gradient(dy: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy * (Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi))"""
    kind = x.dtype.type
    for a, b, phi, grad, source, target in pieces(scratch, dy, x, out):
        normal(source, a, b, out=phi)
        np.multiply(source, source, out=a)
        np.multiply(a, kind(-0.5), out=a)
        np.exp(a, out=a)
        np.multiply(a, kind(1 / sqrt(tau)), out=a)
        np.multiply(a, source, out=a)
        np.add(a, phi, out=a)
        np.multiply(grad, a, out=target)


def normal(x: np.ndarray, a: np.ndarray, b: np.ndarray, *, out: np.ndarray) -> None:
    """Phi(x) = (1 + erf(x / sqrt 2)) / 2; a and b are scratch"""
    half = x.dtype.type(0.5)
    np.multiply(x, x.dtype.type(1 / sqrt(2)), out=a)
    erf(a, scratch=(a, b), out=out)
    np.multiply(out, half, out=out)
    np.add(out, half, out=out)


def erf(x: np.ndarray, *, scratch: tuple[np.ndarray, np.ndarray], out: np.ndarray) -> None:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x"""
    kind = x.dtype.type
    a, b = scratch
    limit, terms = erf_terms(x.dtype.name)
    np.clip(x, kind(-limit), kind(limit), out=a)
    np.multiply(a, a, out=b)
    np.multiply(b, kind(2 / limit**2), out=b)
    np.subtract(b, kind(1), out=b)
    out[...] = terms[0]
    for term in terms[1:]:
        np.multiply(out, b, out=out)
        np.add(out, term, out=out)
    np.multiply(out, a, out=out)
    np.clip(out, kind(-1), kind(1), out=out)


@cache
def erf_terms(dtype: str) -> tuple[int, np.ndarray]:
    """A limit r, and the coefficients (highest first) of a polynomial p with erf(x) = x * p(2 (x/r)^2 - 1) up to r.

    By interpolation at Chebyshev's points; off by 2e-7 in float32 and 2e-14 in float64, what lies beyond
    the limit included. At the limit it is a little above 1, so that what is clipped there is 1 and not nearly.
    """
    from numpy.polynomial import Chebyshev, Polynomial

    limit, degree = (4, 16) if dtype == "float32" else (6, 36)

    def ratio(u: np.ndarray) -> np.ndarray:
        roots = limit * np.sqrt((u + 1) / 2)
        return np.array([math.erf(x) / x for x in roots.tolist()])

    terms = Chebyshev.interpolate(ratio, degree).convert(kind=Polynomial).coef[::-1].copy()
    terms[0] += {"float32": 1e-7, "float64": 3e-14}[dtype]
    return limit, terms.astype(dtype)


def gelu_tanh(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))"""
    half = x.dtype.type(0.5)
    for _, _, t, source, target in pieces(scratch, x, out):
        bent_tanh(source, out=t)
        np.multiply(t, half, out=t)
        np.add(t, half, out=t)
        np.multiply(source, t, out=target)


def gelu_tanh_gradient(dy: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dy / 2 * (1 + t + x * (1 - t^2) * sqrt(2 / pi) * (1 + 3 * 0.044715 x^2)), t the tanh"""
    kind = x.dtype.type
    for a, b, t, grad, source, target in pieces(scratch, dy, x, out):
        bent_tanh(source, out=t)
        np.multiply(source, source, out=a)
        np.multiply(a, kind(3 * CUBIC * BEND), out=a)
        np.add(a, kind(BEND), out=a)
        np.multiply(a, source, out=a)
        np.multiply(t, t, out=b)
        np.multiply(b, a, out=b)
        np.subtract(a, b, out=a)
        np.add(a, t, out=a)
        np.add(a, kind(1), out=a)
        np.multiply(a, kind(0.5), out=a)
        np.multiply(grad, a, out=target)


def bent_tanh(x: np.ndarray, *, out: np.ndarray) -> None:
    """tanh(sqrt(2 / pi) * (x + 0.044715 x^3))"""
    kind = x.dtype.type
    np.multiply(x, x, out=out)
    np.multiply(out, kind(CUBIC * BEND), out=out)
    np.add(out, kind(BEND), out=out)
    np.multiply(out, x, out=out)
    np.tanh(out, out=out)
