"""Costs: how wrong a prediction is, and in which direction it should go.

A prediction z and its target t have the channels first and the images last: vectors [c,n], images [h,c,w,n].
Costs return the sum over the shard of each image's cost (a mean over its pixels where it has pixels), times
`scale`, which is weight / images of the whole batch; gradients carry the same factor. `weights` [1,n], where there
are some, multiply the cost of each image.
"""

from __future__ import annotations

import numpy as np


def softmax_cross_entropy(
    z: np.ndarray,
    t: np.ndarray,
    scale: float,
    axis: int,
    *,
    single: np.ndarray,
    out: np.ndarray,
    weights: np.ndarray | None = None,
    part: np.ndarray | None = None,
) -> float:
    """-sum of t * log softmax(z); out gets softmax(z), single is scratch with one channel, and so is part of all.

    Computed from z - max(z), so logits of any size do no harm.
    """
    np.maximum.reduce(z, axis=axis, keepdims=True, out=single)
    np.subtract(z, single, out=out)
    at_target = np.vdot(t, out if weights is None else np.multiply(out, weights, out=part))
    np.exp(out, out=out)
    np.add.reduce(out, axis=axis, keepdims=True, out=single)
    np.divide(out, single, out=out)
    np.log(single, out=single)
    if weights is not None:
        np.multiply(single, weights, out=single)
    # targets of one image add up to one, so log of the sum counts once for each pixel
    total = np.add.reduce(single, axis=None, dtype=np.float64)
    return scale * float(total - at_target)


def scaled_difference(p: np.ndarray, t: np.ndarray, factor: float, *, out: np.ndarray) -> None:
    """out = factor * (p - t)"""
    np.subtract(p, t, out=out)
    np.multiply(out, out.dtype.type(factor), out=out)


def count_correct(
    z: np.ndarray,
    t: np.ndarray,
    *,
    transposed: np.ndarray,
    z_at: np.ndarray,
    t_at: np.ndarray,
    correct: np.ndarray,
) -> int:
    """How many predictions have their largest value where the target has its own; of equals the first counts.

    z[...,n,c] and t are views. Scratch: transposed gets such an array (argmax would make a copy of its own), z_at
    and t_at (int64) and correct (bools) are the same without c.
    """
    for x, at in ((z, z_at), (t, t_at)):
        np.copyto(transposed, x)
        transposed.argmax(axis=-1, out=at)
    np.equal(z_at, t_at, out=correct)
    return int(np.count_nonzero(correct))


def smooth(t: np.ndarray, smoothing: float, classes: int, *, out: np.ndarray) -> None:
    """out = (1 - smoothing) * t + smoothing / classes"""
    np.multiply(t, out.dtype.type(1 - smoothing), out=out)
    np.add(out, out.dtype.type(smoothing / classes), out=out)


def cross_entropy(
    p: np.ndarray,
    t: np.ndarray,
    smoothing: float,
    classes: int,
    scale: float,
    *,
    scratch: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """-sum of t * log p; p of zero counts as the smallest normal number"""
    np.maximum(p, np.finfo(p.dtype).tiny, out=scratch)
    np.log(scratch, out=scratch)
    if weights is not None:
        np.multiply(scratch, weights, out=scratch)
    total = (1 - smoothing) * float(np.vdot(t, scratch))
    if smoothing:
        total += smoothing / classes * float(scratch.sum(dtype=np.float64))
    return -scale * total


def cross_entropy_gradient(
    p: np.ndarray,
    t: np.ndarray,
    smoothing: float,
    classes: int,
    scale: float,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """-t / p * scale"""
    np.maximum(p, np.finfo(p.dtype).tiny, out=scratch)
    smooth(t, smoothing, classes, out=out)
    np.divide(out, scratch, out=out)
    np.multiply(out, out.dtype.type(-scale), out=out)


def negative_log_likelihood(
    p: np.ndarray,
    t: np.ndarray,
    smoothing: float,
    classes: int,
    scale: float,
    *,
    weights: np.ndarray | None = None,
    part: np.ndarray | None = None,
) -> float:
    """-sum of t * p, p a logarithm; part is scratch"""
    if weights is not None:
        p = np.multiply(p, weights, out=part)
    total = (1 - smoothing) * float(np.vdot(t, p))
    if smoothing:
        total += smoothing / classes * float(p.sum(dtype=np.float64))
    return -scale * total


def binary_cross_entropy(
    p: np.ndarray,
    t: np.ndarray,
    scale: float,
    *,
    a: np.ndarray,
    b: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """-sum of t log p + (1 - t) log(1 - p); a and b are scratch"""
    tiny = np.finfo(p.dtype).tiny
    np.subtract(p.dtype.type(1), p, out=a)
    np.maximum(a, tiny, out=a)
    np.log(a, out=a)
    np.maximum(p, tiny, out=b)
    np.log(b, out=b)
    np.subtract(b, a, out=b)
    if weights is not None:
        np.multiply(a, weights, out=a)
        np.multiply(b, weights, out=b)
    return -scale * float(np.vdot(t, b) + a.sum(dtype=np.float64))


def binary_cross_entropy_gradient(
    p: np.ndarray, t: np.ndarray, scale: float, *, scratch: np.ndarray, out: np.ndarray
) -> None:
    """(p - t) / (p (1 - p)) * scale"""
    np.multiply(p, p, out=scratch)
    np.subtract(p, scratch, out=scratch)
    np.maximum(scratch, np.finfo(p.dtype).tiny, out=scratch)
    np.subtract(p, t, out=out)
    np.divide(out, scratch, out=out)
    np.multiply(out, out.dtype.type(scale), out=out)


def sigmoid_cross_entropy(
    z: np.ndarray,
    t: np.ndarray,
    scale: float,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """max(z, 0) - z t + log(1 + exp(-|z|)), summed; out gets sigmoid(z)"""
    np.abs(z, out=scratch)
    np.multiply(scratch, z.dtype.type(-1), out=scratch)
    np.exp(scratch, out=scratch)
    np.log1p(scratch, out=scratch)
    np.maximum(z, z.dtype.type(0), out=out)
    np.add(scratch, out, out=scratch)
    at_target = z
    if weights is not None:
        np.multiply(scratch, weights, out=scratch)
        at_target = np.multiply(z, weights, out=out)
    total = scratch.sum(dtype=np.float64) - np.vdot(at_target, t)
    half = z.dtype.type(0.5)
    np.multiply(z, half, out=out)
    np.tanh(out, out=out)
    np.multiply(out, half, out=out)
    np.add(out, half, out=out)
    return scale * float(total)


def squared_error(
    p: np.ndarray, t: np.ndarray, scale: float, *, scratch: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """sum of (p - t)^2"""
    np.subtract(p, t, out=scratch)
    if weights is not None:
        np.multiply(scratch, scratch, out=scratch)
        np.multiply(scratch, weights, out=scratch)
        return scale * float(scratch.sum(dtype=np.float64))
    flat = scratch.reshape(-1)
    return scale * float(np.vdot(flat, flat))


def count_correct_by_threshold(
    p: np.ndarray, t: np.ndarray, threshold: float, *, a: np.ndarray, b: np.ndarray
) -> int:
    """How many predictions lie on the target's side of the threshold; a and b are scratch of bools."""
    np.greater(p, threshold, out=a)
    np.greater(t, threshold, out=b)
    np.equal(a, b, out=a)
    return int(np.count_nonzero(a))


def absolute_error(
    p: np.ndarray, t: np.ndarray, scale: float, *, scratch: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """sum of |p - t|"""
    np.subtract(p, t, out=scratch)
    np.abs(scratch, out=scratch)
    if weights is not None:
        np.multiply(scratch, weights, out=scratch)
    return scale * float(scratch.sum(dtype=np.float64))


def absolute_error_gradient(p: np.ndarray, t: np.ndarray, scale: float, *, out: np.ndarray) -> None:
    """scale * sign of p - t"""
    np.subtract(p, t, out=out)
    np.sign(out, out=out)
    np.multiply(out, out.dtype.type(scale), out=out)


def huber(
    p: np.ndarray,
    t: np.ndarray,
    delta: float,
    scale: float,
    *,
    a: np.ndarray,
    b: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """sum of m * (d - m / 2), d = |p - t|, m = min(d, delta); a and b are scratch"""
    np.subtract(p, t, out=a)
    np.abs(a, out=a)
    np.minimum(a, a.dtype.type(delta), out=b)
    if weights is not None:  # w m (2 d - m) / 2
        np.add(a, a, out=a)
        np.subtract(a, b, out=a)
        np.multiply(b, weights, out=b)
        return scale * float(np.vdot(a, b)) / 2
    return scale * float(np.vdot(a, b) - np.vdot(b, b) / 2)


def huber_gradient(p: np.ndarray, t: np.ndarray, delta: float, scale: float, *, out: np.ndarray) -> None:
    """scale * (p - t), clipped at delta"""
    kind = out.dtype.type
    np.subtract(p, t, out=out)
    np.clip(out, kind(-delta), kind(delta), out=out)
    np.multiply(out, kind(scale), out=out)


def hinge(
    p: np.ndarray,
    t: np.ndarray,
    margin: float,
    scale: float,
    axis: int,
    *,
    single: np.ndarray,
    part: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """sum of max(0, margin + p - p of the true class) over the others

    t has a 1 for the true class of each pixel, whose own term is the margin. part and single (with one
    channel) are scratch.
    """
    violations(p, t, margin, axis, single=single, out=part)
    if weights is not None:
        np.multiply(part, weights, out=part)
        true = weights.sum(dtype=np.float64) * (single.size // weights.size)
        return scale * float(part.sum(dtype=np.float64) - margin * true)
    return scale * float(part.sum(dtype=np.float64) - margin * t.sum(dtype=np.float64))


def hinge_gradient(
    p: np.ndarray,
    t: np.ndarray,
    margin: float,
    scale: float,
    axis: int,
    *,
    single: np.ndarray,
    part: np.ndarray,
    out: np.ndarray,
) -> None:
    """scale for each class that is too near, -scale for the true one as often"""
    violations(p, t, margin, axis, single=single, out=part)
    np.sign(part, out=part)
    np.add.reduce(part, axis=axis, keepdims=True, out=single)
    np.multiply(t, single, out=out)
    np.subtract(part, out, out=out)
    np.multiply(out, out.dtype.type(scale), out=out)


def violations(
    p: np.ndarray, t: np.ndarray, margin: float, axis: int, *, single: np.ndarray, out: np.ndarray
) -> None:
    """out = max(0, margin + p - p of the true class), the margin itself for the true class"""
    kind = out.dtype.type
    np.multiply(p, t, out=out)
    np.add.reduce(out, axis=axis, keepdims=True, out=single)
    np.subtract(p, single, out=out)
    np.add(out, kind(margin), out=out)
    np.maximum(out, kind(0), out=out)
