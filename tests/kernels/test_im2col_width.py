"""Im2colWidth: what `im2col_width` copies of one image, in pieces that are found once."""

from itertools import product

import numpy as np
import pytest

from cnnspec.kernels.conv import Im2colWidth, im2col_width, reach

SIZES = ((4, 6, 8), (1, 2, 12), (5, 4, 1))
WINDOWS = tuple(product((1, 2, 3, 5), (1, 2, 3), (1, 2, 5), (0, 1, 2, 4)))


def pieces(x, kernel, stride, dilate, pad, groups):
    """What both make of x."""
    height, channels, width, _ = x.shape
    (top, bottom), (left, right) = pad
    wide = (width + left + right - dilate * (kernel - 1) - 1) // stride + 1
    shape = (groups, top + height + bottom, kernel, channels // groups, wide, 1)
    expected, made = np.full((2, *shape), np.nan, x.dtype)
    im2col_width(x, kernel, stride, dilate, pad, out=expected)
    columns = Im2colWidth(x, kernel, stride, dilate, pad, out=made)
    columns.copy()
    return expected, made, columns


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_im2col_copies(size):
    x = np.random.default_rng(0).normal(size=(*size, 1)).astype("float32")
    seen = 0
    for (kernel, stride, dilate, side), groups in product(WINDOWS, (1, 2)):
        if size[2] + 2 * side <= dilate * (kernel - 1):
            continue
        expected, made, _ = pieces(x, kernel, stride, dilate, ((side, 1), (side, side)), groups)
        np.testing.assert_array_equal(made, expected)
        seen += 1
    assert seen > 50


def test_all_channels_of_a_row_in_one_run_where_rows_stay_as_long():
    x = np.random.default_rng(1).normal(size=(4, 6, 8, 1)).astype("float32")
    for pad, run in ((((1, 1), (1, 1)), 6 * 8), (((1, 1), (0, 0)), 6)):
        expected, made, columns = pieces(x, 3, 1, 1, pad, 1)
        np.testing.assert_array_equal(made, expected)
        assert max(to.shape[-1] for to, _ in columns.copies) == run


def test_rows_of_an_image_whose_channels_do_not_lie_together():
    """A view of some of its columns, say."""
    whole = np.random.default_rng(2).normal(size=(4, 6, 10, 1)).astype("float32")
    expected, made, _ = pieces(whole[:, :, 1:9], 3, 1, 1, ((1, 1), (1, 1)), 1)
    np.testing.assert_array_equal(made, expected)


def test_a_copy_is_of_what_the_image_holds_then():
    x = np.zeros((3, 2, 4, 1), "float32")
    _, made, columns = pieces(x, 3, 1, 1, ((0, 0), (1, 1)), 1)
    x[...] = 1
    columns.copy()
    assert made.sum() == 3 * 2 * sum(hi - lo for lo, hi in (reach(4, 4, 1, v - 1) for v in range(3)))
