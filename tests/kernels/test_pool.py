"""Pooling windows of any shape, pixel by pixel."""

import numpy as np
import pytest

from cnnspec.kernels import pool


def windows(rng):
    """A random window and an image on which it makes something."""
    while True:
        kernel, stride = (tuple(map(int, rng.integers(1, 5, 2))) for _ in range(2))
        dilate, size = tuple(map(int, rng.integers(1, 4, 2))), tuple(map(int, rng.integers(1, 9, 2)))
        pad = tuple(tuple(map(int, rng.integers(0, 4, 2))) for _ in range(2))
        axes = zip(size, pad, kernel, dilate, stride, strict=True)
        made = tuple((n + sum(p) - (k - 1) * d - 1) // s + 1 for n, p, k, d, s in axes)
        if min(made) > 0:
            return kernel, stride, pad, dilate, size, made


def by_pixels(dy, x, kernel, stride, pad, dilate):
    """Each window by itself: its first pixel, in reading order, that is the largest; and how large it is."""
    dx, largest = np.zeros_like(x), np.full_like(dy, -np.inf)
    for i, c, j, n in np.ndindex(dy.shape):
        seen = [
            (h, w)
            for h in range(i * stride[0] - pad[0][0], x.shape[0], dilate[0])[: kernel[0]]
            for w in range(j * stride[1] - pad[1][0], x.shape[2], dilate[1])[: kernel[1]]
            if h >= 0 <= w
        ]
        if seen:
            h, w = max(seen, key=lambda at: x[at[0], c, at[1], n])  # the first of equals
            dx[h, c, w, n] += dy[i, c, j, n]
            largest[i, c, j, n] = x[h, c, w, n]
    return dx, largest


@pytest.mark.parametrize("seed", range(40))
def test_the_gradient_of_any_window_goes_to_its_first_largest_pixel(seed):
    """On few different numbers, so that many are equal; what scratch held before does not matter."""
    rng = np.random.default_rng(seed)
    kernel, stride, pad, dilate, (height, width), (rows, across) = windows(rng)
    x = rng.integers(0, 3, (height, 2, width, 2)).astype(float)
    dy = rng.integers(-9, 9, (rows, 2, across, 2)).astype(float)  # whole numbers: sums are exact in any order
    y, out = np.empty_like(dy), np.empty_like(x)
    held = np.full((int(rng.integers(1, rows + 1)), 2, width, 2), np.nan)
    pool.maxpool(x, kernel, stride, pad, dilate, rows=held, out=y)
    most = max(height, rows)
    more = {}
    if stride[1] > 1:
        more["columns"] = np.full((2, stride[1], height, 2, -(-width // stride[1]), 2), np.nan)
    scratch, argmax_mask = np.full((4, most, 2, across, 2), np.nan), np.empty((most, 2, across, 2), bool)
    pool.maxpool_gradient(
        dy, x, y, kernel, stride, pad, dilate, **more, scratch=scratch, argmax_mask=argmax_mask, out=out
    )
    dx, most_of_each = by_pixels(dy, x, kernel, stride, pad, dilate)
    np.testing.assert_array_equal(y, most_of_each)
    np.testing.assert_array_equal(out, dx)
