"""Winograd's convolution on squares of 4x4 outputs: 36 products where the definition takes 144.

What `winograd.py` does along the width is done here down the rows as well, so that the kernel's rows are products
saved too (a quarter of the definition's, not a half), for one more transform on each side:

    y = A^T [ (G w G^T) * (B^T d B) ] A

A strip is four rows of the output, and the six of the input that they see; the next strip begins four rows below.
First the six rows are mixed into six others, one product of a 6x6 matrix with rows of 4cl numbers, then each along
the width. 36 products (f, c) by (c, l) follow, and both ways back. Gradients go the same way with every matrix
transposed; the two rows of the input that strips share get something from both.

Names: v[i,6,6,c,l] components of strip i of the input, down and across; m those of the output; u[6,6,f,c] the
filters'.
"""

from __future__ import annotations

from math import prod

import numpy as np

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
    b = transforms(x.dtype).b
    m = strip_view(products, filters, length)
    mixed, half = apart(strip, 4, channels, rows_x.shape[3]), apart(strip, 4, filters, length)
    epilogue = Epilogue(rows_y, add, relu, moments)
    for k in range(-(-rows // TILE)):
        v = strip_view(transformed[k % len(transformed)], channels, length)
        seen, which = strip_of(rows_x, k, top)
        down(b[:, which], seen, out=mixed)
        transform_input(mixed, n, pixels=pixels, spent=True, out=v.swapaxes(0, 1))
        gemm(u, v, out=m)
        put_outputs(m, k, bias, half, epilogue, out=rows_y)
    epilogue.total()


def put_outputs(
    m: np.ndarray, strip: int, bias: np.ndarray | None, half: np.ndarray, epilogue: Epilogue, *, out: np.ndarray
) -> None:
    """A strip's components m[6,6,f,l], with the bias, as its rows of out[i,4,f,l]; half[6,4,f,l] is scratch."""
    if bias is not None:
        np.add(m[1, 1], bias[:, None], out=m[1, 1])
    some = slice(TILE * strip, min(TILE * (strip + 1), len(out)))
    y = out[some]
    inverse_transform(m.swapaxes(0, 1), out=half)
    down(transforms(m.dtype).a[: len(y)], half, out=y)
    epilogue.take(some, y)


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
    b, forth = transforms(out.dtype).b, transforms(out.dtype).a_back
    m = strip_view(products, channels, length)
    mixed, half = apart(strip, 4, channels, rows_dx.shape[3]), apart(strip, 4, filters, length)
    strips = range(-(-rows // TILE))
    to_rows = StripsOfInput(rows_dx, n, top, len(strips), both, pixels, epilogue)
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

    def of_input(k: int) -> None:
        gemm(u.swapaxes(2, 3), strip_view(gradients[k % len(gradients)], filters, length), out=m)
        to_rows.take(k, m)

    if du is not None:
        transform()
    for k in strips:
        of_filters(k)
        if du is not None:
            of_input(k)
    inverse_transform_filters_2d(sums, taps=taps, across=across, out=dw)
    if scale is not None:
        np.multiply(dw, scale[:, :, None, None], out=dw)
    if du is None:
        transform()
        for k in strips:
            of_input(k)


class StripsOfInput:
    """Rows of the input's gradient dx[h,4,c,l], made of the components of strips, one after the other from the top.

    both[12,m] is scratch for what two strips bring to them, in turns in the upper and the lower half.
    """

    def __init__(
        self,
        rows: np.ndarray,
        n: int,
        top: int,
        strips: int,
        both: np.ndarray,
        pixels: np.ndarray | None,
        epilogue: GradientSums | None,
    ) -> None:
        self.rows, self.n, self.top, self.last, self.pixels, self.epilogue = (
            rows,
            n,
            top,
            strips - 1,
            pixels,
            epilogue,
        )
        self.brought, self.done = apart(both, *rows.shape[1:]), 0
        self.back = back = transforms(rows.dtype).b_back
        self.joined = np.zeros((2, 4, 12), rows.dtype)  # four rows of a strip, with the last two of the one above
        self.joined[0, :, :6] = self.joined[1, :, 6:] = back[:4]
        self.joined[0, :2, 6:] = self.joined[1, :2, :6] = back[4:]

    def take(self, k: int, m: np.ndarray) -> None:
        """The next strip's components m[6,6,c,l]."""
        rows, at = self.rows, 6 * (k % 2)
        inverse_transform_gradient(m.swapaxes(0, 1), self.n, pixels=self.pixels, out=self.brought[at : at + 6])
        until = TILE * (k + 1) - self.top  # rows of dx that no strip below has seen
        if k:
            put(self.joined[k % 2], self.brought, until - TILE, out=rows)
        else:
            put(self.back[:4], self.brought[:6], until - TILE, out=rows)
        if k == self.last:
            put(self.back[4:], self.brought[at : at + 6], until, out=rows)
            until = len(rows)
        until = min(until, len(rows))
        if self.epilogue is not None and self.done < until:
            self.epilogue.take(slice(self.done, until), rows[self.done : until], rows[self.done : until])
        self.done = until


# ---- the steps by themselves, of all strips: shards that make a layer together show the components between ----


def to_components_2d(
    x: np.ndarray,
    pad: Pads,
    *,
    strip: np.ndarray,
    transformed: np.ndarray,
    pixels: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,4,c,T,n] -> out[6,6,c,s,l]; scratch as in `winograd_2d`, transformed[36,m]."""
    rows_x = x.reshape(*x.shape[:3], -1)
    *_, channels, strips, length = out.shape
    mixed, v = apart(strip, *rows_x.shape[1:]), strip_view(transformed, channels, length)
    for k in range(strips):
        seen, which = strip_of(rows_x, k, pad[0][0])
        down(transforms(x.dtype).b[:, which], seen, out=mixed)
        transform_input(mixed, x.shape[4], pixels=pixels, spent=True, out=v.swapaxes(0, 1))
        copy_pixels(v, out=out[..., k, :])


def from_components_2d(
    m: np.ndarray,
    *,
    strip: np.ndarray,
    products: np.ndarray,
    bias: np.ndarray | None = None,
    add: np.ndarray | None = None,
    relu: bool = False,
    moments: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """m[6,6,f,s,l] -> out[i,4,f,t,n], and what follows; scratch as in `winograd_2d`."""
    rows_y = out.reshape(*out.shape[:3], -1)
    *_, filters, strips, length = m.shape
    half, of_one = apart(strip, *rows_y.shape[1:]), strip_view(products, filters, length)
    epilogue = Epilogue(rows_y, add, relu, moments)
    for k in range(strips):
        copy_pixels(m[..., k, :], out=of_one)
        put_outputs(of_one, k, bias, half, epilogue, out=rows_y)
    epilogue.total()


def gradient_to_components_2d(
    dy: np.ndarray | BlockwiseNormGradient, *, strip: np.ndarray, gradients: np.ndarray, out: np.ndarray
) -> None:
    """dy[i,4,f,t,n] -> out[6,6,f,s,l], without the scale of a normalisation; scratch gradients[36,m]."""
    rows, _, filters, _, _ = dy.shape
    rows_dy = dy.reshape(rows, 4, filters, -1) if isinstance(dy, np.ndarray) else dy
    *_, strips, length = out.shape
    half, of_one = apart(strip, 4, filters, length), strip_view(gradients, filters, length)
    for k in range(strips):
        start, stop = TILE * k, min(TILE * (k + 1), rows)
        down(transforms(out.dtype).a_back[:, : stop - start], rows_dy[start:stop], out=half)
        transform_gradient(half, out=of_one.swapaxes(0, 1))
        copy_pixels(of_one, out=out[..., k, :])


def scale_filters_2d(dy: np.ndarray | BlockwiseNormGradient, some: slice, *, out: np.ndarray) -> None:
    """Some filters out[f,...], or components of them, times the scale of the normalisation whose gradient dy is."""
    if not isinstance(dy, np.ndarray):
        scale = dy.scale[some]
        np.multiply(out, scale.reshape(len(scale), *[1] * (out.ndim - 1)), out=out)


def input_gradient_from_components_2d(
    m: np.ndarray,
    pad: Pads,
    *,
    products: np.ndarray,
    both: np.ndarray,
    pixels: np.ndarray | None = None,
    epilogue: GradientSums | None = None,
    out: np.ndarray,
) -> None:
    """m[6,6,c,s,l] -> out[h,4,c,T,n]; scratch as in `winograd_2d_gradient`."""
    *_, channels, strips, length = m.shape
    of_one, rows_dx = strip_view(products, channels, length), out.reshape(*out.shape[:3], -1)
    to_rows = StripsOfInput(rows_dx, out.shape[4], pad[0][0], strips, both, pixels, epilogue)
    for k in range(strips):
        copy_pixels(m[..., k, :], out=of_one)
        to_rows.take(k, of_one)
