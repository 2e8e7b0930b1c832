"""Activations of the form x * gate(x), piece by piece, so that the scratch stays in the cache.

`scratch` has some rows, each as long as a piece. Arrays must be contiguous; `out` may be the first array. In
training the derivative is made with the value, from what both have in common, and saved: what carries a gradient
back is then one multiplication.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from math import sqrt, tau

import numpy as np

from .activation import sigmoid, zeros

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


def swish_and_derivative(x: np.ndarray, *, scratch: np.ndarray, derivative: np.ndarray, out: np.ndarray) -> None:
    """y = x * s, and s + y * (1 - s), s = sigmoid(x)"""
    one = x.dtype.type(1)
    for s, rest, source, bent, target in pieces(scratch, x, derivative, out):
        sigmoid(source, out=s)
        np.subtract(one, s, out=rest)
        np.multiply(source, s, out=target)
        np.multiply(target, rest, out=rest)
        np.add(s, rest, out=bent)


def hardswish(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * min(max(x / 6 + 1/2, 0), 1)"""
    for gate, source, target in pieces(scratch, x, out):
        sixth(source, out=gate)
        np.multiply(source, gate, out=target)


def hardswish_and_derivative(
    x: np.ndarray, *, scratch: np.ndarray, derivative: np.ndarray, out: np.ndarray
) -> None:
    """x * g, and g + (g - 1/2) where 0 < g < 1, g the gate"""
    kind = x.dtype.type
    for gate, inside, source, bent, target in pieces(scratch, x, derivative, out):
        sixth(source, out=gate)
        np.multiply(source, gate, out=target)
        np.multiply(gate, gate, out=inside)
        np.subtract(gate, inside, out=inside)
        np.sign(inside, out=inside)  # 1 where 0 < g < 1, else 0
        np.add(inside, kind(1), out=bent)
        np.multiply(gate, bent, out=gate)
        np.multiply(inside, kind(0.5), out=inside)
        np.subtract(gate, inside, out=bent)


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


def mish_and_derivative(x: np.ndarray, *, scratch: np.ndarray, derivative: np.ndarray, out: np.ndarray) -> None:
    """x * k / (k + 2), and k / (k + 2) + 4 x (e^2 + e) / (k + 2)^2"""
    kind = x.dtype.type
    for e, k, more, source, bent, target in pieces(scratch, x, derivative, out):
        powers(source, e, k)
        np.subtract(k, e, out=e)
        np.add(k, kind(2), out=more)
        np.divide(k, more, out=k)
        np.divide(e, more, out=e)
        np.divide(e, more, out=e)
        np.multiply(e, kind(4), out=e)
        np.minimum(source, kind(20), out=more)  # beyond, e is nothing beside k
        np.multiply(e, more, out=e)
        np.multiply(source, k, out=target)
        np.add(k, e, out=bent)


def powers(x: np.ndarray, e: np.ndarray, k: np.ndarray) -> None:
    """e = exp(x) and k = e^2 + 2e; above 20 the gate is 1 to the last bit, so larger powers need not be known"""
    np.minimum(x, x.dtype.type(20), out=e)
    np.exp(e, out=e)
    np.add(e, e.dtype.type(2), out=k)
    np.multiply(k, e, out=k)


def gelu(x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x * Phi(x), as max(x, 0) - |x| * Phi(-|x|)"""
    for size, density, tail, t, source, target in pieces(scratch, x, out):
        normal_tail(source, size, density, t, out=tail)
        np.multiply(size, tail, out=tail)
        np.maximum(source, zeros(source), out=size)
        np.subtract(size, tail, out=target)


def gelu_and_derivative(x: np.ndarray, *, scratch: np.ndarray, derivative: np.ndarray, out: np.ndarray) -> None:
    """x * Phi(x), and Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi), which is 1 - u where x > 0 and else u"""
    half, scale = x.dtype.type(0.5), x.dtype.type(1 / sqrt(tau))
    for size, density, tail, t, source, bent, target in pieces(scratch, x, derivative, out):
        normal_tail(source, size, density, t, out=tail)
        np.multiply(density, scale, out=density)
        np.multiply(density, size, out=density)
        np.subtract(tail, density, out=density)  # u
        np.subtract(half, density, out=density)
        np.copysign(density, source, out=density)
        np.multiply(size, tail, out=tail)
        np.maximum(source, zeros(source), out=size)
        np.add(density, half, out=bent)
        np.subtract(size, tail, out=target)


def normal_tail(x: np.ndarray, size: np.ndarray, density: np.ndarray, t: np.ndarray, *, out: np.ndarray) -> None:
    """Phi(-|x|), and on the way size = |x| and density = exp(-x^2 / 2); t is scratch.

    A polynomial of t = 1 / (1 + k |x|) times the density (Abramowitz and Stegun 1964, 26.2.17).
    """
    kind = x.dtype.type
    k, terms = tail_terms(x.dtype.name)
    np.abs(x, out=size)
    np.multiply(size, k, out=t)
    np.add(t, kind(1), out=t)
    np.divide(kind(1), t, out=t)
    np.multiply(x, x, out=density)
    np.multiply(density, kind(-0.5), out=density)
    np.exp(density, out=density)
    np.multiply(t, terms[0], out=out)
    for term in terms[1:]:
        np.add(out, term, out=out)
        np.multiply(out, t, out=out)
    np.multiply(out, density, out=out)


@cache
def tail_terms(dtype: str) -> tuple[np.floating, np.ndarray]:
    """k, and the coefficients of the polynomial in t of `normal_tail`, highest first; the lowest power is 1.

    For float32 those of the handbook, off by 7.5e-8; for float64 by interpolation at Chebyshev's points up to
    |x| = 13, beyond which the density is 0 to the last bit that counts, off by 2e-15.
    """
    if dtype == "float32":
        coefficients = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)
        return np.float32(0.2316419), np.array(coefficients, dtype) / np.float32(sqrt(tau))
    from numpy.polynomial import Chebyshev, Polynomial

    k, limit, degree = 0.275, 13, 18

    def ratio(t: np.ndarray) -> np.ndarray:
        return np.array([math.erfc(x / sqrt(2)) / 2 * math.exp(x * x / 2) for x in ((1 / t - 1) / k).tolist()]) / t

    found = Chebyshev.interpolate(ratio, degree, domain=[1 / (1 + k * limit), 1]).convert(kind=Polynomial)
    return np.float64(k), found.coef[::-1].copy()


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


def gelu_tanh_and_derivative(
    x: np.ndarray, *, scratch: np.ndarray, derivative: np.ndarray, out: np.ndarray
) -> None:
    """x / 2 * (1 + t), and (1 + t + x * (1 - t^2) * sqrt(2 / pi) * (1 + 3 * 0.044715 x^2)) / 2, t the tanh"""
    kind = x.dtype.type
    for a, b, t, source, bent, target in pieces(scratch, x, derivative, out):
        bent_tanh(source, out=t)
        np.clip(source, kind(-20), kind(20), out=b)  # beyond, the tanh is flat
        np.multiply(b, b, out=a)
        np.multiply(a, kind(3 * CUBIC * BEND), out=a)
        np.add(a, kind(BEND), out=a)
        np.multiply(a, b, out=a)
        np.multiply(t, t, out=b)
        np.multiply(b, a, out=b)
        np.subtract(a, b, out=a)
        np.add(t, kind(1), out=t)
        np.add(a, t, out=a)
        np.multiply(t, kind(0.5), out=t)
        np.multiply(source, t, out=target)
        np.multiply(a, kind(0.5), out=bent)


def bent_tanh(x: np.ndarray, *, out: np.ndarray) -> None:
    """tanh(sqrt(2 / pi) * (x + 0.044715 x^3))"""
    kind = x.dtype.type
    np.multiply(x, x, out=out)
    np.multiply(out, kind(CUBIC * BEND), out=out)
    np.add(out, kind(BEND), out=out)
    np.multiply(out, x, out=out)
    np.tanh(out, out=out)
