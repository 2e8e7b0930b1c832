"""Batch normalisation on rows x[h,c,l], l = w*n pixels of the shard's images (vectors: h = 1, l = n)."""

from __future__ import annotations

import numpy as np

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
    np.matmul(x, ones(x.shape[2], x.dtype)).sum(axis=0, dtype=np.float64, out=out[0])
    np.vecdot(x, x).sum(axis=0, dtype=np.float64, out=out[1])


def batch_moments(sums: np.ndarray, count: int, *, mean: np.ndarray, var: np.ndarray) -> None:
    """sums[shards,2,c] -> mean[c] and var[c] (biased) of the whole batch, added up in the shards' order."""
    total = np.add.reduce(sums, axis=0)
    average = total[0] / count
    mean[...] = average
    var[...] = np.maximum(total[1] / count - average * average, 0)


def normalise(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    eps: float,
    *,
    out: np.ndarray,
) -> None:
    """out = (x - mean) / sqrt(var + eps) * weight + bias, as one scale and one shift, a row at a time."""
    scale = weight / np.sqrt(var + x.dtype.type(eps))
    shift = (bias - mean * scale)[:, None]
    scale = scale[:, None]
    for source, target in zip(x, out, strict=True):
        np.multiply(source, scale, out=target)
        np.add(target, shift, out=target)


def gradient_sums(dy: np.ndarray, x: np.ndarray, *, out: np.ndarray) -> None:
    """dy[h,c,l], x[h,c,l] -> out[2,c] in float64: the sums of dy and of dy * x."""
    np.matmul(dy, ones(dy.shape[2], dy.dtype)).sum(axis=0, dtype=np.float64, out=out[0])
    np.vecdot(dy, x).sum(axis=0, dtype=np.float64, out=out[1])


def parameter_gradients(
    sums: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float, *, dweight: np.ndarray, dbias: np.ndarray
) -> None:
    """This shard's part of the gradients: sums[2,c] of dy and dy * x."""
    dbias[...] = sums[0]
    dweight[...] = (sums[1] - mean * sums[0]) / np.sqrt(var + np.float64(eps))


def normalise_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    weight: np.ndarray,
    sums: np.ndarray,
    count: int,
    eps: float,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """dx of batch normalisation; sums[shards,2,c] of dy and dy * x, scratch one row [c,l].

    With z = (x - mean) * r, r = 1 / sqrt(var + eps):  dx = weight * r * (dy - mean(dy) - z * mean(dy * z)),
    (Ioffe and Szegedy 2015), written as dx = scale * dy + b * x + c with one b and one c for each channel.
    """
    total = np.add.reduce(sums, axis=0)
    r = 1 / np.sqrt(var + np.float64(eps))
    mean_dy = total[0] / count
    mean_dyz = r * (total[1] - mean * total[0]) / count
    scale = weight * r
    b = -scale * mean_dyz * r
    c = -scale * mean_dy - b * mean
    kind = x.dtype.type
    scale, b, c = (part.astype(kind)[:, None] for part in (scale, b, c))
    for grad, source, target in zip(dy, x, out, strict=True):
        np.multiply(source, b, out=scratch)
        np.add(scratch, c, out=scratch)
        np.multiply(grad, scale, out=target)
        np.add(target, scratch, out=target)


def blend(state: np.ndarray, new: np.ndarray, keep: float, take: float) -> None:
    """state = keep * state + take * new"""
    np.multiply(state, state.dtype.type(keep), out=state)
    np.add(state, new * state.dtype.type(take), out=state)
