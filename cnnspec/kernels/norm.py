"""Batch normalisation on rows x[h,c,l], l = w*n pixels of the shard's images (vectors: h = 1, l = n)."""

from __future__ import annotations

import numpy as np

from .activation import zeros

BLOCK = 32_768  # numbers
_ONES: dict[np.dtype, np.ndarray] = {}


def ones(length: int, dtype: np.dtype) -> np.ndarray:
    """A run of ones that is made once: sums are products with it, at three times the speed of add.reduce."""
    kept = _ONES.get(dtype)
    if kept is None or kept.size < length:
        kept = _ONES[dtype] = np.ones(max(length, 4096), dtype)
    return kept[:length]


def channel_sums(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,l] -> out[c], summed over rows and pixels."""
    np.add.reduce(np.matmul(x, ones(x.shape[2], x.dtype)), axis=0, out=out)


def sums_and_squares(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,l] -> out[2,c] in float64: the sum of each channel and the sum of its squares."""
    sums = Moments(x)
    sums.take(slice(None), x)
    sums.total(out=out)


class Moments:
    """The sum of each channel and of its squares, taken block by block by whoever makes the rows of x[...,c,l]."""

    def __init__(self, x: np.ndarray) -> None:
        self.sums = np.empty((2, *x.shape[:-1]), x.dtype)
        self.ones = ones(x.shape[-1], x.dtype)

    def take(self, rows: slice, x: np.ndarray) -> None:
        np.matmul(x, self.ones, out=self.sums[0, rows])
        np.vecdot(x, x, out=self.sums[1, rows])

    def total(self, *, out: np.ndarray) -> None:
        """out[2,c] in float64"""
        self.sums.reshape(2, -1, out.shape[1]).sum(axis=1, dtype=np.float64, out=out)


def batch_moments(sums: np.ndarray, count: int, *, mean: np.ndarray, var: np.ndarray) -> None:
    """sums[shards,2,c] -> mean[c] and var[c] (biased) of the whole batch, added up in the shards' order."""
    total = np.add.reduce(sums, axis=0)
    average = total[0] / count
    mean[...] = average
    var[...] = np.maximum(total[1] / count - average * average, 0)


def blocks(x: np.ndarray) -> list[slice]:
    """The rows of x[h,...] in blocks that stay in the cache from one call to the next."""
    rows = max(1, BLOCK // max(1, x.size // len(x)))
    return [slice(start, min(start + rows, len(x))) for start in range(0, len(x), rows)]


def scale_and_shift(
    mean: np.ndarray, var: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """(x - mean) / sqrt(var + eps) * weight + bias = x * scale + shift; both [c,1]."""
    scale = weight / np.sqrt(var + var.dtype.type(eps))
    return scale[:, None], (bias - mean * scale)[:, None]


def normalise(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    eps: float,
    *,
    add: np.ndarray | None = None,
    relu: bool = False,
    won: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """out = (x - mean) / sqrt(var + eps) * weight + bias, then `+ add` and max(., 0) where asked, on x[h,c,l].

    `won`, of bools, gets where out is positive. All of it block by block, so that the memory is read and written
    once.
    """
    scale, shift = scale_and_shift(mean, var, weight, bias, eps)
    zero = zeros(x)
    for rows in blocks(x):
        y = out[rows]
        np.multiply(x[rows], scale, out=y)
        np.add(y, shift, out=y)
        if add is not None:
            np.add(y, add[rows], out=y)
        if relu:
            np.maximum(y, zero, out=y)
        if won is not None:
            np.greater(y, zero, out=won[rows])


def add_bias(
    x: np.ndarray, bias: np.ndarray, *, add: np.ndarray | None = None, relu: bool = False, out: np.ndarray
) -> None:
    """out = x + bias, then `+ add` and max(., 0) where asked, on x[h,c,l]; block by block, as in `normalise`."""
    shift, zero = bias[:, None], zeros(x)
    for rows in blocks(x):
        y = out[rows]
        np.add(x[rows], shift, out=y)
        if add is not None:
            np.add(y, add[rows], out=y)
        if relu:
            np.maximum(y, zero, out=y)


def fold_filters(weights: np.ndarray, var: np.ndarray, weight: np.ndarray, eps: float, *, out: np.ndarray) -> None:
    """weights[f,...] of a convolution that a normalisation follows, its scale brought into them."""
    scale = weight / np.sqrt(var + var.dtype.type(eps))
    np.multiply(weights, scale.reshape(-1, *[1] * (weights.ndim - 1)), out=out)


def fold_bias(
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    eps: float,
    *,
    before: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """What is left of a normalisation whose scale went into the filters; `before` is the convolution's own bias."""
    scale, shift = scale_and_shift(mean, var, weight, bias, eps)
    np.copyto(out, shift[:, 0])
    if before is not None:
        np.add(out, before * scale[:, 0], out=out)


class GradientSums:
    """The sums of dy and of dy * x that batch normalisation's gradient needs, taken block by block.

    x[...,c,l] is what was normalised, rows first. With `won`, where a relu let numbers through, dy counts only
    there; with `add` that is added to it before. Whoever makes dy calls `take` for each block while it is in the
    cache, then `total`.
    """

    def __init__(self, x: np.ndarray, won: np.ndarray | None = None, add: np.ndarray | None = None) -> None:
        self.x = merged(x)
        self.won, self.add = (None if a is None else merged(a) for a in (won, add))
        self.sums = np.empty((2, *self.x.shape[:-1]), x.dtype)
        self.ones = ones(self.x.shape[-1], x.dtype)

    def take(self, rows: slice, dy: np.ndarray, out: np.ndarray) -> None:
        """The gradient of some rows: what counts of it in `out`, which may be dy, its sums here."""
        if self.add is not None:
            np.add(dy, self.add[rows], out=out)
            dy = out
        if self.won is not None:
            np.multiply(dy, self.won[rows], out=out)
            dy = out
        np.matmul(dy, self.ones, out=self.sums[0, rows])
        np.vecdot(dy, self.x[rows], out=self.sums[1, rows])

    def total(self, *, out: np.ndarray) -> None:
        """out[2,c] in float64"""
        self.sums.reshape(2, -1, out.shape[1]).sum(axis=1, dtype=np.float64, out=out)


def gradient_sums(
    dy: np.ndarray,
    x: np.ndarray,
    *,
    won: np.ndarray | None = None,
    masked: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """dy[h,c,l], x[h,c,l] -> out[2,c] in float64: the sums of dy and of dy * x; with won, of dy `masked` by it."""
    sums = GradientSums(x, won)
    for rows in blocks(x):
        sums.take(rows, dy[rows], dy[rows] if masked is None else masked[rows])
    sums.total(out=out)


def parameter_gradients(
    sums: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float, *, dweight: np.ndarray, dbias: np.ndarray
) -> None:
    """This shard's part of the gradients: sums[2,c] of dy and dy * x."""
    dbias[...] = sums[0]
    dweight[...] = (sums[1] - mean * sums[0]) / np.sqrt(var + np.float64(eps))


class NormaliseGradient:
    """dx of batch normalisation, made a block of rows at a time, where and when somebody reads them.

    With z = (x - mean) * r, r = 1 / sqrt(var + eps):  dx = weight * r * (dy - mean(dy) - z * mean(dy * z)),
    (Ioffe and Szegedy 2015), which is dx = scale * (dy + b * x + c) with a scale, b and c for each channel.
    dy and x are [...,c,l] with rows first; scratch[r,...,c,l] holds a block. Whoever can bring the scale in
    elsewhere, such as a convolution in its filters, reads rows and `scale`; else `write` makes all of dx.
    """

    def __init__(self, dy: np.ndarray, x: np.ndarray, scratch: np.ndarray) -> None:
        self.shape, self.dy, self.x, self.scratch = dy.shape, merged(dy), merged(x), merged(scratch)

    def prepare(
        self, mean: np.ndarray, var: np.ndarray, weight: np.ndarray, sums: np.ndarray, count: int, eps: float
    ) -> None:
        """The numbers of each channel, from sums[shards,2,c] of dy and dy * x over count pixels."""
        total = np.add.reduce(sums, axis=0)
        r = 1 / np.sqrt(var + np.float64(eps))
        mean_dy = total[0] / count
        mean_dyz = r * (total[1] - mean * total[0]) / count
        b = -mean_dyz * r
        c = -mean_dy - b * mean
        self.scale, self.b, self.c = ((a.astype(self.x.dtype))[:, None] for a in (weight * r, b, c))

    def __getitem__(self, rows: slice) -> np.ndarray:
        """dx / scale of some rows, in scratch."""
        start, stop = rows.start, rows.stop
        part = self.scratch[: stop - start]
        np.multiply(self.x[start:stop], self.b, out=part)
        np.add(part, self.c, out=part)
        np.add(part, self.dy[start:stop], out=part)
        return part

    def write(self, *, out: np.ndarray) -> None:
        """All of dx; out may also be [...,c,w,n] in any order of memory."""
        block = len(self.scratch)
        scale = self.scale if out.ndim == self.x.ndim else self.scale[..., None]
        for start in range(0, len(out), block):
            rows = out[start : start + block]
            np.multiply(self[start : start + len(rows)].reshape(rows.shape), scale, out=rows)


def merged(x: np.ndarray) -> np.ndarray:
    """x[...,w,n] -> a view [...,w*n]; vectors as they are."""
    return x.reshape(*x.shape[:-2], -1) if x.ndim > 3 else x


def blend(state: np.ndarray, new: np.ndarray, keep: float, take: float) -> None:
    """state = keep * state + take * new"""
    np.multiply(state, state.dtype.type(keep), out=state)
    np.add(state, new * state.dtype.type(take), out=state)
