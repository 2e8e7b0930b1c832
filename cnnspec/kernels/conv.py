"""Convolution on rows: x[h,c,w,n], the images of a shard innermost.

With images innermost a pixel of one channel is a contiguous run of n numbers, and a row of a channel a run
of w*n. A convolution then copies its input once for each *column* of the kernel (`im2col_width`), and gets the
kernel's *rows* for nothing: rows h .. h+u-1 of the widened array lie one after the other in memory, so the
whole layer is one batched matrix product over the output's rows (`rows`).

Names: u v kernel row and column, i j output row and column, g groups, f filters.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .gemm import gemm

Pads = tuple[tuple[int, int], tuple[int, int]]


def copy_pixels(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[...,n] -> out[...,n], of pixels that lie apart: the n numbers of each in one piece, not in a loop."""
    if x.shape[-1] > 1 and x.strides[-1] == x.itemsize:
        piece = f"V{x.shape[-1] * x.itemsize}"
        x, out = x.view(piece), out.view(piece)
    np.copyto(out, x)


def reach(out: int, size: int, stride: int, offset: int) -> tuple[int, int]:
    """Outputs lo..hi-1 for which 0 <= i*stride + offset < size."""
    lo = max(0, -(offset // stride))
    hi = min(out, (size - 1 - offset) // stride + 1)
    return lo, max(lo, hi)


def im2col_width(
    x: np.ndarray,
    kernel: int = 1,
    stride: int = 1,
    dilate: int = 1,
    pad: Pads = ((0, 0), (0, 0)),
    *,
    phases: int = 1,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n] -> out[g,top+h+bottom,v,c/g,j,n]: column v holds pixel j*stride + v*dilate - left.

    What lies outside the image is zero. A row's pixels are sorted by j mod `phases`; where these do not divide
    the columns, those beyond the last are zero.
    """
    groups, rows, _, channels, width, n = out.shape
    height = x.shape[0]
    (top, bottom), (left, right) = pad
    columns = (left + x.shape[2] + right - (kernel - 1) * dilate - 1) // stride + 1
    if top:
        out[:, :top] = 0
    if bottom:
        out[:, rows - bottom :] = 0
    source = x.reshape(height, groups, channels, x.shape[2], n).swapaxes(0, 1)
    count, step = width // phases, stride * phases
    for v in range(kernel):
        for r in range(phases):
            offset = r * stride + v * dilate - left
            lo, hi = reach(min(count, len(range(r, columns, phases))), x.shape[2], step, offset)
            column = out[:, top : top + height, v, :, r * count : (r + 1) * count]
            if lo:
                column[..., :lo, :] = 0
            if hi < count:
                column[..., hi:, :] = 0
            if hi > lo:
                first = lo * step + offset
                seen, made = source[..., first : first + (hi - lo - 1) * step + 1 : step, :], column[..., lo:hi, :]
                copy_pixels(seen, out=made) if step > 1 else np.copyto(made, seen)


class Im2colWidth:
    """`im2col_width` for one image: the pieces that it copies and makes zero are found once, for every `copy`.

    Where rows of the output are as long as those of the input, but for the stride, a column of the kernel is all
    channels of a row in one run, moved by some pixels; what a channel then has of its neighbour is made zero, for
    it stands where the padding is.
    """

    def __init__(
        self,
        x: np.ndarray,
        kernel: int,
        stride: int = 1,
        dilate: int = 1,
        pad: Pads = ((0, 0), (0, 0)),
        *,
        out: np.ndarray,
    ) -> None:
        groups, rows, _, channels, width, _ = out.shape
        height, _, seen, _ = x.shape
        (top, bottom), (left, _) = pad
        row, channel, column, _ = x.strides
        run = channels if seen == stride * width and channel == seen * column else 1  # channels in one run
        shape = (groups, height, channels // run, run * seen)
        source = as_strided(x, shape, (channels * channel, row, run * channel, column))
        made = out[:, top : top + height, ..., 0]
        self.copies: list[tuple[np.ndarray, np.ndarray]] = []
        self.outside = [part for part in (out[:, :top], out[:, rows - bottom :]) if part.size]
        for v in range(kernel):
            offset = v * dilate - left
            lo, hi = reach(run * width, run * seen, stride, offset)
            if hi > lo:
                first = lo * stride + offset
                to = made[:, :, v].reshape(groups, height, -1, run * width)[..., lo:hi]
                self.copies.append((to, source[..., first : first + (hi - lo - 1) * stride + 1 : stride]))
            lo, hi = reach(width, seen, stride, offset)
            beside = made[:, :, v, :, :lo], made[:, :, v, :, hi:]
            self.outside += [part for part in beside if part.size]

    def copy(self) -> None:
        for to, source in self.copies:
            to[...] = source
        for part in self.outside:
            part.fill(0)


def im2col(
    x: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilate: tuple[int, int] = (1, 1),
    pad: Pads = ((0, 0), (0, 0)),
    *,
    out: np.ndarray,
) -> None:
    """x[h,c,w,n] -> out[g,i,u*v,c/g,j,n]: every tap of the kernel a copy, for kernels dilated in height."""
    groups, height, _, channels, width, n = out.shape
    source = x.reshape(x.shape[0], groups, channels, x.shape[2], n).swapaxes(0, 1)
    for u in range(kernel[0]):
        row = u * dilate[0] - pad[0][0]
        top, end = reach(height, x.shape[0], stride[0], row)
        for v in range(kernel[1]):
            column = v * dilate[1] - pad[1][0]
            lo, hi = reach(width, x.shape[2], stride[1], column)
            tap = out[:, :, u * kernel[1] + v]
            if top or end < height or lo or hi < width:
                tap[...] = 0
            if end > top and hi > lo:
                h, w = top * stride[0] + row, lo * stride[1] + column
                np.copyto(
                    tap[:, top:end, :, lo:hi],
                    source[
                        :,
                        h : h + (end - top - 1) * stride[0] + 1 : stride[0],
                        :,
                        w : w + (hi - lo - 1) * stride[1] + 1 : stride[1],
                    ],
                )


def fill(x: np.ndarray, number: float) -> None:
    """Every number of x; `copyto` makes an array of the number first, which takes longer than a small x."""
    x.fill(number)


def rows(wide: np.ndarray, kernel: int, stride: int, height: int) -> np.ndarray:
    """wide[g,h,v,c,j,n] -> a view [g,i,u*v*c,j*n]: for each output row, the kernel's rows of input. No copy."""
    groups, _, taps, channels, width, n = wide.shape
    group, row = wide.strides[:2]
    depth = taps * channels
    if row != depth * width * n * wide.itemsize:
        raise AssertionError("rows of the widened array must lie one after the other")
    return as_strided(
        wide,
        (groups, height, kernel * depth, width * n),
        (group, row * stride, width * n * wide.itemsize, wide.itemsize),
    )


def by_group(y: np.ndarray, groups: int) -> np.ndarray:
    """y[i,f,j,n] -> a view [g,i,f/g,j*n]."""
    height, filters, width, n = y.shape
    return y.reshape(height, groups, filters // groups, width * n).swapaxes(0, 1)


def windows(x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """x[h,c,w,n] -> a view [c,u,v,i,j,n]: for each tap, the pixels that it meets."""
    (u, v), (down, across) = kernel, stride
    height, channels, width, n = x.shape
    row, channel, column, image = x.strides
    shape = (channels, u, v, (height - u) // down + 1, (width - v) // across + 1, n)
    return as_strided(x, shape, (channel, row, column, row * down, column * across, image))


def column_windows(x: np.ndarray, kernel: int, stride: int, dilate: int, groups: int) -> np.ndarray:
    """x[h,c,w,n] -> a view [g,h,v,c/g,j,n], what `im2col_width` copies of an image with its padding."""
    height, channels, width, n = x.shape
    row, channel, column, image = x.strides
    each = channels // groups
    shape = (groups, height, kernel, each, (width - (kernel - 1) * dilate - 1) // stride + 1, n)
    return as_strided(x, shape, (each * channel, row, column * dilate, channel, column * stride, image))


def pixels(y: np.ndarray) -> np.ndarray:
    """y[h,c,w,n] -> a view [h,c,w*n]; polyphase rows y[h,4,c,t,n] -> [h*4,c,t*n]."""
    *_, channels, width, n = y.shape
    return y.reshape(-1, channels, width * n)


def filter_gradient(dy: np.ndarray, columns: np.ndarray, *, scratch: np.ndarray, out: np.ndarray) -> None:
    """dw[g,f,d] = sum over i of dy[g,i,f,l] . columns[g,i,d,l]: a product for each row, summed in order.

    scratch[g,r,f,d] holds r rows' products at a time.
    """
    height, block = dy.shape[1], scratch.shape[1]
    for start in range(0, height, block):
        stop = min(start + block, height)
        part = scratch[:, : stop - start]
        gemm(dy[:, start:stop], columns[:, start:stop].swapaxes(2, 3), out=part)
        if start == 0:
            np.add.reduce(part, axis=1, out=out)
        else:
            for row in range(stop - start):
                np.add(out, part[:, row], out=out)


def filter_gradient_at_once(
    dy: np.ndarray, columns: np.ndarray, *, by_filter: np.ndarray, by_tap: np.ndarray, out: np.ndarray
) -> None:
    """The same as one product over all pixels, where a row has so few that most work would go into the sum.

    dy[g,i,f,l], columns[g,i,d,l] are copied to the scratch by_filter[g,f,i,l] and by_tap[g,d,i,l] first.
    """
    groups, filters, height, length = by_filter.shape
    np.copyto(by_filter.swapaxes(1, 2), dy)
    np.copyto(by_tap.swapaxes(1, 2), columns)
    pixels = height * length
    gemm(by_filter.reshape(groups, filters, pixels), by_tap.reshape(groups, -1, pixels).swapaxes(1, 2), out=out)


def col2im(
    weights: np.ndarray,
    dy: np.ndarray,
    stride: tuple[int, int],
    dilate: tuple[int, int],
    pad: Pads,
    *,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """The gradient of the input: each output's gradient, times the weight, is added to the pixels of its window.

    weights[f,u,v,c/g], dy[i,f,j,n] -> out[h,c,w,n]. A block of output rows at a time, the products
    weights^T . dy are made in scratch[r,g,u,v,c/g,j,n] and each tap added where it belongs.
    """
    _, kernel_h, kernel_w, channels = weights.shape
    block, groups = scratch.shape[:2]
    height, _, width, n = dy.shape
    grad = dy.reshape(height, groups, -1, width * n)
    transposed = weights.reshape(groups, grad.shape[2], -1).swapaxes(1, 2)
    image = out.reshape(out.shape[0], groups, channels, out.shape[2], n)
    out[...] = 0
    spans = [reach(width, out.shape[2], stride[1], v * dilate[1] - pad[1][0]) for v in range(kernel_w)]
    for start in range(0, height, block):
        count = min(block, height - start)
        part = scratch[:count]
        gemm(transposed, grad[start : start + count], out=part.reshape(count, groups, -1, width * n))
        for u in range(kernel_h):
            row = start * stride[0] + u * dilate[0] - pad[0][0]
            top, end = reach(count, out.shape[0], stride[0], row)
            if end <= top:
                continue
            h = top * stride[0] + row
            lines = image[h : h + (end - top - 1) * stride[0] + 1 : stride[0]]
            for v, (lo, hi) in enumerate(spans):
                if hi > lo:
                    w = lo * stride[1] + v * dilate[1] - pad[1][0]
                    target = lines[..., w : w + (hi - lo - 1) * stride[1] + 1 : stride[1], :]
                    np.add(target, part[top:end, :, u, v, :, lo:hi], out=target)


def col2im_width(
    weights: np.ndarray,
    dy: np.ndarray,
    pad: Pads,
    *,
    transposed: np.ndarray,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """The same for stride 1, where few channels make products with few rows: only along the width (col2im).

    The kernel's rows come for nothing, as in the forward direction: the rows of dy[i,f,j,n] that an input row
    needs lie one after the other. A product with v*c rows and depth u*f makes scratch[h,v,c,j,n], and v shifted
    sums the gradient; rows at an edge, which fewer rows of dy saw, have shorter products of their own.
    weights[f,u,v,c]; transposed[v,c,u,f] is scratch.
    """
    kernel_h, kernel_w = weights.shape[1:3]
    rows_y, filters, width, n = dy.shape
    height, channels = out.shape[:2]
    above = kernel_h - 1 - pad[0][0]  # input rows that see less than all of the kernel's rows
    seen = range(above, max(above, above + rows_y - kernel_h + 1))
    np.copyto(transposed, weights[:, ::-1].transpose(2, 3, 1, 0))
    matrix = transposed.reshape(kernel_w * channels, -1)
    products = scratch.reshape(height, len(matrix), width * n)
    if seen:
        gemm(matrix, rows(dy[None, :, None], kernel_h, 1, len(seen))[0], out=products[seen.start : seen.stop])
    for h in (*range(min(above, height)), *range(seen.stop, height)):
        first = h - above
        start, stop = max(0, first), min(rows_y, first + kernel_h)
        taps = matrix[:, (start - first) * filters : (stop - first) * filters]
        gemm(taps, dy[start:stop].reshape(-1, width * n), out=products[h])
    for v in range(kernel_w):
        lo, hi = reach(width, out.shape[2], 1, v - pad[1][0])
        w = lo + v - pad[1][0]
        target, part = out[:, :, w : w + hi - lo], scratch[:, v, :, lo:hi]
        if v:
            np.add(target, part, out=target)
        else:
            np.copyto(target, part)
            out[:, :, :w] = 0
            out[:, :, w + hi - lo :] = 0


def phases(size: int, kernel: int, stride: int, pad: int) -> list[tuple[int, int, int, int]]:
    """Pixels that lie a stride apart are met by the same taps: for each of these phases the first tap and how many,

    the first output that they meet, which may be before the first that there is, and how many pixels.
    """
    found = []
    for at in range(min(stride, size)):
        tap = (at + pad) % stride
        taps = len(range(tap, kernel, stride))
        found.append((tap, taps, (at + pad) // stride - taps + 1, len(range(at, size, stride))))
    return found


def input_gradient_by_phase(
    weights: np.ndarray,
    dy: np.ndarray,
    stride: tuple[int, int],
    pad: Pads,
    *,
    wide: np.ndarray,
    taps: np.ndarray,
    few: np.ndarray,
    products: np.ndarray,
    out: np.ndarray,
) -> None:
    """The same as a convolution of dy by each phase's taps, turned: a product has all of a pixel, nothing is added.

    weights[f,u,v,c], dy[i,f,j,n] -> out[h,c,w,n]. Scratch for the largest phase: wide, the columns of dy;
    taps[c,u,v,f]; few[r,c+16], filters on their way, in rows with places of their own in the cache; products.
    """
    _, _, across, n = dy.shape
    filters, kernel_h, kernel_w, channels = weights.shape
    down = phases(out.shape[0], kernel_h, stride[0], pad[0][0])
    top = max(0, *(-first for *_, first, _ in down))
    bottom = max(0, *(first + many - 1 + height - len(dy) for _, many, first, height in down))
    for y, (v, wide_taps, left, width) in enumerate(phases(out.shape[2], kernel_w, stride[1], pad[1][0])):
        columns = beginning(wide, (1, top + len(dy) + bottom, wide_taps, filters, width, n))
        right = width + wide_taps - 1 + left - across
        im2col_width(dy, wide_taps, pad=((top, bottom), (-left, right)), out=columns)
        for x, (u, high_taps, first, height) in enumerate(down):
            image = out[x :: stride[0], :, y :: stride[1]]
            if not high_taps * wide_taps:
                image[...] = 0
                continue
            turned = beginning(taps, (channels, high_taps, wide_taps, filters))
            turn(weights[:, u :: stride[0], v :: stride[1]], few, out=turned)
            seen = rows(columns[:, top + first :], high_taps, 1, height)[0]
            block = products.size // (channels * width * n)
            for start in range(0, height, block):
                made = beginning(products, (min(block, height - start), channels, width, n))
                part = seen[start : start + len(made)]
                gemm(turned.reshape(channels, -1), part, out=made.reshape(len(made), channels, width * n))
                copy_pixels(made, out=image[start : start + len(made)])


def beginning(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The beginning of x in a shape, a view."""
    return x.reshape(-1)[: prod(shape)].reshape(shape)


def turn(weights: np.ndarray, few: np.ndarray, *, out: np.ndarray) -> None:
    """weights[f,u,v,c] -> out[c,u,v,f], turned by 180 degrees, a tap of a few filters at a time."""
    filters, kernel_h, kernel_w, channels = weights.shape
    for u in range(kernel_h):
        for v in range(kernel_w):
            for start in range(0, filters, len(few)):
                part = weights[start : start + len(few), kernel_h - 1 - u, kernel_w - 1 - v]
                block = few[: len(part), :channels]
                np.copyto(block, part)
                np.copyto(out[:, u, v, start : start + len(few)], block.T)


def flip_kernel(weights: np.ndarray, groups: int, *, out: np.ndarray) -> None:
    """weights[f,u,v,c/g] -> out[c,u,v,f/g], the kernel flipped (turned by 180 degrees), for the input gradient."""
    filters, kernel_h, kernel_w, channels = weights.shape
    parts = weights[:, ::-1, ::-1].reshape(groups, filters // groups, kernel_h, kernel_w, channels)
    shape = (groups, channels, kernel_h, kernel_w, filters // groups)
    np.copyto(out.reshape(shape), parts.transpose(0, 4, 2, 3, 1))
