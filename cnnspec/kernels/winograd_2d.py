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

import numpy as np

from .conv import Pads
from .gemm import gemm
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
    """G w G^T: weights[f,3,3,c] -> out[6,6,f,c]; taps[3,3,f,c] and across[3,6,f,c] are scratch."""
    g = transforms(weights.dtype).g
    np.copyto(taps, weights.transpose(1, 2, 0, 3))
    np.matmul(g, flat(taps), out=flat(across))
    np.matmul(g, across.reshape(3, -1), out=out.reshape(6, -1))


def inverse_transform_filters_2d(du: np.ndarray, *, taps: np.ndarray, across: np.ndarray, out: np.ndarray) -> None:
    """G^T du G: du[6,6,f,c] -> out[f,3,3,c], the inverse way of `transform_filters_2d`."""
    g = transforms(du.dtype).g.T
    np.matmul(g, du.reshape(6, -1), out=across.reshape(3, -1))
    np.matmul(g, flat(across), out=flat(taps))
    np.copyto(out, taps.transpose(2, 0, 1, 3))


def down(matrix: np.ndarray, rows: np.ndarray, *, out: np.ndarray) -> None:
    """Mix rows: matrix[k,h], rows[h,4,c,l] -> out[k,4,c,l]."""
    gemm(matrix, rows.reshape(len(rows), -1), out=out.reshape(len(out), -1))


def apart(memory: np.ndarray, *shape: int) -> np.ndarray:
    """memory[k,m] -> a view [k,*shape]; what is left over of m keeps the k from sharing sets of the cache."""
    size = int(np.prod(shape))
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


def winograd_2d(
    x: np.ndarray,
    weights: np.ndarray,
    pad: Pads,
    *,
    taps: np.ndarray,
    across: np.ndarray,
    u: np.ndarray,
    strip: np.ndarray,
    transformed: np.ndarray,
    products: np.ndarray,
    bias: np.ndarray | None = None,
    add: np.ndarray | None = None,
    relu: bool = False,
    moments: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,4,c,T,n], weights[f,3,3,c] -> out[i,4,f,t,n], a strip at a time.

    What follows is done as in `winograd_1d`. Scratch: taps[3,3,f,c], across[3,6,f,c], u[6,6,f,c] (see
    `transform_filters_2d`), strip[6,m], products[36,m], transformed[k,36,m]: with k = 1 those of a strip after the
    other, else those of all strips, which are whole at the end.
    """
    height, _, channels, _, n = x.shape
    rows, _, filters, tiles, _ = out.shape
    (top, _), (left, _) = pad
    rows_x, rows_y = x.reshape(height, 4, channels, -1), out.reshape(rows, 4, filters, -1)
    length = tiles * n
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
        transform_input(mixed, left, n, out=v.swapaxes(0, 1))
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
    du: np.ndarray,
    parts: np.ndarray,
    strip: np.ndarray,
    transformed: np.ndarray,
    gradients: np.ndarray,
    products: np.ndarray,
    both: np.ndarray,
    epilogue: GradientSums | None = None,
    dw: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,4,f,t,n], x[h,4,c,T,n], weights[f,3,3,c] -> out[h,4,c,T,n] and dw[f,3,3,c].

    dy, x, `transformed` and `epilogue` are as in `winograd_gradient`. Scratch: taps, across, u as in `winograd_2d`,
    du[6,6,f,c], parts[6,6,f,c], strip[6,m], gradients[36,m], products[36,m], both[12,m]: what two strips, one
    above the other, bring to the rows of x, in turns in the upper and the lower half.
    """
    height, _, channels, _, n = out.shape
    rows, _, filters, tiles, _ = dy.shape
    (top, _), (left, _) = pad
    length = tiles * n
    rows_dx = out.reshape(height, 4, channels, -1)
    rows_x = None if x is None else x.reshape(rows_dx.shape)
    scale = None if isinstance(dy, np.ndarray) else dy.scale
    rows_dy = dy.reshape(rows, 4, filters, -1) if isinstance(dy, np.ndarray) else dy
    transform_filters_2d(weights, taps=taps, across=across, out=u)
    if scale is not None:
        np.multiply(u, scale, out=u)
    b, back = transforms(out.dtype).b, transforms(out.dtype).b_back
    forth = transforms(out.dtype).a_back
    g, m = strip_view(gradients, filters, length), strip_view(products, channels, length)
    mixed, half = apart(strip, 4, channels, rows_dx.shape[3]), apart(strip, 4, filters, length)
    brought = apart(both, 4, channels, rows_dx.shape[3])
    joined = np.zeros((2, 4, 12), out.dtype)  # four rows of a strip, with the last two of the one above
    joined[0, :, :6] = joined[1, :, 6:] = back[:4]
    joined[0, :2, 6:] = joined[1, :2, :6] = back[4:]
    done = 0
    for k, start in enumerate(range(0, rows, TILE)):
        stop = min(start + TILE, rows)
        v = strip_view(transformed[k % len(transformed)], channels, length)
        if rows_x is not None:
            seen, which = strip_of(rows_x, k, top)
            down(b[:, which], seen, out=mixed)
            transform_input(mixed, left, n, out=v.swapaxes(0, 1))
        down(forth[:, : stop - start], rows_dy[start:stop], out=half)
        transform_gradient(half, out=g.swapaxes(0, 1))
        gemm(g, v.swapaxes(2, 3), out=parts if k else du)
        if k:
            np.add(du, parts, out=du)
        gemm(u.swapaxes(2, 3), g, out=m)
        at = 6 * (k % 2)
        inverse_transform_gradient(m.swapaxes(0, 1), left, n, out=brought[at : at + 6])
        until = TILE * (k + 1) - top  # rows of dx that no strip below has seen
        if k:
            put(joined[k % 2], brought, until - TILE, out=rows_dx)
        else:
            put(back[:4], brought[:6], until - TILE, out=rows_dx)
        if stop == rows:
            put(back[4:], brought[at : at + 6], until, out=rows_dx)
            until = height
        until = min(until, height)
        if epilogue is not None and done < until:
            epilogue.take(slice(done, until), rows_dx[done:until], rows_dx[done:until])
        done = until
    inverse_transform_filters_2d(du, taps=taps, across=across, out=dw)
    if scale is not None:
        np.multiply(dw, scale[:, :, None, None], out=dw)
