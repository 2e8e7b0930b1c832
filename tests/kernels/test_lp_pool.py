"""Power-average pooling at numbers whose powers no float32 holds, and at windows of zeros."""

import numpy as np
import pytest

from cnnspec.kernels.pool import lp_pool, lp_pool_gradient

WINDOW = ((2, 2), (2, 2), ((0, 0), (0, 0)))


@pytest.mark.parametrize("p", [1, 2, 3, 64])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_no_power_overflows_or_vanishes(p, size):
    x = np.array([3, -4, 1, 0.5], "float32").reshape(2, 1, 2, 1) * np.float32(size)
    y, dx = np.empty((1, 1, 1, 1), "float32"), np.empty_like(x)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        lp_pool(x, p, *WINDOW, scratch=(np.empty_like(y), np.empty_like(y)), out=y)
        scratch = tuple(np.empty_like(y) for _ in range(3))
        lp_pool_gradient(np.ones_like(y), x, y, p, *WINDOW, scratch=scratch, out=dx)
    exact = (abs(x.astype(float) / size) ** p).sum() ** (1 / p)
    assert y.item() / size == pytest.approx(exact, rel=1e-5)
    slopes = np.sign(x) * (abs(x.astype(float) / size) / exact) ** (p - 1)
    np.testing.assert_allclose(dx, slopes, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_window_of_zeros_has_no_gradient(p):
    x = np.zeros((2, 1, 2, 1), "float32")
    y, dx = np.ones((1, 1, 1, 1), "float32"), np.ones_like(x)
    lp_pool(x, p, *WINDOW, scratch=(np.empty_like(y), np.empty_like(y)), out=y)
    scratch = tuple(np.empty_like(y) for _ in range(3))
    lp_pool_gradient(np.ones_like(y), x, y, p, *WINDOW, scratch=scratch, out=dx)
    assert not y.any() and not dx.any()
