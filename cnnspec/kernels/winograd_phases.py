"""4x4 kernels with stride 2 and padding 1, and transposed ones, by Winograd's method in four phases.

Every second row and every second column of the kernel, 2x2 taps, meet one of the four phases of the larger image,
the pixels of every second row and column. For 2x2 taps F(2x2,2x2) makes four pixels of the smaller image with nine
products and not sixteen (Winograd 1980; along one side it is Karatsuba's product of two sums of two). Along a side,
with taps g, pixels s of the smaller image and d of a phase:

    s0 = g0 d0 + g1 d1    g0 (d0 - d1),  (g0 + g1) d1,  g1 (d2 - d1)
    s1 = g0 d1 + g1 d2    s0 is the sum of the first two, s1 of the last two

What is done to taps, to s and to d beforehand serves all three products, for each other way round is the transpose:
of components of the larger image with filters, of those of the smaller with filters, and of both for the filters'
gradient.

Arrays: filters w[s,4,4,l] of s channels of the smaller image and l of the larger; components of filters u[9,s,4,l],
of the smaller image [9,s,i,t,n], of the larger one [9,4,l,i,t,n], for i rows of t squares of 2x2 pixels of the
smaller image; 9 are three of rows by three of columns, 4 are phases, even rows of the padded image before odd ones.

3x3 kernels on images of few pixels a side, with padding of one, take squares of 2x2 outputs too (`squares`), not
those of 4x4 of `winograd_2d.py`: 16 products where the definition takes 36. What is known to be zero is left out:
an image of 2x2 pixels takes 9. Squares of 4x4 of one image alone are here as well.
"""

from __future__ import annotations

from functools import cache
from types import EllipsisType
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .conv import copy_pixels
from .gemm import gemm
from .winograd_1d import transforms

SIDE = 4  # outputs of a square of one image, down and across


def three_by_three(components: np.ndarray) -> np.ndarray:
    """A view [3,3,...] of components [9,...]."""
    return components.reshape(3, 3, *components.shape[1:])


def in_two_ways(components: np.ndarray) -> np.ndarray:
    """A view [3,3,2,2,l,i,t,n] of a larger image's components [9,4,l,i,t,n]."""
    return components.reshape(3, 3, 2, 2, *components.shape[2:])


def filter_components(w: np.ndarray, *, out: np.ndarray) -> None:
    """w[s,4,4,l] -> out[9,s,4,l]: of two taps that meet a phase the first, their sum, the second; in both ways."""
    small, _, _, large = w.shape
    taps = w.reshape(small, 2, 2, 2, 2, large).transpose(1, 3, 0, 2, 4, 5)
    u = three_by_three(out.reshape(9, small, 2, 2, large))
    for down in range(2):
        first, second = taps[down]
        np.copyto(u[2 * down, 0], first)
        np.add(first, second, out=u[2 * down, 1])
        np.copyto(u[2 * down, 2], second)
    np.add(u[0], u[2], out=u[1])


def filters_of_components(u: np.ndarray, *, out: np.ndarray) -> None:
    """The transpose: u[9,s,4,l] -> out[s,4,4,l]; u is changed."""
    small, _, _, large = out.shape
    taps = out.reshape(small, 2, 2, 2, 2, large).transpose(1, 3, 0, 2, 4, 5)
    parts = three_by_three(u.reshape(9, small, 2, 2, large))
    np.add(parts[0], parts[1], out=parts[0])
    np.add(parts[1], parts[2], out=parts[2])
    for down in range(2):
        first, both, second = parts[2 * down]
        np.add(first, both, out=taps[down, 0])
        np.add(both, second, out=taps[down, 1])


def square_pixels(image: np.ndarray, size: int) -> np.ndarray:
    """image[h,c,w,n] -> a view [size,size,c,i,t,n]: a pixel of each square of `size` rows and columns."""
    height, channels, width, n = image.shape
    parts = image.reshape(height // size, size, channels, width // size, size, n)
    return parts.transpose(1, 4, 2, 0, 3, 5)


def small_components(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,s,w,n] -> out[9,s,i,t,n]: of two pixels the first, their sum, the second; in both ways."""
    pixels, parts = square_pixels(x, 2), three_by_three(out)
    for down in range(2):
        first, both, second = parts[2 * down]
        copy_pixels(pixels[down, 0], out=first)
        copy_pixels(pixels[down, 1], out=second)
        np.add(first, second, out=both)
    np.add(parts[0], parts[2], out=parts[1])


def small_of_components(components: np.ndarray, *, out: np.ndarray) -> None:
    """The transpose: components[9,s,i,t,n] -> out[h,s,w,n]; the components are changed."""
    pixels, parts = square_pixels(out, 2), three_by_three(components)
    np.add(parts[0], parts[1], out=parts[0])
    np.add(parts[1], parts[2], out=parts[2])
    for down in range(2):
        first, both, second = parts[2 * down]
        np.add(first, both, out=first)
        np.add(both, second, out=second)
        copy_pixels(first, out=pixels[down, 0])
        copy_pixels(second, out=pixels[down, 1])


def neighbours(phase: int, axis: int) -> tuple[tuple[slice | EllipsisType, ...], ...]:
    """Squares and those beside them with which they share a pixel of a phase, and the square that shares none.

    In the even phase of the padded image, 0, a square's last pixel is the next one's first, which is seen from
    behind; in the odd phase its first is the last one's. `axis` counts from the end.
    """
    near, far, edge = ((1, None), (0, -1), (0, 1)) if phase == 0 else ((0, -1), (1, None), (-1, None))
    rest = (slice(None),) * (axis - 1)
    return tuple((..., slice(*span), *rest) for span in (near, far, edge))


def differences(
    side: np.ndarray, middle: np.ndarray, phase: int, axis: int, *, own: np.ndarray, other: np.ndarray
) -> None:
    """The middle pixel of three, taken from those at both sides, one of which is the next square's: `other`."""
    near, far, edge = neighbours(phase, axis)
    np.subtract(side[far], middle[near], out=other[near])
    np.subtract(0, middle[edge], out=other[edge])  # NumPy 2.4 negates float32 that lie apart wrongly
    np.subtract(side, middle, out=own)


def sums_at_sides(own: np.ndarray, middle: np.ndarray, other: np.ndarray, phase: int, axis: int) -> None:
    """The transpose, in place: pixels at the side, from both squares that see them, to `own`, those between."""
    near, far, _ = neighbours(phase, axis)
    np.subtract(middle, own, out=middle)
    np.subtract(middle, other, out=middle)
    np.add(own[far], other[near], out=own[far])


# for each phase: which of four pixels is at the side and in the middle, which component is the own and the other
SIDES = ((0, 3, 1, 2, 0), (1, 0, 2, 0, 2))


def large_components(x: np.ndarray, *, columns: np.ndarray, out: np.ndarray) -> None:
    """x[h,l,w,n] -> out[9,4,l,i,t,n], by scratch columns[3,2,4,l,i,t,n]."""
    pixels, parts = square_pixels(x, 4), in_two_ways(out)
    for row in range(4):
        for phase, side, middle, own, _ in SIDES:
            copy_pixels(pixels[row, side], out=columns[own, phase, row])
            copy_pixels(pixels[row, middle], out=columns[1, phase, row])
    for phase, _, _, own, other in SIDES:
        at = columns[:, phase]
        differences(at[own], at[1], phase, 2, own=at[own], other=at[other])
    for phase, side, middle, own, other in SIDES:
        at = parts[:, :, phase]
        np.copyto(at[1], columns[:, :, middle])
        differences(columns[:, :, side], columns[:, :, middle], phase, 3, own=at[own], other=at[other])


def large_of_components(components: np.ndarray, *, out: np.ndarray) -> None:
    """The transpose: components[9,4,l,i,t,n] -> out[h,l,w,n]; the components are changed."""
    pixels, parts = square_pixels(out, 4), in_two_ways(components)
    for phase, _, _, own, other in SIDES:
        at = parts[:, :, phase]
        sums_at_sides(at[own], at[1], at[other], phase, 3)
    for high, above, below, up, _ in SIDES:
        for row, kept in ((above, up), (below, 1)):
            for phase, side, middle, own, other in SIDES:
                at = parts[kept, :, high, phase]
                sums_at_sides(at[own], at[1], at[other], phase, 2)
                copy_pixels(at[own], out=pixels[row, side])
                copy_pixels(at[1], out=pixels[row, middle])


class Squares(NamedTuple):
    """Matrices for images of some height and width, k components of each of t squares.

    apart[k*t,h*w] makes components of an image's pixels, filters[k,9] of a filter's taps, whole[a*b,k] makes a
    square's outputs of its components; `tiles` and `sides` are how many squares there are and how large they are,
    down and across.
    """

    apart: np.ndarray
    filters: np.ndarray
    whole: np.ndarray
    tiles: tuple[int, int]
    sides: tuple[int, int]


ALONE = [[[1]]], [[0, 1, 0]], [[1]]
PAIR = [[[1, 1]], [[1, 0]], [[0, 1]]], [[0, 1, 0], [1, -1, 0], [0, -1, 1]], [[1, 0, 1], [1, 1, 0]]
PAIRS = [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]], [[1, 1, 1, 0], [0, 1, -1, -1]]
SEEN = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])  # of the four pixels that a pair sees


def by_side(side: int) -> tuple[list, list, list]:
    """Along one side of an image: components of its pairs of pixels, of taps, and outputs of components."""
    if side <= 2:
        return (ALONE, PAIR)[side - 1]
    pairs = -(-side // 2)
    apart = np.zeros((4, pairs, 2 * pairs + 2))  # with the padding around them
    for pair in range(pairs):
        apart[:, pair, 2 * pair : 2 * pair + 4] = SEEN
    return apart[:, :, 1 : side + 1].tolist(), *PAIRS


@cache
def squares(height: int, width: int, dtype: np.dtype) -> Squares:
    """The matrices for images of this size."""
    (down, taps_down, out_down), (across, taps_across, out_across) = (
        [np.array(matrix, dtype) for matrix in by_side(side)] for side in (height, width)
    )
    apart = np.einsum("isx,jty->ijstxy", down, across).reshape(-1, height * width)
    return Squares(
        apart,
        np.kron(taps_down, taps_across),
        np.kron(out_down, out_across),
        (down.shape[1], across.shape[1]),
        (len(out_down), len(out_across)),
    )


def transform_filters_of_squares(weights: np.ndarray, height: int, width: int, *, out: np.ndarray) -> None:
    """weights[f,3,3,c] -> out[k,f,c], for images of this size"""
    filters, _, _, channels = weights.shape
    matrix = squares(height, width, weights.dtype).filters
    np.matmul(matrix, weights.reshape(filters, 9, channels), out=out.swapaxes(0, 1))


def convolve_squares(
    x: np.ndarray,
    u: np.ndarray,
    some: int,
    *,
    pixels: np.ndarray,
    components: np.ndarray,
    together: np.ndarray | None = None,
    products: np.ndarray,
    outputs: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n] by transformed filters u[k,f,c] -> out[h,f,w,n], by products for `some` filters.

    Scratch: pixels[h,w,c,n], components[k,t,c,n], of several squares together[k,c,t,n], products[k,f,t,n],
    outputs[a,b,f,t,n].
    """
    height, _, width, _ = x.shape
    count, filters, t, n = products.shape
    made = squares(height, width, x.dtype)
    copy_pixels(x.swapaxes(1, 2), out=pixels)
    gemm(made.apart, pixels.reshape(height * width, -1), out=components.reshape(count * t, -1))
    if together is not None:
        copy_pixels(components.swapaxes(1, 2), out=together)
        components = together
    pieces, of_all = u.reshape(count, -1, some, u.shape[2]), components.reshape(count, 1, -1, t * n)
    gemm(pieces, of_all, out=products.reshape(count, -1, some, t * n))
    gemm(made.whole, products.reshape(count, -1), out=outputs.reshape(len(made.whole), -1))
    by_square = outputs.reshape(*made.sides, filters, *made.tiles, n).swapaxes(2, 3)
    for i, j in np.ndindex(*made.sides):
        there = out[i :: made.sides[0], :, j :: made.sides[1]]
        copy_pixels(by_square[i, j, : len(there), :, : there.shape[2]], out=there)  # the last may be partly beyond


# ---- of one image ------------------------------------------------------------------------------------------


def transform_filters_at_once(weights: np.ndarray, *, out: np.ndarray) -> None:
    """G w G^T as one product: weights[f,3,3,c] -> out[36,c,f], those down within those across.

    Or out[p,36,c,f] for p pieces of the filters.
    """
    g = transforms(np.dtype("float64")).g
    pieces = out.size // (36 * out.shape[-2] * out.shape[-1])
    taps = weights.reshape(pieces, -1, *weights.shape[1:]).transpose(0, 3, 2, 4, 1).reshape(pieces, 9, -1)
    np.matmul(np.kron(g, g).astype(weights.dtype), taps, out=out.reshape(pieces, 36, -1))


def strips_seen(image: np.ndarray) -> np.ndarray:
    """image[4s+2,w,c] -> a view [s,6,w*c]: the rows that each strip of squares sees, those two rows twice that two
    strips see."""
    height, width, channels = image.shape
    row, _, channel = image.strides
    return as_strided(image, (height // SIDE, 6, width * channels), (SIDE * row, row, channel))


def squares_seen(mixed: np.ndarray) -> np.ndarray:
    """mixed[6,s,4t+2,c] -> a view [6,6,s,t,c], across and down: the pixels that each square sees of its strip."""
    _, rows, width, channels = mixed.shape
    component, strip, pixel, channel = mixed.strides
    shape = (6, 6, rows, width // SIDE, channels)
    return as_strided(mixed, shape, (pixel, component, strip, SIDE * pixel, channel))
