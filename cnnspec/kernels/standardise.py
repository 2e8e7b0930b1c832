"""Normalisation within an image, and numbers learnt for each channel."""

from __future__ import annotations

import numpy as np

from .activation import zeros
from .norm import FAR


def group_sums(x: np.ndarray, parts: np.ndarray | None, *, out: np.ndarray) -> None:
    """x[h,g,c,w,n] -> out, its sums over channels, or with parts[h+1,g,1,w,n], scratch, over pixels as well.

    One axis after the other, channels first: three times as quick as all at once, and each sum is of few numbers,
    so that little is rounded.
    """
    if parts is None:
        np.add.reduce(x, axis=2, keepdims=True, out=out)
        return
    rows, row = parts[:-1], parts[-1:]
    np.add.reduce(x, axis=2, keepdims=True, out=rows)
    np.add.reduce(rows, axis=0, keepdims=True, out=row)
    np.add.reduce(row, axis=3, keepdims=True, out=out)


def standardise(
    x: np.ndarray,
    eps: float,
    *,
    mean: np.ndarray,
    r: np.ndarray,
    scratch: np.ndarray,
    parts: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,g,c,w,n] -> out = (x - mean) * r over what `group_sums` adds up; r gets 1 / sqrt(var + eps).

    Where a mean is far from zero, its rounding is not small beside the deviation, and what it leaves in out is
    taken off as well; of other groups nothing is, which changes no bit of them. mean, like r, and scratch, like x,
    are scratch.
    """
    ratio = x.dtype.type(r.size / x.size)

    def centre(x: np.ndarray) -> None:
        np.subtract(x, mean, out=out)
        np.multiply(out, out, out=scratch)
        group_sums(scratch, parts, out=r)
        np.multiply(r, ratio, out=r)

    group_sums(x, parts, out=mean)
    np.multiply(mean, ratio, out=mean)
    centre(x)
    there = scratch.reshape(-1)[: r.size].reshape(r.shape)
    np.multiply(mean, mean, out=there)
    np.divide(there, x.dtype.type(FAR), out=there)
    np.greater(there, r, out=there)
    if there.any():
        group_sums(out, parts, out=mean)
        np.multiply(mean, ratio, out=mean)
        np.multiply(mean, there, out=mean)
        centre(out)
    np.add(r, x.dtype.type(eps), out=r)
    np.sqrt(r, out=r)
    np.reciprocal(r, out=r)
    np.multiply(out, r, out=out)


def standardise_gradient(
    dy: np.ndarray,
    z: np.ndarray,
    r: np.ndarray,
    *,
    scratch: np.ndarray,
    parts: np.ndarray | None = None,
    single: np.ndarray,
    out: np.ndarray,
) -> None:
    """dx = r * (dy - mean(dy) - z * mean(dy * z)); scratch has dy's shape, single has r's, parts as before."""
    ratio = dy.dtype.type(r.size / dy.size)
    np.multiply(dy, z, out=scratch)
    group_sums(scratch, parts, out=single)
    np.multiply(single, ratio, out=single)
    np.multiply(z, single, out=scratch)
    group_sums(dy, parts, out=single)
    np.multiply(single, ratio, out=single)
    np.subtract(dy, single, out=out)
    np.subtract(out, scratch, out=out)
    np.multiply(out, r, out=out)


def near(c: int, size: int, channels: int) -> slice:
    """The channels around c: size // 2 before it, the rest after it, as far as they go."""
    first = c - size // 2
    return slice(max(0, first), min(channels, first + size))


def lrn(
    x: np.ndarray,
    size: int,
    alpha: float,
    beta: float,
    k: float,
    *,
    scratch: np.ndarray,
    base: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,l] -> base = k + alpha / size * sum of squares of the channels around; out = x * base^-beta."""
    kind, channels = x.dtype.type, x.shape[1]
    for source, divisor, target in zip(x, base, out, strict=True):
        np.multiply(source, source, out=scratch)
        for c in range(channels):
            np.add.reduce(scratch[near(c, size, channels)], axis=0, out=divisor[c])
        np.multiply(divisor, kind(alpha / size), out=divisor)
        np.add(divisor, kind(k), out=divisor)
        np.power(divisor, kind(-beta), out=scratch)
        np.multiply(source, scratch, out=target)


def lrn_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    base: np.ndarray,
    size: int,
    alpha: float,
    beta: float,
    *,
    inner: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """dx = dy * base^-beta - 2 alpha beta / size * x * (sum of dy * x * base^(-beta-1) over those who see x)."""
    kind, channels = x.dtype.type, x.shape[1]
    for grad, source, divisor, target in zip(dy, x, base, out, strict=True):
        np.power(divisor, kind(-beta), out=scratch)
        np.multiply(grad, scratch, out=target)
        np.multiply(target, source, out=inner)
        np.divide(inner, divisor, out=inner)
        scratch[...] = 0
        for c in range(channels):
            seen = scratch[near(c, size, channels)]
            np.add(seen, inner[c], out=seen)
        np.multiply(scratch, source, out=scratch)
        np.multiply(scratch, kind(2 * alpha * beta / size), out=scratch)
        np.subtract(target, scratch, out=target)


def channel_dots(a: np.ndarray, b: np.ndarray, *, out: np.ndarray) -> None:
    """a[h,c,l], b[h,c,l] -> out[c], the sum of their products."""
    np.add.reduce(np.vecdot(a, b), axis=0, out=out)


def prelu(x: np.ndarray, negative_slopes: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """x[h,c,l] where positive, negative_slopes[c] * x elsewhere; scratch is a row"""
    for source, target in zip(x, out, strict=True):
        np.minimum(source, zeros(source), out=scratch)
        np.subtract(source, scratch, out=target)
        np.multiply(scratch, negative_slopes, out=scratch)
        np.add(target, scratch, out=target)


def prelu_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    negative_slopes: np.ndarray,
    *,
    scratch: np.ndarray,
    above: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[h,c,l] where x > 0, negative_slopes[c] * dy elsewhere; scratch and above are rows"""
    rest = x.dtype.type(1) - negative_slopes
    for grad, source, target in zip(dy, x, out, strict=True):
        np.greater(source, zeros(source), out=above)
        np.multiply(above, rest, out=scratch)
        np.add(scratch, negative_slopes, out=scratch)
        np.multiply(grad, scratch, out=target)


def negative_part(x: np.ndarray, *, out: np.ndarray) -> None:
    """min(x, 0)"""
    np.minimum(x, zeros(x), out=out)


def response(
    x: np.ndarray, eps: float, *, norm: np.ndarray, total: np.ndarray, ratio: np.ndarray, part: np.ndarray
) -> None:
    """x[h,c,w,n] -> norm[c,n], the root of the sum of squares of a channel; total[1,n], eps + the mean of norm over
    the channels; ratio = norm / total. part, like x, is scratch.
    """
    np.multiply(x, x, out=part)
    np.add.reduce(part, axis=(0, 2), out=norm)
    np.sqrt(norm, out=norm)
    np.add.reduce(norm, axis=0, keepdims=True, out=total)
    np.multiply(total, x.dtype.type(1 / len(norm)), out=total)
    np.add(total, x.dtype.type(eps), out=total)
    np.divide(norm, total, out=ratio)


def response_norm(
    x: np.ndarray,
    eps: float,
    *,
    norm: np.ndarray,
    total: np.ndarray,
    ratio: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n] -> out = x * ratio, as `response` makes it; norm, total and share are scratch."""
    response(x, eps, norm=norm, total=total, ratio=ratio, part=out)
    np.multiply(x, ratio[None, :, None, :], out=out)


def response_norm_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    eps: float,
    *,
    norm: np.ndarray,
    total: np.ndarray,
    ratio: np.ndarray,
    derivative: np.ndarray,
    mean: np.ndarray,
    part: np.ndarray,
    out: np.ndarray,
) -> None:
    """dx = dy * ratio + x * derivative, derivative (s[c] - mean over channels of s * ratio) / (total * norm[c]).

    s[c] is the sum of dy * x; 0 for a channel of zeros. The others are scratch, derivative and mean like norm and
    total, part like x.
    """
    response(x, eps, norm=norm, total=total, ratio=ratio, part=part)
    np.multiply(dy, x, out=part)
    np.add.reduce(part, axis=(0, 2), out=derivative)
    np.multiply(dy, ratio[None, :, None, :], out=out)
    np.multiply(derivative, ratio, out=ratio)
    np.add.reduce(ratio, axis=0, keepdims=True, out=mean)
    np.multiply(mean, x.dtype.type(1 / len(norm)), out=mean)
    np.subtract(derivative, mean, out=derivative)
    np.divide(derivative, total, out=derivative)
    np.equal(norm, 0, out=ratio)
    np.add(norm, ratio, out=norm)
    np.divide(derivative, norm, out=derivative)
    np.multiply(x, derivative[None, :, None, :], out=part)
    np.add(out, part, out=out)
