"""Residue rows: the pixels of a row sorted by their column modulo 4, [h,c,w,n] <-> [h,4,c,t,n], w = 4t + r."""

from __future__ import annotations

import numpy as np

from .activation import zeros
from .norm import GradientSums, Moments, NormaliseGradient, merged, scale_and_shift


def to_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,4,c,t,n]; columns beyond the image are zero."""
    width = x.shape[2]
    for r in range(4):
        tiles = len(range(r, width, 4))
        np.copyto(out[:, r, :, :tiles], x[:, :, r::4])
        if tiles < out.shape[3]:
            out[:, r, :, tiles:] = 0


def from_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,4,c,t,n] -> out[h,c,w,n]"""
    for r in range(4):
        part = out[:, :, r::4]
        np.copyto(part, x[:, r, :, : part.shape[2]])


def products_and_sums(
    matrix: np.ndarray, columns: np.ndarray, block: int, *, sums: np.ndarray, out: np.ndarray
) -> None:
    """matrix[f,d] . columns[i,4,d,l] -> out[i,4,f,l], `block` rows at a time.

    While they are in the cache, sums[2,f] gets each channel's sum and that of its squares.
    """
    moments = Moments(out)
    for start in range(0, len(out), block):
        rows = slice(start, min(start + block, len(out)))
        np.matmul(matrix, columns[rows], out=out[rows])
        moments.take(rows, out[rows])
    moments.total(out=sums)


def residue_filter_gradient(
    dy: np.ndarray | NormaliseGradient,
    columns: np.ndarray,
    *,
    turned: np.ndarray | None = None,
    scratch: np.ndarray,
    out: np.ndarray,
) -> None:
    """dw[f,d] = sum over i and r of dy[i,r,f,l] . columns[i,r,d,l]; see `filter_gradient`.

    dy may be the gradient of a normalisation, made here block by block, and its scale brought in at the end;
    scratch[b,4,d,f] holds the products of a block of rows, turned[b,4,l,f] its gradient.
    """
    block, height = len(scratch), len(columns)
    total = out.T
    for start in range(0, height, block):
        stop = min(start + block, height)
        part = scratch[: stop - start]
        right = dy[start:stop].swapaxes(2, 3)
        if turned is not None:
            np.copyto(turned[: stop - start], right)
            right = turned[: stop - start]
        np.matmul(columns[start:stop], right, out=part)
        if start == 0:
            np.add.reduce(part, axis=(0, 1), out=total)
        else:
            np.add(total, np.add.reduce(part, axis=(0, 1)), out=total)
    if isinstance(dy, NormaliseGradient):
        np.multiply(out, dy.scale, out=out)


def pairs(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x[2i,4,c,t,n] -> the four pixels of each 2x2 window [i,2,c,t,n], in reading order, as views."""
    height = x.shape[0] // 2 * 2
    upper, lower = x[0:height:2], x[1:height:2]
    return upper[:, 0::2], upper[:, 1::2], lower[:, 0::2], lower[:, 1::2]


def halves(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pooled rows x and `rows` [i,2,c,t,n] of which they are made, in one order, as views: w = 2t + r.

    x is an image [i,c,2t,n], or in residue rows [i,4,c,t/2,n].
    """
    if x.ndim == 4:
        height, channels, width, n = x.shape
        return x.reshape(height, channels, width // 2, 2, n).transpose(0, 3, 1, 2, 4), rows
    height, _, channels, tiles, n = x.shape
    x = x.reshape(height, 2, 2, channels, tiles, n).transpose(0, 2, 3, 4, 1, 5)
    return x, rows.reshape(x.shape)


def pool_residues(x: np.ndarray, *, top: np.ndarray, bottom: np.ndarray, out: np.ndarray) -> None:
    """The largest of each 2x2 window of x[h,4,c,t,n], as an image out[i,c,2t,n] or residue rows out[i,4,c,t/2,n].

    top and bottom [i,2,c,t,n] keep the winners of each row for the way back.
    """
    a, b, c, d = pairs(x)
    np.maximum(a, b, out=top)
    np.maximum(c, d, out=bottom)
    pooled, upper = halves(out, top)
    _, lower = halves(out, bottom)
    np.maximum(upper, lower, out=pooled)


def deal(dy: np.ndarray, won: np.ndarray, *, first: np.ndarray, second: np.ndarray) -> None:
    """dy to `first` where it won, to `second`, which may be dy, elsewhere; zeros to the other."""
    np.multiply(dy, won, out=first)
    np.subtract(dy, first, out=second)


def pool_residues_gradient(
    dy: np.ndarray,
    x: np.ndarray,
    top: np.ndarray,
    bottom: np.ndarray,
    *,
    upper: np.ndarray,
    lower: np.ndarray,
    won: np.ndarray,
    out: np.ndarray,
) -> None:
    """dy, like `pool_residues`'s out, goes to the pixel that won; a tie goes to the first one in reading order.

    upper, lower and won, of bools, are scratch [i,2,c,t,n].
    """
    a, b, c, d = pairs(x)
    da, db, dc, dd = pairs(out)
    if out.shape[0] % 2:
        out[-1] = 0
    given, all_of_it = halves(dy, lower)
    np.copyto(all_of_it, given)
    np.greater_equal(top, bottom, out=won)
    deal(lower, won, first=upper, second=lower)
    np.greater_equal(a, b, out=won)
    deal(upper, won, first=da, second=db)
    np.greater_equal(c, d, out=won)
    deal(lower, won, first=dc, second=dd)


class NormalisedPooled:
    """Rows of x[h,4,c,t,n] normalised and pooled, as `normalise` and `pool_residues` do, when somebody reads them.

    wins[3,i,2,c,t,n], bools, gets whether a window's upper left pixel beat its neighbour, its lower left one, and
    the upper winner the lower. With `won` there is a relu as well, and it gets where that let numbers through. Rows
    of the pooled image are made in scratch[b,...], or at their place in out[i,c,2t,n] or residue rows
    out[i,4,c,t/2,n] for those who read them later. block[2r,4,c,t,n], top and bottom[r,2,c,t,n] are scratch for r
    rows of windows.
    """

    def __init__(
        self,
        x: np.ndarray,
        *,
        block: np.ndarray,
        top: np.ndarray,
        bottom: np.ndarray,
        wins: np.ndarray,
        won: np.ndarray | None = None,
        scratch: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> None:
        self.x, self.block, self.top, self.bottom, self.wins, self.won = merged(x), block, top, bottom, wins, won
        self.scratch, self.out = scratch, out
        rows: np.ndarray = scratch if out is None else out  # type: ignore[assignment]
        self.shape, self.zero = (len(x) // 2, *rows.shape[1:]), zeros(rows)

    def prepare(self, mean: np.ndarray, var: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float) -> None:
        """The numbers of each channel."""
        self.scale, self.shift = scale_and_shift(mean, var, weight, bias, eps)

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Some rows, [b,...,c,l]."""
        made = self.scratch[: rows.stop - rows.start] if self.out is None else self.out[rows]  # type: ignore[index]
        for start in range(rows.start, rows.stop, len(self.top)):
            part = slice(start, min(start + len(self.top), rows.stop))
            self._make(part, made[part.start - rows.start : part.stop - rows.start])
        return merged(made)

    def _make(self, rows: slice, pooled: np.ndarray) -> None:
        count = rows.stop - rows.start
        y = self.block[: 2 * count]
        np.multiply(self.x[2 * rows.start : 2 * rows.stop], self.scale, out=merged(y))
        np.add(merged(y), self.shift, out=merged(y))
        a, b, c, d = pairs(y)
        upper, lower = self.top[:count], self.bottom[:count]
        np.greater_equal(a, b, out=self.wins[0, rows])
        np.maximum(a, b, out=upper)
        np.greater_equal(c, d, out=self.wins[1, rows])
        np.maximum(c, d, out=lower)
        np.greater_equal(upper, lower, out=self.wins[2, rows])
        to, above = halves(pooled, upper)
        _, below = halves(pooled, lower)
        np.maximum(above, below, out=to)
        if self.won is not None:
            np.maximum(pooled, self.zero, out=pooled)
            np.greater(pooled, self.zero, out=self.won[rows])

    def write(self) -> None:
        """All rows, to out."""
        _ = self[0 : self.shape[0]]


class Dealt:
    """The gradient of what was pooled, given to the pixels that won: a block of rows, where and when they are read.

    dz[i,2,c,t,n] is the gradient of the winners, as `pooled_sums` leaves it, wins[3,i,2,c,t,n] come from
    `NormalisedPooled`; block[r,4,c,t,n], of rows of the image of `height` rows, and half[2,c,t,n] are scratch.
    """

    def __init__(self, dz: np.ndarray, wins: np.ndarray, height: int, block: np.ndarray, half: np.ndarray) -> None:
        self.dz, self.wins, self.block, self.half = dz, wins, block, half
        self.shape = (height, *block.shape[1:])

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Some rows [r,4,c,t*n], in scratch."""
        made = self.block[: rows.stop - rows.start]
        for out, row in zip(made, range(rows.start, rows.stop), strict=True):
            i, lower = divmod(row, 2)
            if i == len(self.dz):  # the last row of an odd number
                out[...] = 0
                continue
            dz, (left, left_below, above) = self.dz[i], self.wins[:, i]
            first, second = out[0::2], out[1::2]
            if lower:
                deal(dz, above, first=first, second=self.half)
                deal(self.half, left_below, first=first, second=second)
            else:
                np.multiply(dz, above, out=self.half)
                deal(self.half, left, first=first, second=second)
        return merged(made)


def pooled_sums(
    dy: np.ndarray, x: np.ndarray, dealt: Dealt, *, won: np.ndarray | None = None, sums: np.ndarray, out: np.ndarray
) -> None:
    """dy, like the out of `NormalisedPooled`, where relu let it through, to out[i,2,c,t,n], `dealt`'s dz.

    sums[2,c] gets those of `gradient_sums`, with x[h,4,c,t,n].
    """
    given, to = halves(dy, out)
    if won is None:
        np.copyto(to, given)
    else:
        np.multiply(given, halves(won, out)[0], out=to)
    total = GradientSums(x)
    for start in range(0, len(x), len(dealt.block)):
        rows = slice(start, min(start + len(dealt.block), len(x)))
        part = dealt[rows]
        total.take(rows, part, part)
    total.total(out=sums)
