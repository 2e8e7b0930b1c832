"""Batch normalisation in float32 against float64, at means that are small and large beside the deviation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.kernels import norm
from cnnspec.kernels.norm import (
    BlockwiseNormGradient,
    batch_moments,
    channel_moments,
    gradient_sums,
    normalise,
    parameter_gradients,
)
from cnnspec.kernels.polyphase import normalise_pooled, pooled_gradient, products_and_moments
from cnnspec.kernels.winograd_1d import winograd_1d
from cnnspec.kernels.winograd_2d import winograd_2d

EPS = 1e-5
MEANS = (0.0, 1.0, -2.9, 3.1, 30.0, -1e3, 1e4)  # in deviations; three are where a channel is looked at again
SHAPES = ((1, 3, 64), (5, 4, 7), (28, 16, 448), (2, 6, 3584))


def numbers(shape, mean, seed=0, scale=1.0):
    """x[...,c,l] in float32, its first channel about zero."""
    x = np.random.default_rng(seed).normal(size=shape)
    x[..., 1:, :] += mean
    return (scale * x).astype("float32")


def told(*shards):
    """Mean and variance by the kernels, of shards [h,c,l]."""
    parts = np.empty((len(shards), 3, shards[0].shape[-2]))
    for x, out in zip(shards, parts, strict=True):
        channel_moments(x, out=out)
    mean, var = np.empty((2, parts.shape[2]))
    batch_moments(parts, mean=mean, var=var)
    return mean, var


def true(x):
    """Mean and variance in float64 of x[h,c,l]."""
    x = x.astype("float64")
    return x.mean(axis=(0, 2)), x.var(axis=(0, 2))


def standard(x, weight, bias):
    mean, var = true(x)
    return (x - mean[:, None]) / np.sqrt(var + EPS)[:, None] * weight[:, None] + bias[:, None]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mean", MEANS)
def test_statistics_outputs_and_gradients(shape, mean):
    """Each within 1e-5 of float64, gradients beside the largest of their kind."""
    x, dy = numbers(shape, mean), numbers(shape, 0.5, seed=1)
    weight, bias = np.random.default_rng(2).normal(size=(2, shape[1])).astype("float32")
    found, wanted = told(x), true(x)
    assert np.abs(found[0] - wanted[0]).max() < 1e-5
    assert np.abs(found[1] / wanted[1] - 1).max() < 1e-5

    y = np.empty_like(x)
    normalise(x, *found, weight, bias, EPS, out=y)
    assert np.abs(y - standard(x, weight, bias)).max() < 1e-5 * max(1, np.abs(weight).max())
    by_rows = np.empty_like(x)
    normalise(x, *found, weight, bias, EPS, scratch=np.empty((2, *shape[1:]), "float32"), out=by_rows)
    assert np.array_equal(by_rows, y), "numbers written out for a row are the same numbers"

    sums, count = np.empty((2, shape[1])), x.size // shape[1]
    dweight, dbias = np.empty((2, shape[1]), "float32")
    gradient_sums(dy, x, *found, out=sums)
    parameter_gradients(sums, found[1], EPS, dweight=dweight, dbias=dbias)
    z, d = standard(x, np.ones(shape[1]), np.zeros(shape[1])), dy.astype("float64")
    size = np.sqrt((d * d).sum(axis=(0, 2)) * count)  # the most that either sum can be
    assert (np.abs(dbias - d.sum(axis=(0, 2))) < 1e-6 * size).all()
    assert (np.abs(dweight - (d * z).sum(axis=(0, 2))) < 1e-6 * size).all()

    gradient, dx = BlockwiseNormGradient(dy, x, np.empty_like(x[:2])), np.empty_like(x)
    gradient.prepare(*found, weight, sums[None], count, EPS)
    gradient.write(out=dx)
    centred = d - d.mean(axis=(0, 2))[:, None] - z * (d * z).mean(axis=(0, 2))[:, None]
    wanted_dx = centred * (weight / np.sqrt(wanted[1] + EPS))[:, None]
    assert np.abs(dx - wanted_dx).max() < 1e-5 * np.abs(wanted_dx).max()
    channels, by_rows = np.empty((3, *shape[1:]), "float32"), np.empty_like(x)
    gradient = BlockwiseNormGradient(dy, x, np.empty_like(x[:2]), channels)
    gradient.prepare(*found, weight, sums[None], count, EPS)
    gradient.write(out=by_rows)
    assert np.array_equal(by_rows, dx)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 6),
    channels=st.integers(1, 5),
    pixels=st.integers(1, 300),
    images=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    mean=st.floats(-5, 5).map(lambda power: np.copysign(10 ** abs(power), power)),
    scale=st.sampled_from((1e-6, 1.0, 1e6)),
    seed=st.integers(0, 1 << 16),
)
def test_shards_of_any_sizes_agree_with_the_whole(rows, channels, pixels, images, mean, scale, seed):
    """Sizes as well as means of shards differ; squares about each one's mean become those about that of all."""
    shards = [numbers((rows, channels, pixels * n), mean * (1 + k), seed + k, scale) for k, n in enumerate(images)]
    found, wanted = told(*shards), true(np.concatenate(shards, axis=2))
    tiny = 1e-12 * scale * scale
    assert (np.abs(found[1] - wanted[1]) <= 1e-5 * wanted[1] + tiny).all()
    assert (np.abs(found[0] - wanted[0]) <= 1e-5 * np.sqrt(wanted[1]) + 1e-9 * np.abs(wanted[0])).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e4, 1e-20])
def test_a_constant_channel_becomes_its_bias(value):
    x = np.full((3, 2, 50), value, "float32")
    mean, var = told(x)
    assert (mean == np.float32(value)).all() and not var.any()
    y = np.empty_like(x)
    normalise(x, mean, var, np.ones(2, "float32"), np.array([0, 2], "float32"), EPS, out=y)
    assert (y == np.array([0, 2])[:, None]).all()


def test_a_far_channel_changes_no_bit_of_its_neighbours():
    """What is looked at again, and what is taken off first, is the far channel's alone."""
    alone, beside = numbers((4, 3, 70), 1.0), numbers((4, 3, 70), 1.0)
    beside[:, 2] += 1e4
    weight, bias = np.ones(3, "float32"), np.full(3, 0.3, "float32")
    outs = []
    for x in (alone, beside):
        mean, var = told(x)
        sums, y, dx = np.empty((2, 3)), np.empty_like(x), np.empty_like(x)
        normalise(x, mean, var, weight, bias, EPS, out=y)
        gradient_sums(x, x, mean, var, out=sums)
        gradient = BlockwiseNormGradient(x, x, np.empty_like(x))
        gradient.prepare(mean, var, weight, sums[None], 280, EPS)
        gradient.write(out=dx)
        outs.append([mean[:2], var[:2], y[:, :2], sums[:, :2], dx[:, :2]])
    assert all(np.array_equal(a, b) for a, b in zip(*outs, strict=True))


def test_numbers_that_are_none_stay_none():
    x = numbers((2, 3, 40), 1e4)
    x[0, 1, 3], x[1, 2, 0] = np.nan, np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        mean, var = told(x)
    assert list(np.isfinite(var)) == [True, False, False] and np.isnan(mean[1])


def test_near_channels_are_looked_at_once(monkeypatch):
    """The usual case costs no more than its sums."""
    looks = []
    monkeypatch.setattr(
        norm, "shifted_sums", lambda x, channels, *rest: looks.append([*channels]) or np.ones((2, 2))
    )
    told(numbers((2, 3, 400), 2.9))
    assert looks == []
    told(numbers((2, 3, 400), 3.3))
    assert looks == [[1, 2]]


def polyphase(h, c, t, n, mean, seed=0):
    return numbers((h, 4, c, t * n), mean, seed).reshape(h, 4, c, t, n)


def as_rows(x):
    """x[h,4,c,t,n] -> [4h,c,tn]"""
    return x.reshape(-1, x.shape[2], x.shape[3] * x.shape[4])


@pytest.mark.parametrize("mean", MEANS)
def test_moments_taken_while_rows_are_made(mean):
    """By columns, by Winograd's method along the width, and on squares: they are those of what was made."""
    h, c, f, t, n = 6, 5, 4, 2, 3
    generator, moments = np.random.default_rng(0), np.empty((3, f))
    bias = np.full(f, mean, "float32")

    def held(out):
        wanted = true(as_rows(out))
        assert (moments[0] == out.size / f).all()
        assert np.abs(moments[1] - wanted[0]).max() < 1e-5 * np.sqrt(wanted[1]).max()
        assert np.abs(moments[2] / moments[0] / wanted[1] - 1).max() < 1e-5

    columns = numbers((h, 4, 3 * c, t * n), 0.0)
    columns[..., 0, :] = 1
    matrix = generator.normal(size=(f, 3 * c)).astype("float32")
    matrix[:, 0] = mean
    out = np.empty((h, 4, f, t * n), "float32")
    products_and_moments(matrix, columns, 4, moments=moments, out=out)
    held(out.reshape(h, 4, f, t, n))

    x, out = polyphase(h, c, t, n, 0.0), np.empty((h, 4, f, t, n), "float32")
    weights = generator.normal(size=(f, 3, 3, c)).astype("float32")
    scratch = [np.empty(shape, "float32") for shape in ((6, f, 3, c), (6, 9 * c * t * n), (6, 2, f, t * n))]
    u, transformed, products = scratch
    lent = {"u": u, "transformed": transformed, "products": products}
    winograd_1d(x, weights, ((1, 1), (1, 1)), 2, **lent, bias=bias, moments=moments, out=out)
    held(out)

    shapes = {"taps": (3, 3, f, c), "across": (3, 6, f, c), "u": (6, 6, f, c), "products": (36, f * t * n)}
    shapes |= {"strip": (6, 4 * c * t * n), "transformed": (1, 36, c * t * n)}
    lent = {name: np.empty(shape, "float32") for name, shape in shapes.items()}
    winograd_2d(x, weights, ((1, 1), (1, 1)), **lent, bias=bias, moments=moments, out=out)
    held(out)


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("height", [4, 5])
def test_pooled(mean, height):
    """Normalised and pooled block by block; what the gradient sums up is that of the maxima."""
    c, t, n = 3, 2, 5
    x, weight, bias = polyphase(height, c, t, n, mean), np.array([1, 2, 0.5], "float32"), np.zeros(3, "float32")
    mean_, var = told(as_rows(x))
    rows, kind = height // 2, "float32"
    out, argmax = np.empty((rows, c, 2 * t, n), kind), np.empty((3, rows, 2, c, t, n), bool)
    relu_mask = np.empty(out.shape, bool)
    block, top, bottom = np.empty((2, 4, c, t, n), kind), *np.empty((2, 1, 2, c, t, n), kind)
    lent = {"block": block, "top": top, "bottom": bottom}
    normalise_pooled(x, mean_, var, weight, bias, EPS, **lent, argmax=argmax, relu_mask=relu_mask, out=out)
    y = standard(as_rows(x), weight, bias).reshape(x.shape).transpose(0, 2, 3, 1, 4).reshape(height, c, -1, n)
    windows = y[: 2 * rows].reshape(rows, 2, c, 2 * t, 2, n).max(axis=(1, 4))
    assert np.abs(out - np.maximum(windows, 0)).max() < 1e-5 * 2

    dy = np.random.default_rng(3).normal(size=out.shape).astype(kind)
    sums, dz = np.empty((2, c)), np.empty_like(x)
    pooled_gradient(dy, x, mean_, var, argmax, relu_mask=relu_mask, upper=top, lower=bottom, sums=sums, out=dz)
    assert np.count_nonzero(dz) == np.count_nonzero(relu_mask)
    d, apart = as_rows(dz).astype("float64"), as_rows(x) - true(as_rows(x))[0][:, None]
    wanted = np.array([d.sum(axis=(0, 2)), (d * apart).sum(axis=(0, 2))])
    assert np.abs(sums - wanted).max() < 1e-5 * np.abs(d).sum(axis=(0, 2)).max()
