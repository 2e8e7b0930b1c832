"""The geometry of windows: kernel, stride, padding and dilation, resolved for an input.

Everything is kept for two directions, height then width; a sequence is an image of height 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from ..diagnostics import Fault
from ..record import record
from .types import TensorType

T = TypeVar("T")
Pair = tuple[int, int]
Pads = tuple[Pair, Pair]


@record
class Window:
    """How an op's outputs look at its input, for receptive fields: sizes for each spatial axis.

    Where `grow` is above one, the input's pixels first move so far apart, with nothing in between: an
    upsampling by 2 is a window of 2 on an input grown by 2, so that each window meets one pixel.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]  # at the top and left
    dilate: tuple[int, ...]
    grow: tuple[int, ...] = ()


@record
class Geometry:
    """A sliding window on an image of given size; `pad` is ((top, bottom), (left, right))."""

    kernel: Pair
    stride: Pair = (1, 1)
    pad: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilate: Pair = (1, 1)

    @property
    def extent(self) -> Pair:
        """Pixels from the first to the last tap: dilate * (kernel - 1) + 1."""
        (k, m), (d, e) = self.kernel, self.dilate
        return d * (k - 1) + 1, e * (m - 1) + 1

    def out(self, height: int, width: int) -> Pair:
        """Size of the output: (n + padding - extent) // stride + 1."""
        sides = zip((height, width), self.pad, self.extent, self.stride, strict=True)
        return last_two((n + sum(p) - e) // s + 1 for n, p, e, s in sides)

    def meetings(self, height: int, width: int) -> tuple[int, ...]:
        """For each tap of the kernel, how many outputs meet a pixel of the image with it, and not the padding."""

        def along(axis: int, size: int, count: int) -> list[int]:
            stride, taps = self.stride[axis], range(self.kernel[axis])
            offsets = (tap * self.dilate[axis] - self.pad[axis][0] for tap in taps)
            ends = ((max(0, -(at // stride)), min(count, (size - 1 - at) // stride + 1)) for at in offsets)
            return [max(0, stop - start) for start, stop in ends]

        down, across = map(along, (0, 1), (height, width), self.out(height, width))
        return tuple(i * j for i in down for j in across)

    def rows(self, made: range, height: int) -> tuple[range, Pair]:
        """Which rows of an input of so many some rows of the output see, and how much padding above and below."""
        first = made.start * self.stride[0] - self.pad[0][0]
        last = (made.stop - 1) * self.stride[0] - self.pad[0][0] + self.extent[0]
        return range(max(first, 0), min(last, height)), (max(-first, 0), max(last - height, 0))

    def padded(self, pad: Pair) -> Geometry:
        """The same with other padding above and below."""
        return replace(self, pad=(pad, self.pad[1]))

    @property
    def plain(self) -> bool:
        """One tap, no stride, no padding: the output's pixels are the input's."""
        return self.kernel == (1, 1) and self.stride == (1, 1) and self.pad == ((0, 0), (0, 0))

    @property
    def adjacent(self) -> bool:
        """No stride, no dilation, and less padding than kernel: every output sees pixels side by side."""
        near = self.stride == (1, 1) == self.dilate
        return near and all(max(pad) < size for pad, size in zip(self.pad, self.kernel, strict=True))

    @property
    def arguments(self) -> tuple[Pair, Pair, Pads]:
        """What kernels take after their arrays: stride, dilate, pad."""
        return self.stride, self.dilate, self.pad

    def window(self, rank: int) -> Window:
        before = tuple(pair[0] for pair in self.pad)
        return Window(*(pair[-rank:] for pair in (self.kernel, self.stride, before, self.dilate)))


ROW_BY_ROW = Geometry((1, 1))


def last_two(sizes: Iterable[T]) -> tuple[T, T]:
    """The last two, for height and width."""
    *_, down, across = sizes
    return down, across


def size_2d(x: TensorType) -> Pair:
    """Height and width of an image; a sequence has height 1."""
    return last_two((1, 1, *x.spatial))


def each(value: int | tuple[int, ...], rank: int, what: str, fill: int = 1) -> Pair:
    """A setting such as `2` or `2x1` for both directions; what a sequence lacks is `fill`."""
    if isinstance(value, int):
        value = (value,) * rank
    if len(value) != rank:
        case = "each direction" if rank == 2 else "one direction"
        raise Fault.of("CNN205", what, case=case, setting=what, given=len(value))
    return last_two((fill, *value))


def each_side(value: int | tuple[int, ...], rank: int, what: str) -> tuple[Pair, Pair]:
    """A setting such as `1`, `1x2` or `1x2x0x1` for every side: above and below, left and right."""
    if isinstance(value, tuple) and len(value) == 2 * rank:
        pairs = (0, 0, *value)[-4:]
        return (pairs[0], pairs[1]), (pairs[2], pairs[3])
    if isinstance(value, tuple) and len(value) != rank:
        case = "each side" if rank == 2 else "both sides"
        raise Fault.of("CNN205", what, case=case, setting=what, given=len(value))
    high, wide = each(value, rank, what, fill=0)
    return (high, high), (wide, wide)


@lru_cache(4096)  # asked for type, work, window and parameters of every layer
def slide(
    what: str,
    x: TensorType,
    kernel: tuple[int, ...],
    stride: int | tuple[int, ...],
    pad: str | int | tuple[int, ...],
    dilate: int | tuple[int, ...] = 1,
) -> Geometry:
    """Resolve a word's settings for its input. Raises Fault where the kernel, or window (`what`), does not fit.

    `same` gives ceil(n / stride) outputs, the odd pixel of padding at the bottom and right; `include` pads at
    the bottom and right just enough for the last window, so that no pixel is left out.
    """
    rank = len(x.spatial)
    sizes = size_2d(x)
    kernel2 = last_two((1, *kernel))
    stride2, dilate2 = each(stride, rank, "stride"), each(dilate, rank, "dilate")
    extent = [d * (k - 1) + 1 for k, d in zip(kernel2, dilate2, strict=True)]
    if pad == "valid":
        pads = ((0, 0), (0, 0))
    elif pad == "same":
        total = [max((-(-n // s) - 1) * s + e - n, 0) for n, s, e in zip(sizes, stride2, extent, strict=True)]
        pads = last_two((t // 2, t - t // 2) for t in total)
    elif pad == "include":
        sides = zip(sizes, stride2, extent, strict=True)
        pads = last_two((0, e - n if n < e else -(n - e) % s) for n, s, e in sides)
    else:
        assert not isinstance(pad, str)
        pads = each_side(pad, rank, "pad")
    found = Geometry(kernel2, stride2, pads, dilate2)
    if min(found.out(*sizes)) < 1:
        too_large = "x".join(map(str, kernel))
        have = "x".join(map(str, x.spatial))
        need = "x".join(map(str, extent[-rank:]))
        padded = "" if pad in ("valid", 0) else " with its padding"
        raise Fault.of(
            "CNN103", "size", kernel=too_large, what=what, image=have, kind=x.kind, padded=padded, need=need
        )
    return found


def need_pixels(word: str, x: TensorType) -> None:
    """Refuse a vector where only an image or a sequence makes sense."""
    if not x.spatial:
        raise Fault.of("CNN104", word=word, found=x)
