"""Depthwise kernels by bands against the definition: every stride, dilation and padding, strips that end early."""

import itertools

import numpy as np
import pytest

from cnnspec.ir import data, parameter
from cnnspec.ir.geometry import Geometry
from cnnspec.kernels.depthwise import (
    dense_matrices,
    depthwise,
    depthwise_bands,
    depthwise_dense,
    depthwise_dense_filter_gradient,
    depthwise_dense_input_gradient,
    depthwise_filter_gradient,
    depthwise_input_gradient,
    gather_phases,
)
from cnnspec.primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient

KERNELS = [(3, 3), (2, 5), (1, 3), (7, 2)]
STEPS = [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((3, 1), (1, 2)), ((1, 3), (2, 1)), ((5, 2), (1, 1))]  # and dilation
PADS = [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((0, 2), (1, 0)), ((6, 3), (2, 4))]
SIZES = [(7, 8), (9, 5), (4, 8)]
N, C = 3, 5


def rows(x):
    """[n,c,h,w] as the kernels have it, [h,c,w,n]."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def strip(height, stride):
    """Rows of a strip: four, or fewer, and a multiple of the stride."""
    return -(-min(4, height) // stride) * stride


def bands(taps, count, geometry):
    """The kernels as `depthwise` takes them, for so many rows of output."""
    span = (count - 1) * geometry.stride[0] + geometry.extent[0]
    out = np.full((len(taps), count, span * geometry.kernel[1]), np.nan)
    depthwise_bands(taps, geometry.stride[0], geometry.dilate[0], out=out)
    return out


def scratch(count, strips, geometry, width):
    """For two channels at a time."""
    held = (strips * count - 1) * geometry.stride[0] + geometry.extent[0]
    wide = np.full((held, geometry.kernel[1], 2, width, N), np.nan)
    return {"wide": wide, "tail": np.full((2, count, width * N), np.nan)}


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
        x, w = random.normal(size=(N, C, height, width)), random.normal(size=(C, 1, *kernel))
        dy = random.normal(size=(N, C, out_h, out_w))
        arguments = (stride, dilate, pad)

        y = np.full((out_h, C, out_w, N), np.nan)
        exact = rows(Convolve(geometry, C).evaluate(x, w))
        for count, strips in ((2, 1), (4, 2)):  # rows of a strip, and how many are made at a time
            made_of = bands(w[:, 0], count, geometry)
            lent = scratch(count, strips, geometry, out_w)
            y[...] = np.nan
            depthwise(rows(x), made_of, *arguments, **lent, out=y)
            np.testing.assert_allclose(y, exact, rtol=0, atol=1e-12)
            if width % stride[1] == 0:
                by_phase = np.empty_like(rows(x))
                gather_phases(rows(x), stride[1], out=by_phase)
                y[...] = np.nan
                depthwise(by_phase, made_of, *arguments, by_phase=True, **lent, out=y)
                np.testing.assert_allclose(y, exact, rtol=0, atol=1e-12)

        dx = np.full((height, C, width, N), np.nan)
        parts = np.full((2, kernel[1], strip(height, stride[0]), out_w, N), np.nan)
        apart = (strip(height, stride[0]), 2, -(-width // stride[1]), N)
        sums = np.full(apart, np.nan) if stride[1] > 1 else None
        depthwise_input_gradient(rows(dy), w[:, 0], *arguments, parts=parts, sums=sums, out=dx)
        exact = ConvolveInputGradient(geometry, C, data(C, height, width)).evaluate(dy, w)
        np.testing.assert_allclose(dx, rows(exact), rtol=0, atol=1e-12)

        dw = np.full((C, *kernel), np.nan)
        count = min(4, out_h)
        span = (count - 1) * stride[0] + geometry.extent[0]
        lent = {"products": np.full((C, count, span), np.nan)}
        if stride[1] > 1:
            lent["seen"] = np.full((C, span, out_w, N), np.nan)
        depthwise_filter_gradient(rows(x), rows(dy), *arguments, **lent, out=dw)
        kind = parameter(f=C, c=1, u=kernel[0], v=kernel[1])
        exact = ConvolveFilterGradient(geometry, C, kind).evaluate(x, dy)
        np.testing.assert_allclose(dw, exact[:, 0], rtol=0, atol=1e-12)

        seen, made = height * width, out_h * out_w
        sizes = {"matrix": (C, made, seen), "seen": (C, seen, N), "made": (C, made, N)}
        lent = {name: np.full(size, np.nan) for name, size in sizes.items()}
        dense_matrices(w[:, 0], (out_h, out_w), (height, width), *arguments, out=lent["matrix"])
        found = np.full_like(y, np.nan)
        depthwise_dense(rows(x), lent["matrix"], seen=lent["seen"], made=lent["made"], out=found)
        np.testing.assert_allclose(found, y, rtol=0, atol=1e-12)
        for made_by_taps, dense, given in (
            (dx, depthwise_dense_input_gradient, (rows(dy), w[:, 0])),
            (dw, depthwise_dense_filter_gradient, (rows(x), rows(dy))),
        ):
            found = np.full_like(made_by_taps, np.nan)
            dense(*given, *arguments, **lent, out=found)
            np.testing.assert_allclose(found, made_by_taps, rtol=0, atol=1e-12)
    assert tried
