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
"""

from __future__ import annotations

from types import EllipsisType

import numpy as np

from .conv import copy_pixels


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
