"""Products of matrices, cut as OpenBLAS likes them.

BLAS packs the matrices of a product first: it copies them in the order in which its inner loop reads them, which
for small ones takes up to a third of the time. With AVX-512, OpenBLAS (0.3.31) takes small products as they lie in
memory instead: of up to a million multiplications, and where the second matrix is transposed, with up to 1,200
numbers in the result. So a product is cut into such pieces there, but for sums of a few products, which are soon
made and whose results are many. On other processors all are packed, and the larger the better.
"""

from __future__ import annotations

from functools import cache

import numpy as np

FEATURES: dict[str, list[str]] = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[assignment]
AVX512 = {"AVX512_SKX", "X86_V4"}  # by the names of NumPy before 2.4 and since
WITHOUT_PACKING = not AVX512.isdisjoint(FEATURES.get("baseline", []) + FEATURES.get("found", []))
MULTIPLICATIONS, RESULT = 1_000_000, 1_200
ACROSS = 512  # rows of a transposed first matrix, beyond which reading it as it lies costs more than packing it
SHALLOW = 64  # multiplications of a number of the result, below which pieces cost more than packing
SPAN = 128  # columns of a piece that are surely not too many: they are read again for every few rows
NARROW = 16  # rows of a first matrix, with which pieces pay from half as many on
LINE = 64  # bytes of a line of the cache
AFAR = 1 << 17  # numbers of a transposed second matrix that do not stay in the cache from some rows to the next
BAND = 256  # rows of a large matrix whose beginnings the table of pages has room for
DEPTH = 1024  # multiplications of a number of the result, beyond which a product is made in several parts
FEWEST_ROWS, MOST_ROWS, SHORTEST = 4, 64, 128  # rows of a piece of such a product, and its depth
FEW_COLUMNS = 32  # of a second matrix, with which packing a transposed first one takes as long as multiplying


def gemm(a: np.ndarray, b: np.ndarray, *, out: np.ndarray) -> None:
    """a[...,m,k] . b[...,k,n] -> out[...,m,n], cut into pieces that BLAS takes as they lie.

    Both may be transposed views.
    """
    (*_, m, k), n = a.shape, b.shape[-1]
    across, transposed = (x.strides[-1] > x.strides[-2] for x in (a, b))
    rows, columns = cut_into(m, k, n, across, transposed, WITHOUT_PACKING)
    if (rows, columns) == (m, n):
        np.matmul(a, b, out=out)
    else:
        cut_a = a.reshape(*a.shape[:-2], m // rows, 1, rows, k)
        cut_b = in_blocks(b, columns)[..., None, :, :, :]
        cut_out = out.reshape(*out.shape[:-2], m // rows, rows, n // columns, columns).swapaxes(-2, -3)
        if a.ndim == 2 and b.ndim == 3 and a.size > b.size:  # a piece of a large a with all of b, before the next
            cut_a, cut_b, cut_out = (
                cut_a[:, :, None],
                cut_b.transpose(1, 2, 0, 3, 4),
                cut_out.transpose(1, 2, 0, 3, 4),
            )
            np.matmul(cut_a, cut_b, out=cut_out, order="C")
        elif transposed and m < n and k * n > AFAR:  # all rows with some columns, before the next
            cut_a, cut_b, cut_out = (x.swapaxes(-3, -4) for x in (cut_a, cut_b, cut_out))
            np.matmul(cut_a, cut_b, out=cut_out, order="C")
        else:
            np.matmul(cut_a, cut_b, out=cut_out)


def fetch(x: np.ndarray, scratch: np.ndarray) -> None:
    """Read x[k,m] in order, a number of each line of the cache, into scratch: what a product is about to read.

    A product that takes a matrix as it lies goes over many of its rows at once, which the processor does not
    foresee: out of its reach it runs at three quarters of its speed. Packing, too, reads many rows at once.
    """
    lines = x[:, :: LINE // x.itemsize]
    np.copyto(scratch.reshape(-1)[: lines.size].reshape(lines.shape), lines)


def in_blocks(x: np.ndarray, size: int) -> np.ndarray:
    """x[...,d,l] -> a view [...,l/size,d,size]"""
    *rest, depth, length = x.shape
    return x.reshape(*rest, depth, length // size, size).swapaxes(-2, -3)


def fits_one_gemm(m: int, k: int, n: int, across: bool = False, transposed: bool = False) -> bool:
    """Whether (m, k), transposed with `across`, by (k, n), transposed with `transposed`, is multiplied as it is."""
    return cut_into(m, k, n, across, transposed, WITHOUT_PACKING) == (m, n)


@cache
def cut_into(m: int, k: int, n: int, across: bool, transposed: bool, without_packing: bool) -> tuple[int, int]:
    """How many rows and columns of (m, k) by (k, n) to multiply at a time; the first or the second transposed."""
    fits = m * k * n <= MULTIPLICATIONS and not (transposed and m * n > RESULT)
    shallow = transposed and k < (SHALLOW if m > NARROW else SHALLOW // 2)
    if fits or not without_packing or (across and k > ACROSS) or shallow:
        return m, n
    most = MULTIPLICATIONS // k
    span = SPAN // 2 if transposed or k > SPAN else SPAN
    columns = divisor(n, span if transposed else max(span, most // m))
    rows = divisor(m, min(most, RESULT) // columns if transposed else most // columns)
    return (rows, columns) if columns >= 8 and rows >= min(m, 8) else (m, n)


def divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`."""
    return max(size for size in range(1, max(1, min(number, most)) + 1) if number % size == 0)


def outer_products(y: np.ndarray, x: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """y[m,k] . x[n,k]^T -> out[m,n] for small k, a few rows at a time: most of the work is writing them.

    Rows are long, and begin in as many pages of memory. scratch[k,n] holds x^T.
    """
    np.copyto(scratch, x.T)
    few_rows_at_a_time(y, scratch, out=out)


def few_rows_at_a_time(y: np.ndarray, x: np.ndarray, *, out: np.ndarray) -> None:
    """y[m,k] . x[k,n] -> out[m,n] for small k; y may be a transposed view."""
    (m, k), n = y.shape, x.shape[1]
    rows = divisor(m, max(8, k // 2))
    columns = divisor(n, MULTIPLICATIONS // (rows * k))
    cut_out = out.reshape(m // rows, rows, n // columns, columns).swapaxes(1, 2)
    np.matmul(y.reshape(m // rows, 1, rows, k), in_blocks(x, columns), out=cut_out)


def parts_of(m: int, k: int, n: int) -> tuple[int, int, int, int] | None:
    """The shape of `by_depth`'s parts for (m, k) by (k, n); None where that is not deep, or has no such cut."""
    if not WITHOUT_PACKING or k <= DEPTH or not 1 < n <= SPAN or m * k * n <= MULTIPLICATIONS:
        return None
    depth = divisor(k, DEPTH)
    rows = divisor(m, min(MOST_ROWS, MULTIPLICATIONS // (depth * n)))
    return (k // depth, m // rows, rows, n) if depth >= SHORTEST and rows >= min(m, FEWEST_ROWS) else None


def by_depth(a: np.ndarray, b: np.ndarray, *, parts: np.ndarray, out: np.ndarray) -> None:
    """a[m,k] . b[k,n] -> out[m,n] for large k and few columns: some of k at a time, and the sum of the parts.

    BLAS would pack a, which takes as long as multiplying with so few columns. parts[k/d,m/r,r,n] holds what r rows
    come to with d of k.
    """
    count, groups, rows, n = parts.shape
    pieces = a.reshape(groups, rows, count, -1).transpose(2, 0, 1, 3)
    np.matmul(pieces, b.reshape(count, 1, -1, n), out=parts)
    np.add.reduce(parts, axis=0, out=out.reshape(groups, rows, n))


def pieces_across(m: int, k: int, n: int) -> tuple[int, int] | None:
    """Rows and columns of w[m,k] that `across_by_bands` takes for a 1x1 convolution; None where BLAS does it."""
    if not WITHOUT_PACKING or m <= ACROSS or n > FEW_COLUMNS:
        return None
    rows = divisor(m, ACROSS)
    columns = divisor(k, min(SPAN // 2, MULTIPLICATIONS // (rows * n)))
    return (rows, columns) if rows >= SHORTEST and columns >= 8 else None


def bands_of(rows: int, columns: int, n: int) -> tuple[int, int]:
    """How many rows and columns of w[rows,columns] `across_by_bands` takes at a time, for n columns of y."""
    return divisor(rows, min(BAND, MULTIPLICATIONS // (SPAN * n))), divisor(columns, SPAN)


def across_by_bands(w: np.ndarray, y: np.ndarray, *, parts: np.ndarray, out: np.ndarray) -> None:
    """w[m,k]^T . y[...,m,n] -> out[...,k,n] for small n, some rows of w at a time: all of it is read once.

    A column of a large w is spread over as many pages of memory as it has rows. parts[m/r,k/c,h,c,n] holds what
    each band of r rows comes to, for h matrices y.
    """
    bands, blocks, count, columns, n = parts.shape
    pieces = w.reshape(bands, -1, blocks, 1, columns).transpose(0, 2, 3, 4, 1)
    some = y.reshape(count, bands, -1, n).swapaxes(0, 1)
    np.matmul(pieces, some[:, None], out=parts)
    np.add.reduce(parts, axis=0, out=out.reshape(count, blocks, columns, n).swapaxes(0, 1))
