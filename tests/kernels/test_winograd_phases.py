"""4x4 kernels with stride 2 by Winograd's method in phases, against the definitions of convolutions."""

import numpy as np
import pytest

from cnnspec.ir import data, parameter
from cnnspec.kernels.winograd_phases import (
    filter_components,
    filters_of_components,
    large_components,
    large_of_components,
    small_components,
    small_of_components,
)
from cnnspec.primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from cnnspec.primitives.convolution.winograd_phases import (
    GEOMETRY,
    ConvolvePhases,
    FilterComponents,
    LargeComponents,
    PhasesFilterGradient,
    SmallComponents,
    SpreadPhases,
)

# channels of the smaller image and the larger, height and width of the smaller, images
SIZES = [(3, 5, 2, 2, 2), (5, 2, 4, 6, 3), (1, 4, 2, 8, 1), (20, 17, 6, 2, 8)]


@pytest.fixture(params=SIZES, ids=str)
def layer(request):
    """The smaller image, the larger one, and filters, in order n, c, h, w."""
    small, large, height, width, n = request.param
    random = np.random.default_rng(3)
    return (
        random.normal(size=(n, small, height, width)),
        random.normal(size=(n, large, 2 * height, 2 * width)),
        random.normal(size=(small, large, 4, 4)),
    )


def empty(*shape, dtype="float64"):
    return np.full(shape, np.nan, dtype)


def as_rows(image, dtype="float64"):
    return np.ascontiguousarray(image.transpose(2, 1, 3, 0), dtype)


def by_kernels(small, large, w, dtype):
    """The components of all three, and what the products of each two come to: n, c, h, w again."""
    n, s, height, width = small.shape
    channels, squares = large.shape[1], (height // 2, width // 2, n)
    of_small, of_large, u = (
        empty(9, s, *squares, dtype=dtype),
        empty(9, 4, channels, *squares, dtype=dtype),
        empty(9, s, 4, channels, dtype=dtype),
    )
    small_components(as_rows(small, dtype), out=of_small)
    columns = empty(3, 2, 4, channels, *squares, dtype=dtype)
    large_components(as_rows(large, dtype), columns=columns, out=of_large)
    filter_components(np.ascontiguousarray(w.transpose(0, 2, 3, 1), dtype), out=u)
    parts = of_small.copy(), of_large.copy(), u.copy()
    y, dx, dw = empty(height, s, width, n), empty(2 * height, channels, 2 * width, n), empty(s, 4, 4, channels)
    y, dx, dw = (made.astype(dtype) for made in (y, dx, dw))
    small_of_components(np.einsum("ksqc,kqcitn->ksitn", u, of_large), out=y)
    large_of_components(np.einsum("ksqc,ksitn->kqcitn", u, of_small), out=dx)
    filters_of_components(np.einsum("ksitn,kqcitn->ksqc", of_small, of_large), out=dw)
    return parts, (y.transpose(3, 1, 0, 2), dx.transpose(3, 1, 0, 2), dw.transpose(0, 3, 1, 2))


def by_definition(small, large, w):
    kinds = data(*large.shape[1:]), parameter(**dict(zip("fcuv", w.shape, strict=True)))
    return (
        Convolve(GEOMETRY).convolved(large, w),
        ConvolveInputGradient(GEOMETRY, 1, kinds[0]).evaluate(small, w),
        ConvolveFilterGradient(GEOMETRY, 1, kinds[1]).evaluate(large, small),
    )


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-6), ("float64", 2e-15)])
def test_products_of_each_two_are_those_of_the_definition(layer, dtype, limit):
    _, made = by_kernels(*layer, dtype)
    for ours, exact in zip(made, by_definition(*layer), strict=True):
        assert np.abs(ours - exact).max() <= limit * np.abs(exact).max()


def test_primitives_are_those_of_the_definition(layer):
    small, large, w = layer
    of_small, of_large, u = (op.evaluate(x) for op, x in zip(
        (SmallComponents(), LargeComponents(), FilterComponents()), layer, strict=True))  # fmt: skip
    parts, _ = by_kernels(small, large, w, "float64")
    for ours, exact in zip(parts, (np.moveaxis(of_small, 0, -1), np.moveaxis(of_large, 0, -1), u), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-14)
    kinds = data(*small.shape[1:]), data(*large.shape[1:]), parameter(**dict(zip("fcuv", w.shape, strict=True)))
    made = (
        ConvolvePhases(kinds[0]).evaluate(of_large, u),
        SpreadPhases(kinds[1]).evaluate(of_small, u),
        PhasesFilterGradient(kinds[2]).evaluate(of_small, of_large),
    )
    for ours, exact in zip(made, by_definition(*layer), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=0, atol=1e-12)
    sizes = [op.type(kind).shape for op, kind in zip(
        (SmallComponents(), LargeComponents(), FilterComponents()), kinds, strict=True)]  # fmt: skip
    assert sizes == [of_small.shape[1:], of_large.shape[1:], u.shape]
