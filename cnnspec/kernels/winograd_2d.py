"""Winograd's convolution on squares of 4x4 outputs: 36 products where the definition takes 144.

What `winograd.py` does along the width is done here down the rows as well, so that the kernel's rows are products
saved too (a quarter of the definition's, not a half), for one more transform on each side:

    y = A^T [ (G w G^T) * (B^T d B) ] A

A strip is four rows of the output, and the six of the input that they see; the next strip begins four rows below.
First the six rows are mixed into six others, one product of a 6x6 matrix with rows of 4cl numbers, then each along
the width. 36 products (f, c) by (c, l) follow, and both ways back. Gradients go the same way with every matrix
transposed; the two rows of the input that strips share get something from both.

Images of few pixels a side, with padding of one, are cut into squares of 2x2 outputs instead (`squares`): 16
products where the definition takes 36. What is known to be zero is left out: an image of 2x2 pixels takes 9.

Names: v[i,6,6,c,l] components of strip i of the input, down and across; m those of the output; u[6,6,f,c] the
filters'.
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .conv import Pads, copy_pixels
from .gemm import fetch, gemm
from .norm import BlockwiseNormGradient, GradientSums
from .winograd_1d import (
    Epilogue,
    flat,
    inverse_transform,
    inverse_transform_gradient,
    transform_gradient,
    transform_input,
    transforms,
)

TILE = 4


def transform_filters_2d(weights: np.ndarray, *, taps: np.ndarray, across: np.ndarray, out: np.ndarray) -> None:
    """G w G^T: weights[f,3,3,c] -> out[6,6,f,c], k filters at a time. Scratch: taps[3,3,k,c], across[3,6,k,c]."""
    g = transforms(weights.dtype).g
    for some in groups(len(weights), taps):
        np.copyto(taps, weights[some].transpose(1, 2, 0, 3))
        np.matmul(g, flat(taps), out=flat(across))
        rows, made = flat(across), flat(out[:, :, some])
        if made.flags.c_contiguous:
            np.matmul(g, rows.reshape(3, -1), out=made.reshape(6, -1))
        else:
            np.matmul(g, rows.swapaxes(0, 1), out=made.swapaxes(0, 1))


def inverse_transform_filters_2d(du: np.ndarray, *, taps: np.ndarray, across: np.ndarray, out: np.ndarray) -> None:
    """G^T du G: du[6,6,f,c] -> out[f,3,3,c], the inverse way of `transform_filters_2d`."""
    g = transforms(du.dtype).g.T
    for some in groups(len(out), taps):
        rows, given = flat(across), flat(du[:, :, some])
        if given.flags.c_contiguous:
            np.matmul(g, given.reshape(6, -1), out=rows.reshape(3, -1))
        else:
            np.matmul(g, given.swapaxes(0, 1), out=rows.swapaxes(0, 1))
        np.matmul(g, rows, out=flat(taps))
        np.copyto(out[some], taps.transpose(2, 0, 1, 3))


def groups(filters: int, taps: np.ndarray) -> list[slice]:
    """Which filters are transformed at a time, as many as taps[3,3,k,c] has room for."""
    size = taps.shape[2]
    return [slice(at, at + size) for at in range(0, filters, size)]


def down(matrix: np.ndarray, rows: np.ndarray, *, out: np.ndarray) -> None:
    """Mix rows: matrix[k,h], rows[h,4,c,l] -> out[k,4,c,l]."""
    gemm(matrix, rows.reshape(len(rows), -1), out=out.reshape(len(out), -1))


def apart(memory: np.ndarray, *shape: int) -> np.ndarray:
    """memory[k,m] -> a view [k,*shape]; what is left over of m keeps the k from sharing sets of the cache."""
    size = prod(shape)
    return memory[:, :size].reshape(len(memory), *shape)


def strip_view(memory: np.ndarray, *shape: int) -> np.ndarray:
    """memory[36,m] -> a view [6,6,*shape], the components of a strip, down and across."""
    return apart(memory, *shape).reshape(6, 6, *shape)


def put(matrix: np.ndarray, rows: np.ndarray, first: int, *, out: np.ndarray) -> None:
    """Rows first, first + 1, ... of out[h,4,c,l], those that it has: matrix[k,r] times rows[r,4,c,l]."""
    start, stop = max(first, 0), min(first + len(matrix), len(out))
    if start < stop:
        down(matrix[start - first : stop - first], rows, out=out[start:stop])


def strip_of(x: np.ndarray, strip: int, top: int) -> tuple[np.ndarray, slice]:
    """Those of the six rows that a strip sees which x has, and which of the six they are."""
    first = TILE * strip - top
    start, stop = max(first, 0), min(first + 6, len(x))
    return x[start:stop], slice(start - first, stop - first)


def add_products(a: np.ndarray, b: np.ndarray, parts: np.ndarray, *, out: np.ndarray, first: bool) -> None:
    """Add a[36,f,l] . b[36,l,c] to out[36,f,c], as many at a time as parts[k,f,c] has; the first are put there."""
    if first:
        gemm(a, b, out=out)
        return
    for start in range(0, len(out), len(parts)):
        some = slice(start, start + len(parts))
        gemm(a[some], b[some], out=parts)
        np.add(out[some], parts, out=out[some])


def winograd_2d(
    x: np.ndarray,
    weights: np.ndarray | None,
    pad: Pads,
    *,
    taps: np.ndarray | None = None,
    across: np.ndarray | None = None,
    u: np.ndarray,
    strip: np.ndarray,
    transformed: np.ndarray,
    products: np.ndarray,
    pixels: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    add: np.ndarray | None = None,
    relu: bool = False,
    moments: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,4,c,T,n], weights[f,3,3,c] -> out[i,4,f,t,n], a strip at a time.

    What follows is done as in `winograd_1d`. Scratch: taps[3,3,k,c], across[3,6,k,c], u[6,6,f,c] (see
    `transform_filters_2d`), strip[6,m], products[36,m], without padding on the left pixels[6,6,c,l], and
    transformed[k,36,m]: with k = 1 those of a strip after the other, else those of all strips, which are whole at
    the end. Without weights u has the transformed filters already.
    """
    height, _, channels, _, n = x.shape
    rows, _, filters, tiles, _ = out.shape
    (top, _), _ = pad
    rows_x, rows_y = x.reshape(height, 4, channels, -1), out.reshape(rows, 4, filters, -1)
    length = tiles * n
    if weights is not None and taps is not None and across is not None:
        transform_filters_2d(weights, taps=taps, across=across, out=u)
    b, a = transforms(x.dtype).b, transforms(x.dtype).a
    m = strip_view(products, filters, length)
    mixed, half = apart(strip, 4, channels, rows_x.shape[3]), apart(strip, 4, filters, length)
    epilogue = Epilogue(rows_y, add, relu, moments)
    for k, start in enumerate(range(0, rows, TILE)):
        stop = min(start + TILE, rows)
        v = strip_view(transformed[k % len(transformed)], channels, length)
        seen, which = strip_of(rows_x, k, top)
        down(b[:, which], seen, out=mixed)
        transform_input(mixed, n, pixels=pixels, spent=True, out=v.swapaxes(0, 1))
        gemm(u, v, out=m)
        if bias is not None:
            np.add(m[1, 1], bias[:, None], out=m[1, 1])
        y = rows_y[start:stop]
        inverse_transform(m.swapaxes(0, 1), out=half)
        down(a[: stop - start], half, out=y)
        epilogue.take(slice(start, stop), y)
    epilogue.total()


def winograd_2d_gradient(
    dy: np.ndarray | BlockwiseNormGradient,
    x: np.ndarray | None,
    weights: np.ndarray,
    pad: Pads,
    *,
    taps: np.ndarray,
    across: np.ndarray,
    u: np.ndarray,
    parts: np.ndarray,
    strip: np.ndarray,
    transformed: np.ndarray,
    gradients: np.ndarray,
    products: np.ndarray,
    both: np.ndarray,
    du: np.ndarray | None = None,
    pixels: np.ndarray | None = None,
    epilogue: GradientSums | None = None,
    dw: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,4,f,t,n], x[h,4,c,T,n], weights[f,3,3,c] -> out[h,4,c,T,n] and dw[f,3,3,c].

    dy, x, `transformed` and `epilogue` are as in `winograd_gradient`. Scratch: taps, across, u as in `winograd_2d`,
    parts[k,f,c]: what a strip adds to so many of du's 36 components at a time; strip[6,m], gradients[k,36,m],
    products[36,m], both[12,m]: what two strips, one above the other, bring to the rows of x, in turns in the upper
    and the lower half; pixels as in `winograd_2d`. With du[6,6,f,c] both gradients of a strip are made one after
    the other. Without, those of the filters come first, in the memory of u; `gradients` holds all strips meanwhile.
    """
    height, _, channels, _, n = out.shape
    rows, _, filters, tiles, _ = dy.shape
    (top, _), _ = pad
    length = tiles * n
    rows_dx = out.reshape(height, 4, channels, -1)
    rows_x = None if x is None else x.reshape(rows_dx.shape)
    scale = None if isinstance(dy, np.ndarray) else dy.scale
    rows_dy = dy.reshape(rows, 4, filters, -1) if isinstance(dy, np.ndarray) else dy
    b, back = transforms(out.dtype).b, transforms(out.dtype).b_back
    forth = transforms(out.dtype).a_back
    m = strip_view(products, channels, length)
    mixed, half = apart(strip, 4, channels, rows_dx.shape[3]), apart(strip, 4, filters, length)
    brought = apart(both, 4, channels, rows_dx.shape[3])
    joined = np.zeros((2, 4, 12), out.dtype)  # four rows of a strip, with the last two of the one above
    joined[0, :, :6] = joined[1, :, 6:] = back[:4]
    joined[0, :2, 6:] = joined[1, :2, :6] = back[4:]
    strips = range(-(-rows // TILE))
    sums = u if du is None else du

    def transform() -> None:
        transform_filters_2d(weights, taps=taps, across=across, out=u)
        if scale is not None:
            np.multiply(u, scale, out=u)

    def of_filters(k: int) -> None:
        start, stop = TILE * k, min(TILE * (k + 1), rows)
        given = transformed[k % len(transformed)]
        if rows_x is not None:
            seen, which = strip_of(rows_x, k, top)
            down(b[:, which], seen, out=mixed)
            v = strip_view(given, channels, length)
            transform_input(mixed, n, pixels=pixels, spent=True, out=v.swapaxes(0, 1))
        down(forth[:, : stop - start], rows_dy[start:stop], out=half)
        g = gradients[k % len(gradients)]
        transform_gradient(half, out=strip_view(g, filters, length).swapaxes(0, 1))
        if rows_x is None:
            fetch(given, strip)
        v = apart(given, channels, length).swapaxes(1, 2)
        add_products(apart(g, filters, length), v, parts, out=sums.reshape(36, filters, channels), first=k == 0)

    def of_input(k: int, done: int) -> int:
        """Returns up to which row of dx all is there, of which `done` were."""
        g = strip_view(gradients[k % len(gradients)], filters, length)
        gemm(u.swapaxes(2, 3), g, out=m)
        at = 6 * (k % 2)
        inverse_transform_gradient(m.swapaxes(0, 1), n, pixels=pixels, out=brought[at : at + 6])
        until = TILE * (k + 1) - top  # rows of dx that no strip below has seen
        if k:
            put(joined[k % 2], brought, until - TILE, out=rows_dx)
        else:
            put(back[:4], brought[:6], until - TILE, out=rows_dx)
        if k == strips[-1]:
            put(back[4:], brought[at : at + 6], until, out=rows_dx)
            until = height
        until = min(until, height)
        if epilogue is not None and done < until:
            epilogue.take(slice(done, until), rows_dx[done:until], rows_dx[done:until])
        return until

    done = 0
    if du is not None:
        transform()
    for k in strips:
        of_filters(k)
        if du is not None:
            done = of_input(k, done)
    inverse_transform_filters_2d(sums, taps=taps, across=across, out=dw)
    if scale is not None:
        np.multiply(dw, scale[:, :, None, None], out=dw)
    if du is None:
        transform()
        for k in strips:
            done = of_input(k, done)


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
    return as_strided(image, (height // TILE, 6, width * channels), (TILE * row, row, channel))


def squares_seen(mixed: np.ndarray) -> np.ndarray:
    """mixed[6,s,4t+2,c] -> a view [6,6,s,t,c], across and down: the pixels that each square sees of its strip."""
    _, rows, width, channels = mixed.shape
    component, strip, pixel, channel = mixed.strides
    shape = (6, 6, rows, width // TILE, channels)
    return as_strided(mixed, shape, (pixel, component, strip, TILE * pixel, channel))
