"""Gradients of a 1x1 convolution and the normalisation behind it, from what goes in, against float64."""

import numpy as np
import pytest

from cnnspec.kernels.norm import BlockwiseNormGradient, batch_moments, channel_moments, gradient_sums
from cnnspec.kernels.pointwise import pointwise_norm_gradient, pointwise_norm_sums

EPS = 1e-5
CASES = ((5, 3, 12, 14), (2, 4, 9, 64), (1, 1, 3, 6), (7, 16, 96, 24))  # rows, channels, filters, pixels of a row


def told(shards, weights, scale, once):
    """Sums, dw and dx of each shard's dy and x by the kernels."""
    filters, channels = weights.shape
    mean, var, moments = *np.empty((2, filters)), np.empty((len(shards), 3, filters))
    for (_, x), out in zip(shards, moments, strict=True):
        channel_moments(np.matmul(weights, x), out=out)
    batch_moments(moments, mean=mean, var=var)
    sums, left = np.empty((len(shards), 3, filters)), []
    for (dy, x), out in zip(shards, sums, strict=True):
        height, _, length = x.shape
        kept = {
            "centre": np.empty(channels, x.dtype),
            "centred": np.empty((height, channels + 1, length), x.dtype),
            "products": np.empty((filters + channels + 1, channels + 1), x.dtype),
        }
        lent = {"by_channel": np.empty((filters + channels + 1, height, length), x.dtype)}
        rows = {"parts": np.empty(2 * filters * (channels + 1), x.dtype)}
        pointwise_norm_sums(dy, x, weights, mean, **kept, **(lent if once else rows), out=out)
        left.append(kept)
    count, made = sum(x[:, 0].size for _, x in shards), []
    for (dy, x), kept in zip(shards, left, strict=True):
        dw, dx, scratch = np.empty_like(weights), np.empty_like(x), np.empty_like(x[:2])
        pointwise_norm_gradient(
            dy, weights, mean, var, scale, sums, count, EPS, **kept, scratch=scratch, dw=dw, out=dx
        )
        made.append((dw, dx))
    return sums, made


def by_what_it_made(dy, x, weights, scale):
    """The same of one shard by the kernels that read what the convolution made."""
    y = np.matmul(weights, x)
    mean, var = np.empty((2, len(weights)))
    moments, sums = np.empty((1, 3, len(weights))), np.empty((2, len(weights)))
    channel_moments(y, out=moments[0])
    batch_moments(moments, mean=mean, var=var)
    gradient_sums(dy, y, mean, var, out=sums)
    between = np.empty_like(y)
    gradient = BlockwiseNormGradient(dy, y, np.empty_like(y[:1]))
    gradient.prepare(mean, var, scale, sums[None], x[:, 0].size, EPS)
    gradient.write(out=between)
    return sums, np.matmul(between, x.swapaxes(1, 2)).sum(axis=0), np.matmul(weights.T, between)


def true(shards, weights, scale):
    """The same by the definition, in float64."""
    dy, x = (np.concatenate([pair[k] for pair in shards]).astype("float64") for k in (0, 1))
    weights = weights.astype("float64")
    y = np.matmul(weights, x)
    mean, var = y.mean(axis=(0, 2)), y.var(axis=(0, 2))
    r = 1 / np.sqrt(var + EPS)[:, None]
    z = (y - mean[:, None]) * r
    inner = dy - dy.mean(axis=(0, 2))[:, None] - z * (dy * z).mean(axis=(0, 2))[:, None]
    between = inner * scale[:, None] * r
    dx = np.matmul(weights.T, between)
    return np.stack([dy.sum(axis=(0, 2)), (dy * z / r).sum(axis=(0, 2))]), np.einsum("hfl,hkl->fk", between, x), dx


def drawn(case, mean, shards=1, dtype="float32"):
    height, channels, filters, length = case
    r = np.random.default_rng(sum(case))
    pairs = [
        (r.normal(0.5, 1, (height, filters, length)), r.normal(mean, 1, (height, channels, length)) + 0.3 * k)
        for k in range(shards)
    ]
    weights, scale = r.normal(size=(filters, channels)) / np.sqrt(channels), r.normal(size=filters)
    return [tuple(a.astype(dtype) for a in pair) for pair in pairs], weights.astype(dtype), scale.astype(dtype)


@pytest.mark.parametrize("once", [False, True], ids=["rows", "at once"])
@pytest.mark.parametrize("mean", [0.0, -2.9, 30.0, 1e3])
@pytest.mark.parametrize("case", CASES)
def test_by_the_definition(case, mean, once):
    """Each within 1e-5 of the largest of its kind, or of four times the error of what the convolution made.

    Both round, and how much depends on the order of sums, which a processor's own products decide.
    """
    shards, weights, scale = given = drawn(case, mean)
    [sums], [gradients] = told(*given, once)
    other_way = by_what_it_made(*shards[0], weights, scale)
    for made, other, value in zip((sums[:2], *gradients), other_way, true(*given), strict=True):
        bound = max(1e-5 * max(1, np.abs(value).max()), 4 * np.abs(other - value).max())
        assert np.abs(made - value).max() <= bound


@pytest.mark.parametrize("once", [False, True], ids=["rows", "at once"])
def test_shards_whose_means_differ(once):
    """In float64 to its last digits: what one shard's centre leaves is made good by the sums of all."""
    given = drawn((3, 4, 15, 8), 5.0, shards=3, dtype="float64")
    sums, made = told(*given, once)
    wanted_sums, dw, dx = true(*given)
    assert np.abs(sums.sum(axis=0)[:2] - wanted_sums).max() < 1e-12 * np.abs(wanted_sums).max()
    assert np.abs(sum(part for part, _ in made) - dw).max() < 1e-11
    assert np.abs(np.concatenate([part for _, part in made]) - dx).max() < 1e-12
