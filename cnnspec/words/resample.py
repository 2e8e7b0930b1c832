"""More or fewer pixels: `pad`, `crop`, `upsample`, `resize`, `pixelshuffle` and its inverse, the maximum `gmp`."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.fields import Choice, Count, Each, Shape, Sizes, Switch, setting, size
from ..ir.geometry import Pair, each, each_side, last_two, need_pixels, size_2d
from ..ir.op import Decomposer, Node, Op, Window
from ..primitives.resample import BlendPixels, Enlarge, Matrix, Slice, ZeroPad, again, blend
from ..primitives.resample import PixelShuffle as Shuffled
from ..record import record


@record
class Pad(Op):
    """Zeros around the image, or its own pixels again; with `channels` zero channels before and after its own.

    `mode reflect` goes back from the edge, which is not repeated; `mode edge` repeats it.
    """

    word = "pad"
    family = "dense and shape"
    example = "pad 1x2 -> conv 4x3x3"
    account = "move"
    aliases = ("zeropad2d", "zero_padding", "zeropadding2d")

    size: Each = size(Sizes(0), "N", "pixels at every side, HxW, or TxBxLxR for each side (LxR on a sequence)")
    channels: int = setting(Count(0), 0, "zero channels before the image's own, and as many after")
    mode: str = setting(Choice(("zeros", "reflect", "edge")), "zeros", "zeros, or pixels of the image again")

    def sides(self, x: TensorType) -> tuple[Pair, Pair]:
        """Pixels above and below, left and right."""
        return each_side(self.size, len(x.spatial), "size")

    def before(self, x: TensorType) -> tuple[int, int, int]:
        (top, _), (left, _) = self.sides(x)
        return self.channels, top, left

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        if self.mode != "zeros" and self.channels:
            raise Fault.of("CNN206", "channels", case="channels")
        sides = self.sides(x)
        for pair, have in zip(sides, size_2d(x), strict=True):
            if self.mode == "reflect" and max(pair) >= have:
                raise Fault.of("CNN206", "size", "reflect", kind=x.kind, pad=max(pair), have=have)
        spatial = tuple(n + before + after for n, (before, after) in zip(size_2d(x), sides, strict=True))
        return x.resized(spatial[-len(x.spatial) :], x["c"] + 2 * self.channels)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window | None:
        if self.mode != "zeros":
            return None
        rank = len(x.spatial)
        return Window((1,) * rank, (1,) * rank, self.before(x)[-rank:], (1,) * rank)

    def blends(self, x: TensorType) -> tuple[Matrix, Matrix]:
        """Which old pixel each new row and column is, of `mode reflect` and `edge`."""
        rows, columns = (again(n, *pair, self.mode) for n, pair in zip(size_2d(x), self.sides(x), strict=True))
        return rows, columns

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        kind = b.type(x)
        if self.mode != "zeros":
            return b.add(BlendPixels(*self.blends(kind)), x, name=node.name, like=node)
        return b.add(ZeroPad(self.before(kind), self.type(kind)), x, name=node.name, like=node)


@record
class Crop(Op):
    """The middle of the image, of the size that is given (an odd pixel more is cut off below and at the right)."""

    word = "crop"
    family = "dense and shape"
    example = "crop 8x6 -> conv 4x3x3"
    account = "move"
    aliases = ("centercrop", "center_crop", "cropping2d")

    size: tuple[int, ...] = size(Shape((1, 2)), "HxW", "height and width that are left (W on a sequence)")

    def target(self, x: TensorType) -> tuple[int, ...]:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        wanted = self.size * rank if len(self.size) == 1 else self.size
        if len(wanted) != rank:
            raise Fault.of("CNN205", "size", "one of a sequence", word=self.word)
        if any(left > have for left, have in zip(wanted, x.spatial, strict=True)):
            want, have = ("x".join(map(str, sizes)) for sizes in (wanted, x.spatial))
            raise Fault.of("CNN107", "size", "crop", wanted=want, have=have, kind=x.kind)
        return wanted

    def before(self, x: TensorType) -> tuple[int, int, int]:
        cut = tuple((have - left) // 2 for have, left in zip(x.spatial, self.target(x), strict=True))
        return 0, *last_two((0, *cut))

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.target(x))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window:
        rank = len(x.spatial)
        shift = tuple(-side for side in self.before(x)[-rank:])
        return Window((1,) * rank, (1,) * rank, shift, (1,) * rank)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        kind = b.type(x)
        return b.add(Slice(self.before(kind), self.type(kind)), x, name=node.name, like=node)


@record
class Upsample(Op):
    """Every pixel becomes a block of itself: nearest-neighbour enlargement by whole factors."""

    word = "upsample"
    family = "dense and shape"
    example = "maxpool 2 -> upsample 2 -> conv 4x3x3"
    account = "move"
    aliases = ("upsampling2d", "unpool", "upscale")
    order = ("output_size",)  # PyTorch's; Keras gives the factor

    size: Each = size(Sizes(1, 64), "F", "the factor, or one for each direction such as 2x1")

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

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(Enlarge(self.factors(b.type(x))), x, name=node.name, like=node)


@record
class Resize(Op):
    """The image at another size: by the nearest pixel, by blending the four around, or by the mean of an area.

    `mode area` is the adaptive average pooling of PyTorch; `align_corners on` blends so that the corners of both
    images lie on each other, else their edges do.
    """

    word = "resize"
    family = "dense and shape"
    example = "resize 9x7 mode bilinear -> conv 4x3x3"
    account = "blend"
    aliases = ("interpolate", "resizing")

    size: tuple[int, ...] = size(Shape((1, 2)), "HxW", "the new height and width (W on a sequence)")
    mode: str = setting(Choice(("nearest", "bilinear", "area")), "nearest", "nearest pixel, a blend, or a mean")
    align_corners: bool = setting(Switch(), False, "whether a blend lays corner pixels on corner pixels")

    def target(self, x: TensorType) -> tuple[int, ...]:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        wanted = self.size * rank if len(self.size) == 1 else self.size
        if len(wanted) != rank:
            raise Fault.of("CNN205", "size", "one of a sequence", word=self.word)
        return wanted

    def type(self, x: TensorType) -> TensorType:
        if self.align_corners and self.mode != "bilinear":
            raise Fault.of("CNN206", "align_corners", case="align_corners")
        return x.resized(self.target(x))

    def macs(self, x: TensorType) -> int:
        return 0

    def blends(self, x: TensorType) -> tuple[Matrix, Matrix]:
        """Of which old pixels each new row and column is made."""
        sides = zip(size_2d(x), size_2d(self.type(x)), strict=True)
        down, across = (blend(have, want, self.mode, self.align_corners) for have, want in sides)
        return down, across

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(BlendPixels(*self.blends(b.type(x))), x, name=node.name, like=node)


@record
class PixelShuffle(Op):
    """Channels become pixels: R * R channels a block of RxR pixels, an enlargement that is learnt (ESPCN).

    out[c, i, j] = in[(c * R + i % R) * R + j % R, i // R, j // R] (Shi et al. 2016, as in PyTorch).
    """

    word = "pixelshuffle"
    family = "dense and shape"
    example = "conv 12x3x3 pad same -> pixelshuffle 2"
    account = "move"
    aliases = ("pixel_shuffle", "depth_to_space", "subpixel")

    size: Each = size(Sizes(1, 64), "R", "the factor, or one for each direction such as 2x1")

    def factors(self, x: TensorType) -> Pair:
        need_pixels(self.word, x)
        return each(self.size, len(x.spatial), "size")

    def type(self, x: TensorType) -> TensorType:
        u, v = self.factors(x)
        if x["c"] % (u * v):
            raise Fault.of("CNN106", "size", "blocks", parts=u * v, channels=x["c"], rest=x["c"] % (u * v))
        return Shuffled((u, v)).type(x)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window:
        return Upsample(self.size).window(x)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(Shuffled(self.factors(b.type(x))), x, name=node.name, like=node)


@record
class PixelUnshuffle(Op):
    """Pixels become channels: a block of RxR pixels R * R channels, so that an image shrinks and keeps all."""

    word = "pixelunshuffle"
    family = "dense and shape"
    example = "pixelunshuffle 2 -> conv 8x3x3"
    account = "move"
    aliases = ("pixel_unshuffle", "space_to_depth", "focus", "reorg")

    size: Each = size(Sizes(1, 64), "R", "the factor, or one for each direction such as 2x1")

    def factors(self, x: TensorType) -> Pair:
        need_pixels(self.word, x)
        return each(self.size, len(x.spatial), "size")

    def type(self, x: TensorType) -> TensorType:
        factors = self.factors(x)
        for count, factor, side in zip(size_2d(x), factors, ("height", "width"), strict=True):
            if count % factor:
                rest = count % factor
                raise Fault.of("CNN106", "size", "pixels", parts=factor, side=side, count=count, rest=rest)
        return Shuffled(factors, back=True).type(x)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def window(self, x: TensorType) -> Window:
        rank = len(x.spatial)
        factors = self.factors(x)[-rank:]
        return Window(factors, factors, (0,) * rank, (1,) * rank)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(Shuffled(self.factors(b.type(x)), back=True), x, name=node.name, like=node)


OPS: tuple[type[Op], ...] = (Pad, Crop, Upsample, Resize, PixelShuffle, PixelUnshuffle)
