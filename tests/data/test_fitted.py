"""Pictures of any size are brought to a network's: drawings of digits as MNIST was made, others by their middle."""

import numpy as np
import pytest

from cnnspec.data.asked.fitted import as_digit, cover, fitted
from cnnspec.data.dataset import Scaling
from cnnspec.data.load import load
from cnnspec.data.preparation import Preparation
from cnnspec.diagnostics import Fault
from cnnspec.ir import data
from cnnspec.kernels.resample import coverage, resample
from cnnspec.settings.data import Data

DIGITS = load(Data()).test.x[:, 0]


def kept(*shape, classes=tuple("0123456789")):
    return Preparation(shape, Scaling((1 / 255,)), "bytes", (0, 255), classes, "digits")


@pytest.mark.parametrize("paper, ink", [(255, 0), (0, 255), (210, 30), (40, 90)])
def test_a_digit_of_mnist_drawn_large_anywhere_is_that_digit_again(paper, ink):
    """MNIST is fitted already, so what undoes it is known: any place, any size, any paper."""
    random = np.random.default_rng(0)
    for digit in DIGITS[::50]:
        times = int(random.integers(3, 9))
        large = np.kron(digit, np.ones((times, times)))
        canvas = np.zeros((28 * times + random.integers(1, 200), 28 * times + random.integers(1, 200)))
        top, left = (int(random.integers(0, side - 28 * times + 1)) for side in canvas.shape)
        canvas[top : top + 28 * times, left : left + 28 * times] = large
        drawn = np.rint(paper + (ink - paper) * canvas / 255).astype(np.uint8)
        found = as_digit(drawn, 28, "it")
        assert np.corrcoef(found.reshape(-1), digit.reshape(-1))[0, 1] > 0.9
        assert found.max() == 255


def test_a_drawing_lies_in_a_box_of_20_with_its_centre_of_mass_amid():
    drawn = np.full((280, 280), 255, np.uint8)
    drawn[20:180, 230:250] = 0  # a one, in a corner
    drawn[20:60, 200:230] = 0
    found = as_digit(drawn, 28, "it").astype(float)
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    assert np.ptp(rows) + 1 == 20 and np.ptp(columns) + 1 == 6  # 160 and 50 pixels, by 8
    place = np.arange(28)
    assert abs(found.sum(1) @ place / found.sum() - 14) <= 0.5
    assert abs(found.sum(0) @ place / found.sum() - 14) <= 0.5


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_where_nothing_is_drawn_there_is_no_digit(grey):
    for x in (np.full((280, 280), grey), np.full((1, 1), grey), np.clip(grey + np.arange(900) % 3, 0, 255)):
        with pytest.raises(Fault) as refused:
            fitted(x.reshape(-1, int(x.size**0.5)).astype(np.uint8), kept(1, 28, 28), "it.png")
        assert refused.value.code == "CNN475" and "it.png" in refused.value.message


def test_faint_paper_is_no_ink():
    random = np.random.default_rng(0)
    drawn = random.integers(200, 230, (200, 200)).astype(np.uint8)
    drawn[60:140, 95:105] = 20
    found = as_digit(drawn, 28, "it")
    assert np.flatnonzero(found.any(1)).size == 20 and (found > 0).mean() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (28, 28), (2, 2000)])
def test_a_drawing_of_any_proportions_is_fitted(shape):
    drawn = np.zeros(shape, np.uint8)
    drawn[shape[0] // 2, shape[1] // 2] = 255
    if min(shape) > 1:
        found = as_digit(drawn, 28, "it")
        assert found.shape == (28, 28) and found.max() == 255
    line = np.pad(np.full((1, 400), 255, np.uint8), 30)
    assert np.flatnonzero(as_digit(line, 28, "it").any(0)).size == 20


FORMS = {
    "h w": lambda x: x,
    "floats to 1": lambda x: x / 255,
    "whole numbers": lambda x: x.astype(np.int64),
    "c h w": lambda x: x[None],
    "n h w": lambda x: np.stack([x, x]),
    "h w c": lambda x: np.stack([x] * 3, -1),
    "n h w c": lambda x: np.stack([x] * 3, -1)[None],
    "n c h w": lambda x: np.stack([x] * 3)[None],
    "opaque": lambda x: np.stack([x, x, x, np.full_like(x, 255)], -1),
    "transparent paper": lambda x: np.stack([x * 0, x * 0, x * 0, 255 - x], -1),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_array_may_have_its_axes_and_numbers_as_pictures_have_them(form):
    drawn = np.full((90, 70), 255, np.uint8)
    drawn[20:60, 30:40] = 0
    found, word = fitted(FORMS[form](drawn), kept(1, 28, 28), "it")
    assert "MNIST" in word and found.dtype == np.uint8
    for one in found:
        np.testing.assert_array_equal(one[0], as_digit(drawn, 28, "it"))


@pytest.mark.parametrize(
    "x, code",
    [
        (np.zeros((2, 5, 6, 7)), "CNN408"),
        (np.zeros((4,)), "CNN408"),
        (np.zeros((0, 28)), "CNN408"),
        (np.full((9, 9), np.nan), "CNN426"),
        (np.full((9, 9), -1.0), "CNN426"),
        (np.full((9, 9), 1000), "CNN426"),
    ],
)
def test_what_is_no_picture_is_not_fitted(x, code):
    with pytest.raises(Fault) as refused:
        fitted(x, kept(1, 28, 28), "it")
    assert refused.value.code == code


def test_vectors_have_no_pixels():
    with pytest.raises(Fault, match="CNN408|pixels"):
        fitted(np.zeros((28, 28), np.uint8), kept(784), "it")


def test_other_pictures_are_cut_around_the_middle():
    x = np.zeros((1, 3, 40, 100), np.uint8)
    x[:, :, :, 30:70] = 200  # the middle square
    np.testing.assert_array_equal(cover(x, data(3, 8, 8)), np.full((1, 3, 8, 8), 200))
    found, word = fitted(x, kept(3, 8, 8, classes=("a", "b")), "it")
    np.testing.assert_array_equal(found, cover(x, data(3, 8, 8)))
    assert "8x8" in word
    grey, _ = fitted(x[0, 0], kept(3, 8, 8, classes=("a", "b")), "it")
    np.testing.assert_array_equal(grey, found)


def test_pixels_are_weighed_as_pillow_weighs_them():
    np.testing.assert_allclose(coverage(4, 2), [[3 / 7, 3 / 7, 1 / 7, 0], [0, 1 / 7, 3 / 7, 3 / 7]])
    assert coverage(7, 7).tolist() == np.eye(7).tolist()
    image = pytest.importorskip("PIL.Image")
    x = np.random.default_rng(0).integers(0, 256, (37, 53)).astype(np.uint8)
    for height, width in ((9, 20), (80, 60), (37, 1), (1, 53)):
        wanted = np.asarray(image.fromarray(x).resize((width, height), image.Resampling.BILINEAR))
        assert abs(resample(x.astype(float), height, width) - wanted).max() <= 1
