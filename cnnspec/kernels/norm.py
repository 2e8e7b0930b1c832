"""Batch normalisation on rows x[h,c,l], l = w*n pixels of the shard's images (vectors: h = 1, l = n)."""

from __future__ import annotations

import math

import numpy as np

from .activation import zeros

BLOCK = 32_768  # numbers
SHORT = 131_072  # numbers of a block that two calls alone go over: more blocks cost more than the cache gains
FAR = 9  # a mean is far from zero where its square is more than so many variances
_ONES: dict[np.dtype, np.ndarray] = {}


def ones(length: int, dtype: np.dtype) -> np.ndarray:
    """A run of ones that is made once: sums are products with it, at three times the speed of add.reduce."""
    cached = _ONES.get(dtype)
    if cached is None or cached.size < length:
        cached = _ONES[dtype] = np.ones(max(length, 4096), dtype)
    return cached[:length]


def channel_sums(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,l] -> out[c], summed over rows and pixels."""
    np.add.reduce(np.matmul(x, ones(x.shape[2], x.dtype)), axis=0, out=out)


def channel_moments(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,l] -> out[3,c] in float64: see `Moments.total`."""
    moments = Moments(x)
    moments.take(slice(None), x)
    moments.total(out=out)


def far(mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Channels whose mean is far from zero beside their deviation, where sums about zero cancel.

    The rounding of a sum of squares comes back in the variance 1 + mean^2 / var times as large.
    """
    return mean * mean > FAR * var


class Moments:
    """The moments of each channel, taken block by block by the kernel that makes the rows of x[...,c,l].

    Sums and squares about zero cost one look at each number. A channel whose mean proves to be far from zero is
    looked at again at the end, each number less the mean (two-pass; Chan, Golub and LeVeque 1983).
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.sums = np.empty((2, *x.shape[:-1]), x.dtype)
        self.ones = ones(x.shape[-1], x.dtype)

    def take(self, rows: slice, x: np.ndarray) -> None:
        np.matmul(x, self.ones, out=self.sums[0, rows])
        np.vecdot(x, x, out=self.sums[1, rows])

    def total(self, *, out: np.ndarray) -> None:
        """out[3,c] in float64: how many numbers a channel has, their mean, the sum of squares about it."""
        count = self.x.size // out.shape[1]
        total, squares = self.sums.reshape(2, -1, out.shape[1]).sum(axis=1, dtype=np.float64)
        mean = total / count
        about = np.maximum(squares - mean * total, 0)
        again = np.flatnonzero(far(mean, about / count))
        if again.size:
            shift = mean[again].astype(self.x.dtype)
            total, squares = shifted_sums(self.x, again, shift)
            less = total / count
            mean[again], about[again] = shift + less, np.maximum(squares - less * total, 0)
        out[0], out[1], out[2] = count, mean, about


def shifted_sums(
    x: np.ndarray, channels: np.ndarray, shift: np.ndarray, dy: np.ndarray | None = None
) -> np.ndarray:
    """Some channels of x[...,c,l] less their shift: [2,channels] in float64, the sums of d and of d * d.

    With dy[...,c,l] those of dy and of dy * d.
    """
    found = np.zeros((2, channels.size))
    run = ones(x.shape[-1], x.dtype)
    for rows in blocks(x):
        d = x[rows, ..., channels, :]
        np.subtract(d, shift[:, None], out=d)
        by = d if dy is None else dy[rows, ..., channels, :]
        for k, part in enumerate((np.matmul(by, run), np.vecdot(by, d))):
            found[k] += part.reshape(-1, channels.size).sum(axis=0, dtype=np.float64)
    return found


def batch_moments(parts: np.ndarray, *, mean: np.ndarray, var: np.ndarray) -> None:
    """parts[shards,3,c] of `Moments.total` -> mean[c] and var[c] (biased) of the whole batch, in the shards' order.

    Squares about the shards' means become squares about that of all (Chan, Golub and LeVeque 1983).
    """
    counts, means, about = parts[:, 0], parts[:, 1], parts[:, 2]
    count = np.add.reduce(counts, axis=0)
    mean[...] = np.add.reduce(counts * means, axis=0) / count
    apart = means - mean
    var[...] = np.add.reduce(about + counts * apart * apart, axis=0) / count


def blocks(x: np.ndarray, numbers: int = BLOCK) -> list[slice]:
    """The rows of x[h,...] in blocks that stay in the cache from one call to the next."""
    rows = max(1, numbers // max(1, x.size // len(x)))
    return [slice(start, min(start + rows, len(x))) for start in range(0, len(x), rows)]


def scale_and_shift(
    mean: np.ndarray, var: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray]:
    """(x - mean) / sqrt(var + eps) * weight + bias = x * scale + shift; both [c,1] in float64."""
    scale = weight / np.sqrt(var + np.float64(eps))
    return scale[:, None], (bias - mean * scale)[:, None]


def row_shape(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Of x[...,c,l], the shape [c,l] of a row whose numbers of a channel are written out, where that is soon done.

    Rows go with a row in half the time that they take with a column, which NumPy goes over channel by channel.
    """
    *rows, channels, length = shape
    return None if math.prod(rows) < 2 or channels * length > BLOCK else (channels, length)


def written_out(columns: tuple[np.ndarray, ...], scratch: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Numbers for each channel [c,1] as rows scratch[k,c,l], where there is room for them."""
    if scratch is None:
        return columns
    for row, column in zip(scratch, columns, strict=True):
        np.copyto(row, column)
    return tuple(scratch)


class Normalisation:
    """(x - mean) / sqrt(var + eps) * weight + bias as x * scale + shift, of blocks of x[...,c,l].

    That cancels where a mean is far from zero; there the centre, the mean as a number of x's type, is taken off
    first. Of other channels the centre is zero, which changes no bit, and is left out where all are so.
    scratch[2,c,l], where `row_shape` has one, holds scale and shift for a row.
    """

    def __init__(
        self,
        mean: np.ndarray,
        var: np.ndarray,
        weight: np.ndarray,
        bias: np.ndarray,
        eps: float,
        x: np.ndarray,
        scratch: np.ndarray | None = None,
    ) -> None:
        self.centre = centre(mean, var, x.dtype)
        rest = mean if self.centre is None else mean - self.centre[:, 0]
        scale, shift = scale_and_shift(rest, var, weight, bias, eps)
        self.scale, self.shift = written_out((scale.astype(x.dtype), shift.astype(x.dtype)), scratch)

    def write(self, x: np.ndarray, *, out: np.ndarray) -> None:
        if self.centre is not None:
            np.subtract(x, self.centre, out=out)
            x = out
        np.multiply(x, self.scale, out=out)
        np.add(out, self.shift, out=out)


def centre(mean: np.ndarray, var: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
    """The means [c,1] of channels that are far from zero, and zero for others; None where all are near."""
    there = far(mean, var)
    return np.where(there, mean, 0).astype(dtype)[:, None] if there.any() else None


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
    relu_mask: np.ndarray | None = None,
    scratch: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """out = (x - mean) / sqrt(var + eps) * weight + bias, then `+ add` and max(., 0) with `relu`, on x[h,c,l].

    `relu_mask`, of bools, gets where out is positive; `scratch` is `Normalisation`'s. All of it block by block,
    so that the memory is read and written once.
    """
    normalisation = Normalisation(mean, var, weight, bias, eps, x, scratch)
    zero = zeros(x)
    for rows in blocks(x):
        y = out[rows]
        normalisation.write(x[rows], out=y)
        if add is not None:
            np.add(y, add[rows], out=y)
        if relu:
            np.maximum(y, zero, out=y)
        if relu_mask is not None:
            np.greater(y, zero, out=relu_mask[rows])


def add_bias(
    x: np.ndarray, bias: np.ndarray, *, add: np.ndarray | None = None, relu: bool = False, out: np.ndarray
) -> None:
    """out = x + bias, then `+ add` and max(., 0) with `relu`, on x[h,c,l]; block by block, as in `normalise`."""
    shift, zero = bias[:, None], zeros(x)
    for rows in blocks(x, SHORT):
        y = out[rows]
        np.add(x[rows], shift, out=y)
        if add is not None:
            np.add(y, add[rows], out=y)
        if relu:
            np.maximum(y, zero, out=y)


def fold_filters(weights: np.ndarray, var: np.ndarray, weight: np.ndarray, eps: float, *, out: np.ndarray) -> None:
    """weights[f,...] of a convolution that a normalisation follows, its scale brought into them."""
    scale = (weight / np.sqrt(var + np.float64(eps))).astype(weights.dtype)
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
    rest = mean if before is None else mean - before.astype(np.float64)
    np.copyto(out, scale_and_shift(rest, var, weight, bias, eps)[1][:, 0], casting="same_kind")


class GradientSums:
    """The sums of dy and of dy * (x - mean) that batch normalisation's gradient needs, taken block by block.

    x[...,c,l] is what was normalised, rows first. With `relu_mask`, dy counts only where the relu is positive;
    `add` is added to it before. The kernel that makes dy calls `take` for each block while it is in the
    cache, then `total`. Like `Moments` they are taken about zero, and again where a mean is far from it.
    """

    def __init__(self, x: np.ndarray, relu_mask: np.ndarray | None = None, add: np.ndarray | None = None) -> None:
        self.x = merged(x)
        self.relu_mask, self.add = (None if a is None else merged(a) for a in (relu_mask, add))
        self.sums = np.empty((2, *self.x.shape[:-1]), x.dtype)
        self.ones = ones(self.x.shape[-1], x.dtype)

    def take(self, rows: slice, dy: np.ndarray, out: np.ndarray) -> None:
        """The gradient of some rows: what counts of it in `out`, which may be dy, its sums here."""
        if self.add is not None:
            np.add(dy, self.add[rows], out=out)
            dy = out
        if self.relu_mask is not None:
            np.multiply(dy, self.relu_mask[rows], out=out)
            dy = out
        np.matmul(dy, self.ones, out=self.sums[0, rows])
        np.vecdot(dy, self.x[rows], out=self.sums[1, rows])

    def total(self, dy: np.ndarray, mean: np.ndarray, var: np.ndarray, *, out: np.ndarray) -> None:
        """out[2,c] in float64; dy is all that counted of it, as `take` left it."""
        self.sums.reshape(2, -1, out.shape[1]).sum(axis=1, dtype=np.float64, out=out)
        np.subtract(out[1], mean * out[0], out=out[1])
        again = np.flatnonzero(far(mean, var))
        if again.size:
            shift = mean[again].astype(self.x.dtype)
            total, products = shifted_sums(self.x, again, shift, merged(dy))
            out[1, again] = products - (mean[again] - shift) * total


def gradient_sums(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    *,
    relu_mask: np.ndarray | None = None,
    masked: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """dy[h,c,l], x[h,c,l] -> out[2,c] in float64: see `GradientSums`; with relu_mask, of dy `masked` by it."""
    sums, target = GradientSums(x, relu_mask), dy if masked is None else masked
    for rows in blocks(x):
        sums.take(rows, dy[rows], target[rows])
    sums.total(target, mean, var, out=out)


def parameter_gradients(
    sums: np.ndarray, var: np.ndarray, eps: float, *, dweight: np.ndarray, dbias: np.ndarray
) -> None:
    """This shard's part of the gradients: sums[2,c] of dy and dy * (x - mean)."""
    dbias[...] = sums[0]
    dweight[...] = sums[1] / np.sqrt(var + np.float64(eps))


class BlockwiseNormGradient:
    """dx of batch normalisation, made a block of rows at a time, where and when somebody reads them.

    With z = (x - mean) * r, r = 1 / sqrt(var + eps):  dx = weight * r * (dy - mean(dy) - z * mean(dy * z)),
    (Ioffe and Szegedy 2015), which is dx = scale * (dy + b * x + c) with a scale, b and c for each channel; x is
    less its centre there, as in `Normalisation`.
    dy and x are [...,c,l] with rows first; scratch[r,...,c,l] holds a block, channels[3,c,l], where `row_shape` has
    one, the three numbers for a row. A kernel that can bring the scale in elsewhere, such as a convolution in its
    filters, reads rows and `scale`; else `write` makes all of dx.
    """

    def __init__(
        self, dy: np.ndarray, x: np.ndarray, scratch: np.ndarray, channels: np.ndarray | None = None
    ) -> None:
        self.shape, self.dy, self.x, self.scratch = dy.shape, merged(dy), merged(x), merged(scratch)
        self.channels = channels

    def prepare(
        self, mean: np.ndarray, var: np.ndarray, weight: np.ndarray, sums: np.ndarray, count: int, eps: float
    ) -> None:
        """The numbers of each channel, from sums[shards,2,c] of dy and dy * (x - mean) over count pixels."""
        total = np.add.reduce(sums, axis=0)
        r = 1 / np.sqrt(var + np.float64(eps))
        b = -r * r * total[1] / count
        self.centre = centre(mean, var, self.x.dtype)
        c = -total[0] / count - b * (mean if self.centre is None else mean - self.centre[:, 0])
        columns = tuple(a.astype(self.x.dtype)[:, None] for a in (weight * r, b, c))
        self.scale = columns[0]
        self.row, self.b, self.c = written_out(columns, self.channels)

    def __getitem__(self, rows: slice) -> np.ndarray:
        """dx / scale of some rows, in scratch."""
        start, stop = rows.start, rows.stop
        part = self.scratch[: stop - start]
        x = self.x[start:stop]
        if self.centre is not None:
            x = np.subtract(x, self.centre, out=part)
        np.multiply(x, self.b, out=part)
        np.add(part, self.c, out=part)
        np.add(part, self.dy[start:stop], out=part)
        return part

    def write(self, *, out: np.ndarray) -> None:
        """All of dx; out may also be [...,c,w,n] in any order of memory."""
        block = len(self.scratch)
        scale = self.row if out.ndim == self.x.ndim else self.scale[..., None]
        for start in range(0, len(out), block):
            rows = out[start : start + block]
            np.multiply(self[start : start + len(rows)].reshape(rows.shape), scale, out=rows)


def merged(x: np.ndarray) -> np.ndarray:
    """x[...,w,n] -> a view [...,w*n]; vectors as they are."""
    return x.reshape(*x.shape[:-2], -1) if x.ndim > 3 else x


def blend(state: np.ndarray, new: np.ndarray, keep: float, take: float) -> None:
    """state = keep * state + take * new"""
    np.multiply(state, state.dtype.type(keep), out=state)
    np.add(state, (new * take).astype(state.dtype), out=state)
