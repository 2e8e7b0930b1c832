"""Depthwise convolution: one kernel for each channel.

A strip of output rows is a product of matrices, a band of the kernel's numbers times what the strip sees:

    [ a b c 0 0 0 ]
    [ 0 a b c 0 0 ]     times rows of w*n numbers; each of a b c stands for a row of the kernel,
    [ 0 0 a b c 0 ]     whose columns meet a copy of the row each, moved sideways.
    [ 0 0 0 a b c ]

Half of its products are with zero, and it takes a fraction of the time of sums of scaled rows, which go through the
memory twice for each tap. The copies of some channels stay in the cache; what they make is the layer, with nothing
to add up. So is the input's gradient with stride 1. With other strides that is a product for each column of the
kernel with the band transposed; what they make is moved sideways and added up.

An image of a few pixels is one product instead, of all pixels with a dense matrix for each channel: the kernel's
numbers where a tap leads from a pixel to a pixel, which are all products of the kernels with a table of 0 and 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .conv import Pads, copy_pixels, reach

Columns = list[tuple[slice, slice]]
Pair = tuple[int, int]


def met_columns(width: int, seen: int, kernel: int, stride: int, dilate: int, left: int) -> Columns:
    """For each column of the kernel: which columns of the output meet a pixel through it, and which pixels."""
    found = []
    for v in range(kernel):
        offset = v * dilate - left
        lo, hi = reach(width, seen, stride, offset)
        first, count = lo * stride + offset, max(0, hi - lo)
        found.append((slice(lo, lo + count), slice(first, first + max(0, (count - 1) * stride + 1), stride)))
    return found


def add_strips(
    x: np.ndarray,
    bands: np.ndarray,
    step: int,
    base: int,
    columns: Columns,
    across: int = 1,
    *,
    parts: np.ndarray,
    sums: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """out[i,c,j,n] = what bands[c,v,r,k] make of x[h,c,w,n], r rows at a time from k.

    Strip s sees rows s*step + base and those below it, where there are any. columns[v] tells which columns of `out`
    get which of what a band of column v made; with `across` above one they stand so far apart, and those of one
    residue are added up in the scratch sums[r,b,j/across,n] first, on long spans. parts[b,v,r,w,n] is scratch, for
    b channels at a time.
    """
    height, channels, width, n = x.shape
    block, kernel, rows = parts.shape[:3]
    span = bands.shape[3]
    used = [v for v, (here, _) in enumerate(columns) if here.stop > here.start]
    for strip, start in enumerate(range(0, len(out), rows)):
        stop = min(start + rows, len(out))
        first = strip * step + base
        above, below = max(first, 0), min(first + span, height)
        for c in range(0, channels, block):
            some = slice(c, min(c + block, channels))
            made = parts[: some.stop - c]
            y = out[start:stop, some]
            if below <= above:
                y[...] = 0
                continue
            matrix = bands[some, :, :, above - first : below - first].reshape(len(made), -1, below - above)
            seen = x[above:below, some].reshape(below - above, len(made), width * n).swapaxes(0, 1)
            np.matmul(matrix, seen, out=made.reshape(len(made), kernel * rows, width * n))
            by_row = made[:, :, : stop - start].transpose(1, 2, 0, 3, 4)
            for residue in range(across):
                taps = [v for v in used if columns[v][0].start % across == residue]
                apart = y[:, :, residue::across]
                if sums is None:
                    add_columns(by_row, taps, columns, across, out=apart)
                else:
                    total = sums[: stop - start, : len(made), : apart.shape[2]]
                    add_columns(by_row, taps, columns, across, out=total)
                    copy_pixels(total, out=apart)


def add_columns(made: np.ndarray, taps: list[int], columns: Columns, across: int, *, out: np.ndarray) -> None:
    """out[r,c,j,n] = the sum of made[v,r,c,w,n] over some columns v, each moved to where it belongs."""
    places = [(slice(columns[v][0].start // across, -(-columns[v][0].stop // across)), v) for v in taps]
    places.sort(key=lambda place: place[0].start - place[0].stop)  # the widest first
    whole = bool(places) and (places[0][0].start, places[0][0].stop) == (0, out.shape[2])
    if not whole:
        out[...] = 0
    for k, (here, v) in enumerate(places):
        part = made[v][:, :, columns[v][1]]
        if k == 0 and whole:
            np.copyto(out, part)
        else:
            np.add(out[:, :, here], part, out=out[:, :, here])


def depthwise_bands(weights: np.ndarray, stride: int, dilate: int, *, out: np.ndarray) -> None:
    """weights[c,u,v] -> out[c,r,span*v]: the kernel's numbers for r rows of output below each other.

    `stride` and `dilate` are those of the rows; row r sees u of the span at r*stride + u*dilate.
    """
    channels, kernel_h, kernel_w = weights.shape
    rows = out.shape[1]
    bands = out.reshape(channels, rows, -1, kernel_w)
    bands[...] = 0
    for r in range(rows):
        first = r * stride
        bands[:, r, first : first + (kernel_h - 1) * dilate + 1 : dilate] = weights


def gather_phases(x: np.ndarray, stride: int, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,c,w,n], columns by their phase: 0 2 4 1 3 5 of six with stride 2."""
    np.take(x, phases_of(x.shape[2], stride), axis=2, out=out, mode="clip")  # else out is a copy until all is done


@cache
def phases_of(width: int, stride: int) -> np.ndarray:
    """The columns of a row of that width, those of each phase after the other."""
    return np.arange(width).reshape(-1, stride).T.reshape(-1)


def depthwise(
    x: np.ndarray,
    bands: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    by_phase: bool = False,
    wide: np.ndarray,
    tail: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], bands[c,r,span*v] (see `depthwise_bands`) -> out[i,c,j,n]

    For some channels and rows at a time each column of the kernel gets a copy of the rows in wide[k,v,b,j,n], whose
    pixel j is the one that output j meets through it; what r rows of output see is one matrix then, without a copy.
    With `by_phase` the columns of x stand by their phase, column modulo stride, of which each has as many.
    tail[b,r,j*n] is scratch for the last rows, where r does not divide them.
    """
    (height, channels, seen_w, n), (made, _, width, _) = x.shape, out.shape
    rows, depth = bands.shape[1:]
    held, kernel_w, block = wide.shape[:3]
    span, step, length = depth // kernel_w, rows * stride[0], width * n
    strips = (held - span) // step + 1  # that are made at a time
    columns = met_columns(width, seen_w, kernel_w, stride[1], dilate[1], pad[1][0])
    by_row, by_column, by_channel, _, by_number = wide.strides
    strides = (by_channel, step * by_row, by_column, by_number)
    seen = np.ndarray((block, strips, depth, length), wide.dtype, wide, 0, strides)
    for start in range(0, made, strips * rows):
        stop = min(start + strips * rows, made)
        first = start * stride[0] - pad[0][0]
        above = min(max(first, 0), height)
        below = max(above, min(first + held, height))
        top, bottom = max(0, above - first), max(0, below - first)
        wide[:top] = 0
        wide[bottom:] = 0
        whole, left = divmod(stop - start, rows)
        for c in range(0, channels, block):
            some = slice(c, min(c + block, channels))
            count = some.stop - c
            if top < bottom:
                copy_columns(x[above:below, some], columns, stride[1], by_phase, out=wide[top:bottom, :, :count])
            y = out[start:stop, some].reshape(stop - start, count, length, copy=False).swapaxes(0, 1)
            y_of_strips = y[:, : whole * rows].reshape(count, whole, rows, length, copy=False)
            np.matmul(bands[some, None], seen[:count, :whole], out=y_of_strips)
            if left and tail is not None:
                np.matmul(bands[some], seen[:count, whole], out=tail[:count])
                np.copyto(y[:, -left:], tail[:count, :left])


def copy_columns(x: np.ndarray, columns: Columns, stride: int, by_phase: bool, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,v,c,j,n]: for each column of the kernel the pixels that outputs meet through it.

    Where an image is as wide as the output, all channels of a row are copied as one run, and what comes from the
    channel beside is overwritten.
    """
    height, _, seen, n = x.shape
    width, phase = out.shape[3], seen // stride
    for v, (here, there) in enumerate(columns):
        mine = out[:, v]
        if stride == 1 and seen == width:
            flat, given = mine.reshape(height, -1, copy=False), x.reshape(height, -1, copy=False)
            shift = (there.start - here.start) * n
            moved = given[:, max(0, shift) : given.shape[1] + min(0, shift)]
            np.copyto(flat[:, max(0, -shift) : flat.shape[1] - max(0, shift)], moved)
        elif here.start < here.stop:
            if by_phase:
                at = there.start % stride * phase + there.start // stride
                there = slice(at, at + here.stop - here.start)
            copy_pixels(x[:, :, there], out=mine[:, :, here])
        if here.start:
            mine[:, :, : here.start] = 0
        if here.stop < width:
            mine[:, :, here.stop :] = 0


def depthwise_input_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    parts: np.ndarray,
    sums: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n]; parts[b,v,r,j,n] is scratch, r a multiple of the stride.

    With a stride of the columns sums[r,b,w/stride,n] is scratch too.
    """
    channels, kernel_h, kernel_w = weights.shape
    rows, top = parts.shape[2], pad[0][0]
    # the first and the last row of dy that saw the first strip
    base, last = -(((kernel_h - 1) * dilate[0] - top) // stride[0]), (rows - 1 + top) // stride[0]
    bands = np.zeros((channels, kernel_w, rows, last - base + 1), dy.dtype)
    for i in range(base, last + 1):
        for u in range(kernel_h):
            r = i * stride[0] + u * dilate[0] - top
            if 0 <= r < rows:
                bands[:, :, r, i - base] = weights[:, u]
    met = met_columns(dy.shape[2], out.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    columns = [(there, here) for here, there in met]
    add_strips(dy, bands, rows // stride[0], base, columns, stride[1], parts=parts, sums=sums, out=out)


def depthwise_filter_gradient(
    x: np.ndarray,
    dy: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    products: np.ndarray,
    seen: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], dy[i,c,j,n] -> out[c,u,v]: the other way round, products of a strip's rows with those it sees.

    For each column of the kernel products[c,r,k] = dy[r] . x[k] over columns and images; row u of the kernel is the
    sum over r of those where it leads from row k to row r. With a stride seen[c,k,j,n] is scratch for the columns.
    """
    height, channels, width, n = dy.shape
    _, kernel_h, kernel_w = out.shape
    columns = met_columns(width, x.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    strip, span = products.shape[1:]
    by_channel, by_row, by_seen = products.strides
    out[...] = 0
    for start in range(0, height, strip):
        count = min(strip, height - start)
        first = start * stride[0] - pad[0][0]
        above, below = max(first, 0), min(first + span, len(x))
        if below <= above:
            continue
        products[:, :, : above - first] = 0
        products[:, :, below - first :] = 0
        for v, (here, there) in enumerate(columns):
            if here.stop <= here.start:
                continue
            length = (here.stop - here.start) * n
            grad = dy[start : start + count, :, here].swapaxes(0, 1)
            rows = x[above:below, :, there].swapaxes(0, 1)
            if seen is not None:  # pixels apart are brought together first
                together = seen[:, : below - above, : here.stop - here.start]
                copy_pixels(rows, out=together)
                rows = together
            rows = rows.reshape(channels, below - above, length)
            part = products[:, :count, above - first : below - first]
            np.matmul(grad.reshape(channels, count, length), rows.swapaxes(1, 2), out=part)
            steps = (by_channel, dilate[0] * by_seen, by_row + stride[0] * by_seen)
            np.add(out[:, :, v], as_strided(products, (channels, kernel_h, count), steps).sum(2), out=out[:, :, v])


@cache
def table_of_taps(
    made: Pair, seen: Pair, kernel: Pair, stride: Pair, dilate: Pair, pad: Pads, dtype: np.dtype
) -> np.ndarray:
    """[u*v, i*j*h*w]: 1 where tap (u, v) leads from pixel (h, w) of the input to pixel (i, j) of the output."""
    table = np.zeros((*kernel, *made, *seen), dtype)
    for u, v, i, j in np.ndindex(*kernel, *made):
        h, w = i * stride[0] + u * dilate[0] - pad[0][0], j * stride[1] + v * dilate[1] - pad[1][0]
        if 0 <= h < seen[0] and 0 <= w < seen[1]:
            table[u, v, i, j, h, w] = 1
    return table.reshape(kernel[0] * kernel[1], -1)


def size(x: np.ndarray) -> Pair:
    """Height and width of x[h,c,w,n]."""
    return x.shape[0], x.shape[2]


def channels_first(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[c,h*w,n]"""
    height, channels, width, n = x.shape
    np.copyto(out.reshape(channels, height, width, n), x.swapaxes(0, 1))


def rows_first(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[c,h*w,n] -> out[h,c,w,n]"""
    height, channels, width, n = out.shape
    np.copyto(out, x.reshape(channels, height, width, n).swapaxes(0, 1))


def dense_matrices(
    weights: np.ndarray, made: Pair, seen: Pair, stride: Pair, dilate: Pair, pad: Pads, *, out: np.ndarray
) -> None:
    """weights[c,u,v] -> out[c,i*j,h*w], from the pixels of an image to those of a layer, whose sizes are given."""
    table = table_of_taps(made, seen, weights.shape[1:], stride, dilate, pad, weights.dtype)
    np.matmul(weights.reshape(len(weights), -1), table, out=out.reshape(len(out), -1))


def depthwise_dense(
    x: np.ndarray, matrix: np.ndarray, *, seen: np.ndarray, made: np.ndarray, out: np.ndarray
) -> None:
    """x[h,c,w,n], matrix[c,i*j,h*w] -> out[i,c,j,n]; scratch is seen[c,h*w,n] and made[c,i*j,n]."""
    channels_first(x, out=seen)
    np.matmul(matrix, seen, out=made)
    rows_first(made, out=out)


def depthwise_dense_input_gradient(
    dy: np.ndarray,
    weights: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    matrix: np.ndarray,
    seen: np.ndarray,
    made: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n], by the matrices transposed.

    Scratch is matrix[c,i*j,h*w], seen[c,h*w,n], made[c,i*j,n].
    """
    dense_matrices(weights, size(dy), size(out), stride, dilate, pad, out=matrix)
    channels_first(dy, out=made)
    np.matmul(matrix.swapaxes(1, 2), made, out=seen)
    rows_first(seen, out=out)


def depthwise_dense_filter_gradient(
    x: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    dilate: Pair,
    pad: Pads,
    *,
    matrix: np.ndarray,
    seen: np.ndarray,
    made: np.ndarray,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], dy[i,c,j,n] -> out[c,u,v]: the matrices' gradient, summed for each tap.

    Scratch as in `depthwise_dense_input_gradient`.
    """
    table = table_of_taps(size(dy), size(x), out.shape[1:], stride, dilate, pad, x.dtype)
    channels_first(x, out=seen)
    channels_first(dy, out=made)
    np.matmul(made, seen.swapaxes(1, 2), out=matrix)
    np.matmul(matrix.reshape(len(matrix), -1), table.T, out=out.reshape(len(out), -1))
