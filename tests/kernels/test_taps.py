"""Convolution tap by tap against the definition: every stride, dilation and padding, kernels larger than images."""

import itertools

import numpy as np
import pytest

from cnnspec.ir import data, parameter
from cnnspec.ir.geometry import Geometry
from cnnspec.kernels.taps import convolve_by_tap, filter_gradient_by_tap, input_gradient_by_tap
from cnnspec.primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient

KERNELS = [(3, 3), (2, 5), (1, 1), (4, 1)]
STEPS = [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((3, 1), (1, 2)), ((1, 3), (2, 1)), ((5, 2), (3, 3))]  # and dilation
PADS = [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((0, 2), (1, 0)), ((4, 3), (3, 5))]
SIZES = [(1, 1), (2, 2), (3, 2), (1, 4), (6, 5)]
N, C, F = 3, 5, 4


def rows(x):
    """[n,c,h,w] as the kernels have it, [h,c,w,n]."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def by_tap(w):
    """[f,c,u,v] as [f,u,v,c]."""
    return np.ascontiguousarray(w.transpose(0, 2, 3, 1))


def nowhere(*shape):
    return np.full(shape, np.nan)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize(("stride", "dilate"), STEPS, ids=str)
def test_the_layer_and_its_gradients(kernel, stride, dilate):
    random, tried = np.random.default_rng(0), 0
    for pad, (height, width) in itertools.product(PADS, SIZES):
        geometry = Geometry(kernel, stride, pad, dilate)
        out_h, out_w = geometry.out(height, width)
        if min(out_h, out_w) < 1:
            continue
        tried += 1
        most = max(geometry.meetings(height, width)) * N
        x, w = random.normal(size=(N, C, height, width)), random.normal(size=(F, C, *kernel))
        dy = random.normal(size=(N, F, out_h, out_w))
        arguments = (stride, dilate, pad)

        y, lent = nowhere(out_h, F, out_w, N), {"met": nowhere(C, most), "products": nowhere(F, most)}
        convolve_by_tap(rows(x).swapaxes(0, 1), by_tap(w), *arguments, **lent, out=y.swapaxes(0, 1))
        np.testing.assert_allclose(y, rows(Convolve(geometry).evaluate(x, w)), rtol=0, atol=1e-12)

        dx, lent = nowhere(height, C, width, N), {"met": nowhere(F, most), "products": nowhere(C, most)}
        input_gradient_by_tap(rows(dy).swapaxes(0, 1), by_tap(w), *arguments, **lent, out=dx.swapaxes(0, 1))
        wanted = ConvolveInputGradient(geometry, 1, data(C, height, width)).evaluate(dy, w)
        np.testing.assert_allclose(dx, rows(wanted), rtol=0, atol=1e-12)

        dw, lent = nowhere(F, *kernel, C), {"made": nowhere(F, most), "met": nowhere(C, most)}
        views = (array.swapaxes(0, 1) for array in (rows(dy), rows(x)))
        filter_gradient_by_tap(*views, *arguments, **lent, out=dw)
        wanted = ConvolveFilterGradient(geometry, 1, parameter(f=F, c=C, u=kernel[0], v=kernel[1])).evaluate(x, dy)
        np.testing.assert_allclose(dw, by_tap(wanted), rtol=0, atol=1e-12)
    assert tried


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize(("stride", "dilate"), STEPS, ids=str)
def test_how_often_a_tap_meets_a_pixel_is_told_before(kernel, stride, dilate):
    """By counting, one pixel after the other."""
    for pad, (height, width) in itertools.product(PADS, SIZES):
        geometry = Geometry(kernel, stride, pad, dilate)
        out_h, out_w = geometry.out(height, width)
        if min(out_h, out_w) < 1:
            continue
        met = dict.fromkeys(itertools.product(*map(range, kernel)), 0)
        for u, v in met:
            for i, j in itertools.product(range(out_h), range(out_w)):
                row = i * stride[0] + u * dilate[0] - pad[0][0]
                column = j * stride[1] + v * dilate[1] - pad[1][0]
                met[u, v] += 0 <= row < height and 0 <= column < width
        assert geometry.meetings(height, width) == tuple(met.values())
