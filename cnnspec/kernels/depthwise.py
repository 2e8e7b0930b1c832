"""Depthwise convolution: one kernel for each channel.

For each column of the kernel, a strip of output rows is a product of matrices: a band of the kernel's numbers,

    [ a b c 0 0 0 ]
    [ 0 a b c 0 0 ]     times the rows of the input that the strip sees, of w*n numbers.
    [ 0 0 a b c 0 ]
    [ 0 0 0 a b c ]

Half of its products are with zero, and it takes a quarter of the time of sums of scaled rows, which go through the
memory twice for each tap. The bands of all columns stand in one matrix for each channel; what they make is moved
sideways and added up. The input's gradient goes the same way with the matrix transposed.

An image of a few pixels is one product instead, of all pixels with a dense matrix for each channel: the kernel's
numbers where a tap leads from a pixel to a pixel, which are all products of the kernels with a table of 0 and 1.
"""

from __future__ import annotations

from functools import cache
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .conv import Pads, copy_pixels, reach

Columns = list[tuple[slice, slice]]


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


def strips_of_layer(
    x: np.ndarray,
    bands: np.ndarray,
    step: int,
    base: int,
    columns: Columns,
    stride: int,
    *,
    parts: np.ndarray,
    seen: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """out[i,c,j,n] = what bands[c,v,r,k] make of x[h,c,w,n], as in `add_strips`.

    Scratch: parts[b,v,r,w/stride,n]. Pixels that stand `stride` columns apart are put side by side in the scratch
    seen[k,b,w/stride,n] first, each as one thing for all images: nothing is made then of pixels that no tap meets,
    and sums go over long runs.
    """
    height, channels, _, n = x.shape
    block, _, rows = parts.shape[:3]
    span, pixel = bands.shape[3], f"V{n * x.itemsize}"
    used = [v for v, (here, _) in enumerate(columns) if here.stop > here.start]
    used.sort(key=lambda v: columns[v][0].start - columns[v][0].stop)  # the widest first
    by_residue = []
    for residue in dict.fromkeys(columns[v][1].start % stride for v in used):
        taps = [v for v in used if columns[v][1].start % stride == residue]
        by_residue.append((residue, taps, bands[:, taps].reshape(channels, -1, span)))
    places = []
    for here, there in (columns[v] for v in used):
        at = there.start // stride
        places.append((here, slice(at, at + here.stop - here.start)))
    for strip, start in enumerate(range(0, len(out), rows)):
        stop = min(start + rows, len(out))
        first = strip * step + base
        above, below = max(first, 0), min(first + span, height)
        for c in range(0, channels, block):
            some = slice(c, min(c + block, channels))
            y = out[start:stop, some]
            if below <= above or not used:
                y[...] = 0
                continue
            made: dict[int, np.ndarray] = {}
            memory = parts.reshape(-1)
            for residue, taps, matrices in by_residue:
                given = x[above:below, some]
                if seen is not None:
                    apart = given[:, :, residue::stride]
                    given = seen[: below - above, : y.shape[1], : apart.shape[2]]
                    np.copyto(given.view(pixel), apart.view(pixel))
                shape = (len(taps), rows, *given.shape[1:])
                room, memory = memory[: prod(shape)].reshape(shape), memory[prod(shape) :]
                np.matmul(
                    matrices[some, :, above - first : below - first],
                    given.reshape(below - above, y.shape[1], -1).swapaxes(0, 1),
                    out=room.reshape(len(taps) * rows, y.shape[1], -1).swapaxes(0, 1),
                )
                made |= zip(taps, room[:, : stop - start], strict=True)
            sum_columns([made[v] for v in used], places, out=y)


def sum_columns(made: list[np.ndarray], columns: Columns, *, out: np.ndarray) -> None:
    """out[r,c,j,n] = the sum of some made[r,c,w,n], each moved to where it belongs, the widest first.

    Where both have as many columns, all channels are one run: what would come from the channel beside is zero.
    """
    rows, _, across, n = out.shape
    if any(part.shape[2] != across for part in made):
        out[...] = 0
        for part, (here, there) in zip(made, columns, strict=True):
            np.add(out[:, :, here], part[:, :, there], out=out[:, :, here])
        return
    y = out.reshape(rows, -1, copy=False)
    for k, (part, (here, there)) in enumerate(zip(made, columns, strict=True)):
        if there.start:
            part[:, :, : there.start] = 0
        if there.stop < across:
            part[:, :, there.stop :] = 0
        shift = (here.start - there.start) * n
        lo, hi = max(0, shift), y.shape[1] + min(0, shift)
        run = part.reshape(rows, -1)[:, lo - shift : hi - shift]
        if k == 0:
            y[:, :lo], y[:, lo:hi], y[:, hi:] = 0, run, 0
        else:
            np.add(y[:, lo:hi], run, out=y[:, lo:hi])


def depthwise(
    x: np.ndarray,
    weights: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    parts: np.ndarray,
    seen: np.ndarray | None = None,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n], weights[c,u,v] -> out[i,c,j,n]; parts[b,v,r,w/stride,n] is scratch (see `strips_of_layer`).

    With a stride of the columns so is seen[k,b,w/stride,n].
    """
    channels, kernel_h, kernel_w = weights.shape
    rows = parts.shape[2]
    bands = np.zeros((channels, kernel_w, rows, (rows - 1) * stride[0] + (kernel_h - 1) * dilate[0] + 1), x.dtype)
    for r in range(rows):
        for u in range(kernel_h):
            bands[:, :, r, r * stride[0] + u * dilate[0]] = weights[:, u]
    columns = met_columns(out.shape[2], x.shape[2], kernel_w, stride[1], dilate[1], pad[1][0])
    step, across = rows * stride[0], stride[1]
    strips_of_layer(x, bands, step, -pad[0][0], columns, across, parts=parts, seen=seen, out=out)


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


Pair = tuple[int, int]


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


def depthwise_dense(
    x: np.ndarray,
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
    """x[h,c,w,n], weights[c,u,v] -> out[i,c,j,n]; scratch is matrix[c,i*j,h*w], seen[c,h*w,n], made[c,i*j,n]."""
    table = table_of_taps(size(out), size(x), weights.shape[1:], stride, dilate, pad, x.dtype)
    np.matmul(weights.reshape(len(weights), -1), table, out=matrix.reshape(len(matrix), -1))
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
    """dy[i,c,j,n], weights[c,u,v] -> out[h,c,w,n], by the matrices transposed; the same scratch."""
    table = table_of_taps(size(dy), size(out), weights.shape[1:], stride, dilate, pad, dy.dtype)
    np.matmul(weights.reshape(len(weights), -1), table, out=matrix.reshape(len(matrix), -1))
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
    """x[h,c,w,n], dy[i,c,j,n] -> out[c,u,v]: the matrices' gradient, summed for each tap; the same scratch."""
    table = table_of_taps(size(dy), size(x), out.shape[1:], stride, dilate, pad, x.dtype)
    channels_first(x, out=seen)
    channels_first(dy, out=made)
    np.matmul(made, seen.swapaxes(1, 2), out=matrix)
    np.matmul(matrix.reshape(len(matrix), -1), table.T, out=out.reshape(len(out), -1))
