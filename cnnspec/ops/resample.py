"""More or fewer pixels: `pad`, `crop`, `upsample`, `resize`, and the global maximum `gmp`."""

from __future__ import annotations

from math import floor
from typing import Any

from ..diagnostics import Fault
from ..ir import TensorType, data
from ..ir.fields import Choice, Count, Shape, Sizes, setting, size
from ..ir.geometry import Geometry, Pair, each, need_pixels, size_2d
from ..ir.op import Op, Window
from ..record import record
from .windows import MaxWindows


@record
class Pad(Op):
    """Zeros around the image, and with `channels` zero channels before and after its own."""

    word = "pad"
    family = "dense and shape"
    example = "pad 1x2 -> conv 4x3x3"
    aliases = ("zeropad2d", "zero_padding", "zeropadding2d")

    size: Any = size(Sizes(0), "N", "pixels at every side, or HxW: above and below x left and right")
    channels: int = setting(Count(0), 0, "zero channels before the image's own, and as many after")

    def before(self, x: TensorType) -> tuple[int, int, int]:
        return (self.channels, *each(self.size, len(x.spatial), "size", fill=0))

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        channels, *sides = self.before(x)
        spatial = tuple(n + 2 * side for n, side in zip(size_2d(x), sides, strict=True))
        return x.resized(spatial[-len(x.spatial) :], x["c"] + 2 * channels)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window:
        rank = len(x.spatial)
        return Window((1,) * rank, (1,) * rank, self.before(x)[-rank:], (1,) * rank)

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        kind = b.type(x)
        return b.add(Place(self.before(kind), self.type(kind)), x, name=node.name, like=node)


@record
class Crop(Op):
    """The middle of the image, of the size that is given (an odd pixel more is cut off below and at the right)."""

    word = "crop"
    family = "dense and shape"
    example = "crop 8x6 -> conv 4x3x3"
    aliases = ("centercrop", "center_crop", "cropping2d")

    size: tuple[int, ...] = size(Shape((1, 2)), "HxW", "height and width that are left (W on a sequence)")

    def target(self, x: TensorType) -> tuple[int, ...]:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        wanted = self.size * rank if len(self.size) == 1 else self.size
        if len(wanted) != rank:
            raise Fault("CNN205", "`crop` on a sequence takes one number", at="size", label="two numbers")
        if any(left > have for left, have in zip(wanted, x.spatial, strict=True)):
            want, have = ("x".join(map(str, sizes)) for sizes in (wanted, x.spatial))
            raise Fault("CNN107", f"a crop to {want} is larger than the {have} {x.kind}", at="size")
        return wanted

    def before(self, x: TensorType) -> tuple[int, int, int]:
        cut = tuple((have - left) // 2 for have, left in zip(x.spatial, self.target(x), strict=True))
        return (0, *(0, *cut)[-2:])  # type: ignore[return-value]

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.target(x))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window:
        rank = len(x.spatial)
        shift = tuple(-side for side in self.before(x)[-rank:])
        return Window((1,) * rank, (1,) * rank, shift, (1,) * rank)

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        kind = b.type(x)
        return b.add(Take(self.before(kind), self.type(kind)), x, name=node.name, like=node)


@record
class Upsample(Op):
    """Every pixel becomes a block of itself: nearest-neighbour enlargement by whole factors."""

    word = "upsample"
    family = "dense and shape"
    example = "maxpool 2 -> upsample 2 -> conv 4x3x3"
    aliases = ("upsampling2d", "unpool", "upscale")

    size: Any = size(Sizes(1, 64), "F", "the factor, or one for each direction such as 2x1")

    def factors(self, x: TensorType) -> Pair:
        return each(self.size, len(x.spatial), "size")

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        spatial = tuple(n * f for n, f in zip(size_2d(x), self.factors(x), strict=True))
        return x.resized(spatial[-len(x.spatial) :])

    def window(self, x: TensorType) -> Window:
        rank = len(x.spatial)
        factors = self.factors(x)[-rank:]
        before = tuple(factor - 1 for factor in factors)
        return Window(factors, (1,) * rank, before, (1,) * rank, grow=factors)

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        return b.add(Enlarge(self.factors(b.type(x))), x, name=node.name, like=node)


@record
class Resize(Op):
    """The image at another size, by the nearest pixel or by blending the four around (corners not aligned)."""

    word = "resize"
    family = "dense and shape"
    example = "resize 9x7 mode bilinear -> conv 4x3x3"
    aliases = ("interpolate", "resizing")

    size: tuple[int, ...] = size(Shape((1, 2)), "HxW", "the new height and width (W on a sequence)")
    mode: str = setting(Choice(("nearest", "bilinear")), "nearest", "nearest pixel, or a blend")

    def target(self, x: TensorType) -> tuple[int, ...]:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        wanted = self.size * rank if len(self.size) == 1 else self.size
        if len(wanted) != rank:
            raise Fault("CNN205", "`resize` on a sequence takes one number", at="size", label="two numbers")
        return wanted

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.target(x))

    def macs(self, x: TensorType) -> int:
        return 0

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        kind = b.type(x)
        made = size_2d(self.type(kind))
        down, across = (blend(have, want, self.mode) for have, want in zip(size_2d(kind), made, strict=True))
        return b.add(BlendPixels(down, across), x, name=node.name, like=node)


Matrix = tuple[tuple[float, ...], ...]


def blend(have: int, want: int, mode: str) -> Matrix:
    """How each of `want` new pixels is made of `have` old ones, a row each.

    nearest takes pixel floor(i * have / want); bilinear blends the two around (i + 1/2) * have / want - 1/2.
    """
    rows = []
    for i in range(want):
        row = [0.0] * have
        if mode == "nearest":
            row[i * have // want] = 1.0
        else:
            at = max((i + 0.5) * have / want - 0.5, 0.0)
            low = min(floor(at), have - 1)
            high = min(low + 1, have - 1)
            row[low] += 1 - (at - low)
            row[high] += at - low
        rows.append(tuple(row))
    return tuple(rows)


@record
class Gmp(Op):
    """Global max pooling: the largest value of each channel, which makes a vector."""

    word = "gmp"
    family = "pooling"
    example = "conv 4x3x3 -> gmp -> dense 10"
    aliases = ("globalmaxpooling2d", "global_max_pool", "adaptivemaxpool2d")

    @property
    def looks_everywhere(self) -> bool:
        return True

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        return data(x["c"])

    def flops(self, x: TensorType) -> int:
        return x.elements

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        whole = size_2d(b.type(x))
        largest = b.add(MaxWindows(Geometry(whole, whole)), x, name=f"{node.name}.largest", like=node)
        return b.add(Squeeze(), largest, name=node.name, like=node)


# ---- primitives --------------------------------------------------------------------------------------


@record
class Squeeze(Op):
    """An image of one pixel as a vector."""

    is_view = True

    def type(self, x: TensorType) -> TensorType:
        return data(x["c"])

    def gradient(self, node, dy, b):
        return (b.add(Unsqueeze(b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        return x.reshape(x.shape[:2])


@record
class Unsqueeze(Op):
    """A vector as an image of one pixel."""

    is_view = True
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x):
        return x.reshape(len(x), *self.made.shape)


def corner(array, before: tuple[int, int, int], kind: TensorType):
    """The part of (n, c, ...) that a value of a type covers."""
    c, h, w = before
    sides = (h, w) if len(kind.spatial) == 2 else (w,)
    cut = [slice(s, s + n) for s, n in zip(sides, kind.spatial, strict=True)]
    return array[(slice(None), slice(c, c + kind["c"]), *cut)]


@record
class Place(Op):
    """A value in the midst of zeros; `before` counts channels, rows and columns ahead of it."""

    before: tuple[int, int, int]
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node, dy, b):
        return (b.add(Take(self.before, b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        import numpy as np

        y = np.zeros((len(x), *self.made.shape), x.dtype)
        corner(y, self.before, data(*x.shape[1:]))[...] = x
        return y

    def emit(self, node, e) -> None:
        e.line(f"place({e[node.inputs[0]]}, {self.before}, out={e[node.name]})")


@record
class Take(Op):
    """A part of a value."""

    before: tuple[int, int, int]
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node, dy, b):
        return (b.add(Place(self.before, b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        return corner(x, self.before, self.made).copy()

    def emit(self, node, e) -> None:
        e.line(f"take({e[node.inputs[0]]}, {self.before}, out={e[node.name]})")


@record
class Enlarge(Op):
    """Every pixel a block."""

    factors: Pair

    def type(self, x: TensorType) -> TensorType:
        spatial = tuple(n * f for n, f in zip(size_2d(x), self.factors, strict=True))
        return x.resized(spatial[-len(x.spatial) :])

    def gradient(self, node, dy, b):
        op = EnlargeGradient(self.factors, b.type(node.inputs[0]))
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        y = x.repeat(self.factors[1], axis=-1)
        return y.repeat(self.factors[0], axis=-2) if x.ndim == 4 else y

    def emit(self, node, e) -> None:
        e.line(f"enlarge({e[node.inputs[0]]}, {self.factors}, out={e[node.name]})")


@record
class EnlargeGradient(Op):
    """The sum of each block."""

    factors: Pair
    made: TensorType

    def type(self, dy: TensorType) -> TensorType:
        return self.made

    def evaluate(self, dy):
        u, v = self.factors
        height, width = size_2d(self.made)
        parts = dy.reshape(*dy.shape[:2], height, u, width, v)
        return parts.sum(axis=(3, 5)).reshape(len(dy), *self.made.shape)

    def emit(self, node, e) -> None:
        e.line(f"enlarge_gradient({e[node.inputs[0]]}, {self.factors}, out={e[node.name]})")


@record
class BlendPixels(Op):
    """Rows blended by one matrix, columns by another."""

    down: Matrix
    across: Matrix

    def type(self, x: TensorType) -> TensorType:
        return x.resized((len(self.down), len(self.across))[-len(x.spatial) :])

    def macs(self, x: TensorType) -> int:
        return 0

    def gradient(self, node, dy, b):
        turned = BlendPixels(tuple(zip(*self.down, strict=True)), tuple(zip(*self.across, strict=True)))
        return (b.add(turned, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        import numpy as np

        y = np.einsum("...w,jw->...j", x, np.array(self.across))
        return np.einsum("nchj,ih->ncij", y, np.array(self.down)) if x.ndim == 4 else y

    def emit(self, node, e) -> None:
        import numpy as np

        (x,) = node.inputs
        _, channels, width, n = e.shape(x)
        down, across = e.constant("down", np.array(self.down)), e.constant("across", np.array(self.across))
        scratch = e.scratch("rows", (len(self.down), channels, width, n))
        e.line(f"blend_pixels({e[x]}, {down}, {across}, scratch={scratch}, out={e[node.name]})")
