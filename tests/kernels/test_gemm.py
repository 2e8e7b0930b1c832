"""Products in pieces are the products that NumPy makes in one."""

import itertools

import numpy as np
import pytest

import cnnspec
from cnnspec.kernels import gemm as module
from cnnspec.kernels.gemm import (
    MULTIPLICATIONS,
    RESULT,
    across_by_bands,
    bands_of,
    by_depth,
    cut_into,
    fetch,
    gemm,
    in_blocks,
    outer_products,
    parts_of,
    pieces_across,
)

SIZES = [(16, 48, 512), (32, 96, 512), (64, 192, 256), (128, 384, 128), (64, 64, 256), (512, 4608, 64)]


@pytest.fixture(params=[False, True], ids=["packed", "as they lie"])
def blas(request, monkeypatch):
    """Both kinds of BLAS, whichever this machine's is."""
    monkeypatch.setattr(module, "WITHOUT_PACKING", request.param)
    return request.param


@pytest.fixture
def small(monkeypatch):
    """Limits so low that small products are cut."""
    cut_into.cache_clear()
    monkeypatch.setattr(module, "MULTIPLICATIONS", 6_000)
    monkeypatch.setattr(module, "RESULT", 300)
    monkeypatch.setattr(module, "SHALLOW", 8)
    monkeypatch.setattr(module, "SPAN", 16)
    yield
    cut_into.cache_clear()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("m, k, n", [*SIZES, (6, 4, 65536), (4, 12, 65536), (6, 6, 40_000)])
def test_pieces_divide_the_product_and_are_small_enough(m, k, n, transposed):
    rows, columns = cut_into(m, k, n, False, transposed, True)
    assert m % rows == n % columns == 0
    if (rows, columns) != (m, n):
        assert rows * k * columns <= MULTIPLICATIONS and not (transposed and rows * columns > RESULT)
    assert cut_into(m, k, n, False, transposed, False) == (m, n)


def test_what_fits_is_left_in_one_piece_and_what_cannot_be_cut_too():
    assert cut_into(16, 48, 512, False, False, True) == (16, 512)
    assert cut_into(16, 512, 16, False, True, True) == (16, 16)
    assert cut_into(97, 1009, 101, False, False, True) == (97, 101)  # primes


def test_short_sums_are_not_cut():
    """What a few multiplications make of a large matrix is soon made, however it lies; of few rows it is not."""
    assert cut_into(10, 32, 1352, False, True, True) == (10, 52)
    assert cut_into(512, 32, 4608, False, True, True) == (512, 4608)
    assert cut_into(512, 64, 4608, False, True, True) != (512, 4608)
    assert cut_into(512, 32, 4608, False, False, True) != (512, 4608)


def test_a_deep_matrix_is_not_read_across():
    """Each number of a row of W^T lies a whole row of W further on."""
    assert cut_into(9216, 128, 32, True, False, True) == (192, 32)
    assert cut_into(4096, 4096, 16, True, False, True) == (4096, 16)
    assert cut_into(4096, 4096, 16, False, False, True) == (8, 16)


def test_a_few_rows_are_cut_into_long_pieces():
    """Nothing is read again, so that a piece may have all the columns that fit."""
    assert cut_into(6, 6, 65_536, False, False, True) == (6, 16_384)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "a, b", [((16, 24), (24, 48)), ((3, 1, 32, 20), (3, 5, 20, 32)), ((2, 4, 24, 10), (2, 4, 10, 96))], ids=str
)
def test_a_product_in_pieces_is_the_product(a, b, dtype, blas):
    random = np.random.default_rng(0)

    def both_ways(shape):
        yield random.normal(size=shape).astype(dtype)
        yield random.normal(size=(*shape[:-2], shape[-1], shape[-2])).astype(dtype).swapaxes(-1, -2)

    for left, right in itertools.product(both_ways(a), both_ways(b)):
        exact = np.matmul(left.astype("float64"), right.astype("float64"))
        apart = np.full((*exact.shape[:-1], exact.shape[-1] + 16), np.nan, dtype)
        out = apart[..., :-16]  # rows that do not lie one after the other
        gemm(left, right, out=out)
        np.testing.assert_allclose(out, exact, rtol=0, atol=(1e-12 if dtype == "float64" else 1e-5))
        assert np.isnan(apart[..., -16:]).all()
        across, transposed = (x.strides[-1] > x.strides[-2] for x in (left, right))
        assert (cut_into(a[-2], a[-1], b[-1], across, transposed, blas) == (a[-2], b[-1])) is not blas


def test_pieces_of_a_matrix_are_a_view_of_it():
    x = np.arange(24).reshape(2, 12)
    assert in_blocks(x, 4).tolist() == [[row[start : start + 4].tolist() for row in x] for start in (0, 4, 8)]
    assert np.shares_memory(in_blocks(x, 4), x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_of_each_line_of_the_cache_is_read(dtype):
    x, scratch = np.arange(2 * 48, dtype=dtype).reshape(2, 48), np.full((4, 6), -1, dtype)
    fetch(x, scratch)
    size = 64 // x.itemsize
    expected = x[x % size == 0]
    assert scratch.reshape(-1).tolist() == [*expected, *[-1] * (24 - len(expected))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m, k, n", [(24, 2, 4096), (40, 8, 96), (7, 32, 60), (11, 3, 13), (1, 1, 1)])
def test_outer_products_added_up_are_the_product(m, k, n, dtype):
    random = np.random.default_rng(0)
    y, x = random.normal(size=(m, k)).astype(dtype), random.normal(size=(n, k)).astype(dtype)
    out = np.full((m, n), np.nan, dtype)
    outer_products(y, x, scratch=np.empty((k, n), dtype), out=out)
    np.testing.assert_allclose(
        out, y.astype("f8") @ x.T.astype("f8"), rtol=0, atol=1e-12 if dtype == "float64" else 1e-5
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m, k, n", [(768, 384, 4), (1000, 250, 32), (514, 64, 3), (520, 640, 1)])
def test_a_matrix_read_across_by_bands_gives_the_product(m, k, n, dtype):
    random = np.random.default_rng(0)
    w, y = random.normal(size=(m, k)).astype(dtype), random.normal(size=(m, n)).astype(dtype)
    rows, columns = bands_of(m, k, n)
    assert m % rows == k % columns == 0 and rows * columns * n <= MULTIPLICATIONS
    out, parts = np.full((k, n), np.nan, dtype), np.empty((m // rows, k // columns, 1, columns, n), dtype)
    across_by_bands(w, y, parts=parts, out=out)
    exact = w.T.astype("f8") @ y.astype("f8")
    np.testing.assert_allclose(out, exact, rtol=0, atol=1e-11 if dtype == "float64" else 1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m, k, n", [(128, 9216, 4), (10, 5408, 32), (100, 3000, 6)])
def test_a_deep_product_in_parts_is_the_product(m, k, n, dtype, blas):
    shape = parts_of(m, k, n)
    assert (shape is not None) is blas
    if shape is None:
        return
    random = np.random.default_rng(0)
    a, b = random.normal(size=(m, k)).astype(dtype), random.normal(size=(k, n)).astype(dtype)
    out, parts = np.full((m, n), np.nan, dtype), np.full(shape, np.nan, dtype)
    by_depth(a, b, parts=parts, out=out)
    exact = a.astype("f8") @ b.astype("f8")
    np.testing.assert_allclose(out, exact, rtol=0, atol=1e-11 if dtype == "float64" else 2e-4)


def test_what_is_not_deep_has_no_parts(monkeypatch):
    monkeypatch.setattr(module, "WITHOUT_PACKING", True)
    assert parts_of(128, 9216, 32) == (9, 8, 16, 32)
    assert parts_of(128, 9216, 1) is None  # of one image a product reads the matrix as it lies
    assert parts_of(120, 784, 64) is None
    assert parts_of(128, 9216, 256) is None
    assert parts_of(128, 9973, 32) is None  # a prime


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matrices_that_a_matrix_is_read_across_for_come_together(dtype, monkeypatch):
    """What the input's gradient of a deep 1x1 convolution is: a row of pixels each."""
    monkeypatch.setattr(module, "WITHOUT_PACKING", True)
    rows, columns = pieces_across(1024, 96, 8)
    random = np.random.default_rng(0)
    w, y = random.normal(size=(1024, 96)).astype(dtype), random.normal(size=(3, 1024, 8)).astype(dtype)
    out, parts = np.full((3, 96, 8), np.nan, dtype), np.empty((1024 // rows, 96 // columns, 3, columns, 8), dtype)
    across_by_bands(w, y, parts=parts, out=out)
    exact = w.T.astype("f8") @ y.astype("f8")
    np.testing.assert_allclose(out, exact, rtol=0, atol=1e-11 if dtype == "float64" else 1e-4)


def test_which_1x1_convolutions_are_read_across(monkeypatch):
    monkeypatch.setattr(module, "WITHOUT_PACKING", True)
    assert pieces_across(2048, 512, 16) == (512, 64)
    assert pieces_across(2048, 512, 64) is None  # packing pays
    assert pieces_across(512, 2048, 16) is None  # taken as it lies
    assert pieces_across(1021, 512, 16) is None  # a prime
    monkeypatch.setattr(module, "WITHOUT_PACKING", False)
    assert pieces_across(2048, 512, 16) is None


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("across", [False, True])
def test_a_large_matrix_is_read_once_for_several_with_the_same_bits(across, monkeypatch):
    monkeypatch.setattr(module, "WITHOUT_PACKING", True)
    random = np.random.default_rng(0)
    a, b = random.normal(size=(96, 64)).astype("float32"), random.normal(size=(3, 64, 16)).astype("float32")
    a = a.T.copy().T if across else a
    out, apart = np.full((3, 96, 16), np.nan, "float32"), np.full((3, 96, 16), np.nan, "float32")
    gemm(a, b, out=out)
    for one, made in zip(b, apart, strict=True):
        gemm(a, one, out=made)
    assert cut_into(96, 64, 16, across, False, True) != (96, 16)
    assert np.array_equal(out, apart)


def test_a_large_dense_layer_of_few_images_has_the_gradients_of_any(monkeypatch):
    """Both kinds of plan, of float64; the weights of the second layer are read across by bands."""
    text = "input 1x1x96\ndense 128 -> relu -> dense 768 -> relu -> dense 3 -> softmax\n"
    x, y = np.random.default_rng(0).normal(size=(8, 1, 1, 96)), np.arange(8) % 3
    found = []
    for flag in (False, True):
        monkeypatch.setattr(module, "WITHOUT_PACKING", flag)
        model = cnnspec.compile(text=text, seed=0, batch=8, dtype="float64")
        source = model.engine.plan("train", 8).source
        assert [name in source for name in ("outer_products", "across_by_bands")] == [flag, flag]
        found.append(model.gradients(x, y))
    for name, values in found[0].items():
        np.testing.assert_allclose(found[1][name], values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("layers", [(), (3,)])
def test_the_order_of_pieces_changes_no_bit(layers, monkeypatch):
    """A large second matrix is read once: all rows of the first with some of its columns, then with the next."""
    monkeypatch.setattr(module, "WITHOUT_PACKING", True)
    m, k, n = 128, 128, 1536
    assert cut_into(m, k, n, False, True, True) == (16, 64)
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(*layers, size, k)).astype("float32") for size in (m, n))
    made = []
    for afar in (0, k * n):
        monkeypatch.setattr(module, "AFAR", afar)
        out = np.full((*layers, m, n), np.nan, "float32")
        gemm(a, b.swapaxes(-1, -2), out=out)
        made.append(out)
    np.testing.assert_array_equal(*made)
    np.testing.assert_allclose(made[0], a @ b.swapaxes(-1, -2), rtol=0, atol=1e-4)
