"""What kernels promise beyond what the battery asks of them: precision, extremes, pieces, random bits."""

from __future__ import annotations

import re
from math import erfc, sqrt
from pathlib import Path

import numpy as np
import pytest

import cnnspec
from cnnspec.ir import data
from cnnspec.ir.expression import X, differentiate, evaluate
from cnnspec.ir.geometry import Geometry
from cnnspec.kernels import KERNELS, MODULES
from cnnspec.kernels.activation import clip, elu, leaky, random_mask, relu, sigmoid, softplus, softsign
from cnnspec.kernels.channels import (
    gate_pixels,
    image_means,
    image_means_gradient,
    log_softmax,
    pixel_sums,
    softmax,
    softmax_of_one,
)
from cnnspec.kernels.conv import col2im_width, copy_pixels, input_gradient_by_phase
from cnnspec.kernels.cost import count_correct
from cnnspec.kernels.gates import (
    gelu,
    gelu_and_derivative,
    gelu_tanh,
    gelu_tanh_and_derivative,
    hardswish,
    hardswish_and_derivative,
    mish,
    mish_and_derivative,
    swish,
    swish_and_derivative,
)
from cnnspec.kernels.resample import enlarge_gradient
from cnnspec.primitives.convolution.convolve import ConvolveInputGradient
from cnnspec.words.activation.gates import Gelu, HardSwish, Mish, Swish

GATES = {"gelu": gelu, "gelu_tanh": gelu_tanh, "swish": swish, "hardswish": hardswish, "mish": mish}
SLOPED = {  # the kernel that makes the derivative too, its rows of scratch, and the word
    "gelu": (gelu_and_derivative, 4, Gelu()),
    "gelu_tanh": (gelu_tanh_and_derivative, 3, Gelu("tanh")),
    "swish": (swish_and_derivative, 2, Swish()),
    "hardswish": (hardswish_and_derivative, 2, HardSwish()),
    "mish": (mish_and_derivative, 3, Mish()),
}
ROWS = {"gelu": 4, "gelu_tanh": 3, "swish": 1, "hardswish": 1, "mish": 2}


def test_no_two_kernels_share_a_name():
    named = [
        name
        for module in MODULES
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", "") == module.__name__
    ]
    assert sorted(named) == sorted(KERNELS)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_every_kernel_says_what_it_does(name):
    assert KERNELS[name].__doc__


def gated(name: str, x: np.ndarray, length: int = 8192) -> np.ndarray:
    out = np.empty_like(x)
    GATES[name](x, scratch=np.empty((ROWS[name], length), x.dtype), out=out)
    return out


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 4e-7), ("float64", 2e-14)])
def test_gelu_is_as_exact_as_its_numbers(dtype, tolerance):
    """Against the standard library's erfc, far into both tails."""
    x = np.linspace(-12, 12, 20_011).astype(dtype)
    wanted = np.array([v * erfc(-v / sqrt(2)) / 2 for v in x.astype(float)])
    assert np.abs(gated("gelu", x) - wanted).max() < tolerance * 12


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gates_end_as_zero_and_as_x(name, dtype):
    x = np.array([-1e30, -1e4, -90, 90, 1e4, 1e30], dtype)
    with np.errstate(over="ignore", under="ignore"):
        found = gated(name, x)
    assert np.allclose(found, [0, 0, 0, 90, 1e4, 1e30], rtol=1e-6, atol=1e-20)


@pytest.mark.parametrize("name", GATES)
def test_gates_do_not_depend_on_the_pieces(name):
    """Lengths that do not divide, several axes, and the memory of x itself."""
    x = np.random.default_rng(0).normal(size=(5, 7, 11))
    whole = gated(name, x)
    assert np.array_equal(gated(name, x, 64), whole)
    GATES[name](x, scratch=np.empty((ROWS[name], 100)), out=x)
    assert np.array_equal(x, whole)


def sloped(name: str, x: np.ndarray, length: int = 8192) -> tuple[np.ndarray, np.ndarray]:
    kernel, rows, _ = SLOPED[name]
    out, derivative = np.empty_like(x), np.empty_like(x)
    kernel(x, scratch=np.empty((rows, length), x.dtype), derivative=derivative, out=out)
    return out, derivative


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_are_those_of_the_formula(name, dtype):
    """To 16 units in the last place, of 1 where the numbers are small: between 8 and 9 one is 1e-6 in float32."""
    x = np.linspace(-9, 9, 20_011).astype(dtype)
    formula = SLOPED[name][2].formula(X)
    for made, exact in zip(sloped(name, x), (formula, differentiate(formula)), strict=True):
        wanted = evaluate(exact, x=x.astype(float))
        unit = np.finfo(dtype).eps * np.maximum(1, np.abs(wanted))
        assert np.abs((made - wanted) / unit).max() < 16


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slopes_end_as_zero_and_as_one(name, dtype):
    x = np.array([-1e30, -1e4, -90, 90, 1e4, 1e30], dtype)
    with np.errstate(over="ignore", under="ignore"):
        found, derivative = sloped(name, x)
    assert np.allclose(found, [0, 0, 0, 90, 1e4, 1e30], rtol=1e-6, atol=1e-20)
    assert np.allclose(derivative, [0, 0, 0, 1, 1, 1], rtol=1e-6, atol=1e-20)


@pytest.mark.parametrize("name", GATES)
def test_value_or_slope_may_be_made_where_the_input_lies(name):
    x = np.random.default_rng(0).normal(size=(5, 7, 11))
    kernel, rows, _ = SLOPED[name]
    made, derivative = sloped(name, x)
    assert all(map(np.array_equal, sloped(name, x, 64), (made, derivative)))
    one, other = x.copy(), np.empty_like(x)
    kernel(one, scratch=np.empty((rows, 100)), derivative=other, out=one)
    assert np.array_equal(one, made) and np.array_equal(other, derivative)
    one = x.copy()
    kernel(one, scratch=np.empty((rows, 100)), derivative=one, out=other)
    assert np.array_equal(one, derivative) and np.array_equal(other, made)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, out: relu(x, out=out),
        lambda x, out: sigmoid(x, out=out),
        lambda x, out: softplus(x, out=out),
        lambda x, out: clip(x, np.float32(1 / 6), np.float32(0.5), np.float32(1), out=out),
        lambda x, out: leaky(x, np.float32(0.1), scratch=np.empty_like(x), out=out),
        lambda x, out: elu(x, np.float32(1), np.float32(1), scratch=np.empty_like(x), out=out),
        lambda x, out: softsign(x, scratch=np.empty_like(x), out=out),
    ],
)
def test_activations_may_overwrite_what_they_read(function):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype("float32")
    out = np.empty_like(x)
    function(x, out)
    function(x, x)
    assert np.array_equal(x, out)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_of_numbers_of_any_size(dtype):
    x = np.array([[1e30, -1e30, 5], [0, 1e30, 5], [1e30, 3, 5]], dtype)
    y, part, scratch = np.empty_like(x), np.empty_like(x), np.empty((1, 3), dtype)
    softmax(x, 0, scratch=scratch, out=y)
    assert np.allclose(y, [[0.5, 0, 1 / 3], [0, 1, 1 / 3], [0.5, 0, 1 / 3]])
    log_softmax(x, 0, part=part, scratch=scratch, out=y)
    assert np.allclose(np.exp(y), [[0.5, 0, 1 / 3], [0, 1, 1 / 3], [0.5, 0, 1 / 3]])
    for column, made in zip(x.T.copy(), np.exp(y).T, strict=True):
        softmax_of_one(column, np.ones(3, dtype), out=column)
        assert np.allclose(column, made)


def test_masks_keep_the_mean_and_depend_on_their_key_alone():
    masks = {}
    for key in [(0, 1, 0, 5), (0, 2, 0, 5), (0, 1, 1, 5), (0, 1, 0, 6), (7, 1, 0, 5)]:
        out = np.empty((40, 1000), "float32")
        random_mask(key, 0.3, out=out)
        again = np.empty_like(out)
        random_mask(key, 0.3, out=again)
        assert np.array_equal(out, again)
        assert set(np.unique(out)) == {0, np.float32(1 / 0.7)}
        assert abs(out.mean() - 1) < 0.015  # four deviations
        masks[key] = out.tobytes()
    assert len(set(masks.values())) == len(masks)


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 4, 7)])
def test_correct_answers_are_those_of_argmax(shape):
    """With many ties, and with numbers that are none."""
    generator = np.random.default_rng(0)
    axis = 0 if len(shape) == 2 else 1
    pixels = (*shape[:axis], *shape[axis + 1 :])
    for _ in range(20):
        z, t = (generator.integers(0, 3, shape).astype("float32") for _ in range(2))
        z.flat[generator.integers(z.size)] = np.nan
        places = {"transposed": np.empty((*pixels, shape[axis]), "float32"), "correct": np.empty(pixels, bool)}
        places |= {name: np.empty(pixels, "int64") for name in ("z_at", "t_at")}
        views = [np.moveaxis(x, axis, -1) for x in (z, t)]
        assert count_correct(*views, **places) == np.sum(z.argmax(axis) == t.argmax(axis))


@pytest.mark.parametrize(
    "shape", [(1, 3, 1, 2), (1, 3, 2, 1), (2, 3, 3, 4), (5, 2, 7, 1), (3, 4, 13, 2), (4, 2, 100, 3)]
)
def test_sums_over_pixels_are_those_of_every_width(shape):
    """By halves, of widths that two divides and does not."""
    x = np.random.default_rng(0).integers(-9, 9, shape).astype("float32")
    before = x.copy()
    row, out = np.empty(shape[1:], "float32"), np.empty((shape[1], shape[3]), "float32")
    pixel_sums(x, scratch=row, out=out)
    assert np.array_equal(out, x.sum(axis=(0, 2))) and np.array_equal(x, before)
    image_means(x, scratch=row, out=out)
    assert np.allclose(out, x.mean(axis=(0, 2)))
    spread = np.empty_like(x)
    image_means_gradient(out, scratch=row, out=spread)
    assert np.allclose(spread, np.broadcast_to(out[:, None] / (shape[0] * shape[2]), shape))
    gate_pixels(x, out, scratch=row, out=spread)
    assert np.array_equal(spread, x * out[None, :, None])


@pytest.mark.parametrize(
    "case", [(5, 14, 9, 0), (3, 8, 8, 1), (3, 4, 5, 2), (4, 3, 6, 2), (3, 1, 6, 1), (1, 4, 3, 0)], ids=str
)
def test_input_gradients_by_columns_at_every_edge(case):
    """Input rows that see all of the kernel, rows that see a part of it, and no row that sees all."""
    kernel, height, width, pad = case
    geometry = Geometry((kernel, 3), (1, 1), ((pad, pad), (1, 2)))
    random = np.random.default_rng(0)
    rows, columns = geometry.out(height, width)
    weights, dy = random.normal(size=(4, 2, kernel, 3)), random.normal(size=(3, 4, rows, columns))
    wanted = ConvolveInputGradient(geometry, 1, data(2, height, width)).evaluate(dy, weights)
    out = np.empty((height, 2, width, 3))
    col2im_width(
        np.ascontiguousarray(weights.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(dy.transpose(2, 1, 3, 0)),
        geometry.pad,
        transposed=np.empty((3, 2, kernel, 4)),
        scratch=np.full((height, 3, 2, columns, 3), np.nan),
        out=out,
    )
    assert np.allclose(out.transpose(3, 1, 0, 2), wanted, atol=1e-12)


@pytest.mark.parametrize("kernel", [(4, 4), (3, 2), (1, 5), (2, 1)], ids=str)
@pytest.mark.parametrize("stride", [(2, 2), (3, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("pads", [((0, 0), (0, 0)), ((1, 0), (0, 2)), ((2, 3), (1, 1))], ids=str)
def test_input_gradients_by_phase_at_every_edge(kernel, stride, pads):
    """Phases that no tap meets, pixels that no output sees, outputs before the image and behind it."""
    geometry = Geometry(kernel, stride, pads)
    random = np.random.default_rng(0)
    height, width, filters, images = 7, 6, 5, 3
    rows, columns = geometry.out(height, width)
    weights, dy = random.normal(size=(filters, 2, *kernel)), random.normal(size=(images, filters, rows, columns))
    wanted = ConvolveInputGradient(geometry, 1, data(2, height, width)).evaluate(dy, weights)
    out = np.full((height, 2, width, images), np.nan)
    input_gradient_by_phase(
        np.ascontiguousarray(weights.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(dy.transpose(2, 1, 3, 0)),
        stride,
        pads,
        wide=np.full(2000, np.nan),
        taps=np.full(2 * kernel[0] * kernel[1] * filters, np.nan),
        few=np.full((3, 2 + 16), np.nan),
        products=np.full((2, 2 * width * images), np.nan),
        out=out,
    )
    assert np.allclose(out.transpose(3, 1, 0, 2), wanted, atol=1e-12)


@pytest.mark.parametrize("images", [1, 3, 8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pixels_that_lie_apart_are_copied_as_numpy_does(images, dtype):
    x = np.random.default_rng(0).normal(size=(4, 3, 7, images)).astype(dtype)
    out = np.zeros((4, 3, 9, images), dtype)
    copy_pixels(x[:, :, 1::2], out=out[:, :, 2::3])
    assert np.array_equal(out[:, :, 2::3], x[:, :, 1::2]) and np.count_nonzero(out) == 4 * 3 * 3 * images
    block = np.zeros((4, 3, 7, 2, images), dtype)
    copy_pixels(x[:, :, :, None], out=block)
    assert np.array_equal(block, np.broadcast_to(x[:, :, :, None], block.shape))
    images_first = np.ascontiguousarray(x.transpose(3, 0, 1, 2)).transpose(1, 2, 3, 0)  # not in one piece
    copy_pixels(images_first[:, :, ::3], out=out[:, :, ::3])
    assert np.array_equal(out[:, :, ::3], x[:, :, ::3])


@pytest.mark.parametrize("factors", [(2, 2), (3, 1), (1, 2)])
def test_every_pixel_gets_the_sum_of_its_block(factors):
    (u, v), random = factors, np.random.default_rng(0)
    dy, out = random.normal(size=(4 * u, 3, 5 * v, 2)), np.full((4, 3, 5, 2), np.nan)
    enlarge_gradient(dy, factors, out=out)
    assert np.allclose(out, dy.reshape(4, u, 3, 5, v, 2).sum((1, 4)), atol=1e-14)


def test_no_plan_negates_by_numpys_negative():
    """From numbers that lie apart to others that do it makes wrong ones where the last axis is one (NumPy 2.4)."""
    package = Path(cnnspec.__file__).parent
    files = [*package.glob("kernels/*.py"), *package.glob("primitives/**/*.py"), *package.glob("words/**/*.py")]
    assert len(files) > 50
    assert not [file for file in files if re.search(r"\bnp\.negative\b", file.read_text(encoding="utf-8"))]
