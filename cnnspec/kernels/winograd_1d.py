"""Winograd's convolution F(4,3) along the width: four outputs of a 3-tap filter from six products, not twelve.

Images are in *polyphase rows* here, x[h,r,c,l] with r = w mod 4 and l = (w div 4) * n pixels: a tile's six inputs
d0 .. d5 are then whole blocks, two of them shifted by a tile, and every step below is one call over a long run
of memory. The rows of the kernel cost nothing: the components of three rows lie one after the other, so that
for each component the layer is a product of matrices (f, 3c) by (3c, l).

    y = A^T [ (G w) * (B^T d) ]          (Lavin and Gray 2016; points 0, 1, -1, 2, -2, infinity)

    v0 = d0 - 5/4 d2 + 1/4 d4            y0 = m0 + m1 + m2 +   m3 +   m4
    v1 = -4 d1 - 4 d2 + d3 + d4          y1 =      m1 - m2 + 2 m3 - 2 m4
    v2 =  4 d1 - 4 d2 - d3 + d4          y2 =      m1 + m2 + 4 m3 + 4 m4
    v3 = -2 d1 - d2 + 2 d3 + d4          y3 =      m1 - m2 + 8 m3 - 8 m4 + m5
    v4 =  2 d1 - d2 - 2 d3 + d4
    v5 = 4 d1 - 5 d3 + d5

A transform is itself a product of matrices, of six rows with the blocks of a row: a quarter of the time of its sums
and differences one by one. Gradients use the same steps in reverse, each matrix transposed. A block of rows goes
through all steps while it is in the cache. Names: v components of the input, m of the output, u of the filters.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from .activation import zeros
from .conv import Pads
from .gemm import fetch, gemm
from .norm import BlockwiseNormGradient, GradientSums, Moments

# the component that alone sees d0 is a quarter of the usual one, so that d0 is added as it is; its filters four
# times
INPUT = [
    [1, 0, -5 / 4, 0, 1 / 4, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
FILTERS = [
    [1, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
OUTPUT = [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
]
NOTHING = -0.0  # what changes no number that it is added to, not even the sign of a zero


class Transforms(NamedTuple):
    """B^T[6,6], G[6,3] and A^T[4,6]; and for gradients A[6,4] and B[6,6]."""

    b: np.ndarray
    g: np.ndarray
    a: np.ndarray
    a_back: np.ndarray
    b_back: np.ndarray


@cache
def transforms(dtype: np.dtype) -> Transforms:
    """The matrices of a type of numbers, made once: INPUT, FILTERS, OUTPUT and their transposes."""
    b, g, a = (np.array(matrix, dtype) for matrix in (INPUT, FILTERS, OUTPUT))
    return Transforms(b, g, a, a.T.copy(), b.T.copy())


def flat(x: np.ndarray) -> np.ndarray:
    """x[...,c,l] -> a view [...,c*l]"""
    return x.reshape(*x.shape[:-2], -1)


def by_row(transformed: np.ndarray) -> np.ndarray:
    """transformed[6,h,c,l] -> a view [h,6,c*l]"""
    return flat(transformed).swapaxes(0, 1)


def add_shifted(x: np.ndarray, n: int, *, out: np.ndarray) -> None:
    """Add to each tile of out[h,c,l] the one before it in x[h,c,l]; with n below zero the one behind.

    One call over all channels of a row, several times as fast as one over the runs between their edges; so the
    first tile of a channel gets the last of the channel above, which must be nothing or is undone by the caller.
    """
    onto, more = (slice(n, None), slice(None, -n)) if n > 0 else (slice(None, n), slice(-n, None))
    there = flat(out)[:, onto]
    np.add(there, flat(x)[:, more], out=there)


def transform_input(
    x: np.ndarray, n: int, *, pixels: np.ndarray | None = None, spent: bool = False, out: np.ndarray
) -> None:
    """B^T d for some rows: x[h,4,c,l] -> out[6,h,c,l'].

    With a column of padding on the left the tile's pixels are d1 .. d4 and its neighbours give d0 and d5, or zero
    at the edges; where x is `spent`, these tiles of it are overwritten. With none they are d0 .. d3, and the next
    tile gives d4 and d5 (l' = l - n): the six are put side by side first, in the scratch pixels[h,6,c,l'].
    """
    b = transforms(x.dtype).b
    if pixels is None:
        gemm(b[:, 1:5], flat(x), out=by_row(out))
        first, last = out[0, :, 1:, :n], out[5, :, :-1, -n:]
        if spent:
            x[:, 3, :, -n:] = x[:, 0, :, :n] = NOTHING
            kept = None
        else:
            kept = first.copy(), last.copy()
        add_shifted(x[:, 3], n, out=out[0])  # d0, of the tile before
        add_shifted(x[:, 0], -n, out=out[5])  # d5, of the tile behind
        if kept is not None:
            first[...], last[...] = kept
    else:
        d = pixels[: len(x)]
        np.copyto(d[:, :4], x[..., : out.shape[3]])
        np.copyto(d[:, 4:], x[:, :2, :, n:])
        gemm(b, flat(d), out=by_row(out))


def inverse_transform(m: np.ndarray, *, out: np.ndarray) -> None:
    """A^T m for some rows: m[6,h,f,l] -> out[h,4,f,l]."""
    gemm(transforms(m.dtype).a, by_row(m), out=flat(out))


def transform_gradient(dy: np.ndarray, *, out: np.ndarray) -> None:
    """A dy for some rows: dy[h,4,f,l] -> out[6,h,f,l]."""
    gemm(transforms(dy.dtype).a_back, flat(dy), out=by_row(out))


def inverse_transform_gradient(v: np.ndarray, n: int, *, pixels: np.ndarray | None = None, out: np.ndarray) -> None:
    """B v for some rows: v[6,h,c,l'] -> out[h,4,c,l], the inverse way of `transform_input`.

    pixels is scratch; with padding v is spent, its tiles at the edges are overwritten.
    """
    b = transforms(v.dtype).b_back
    if pixels is None:
        gemm(b[1:5], by_row(v), out=flat(out))
        v[0, :, :, :n] = v[5, :, :, -n:] = NOTHING
        add_shifted(v[0], -n, out=out[:, 3])  # d0, of the tile before
        add_shifted(v[5], n, out=out[:, 0])  # d5, of the tile behind
    else:
        length, rest = v.shape[3], pixels[: len(out), :2]  # d4 and d5, of the tile behind
        np.matmul(b[:4], v.transpose(1, 2, 0, 3), out=out[..., :length].swapaxes(1, 2))
        out[..., length:] = 0
        gemm(b[4:], by_row(v), out=flat(rest))
        behind = out[:, :2, :, n:]
        np.add(behind, rest, out=behind)


def transform_filters(weights: np.ndarray, *, out: np.ndarray) -> None:
    """G w: weights[f,u,3,c] -> out[6,f,u,c]"""
    np.matmul(transforms(weights.dtype).g, weights, out=out.transpose(1, 2, 0, 3))


def row_triples(transformed: np.ndarray) -> np.ndarray:
    """transformed[6,h,c,l] -> a view [6,h-2,3c,l]: the components of three rows, one after the other. No copy."""
    count, height, channels, length = transformed.shape
    across = transformed.strides
    return np.lib.stride_tricks.as_strided(
        transformed, (count, height - 2, 3 * channels, length), (across[0], across[1], across[2], across[3])
    )


class Band:
    """The components of a band of rows that slides down an image: memory[6,m] holds as many rows [6,k,c,l] as fit.

    Few rows stay in the cache, the components of a whole image do not. What is left of the memory keeps components
    from sharing sets of the cache. Rows count from the top of the padded image.
    """

    def __init__(self, memory: np.ndarray, channels: int, length: int) -> None:
        capacity = memory.shape[1] // (channels * length)
        self.rows = memory[:, : capacity * channels * length].reshape(6, capacity, channels, length)
        self.triples = row_triples(self.rows)
        self.capacity, self.first, self.ready = capacity, 0, 0

    def below(self, count: int, used: int) -> np.ndarray:
        """Room for the components of the next `count` rows; those above row `used` are done with."""
        at = self.ready - self.first
        if at + count > self.capacity:
            rest = self.ready - used
            for (
                rows
            ) in self.rows:  # for all components at once NumPy cannot tell that nothing overlaps, and copies first
                np.copyto(rows[:rest], rows[at - rest : at])
            self.first, at = used, rest
        self.ready += count
        return self.rows[:, at : at + count]

    def rows_of_three(self, start: int, stop: int) -> np.ndarray:
        """For rows start .. stop-1 the components of each with the two below it, [6,stop-start,3c,l]."""
        return self.triples[:, start - self.first : stop - self.first]


def see(
    x: np.ndarray,
    band: Band,
    until: int,
    used: int,
    pad: Pads,
    block: int,
    n: int,
    pixels: np.ndarray | None = None,
) -> None:
    """Transform x[h,4,c,l] into the band, `block` rows a call, up to row `until` of the padded image."""
    (top, bottom), _ = pad
    if band.ready == 0:
        band.below(top, used)[...] = 0
    while band.ready < until:
        start = band.ready - top
        stop = min(start + block, until - top, len(x))
        if start == stop:  # below the image
            band.below(bottom, used)[...] = 0
        else:
            transform_input(x[start:stop], n, pixels=pixels, out=band.below(stop - start, used))


class Epilogue:
    """Applied to a block of rows y[i,4,f,l] while it is in the cache: + `add`, relu, moments."""

    def __init__(self, y: np.ndarray, add: np.ndarray | None, relu: bool, moments: np.ndarray | None) -> None:
        self.add = None if add is None else add.reshape(y.shape)
        self.zero = zeros(y) if relu else None
        self.taken, self.moments = None if moments is None else Moments(y), moments

    def take(self, rows: slice, y: np.ndarray) -> None:
        if self.add is not None:
            np.add(y, self.add[rows], out=y)
        if self.zero is not None:
            np.maximum(y, self.zero, out=y)
        if self.taken is not None:
            self.taken.take(rows, y)

    def total(self) -> None:
        if self.taken is not None and self.moments is not None:
            self.taken.total(out=self.moments)


def winograd_1d(
    x: np.ndarray,
    weights: np.ndarray | None,
    pad: Pads,
    block: int,
    *,
    u: np.ndarray,
    transformed: np.ndarray,
    products: np.ndarray,
    pixels: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    add: np.ndarray | None = None,
    relu: bool = False,
    moments: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,4,c,T,n], weights[f,3,3,c] -> out[i,4,f,t,n], `block` rows at a time.

    What follows is done where asked while the rows are hot: bias[f] is added (to m1, which all four outputs count
    once), then add[i,4,f,t,n], then relu; moments[3,f] gets those of each channel (see `Moments`).
    u[6,f,3,c], transformed[6,m] and products[6,block,f,l] are scratch, and without padding on the left
    pixels[block,6,c,l]; with room for every row of the padded image, `transformed` is whole at the end. Without
    weights u has the transformed filters already.
    """
    height, _, channels, _, n = x.shape
    rows, _, filters, tiles, _ = out.shape
    rows_x, rows_y = x.reshape(height, 4, channels, -1), out.reshape(rows, 4, filters, -1)
    if weights is not None:
        transform_filters(weights, out=u)
    band = Band(transformed, channels, tiles * n)
    matrix = u.reshape(6, 1, filters, 3 * channels)
    epilogue = Epilogue(rows_y, add, relu, moments)
    for start in range(0, rows, block):
        stop = min(start + block, rows)
        see(rows_x, band, stop + 2, start, pad, block, n, pixels)
        part = slice(0, stop - start)
        m = products[:, part]
        gemm(matrix, band.rows_of_three(start, stop), out=m)
        if bias is not None:
            np.add(m[1], bias[:, None], out=m[1])
        y = rows_y[start:stop]
        inverse_transform(m, out=y)
        epilogue.take(slice(start, stop), y)
    epilogue.total()


def winograd_1d_gradient(
    dy: np.ndarray | BlockwiseNormGradient,
    x: np.ndarray | None,
    weights: np.ndarray,
    pad: Pads,
    block: int,
    *,
    u: np.ndarray,
    back: np.ndarray,
    du: np.ndarray,
    parts: np.ndarray,
    transformed: np.ndarray,
    gradients: np.ndarray,
    products: np.ndarray,
    pixels: np.ndarray | None = None,
    epilogue: GradientSums | None = None,
    dw: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,4,f,t,n], x[h,4,c,T,n], weights[f,3,3,c] -> out[h,4,c,T,n] and dw[f,3,3,c].

    dy may be the gradient of a normalisation, made here block by block, its scale brought in through the filters;
    `epilogue` takes each block of out for the normalisation before. Without x, transformed[6,m] are those of all
    its rows, saved in the forward pass; else they are computed here, and scratch. Scratch: u[6,f,3,c],
    back[6,c,3,f], du[6,3,c,f], parts[6,block,3c,f], gradients[6,m], products[6,block,c,l], and
    without padding on the left pixels[block,6,c,l].
    """
    height, _, channels, _, n = out.shape
    rows, _, filters, tiles, _ = dy.shape
    (top, bottom), _ = pad
    rows_dx = out.reshape(height, 4, channels, -1)
    rows_x = None if x is None else x.reshape(rows_dx.shape)
    scale = None if isinstance(dy, np.ndarray) else dy.scale
    rows_dy = dy.reshape(rows, 4, filters, -1) if isinstance(dy, np.ndarray) else dy
    transform_filters(weights, out=u)
    if scale is not None:
        np.multiply(u, scale[:, :, None], out=u)
    np.copyto(back, u[:, :, ::-1].transpose(0, 3, 2, 1))  # the kernel's rows in reverse
    matrix = back.reshape(6, 1, channels, 3 * filters)
    v = Band(transformed, channels, tiles * n)
    v.ready = v.capacity if x is None else 0
    g = Band(gradients, filters, tiles * n)
    g.below(2 - top, 0)[...] = 0
    sums = du.reshape(6, 3 * channels, filters)
    done = 0
    for start in range(0, rows, block):
        stop = min(start + block, rows)
        if rows_x is not None:
            see(rows_x, v, stop + 2, start, pad, block, n, pixels)
        part = slice(0, stop - start)
        m = g.below(stop - start, done)
        seen = v.rows_of_three(start, stop)
        grad = rows_dy[start:stop]
        transform_gradient(grad, out=m)
        if rows_x is None:
            fetch(v.rows[:, start + 2 if start else 0 : stop + 2].reshape(6, -1), products)
        gemm(seen, m.swapaxes(2, 3), out=parts[:, part])
        if start == 0:
            np.add.reduce(parts[:, part], axis=1, out=sums)
        else:
            for row in range(stop - start):
                np.add(sums, parts[:, row], out=sums)
        # a row of dx needs the gradients of the rows that saw it
        if stop == rows:
            g.below(2 - bottom, done)[...] = 0
        until = height if stop == rows else max(done, min(stop - top, height))
        while done < until:
            more = min(done + block, until)
            part = slice(0, more - done)
            gemm(matrix, g.rows_of_three(done, more), out=products[:, part])
            inverse_transform_gradient(products[:, part], n, pixels=pixels, out=rows_dx[done:more])
            if epilogue is not None:
                epilogue.take(slice(done, more), rows_dx[done:more], rows_dx[done:more])
            done = more
    np.matmul(transforms(u.dtype).g.T, du.transpose(3, 1, 0, 2), out=dw)
    if scale is not None:
        np.multiply(dw, scale[:, :, None, None], out=dw)
