"""Pooling on rows x[h,c,w,n]: windows become shifted views, so every step is one call over whole arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .conv import Pads, copy_pixels, reach


def taps(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
) -> Iterator[tuple[int, int, tuple[slice, ...], tuple[slice, ...]]]:
    """For each tap (u, v): the slices of output and input that it joins."""
    for u in range(kernel[0]):
        row = u * dilate[0] - pad[0][0]
        top, end = reach(y_shape[0], x_shape[0], stride[0], row)
        h = top * stride[0] + row
        for v in range(kernel[1]):
            column = v * dilate[1] - pad[1][0]
            lo, hi = reach(y_shape[2], x_shape[2], stride[1], column)
            w = lo * stride[1] + column
            if end > top and hi > lo:
                yield (
                    u,
                    v,
                    (slice(top, end), slice(None), slice(lo, hi)),
                    (
                        slice(h, h + (end - top - 1) * stride[0] + 1, stride[0]),
                        slice(None),
                        slice(w, w + (hi - lo - 1) * stride[1] + 1, stride[1]),
                    ),
                )


def window_views(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x[2i,c,2j,n] -> the four pixels of each 2x2 window, in reading order, as views. Odd edges are left out."""
    height, width = x.shape[0] // 2 * 2, x.shape[2] // 2 * 2
    return (
        x[0:height:2, :, 0:width:2],
        x[0:height:2, :, 1:width:2],
        x[1:height:2, :, 0:width:2],
        x[1:height:2, :, 1:width:2],
    )


def maxpool2(x: np.ndarray, *, top: np.ndarray, bottom: np.ndarray, out: np.ndarray) -> None:
    """The largest of each 2x2 window; top and bottom save the maximum of each row for the backward pass."""
    a, b, c, d = window_views(x)
    np.maximum(a, b, out=top)
    np.maximum(c, d, out=bottom)
    np.maximum(top, bottom, out=out)


def maxpool2_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    *,
    upper: np.ndarray,
    lower: np.ndarray,
    argmax_mask: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy goes to the window's maximum; a tie goes to the first one in reading order.

    upper, lower and argmax_mask are scratch of dy's shape, argmax_mask of bools.
    """
    a, b, c, d = window_views(x)
    da, db, dc, dd = window_views(out)
    if out.shape[0] % 2:
        out[-1] = 0
    if out.shape[2] % 2:
        out[:, :, -1] = 0
    np.greater_equal(top, bottom, out=argmax_mask)
    np.multiply(dy, argmax_mask, out=upper)
    np.subtract(dy, upper, out=lower)
    np.greater_equal(a, b, out=argmax_mask)
    np.multiply(upper, argmax_mask, out=da)
    np.subtract(upper, da, out=db)
    np.greater_equal(c, d, out=argmax_mask)
    np.multiply(lower, argmax_mask, out=dc)
    np.subtract(lower, dc, out=dd)


def phased_maxpool2(
    x: np.ndarray, *, scratch: np.ndarray, argmax: np.ndarray | None = None, out: np.ndarray
) -> None:
    """x[4,i,c,t,n] -> out[i,c,t,n], the largest of each window, whose pixels stand in reading order.

    argmax[3,i,c,t,n] saves for the backward pass whether the left pixel of the upper row, the left pixel of the
    lower row, and the upper row hold the largest.
    """
    a, b, c, d = x
    np.maximum(a, b, out=out)
    np.maximum(c, d, out=scratch)
    if argmax is not None:
        np.greater_equal(a, b, out=argmax[0])
        np.greater_equal(c, d, out=argmax[1])
        np.greater_equal(out, scratch, out=argmax[2])
    np.maximum(out, scratch, out=out)


def phased_maxpool2_gradient(dy: np.ndarray, argmax: np.ndarray, *, out: np.ndarray) -> None:
    """dy[i,c,t,n] goes to the maximum of each window of out[4,i,c,t,n], the first in a tie."""
    a, b, c, d = out
    left, right, upper = argmax
    np.multiply(dy, upper, out=b)
    np.subtract(dy, b, out=d)
    np.multiply(b, left, out=a)
    np.subtract(b, a, out=b)
    np.multiply(d, right, out=c)
    np.subtract(d, c, out=d)


def corner_filters(
    weights: np.ndarray, kernel: tuple[int, int], bias: np.ndarray | None = None, *, out: np.ndarray
) -> None:
    """weights[f,u,v,c] -> out[4f,c*u'*v'], once in each corner of a larger kernel (u', v'), zero elsewhere.

    With a bias[f] out has one column more, of that: it meets a row of ones.
    """
    filters, u, v, channels = weights.shape
    low, right = kernel[0] - u, kernel[1] - v
    out[...] = 0
    taps = out[:, : channels * kernel[0] * kernel[1]].reshape(2, 2, filters, channels, *kernel, copy=False)
    for i in range(2):
        for j in range(2):
            corner = taps[i, j, :, :, i * low : i * low + u, j * right : j * right + v]
            np.copyto(corner, weights.transpose(0, 3, 1, 2))
    if bias is not None:
        np.copyto(out[:, -1].reshape(4, filters), bias)


def maxpool(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    rows: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """The largest of each window; padding is never the largest.

    Rows first, whose pixels lie in long runs, into the scratch rows[r,c,w,n], r of the output's at a time; an image
    of one row, for windows of one row, needs none.
    """
    step = len(out) if rows is None else len(rows)
    for start in range(0, len(out), step):
        y = out[start : start + step]
        seen = x
        if rows is not None:
            seen = rows[: len(y)]
            largest(x, 0, kernel[0], stride[0], dilate[0], pad[0][0] - start * stride[0], out=seen)
        largest(seen, 2, kernel[1], stride[1], dilate[1], pad[1][0], out=y)


def largest(
    x: np.ndarray, axis: int, kernel: int, stride: int, dilate: int, before: int, *, out: np.ndarray
) -> None:
    """The largest of each window along one axis of x[h,c,w,n], the first of which begins `before` its first row."""

    def cut(of: np.ndarray, part: slice) -> np.ndarray:
        return of[part] if axis == 0 else of[:, :, part]

    count = out.shape[axis]
    found = []
    for u in range(kernel):
        lo, hi = reach(count, x.shape[axis], stride, u * dilate - before)
        at = lo * stride + u * dilate - before
        if hi > lo:
            found.append((slice(lo, hi), slice(at, at + (hi - lo - 1) * stride + 1, stride)))
    whole = [there for here, there in found if here == slice(0, count)]
    rest = [(here, there) for here, there in found if here != slice(0, count)]
    if len(whole) > 1:
        np.maximum(cut(x, whole[0]), cut(x, whole[1]), out=out)
    elif whole:
        np.copyto(out, cut(x, whole[0]))
    else:
        out[...] = -np.inf
    rest += [(slice(0, count), there) for there in whole[2:]]
    for here, there in rest:
        np.maximum(cut(out, here), cut(x, there), out=cut(out, here))


def maxpool_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    columns: np.ndarray | None = None,
    scratch: np.ndarray,
    argmax_mask: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n] goes to the first pixel of each window, in reading order, that equals the window's maximum y.

    Rows first: the largest of each row of a window takes part for its row, so that taps are as many as a window is
    high and wide, not their product. Scratch are scratch[4,r,c,j,n] and argmax_mask[r,c,j,n], of bools, with as
    many rows r as the larger of x and y, and with a stride s along the width columns[2,s,h,c,w/s,n], in which every
    s-th column lies by itself, on long spans.
    """
    step = stride[1]
    if columns is None:
        pixels, gradients = x[None], out[None]
    else:
        pixels, gradients = columns
        columns_by_phase(x, pixels)
    gradients[...] = 0
    largest, of_rows = scratch[:2, : len(x)]
    rest, part = scratch[2:]
    across = []
    for lo, hi, at in line_taps(x.shape[2], y.shape[2], kernel[1], step, dilate[1], pad[1][0]):
        span = at % step, slice(None), slice(None), slice(at // step, at // step + hi - lo)
        across.append(((slice(None), slice(None), slice(lo, hi)), span))
    largest[...] = -np.inf
    for here, there in across:
        np.maximum(largest[here], pixels[there], out=largest[here])
    down = []
    for lo, hi, at in line_taps(x.shape[0], y.shape[0], kernel[0], stride[0], dilate[0], pad[0][0]):
        down.append(((slice(lo, hi),), (slice(at, at + (hi - lo - 1) * stride[0] + 1, stride[0]),)))
    of_rows[...] = 0
    made, read = slice(len(y)), slice(len(x))
    np.copyto(rest[made], dy)
    route_to_first(rest[made], largest, y, down, argmax_mask=argmax_mask[made], part=part[made], out=of_rows)
    route_to_first(of_rows, pixels, largest, across, argmax_mask=argmax_mask[read], part=part[read], out=gradients)
    if columns is not None:
        columns_from_phases(gradients, out)


Taps = Sequence[tuple[tuple[slice, ...], tuple[int | slice, ...]]]


def route_to_first(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    taps: Taps,
    *,
    argmax_mask: np.ndarray,
    part: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy, which is used up, is added to the first of the taps out[there] for which x[there] is y[here].

    What none before the last tap took goes to the last.
    """
    if not taps:  # the windows see nothing but padding
        return
    for here, there in taps[:-1]:
        np.equal(x[there], y[here], out=argmax_mask[here])
        np.multiply(dy[here], argmax_mask[here], out=part[here])
        np.subtract(dy[here], part[here], out=dy[here])
        np.add(out[there], part[here], out=out[there])
    here, there = taps[-1]
    np.add(out[there], dy[here], out=out[there])


def line_taps(
    size: int, out: int, kernel: int, stride: int, dilate: int, before: int
) -> Iterator[tuple[int, int, int]]:
    """For each tap along one axis: the outputs lo..hi-1 that see it, and the pixel that the first of them sees."""
    for tap in range(kernel):
        offset = tap * dilate - before
        lo, hi = reach(out, size, stride, offset)
        if hi > lo:
            yield lo, hi, lo * stride + offset


def columns_by_phase(x: np.ndarray, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[s,h,c,w/s,n], column s·i + r at [r,:,:,i]."""
    for r in range(min(len(out), x.shape[2])):
        columns = x[:, :, r :: len(out)]
        copy_pixels(columns, out=out[r, :, :, : columns.shape[2]])


def columns_from_phases(x: np.ndarray, out: np.ndarray) -> None:
    """x[s,h,c,w/s,n] -> out[h,c,w,n], the inverse."""
    for r in range(min(len(x), out.shape[2])):
        columns = out[:, :, r :: len(x)]
        copy_pixels(x[r, :, :, : columns.shape[2]], out=columns)


def window_sums(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    out: np.ndarray,
) -> None:
    """The sum of each window; padding counts as zero."""
    out[...] = 0
    for _, _, here, there in taps(x.shape, out.shape, kernel, stride, dilate, pad):
        np.add(out[here], x[there], out=out[here])


def window_sums_gradient(
    dy: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    out: np.ndarray,
) -> None:
    """Every pixel gets the sum of the gradients of the windows that it lies in."""
    out[...] = 0
    for _, _, here, there in taps(out.shape, dy.shape, kernel, stride, dilate, pad):
        np.add(out[there], dy[here], out=out[there])


def lp_pool(
    x: np.ndarray,
    p: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    scratch: tuple[np.ndarray, np.ndarray],
    out: np.ndarray,
) -> None:
    """The p-norm of each window, (sum of |x|^p)^(1/p), relative to its largest number: no power overflows."""
    largest, part = scratch
    largest[...] = np.finfo(x.dtype).tiny  # of a window of zeros, which divides none of them
    for _, _, here, there in taps(x.shape, out.shape, kernel, stride, dilate, pad):
        np.abs(x[there], out=part[here])
        np.maximum(largest[here], part[here], out=largest[here])
    out[...] = 0
    for _, _, here, there in taps(x.shape, out.shape, kernel, stride, dilate, pad):
        np.abs(x[there], out=part[here])
        np.divide(part[here], largest[here], out=part[here])
        to_power(part[here], p)
        np.add(out[here], part[here], out=out[here])
    if p > 1:
        np.power(out, out.dtype.type(1 / p), out=out)
    np.multiply(out, largest, out=out)


def lp_pool_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    p: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: Pads,
    dilate: tuple[int, int] = (1, 1),
    *,
    scratch: tuple[np.ndarray, np.ndarray, np.ndarray],
    out: np.ndarray,
) -> None:
    """Every pixel gets dy * sign(x) * (|x| / y)^(p - 1) of the windows that it lies in; 0 where y is 0."""
    safe, part, sign = scratch
    np.maximum(y, np.finfo(y.dtype).tiny, out=safe)
    out[...] = 0
    for _, _, here, there in taps(out.shape, dy.shape, kernel, stride, dilate, pad):
        np.sign(x[there], out=sign[here])
        np.abs(x[there], out=part[here])
        np.divide(part[here], safe[here], out=part[here])
        to_power(part[here], p - 1)
        np.multiply(part[here], sign[here], out=part[here])
        np.multiply(part[here], dy[here], out=part[here])
        np.add(out[there], part[here], out=out[there])


def to_power(x: np.ndarray, p: int) -> None:
    """x^p in place"""
    if p == 2:
        np.multiply(x, x, out=x)
    elif p != 1:
        np.power(x, x.dtype.type(p), out=x)
