"""Pooling: the largest, smallest or mean value of each window."""

from __future__ import annotations

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType, data
from ..ir.expression import X
from ..ir.fields import Choice, Count, Each, Padding, Shape, Sizes, Switch, setting, size
from ..ir.geometry import Geometry, need_pixels, size_2d, slide
from ..ir.op import Array, Decomposer, GraphBuilder, Node, Op, PlanWriter, Window, WordBuilder
from ..ir.window_formula import WindowFormula
from ..primitives.activation import Formula
from ..primitives.formula_windows import FormulaWindows
from ..primitives.norm_windows import NormWindows
from ..primitives.resample import Squeeze
from ..primitives.windows import GlobalMeanGradient, MaxWindows, MeanWindows, Negate
from ..record import record
from .shape import Flatten

PAD = Choice(("valid", "same", "include"), Sizes(0))
SIZE = Shape((1, 2))


def meets(window: Geometry, sizes: tuple[int, int]) -> bool:
    """Whether every window meets a pixel: what is dilated may look past an image on both sides."""
    for k, (pixels, made) in enumerate(zip(sizes, window.out(*sizes), strict=True)):
        for i in range(made):
            first = i * window.stride[k] - window.pad[k][0]
            if not any(0 <= first + tap * window.dilate[k] < pixels for tap in range(window.kernel[k])):
                return False
    return True


@record
class Pool(Op):
    """The base of pooling words; without `stride`, windows lie side by side."""

    family = "pooling"
    order = ("size", "stride", "pad")

    size: tuple[int, ...] = size(SIZE, "K", "the window: one number for a square, or KxK")
    stride: Each | None = setting(Sizes(1), None, "pixels from one window to the next (default: the window's size)")
    pad: Padding = setting(PAD, "valid", "pixels around the input: valid (none), same, include, N, HxW, or TxBxLxR")
    dilate: Each = setting(Sizes(1), 1, "pixels from one pixel of the window to the next")

    def geometry(self, x: TensorType) -> Geometry:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        if len(self.size) > rank:
            raise Fault.of("CNN205", "size", "one of a sequence", word=self.word)
        kernel = self.size if len(self.size) == rank else self.size * rank
        stride = kernel if self.stride is None else self.stride
        found = slide("window", x, kernel, stride, self.pad, self.dilate)
        for before, extent in zip(found.pad, found.extent, strict=True):
            if max(before) >= extent and max(before) > 0:
                raise Fault.of("CNN206", "pad", case="window", pad=max(before), extent=extent)
        if self.dilate != 1 and any(map(any, found.pad)) and not meets(found, size_2d(x)):
            raise Fault.of("CNN206", "pad", case="dilated")
        return found

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.geometry(x).out(*size_2d(x))[-len(x.spatial) :])

    def window(self, x: TensorType) -> Window:
        return self.geometry(x).window(len(x.spatial))

    def flops(self, x: TensorType) -> int:
        kernel = self.geometry(x).kernel
        return self.type(x).elements * kernel[0] * kernel[1]


@record
class OfWindows(Pool):
    """A pooling word that one primitive does."""

    def primitive(self, geometry: Geometry) -> Op:
        raise AssertionError(f"`{self.word}` must say its primitive")

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(self.primitive(self.geometry(b.type(x))), x, name=node.name, like=node)


@record
class MaxPool(OfWindows):
    """Max pooling: keeps the largest value of each window; a tie goes to the first in reading order."""

    word = "maxpool"
    example = "maxpool 3 stride 2 pad 1"
    account = "pick max"
    aliases = ("maxpool2d", "max_pool", "maxpooling2d", "maxpooling", "pool")

    def primitive(self, geometry: Geometry) -> Op:
        return MaxWindows(geometry)


@record
class MinPool(Pool):
    """Min pooling: keeps the smallest value of each window."""

    word = "minpool"
    example = "minpool 2"
    account = "pick min"

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        negated = b.add(Negate(), x, name=f"{node.name}.negated", like=node)
        largest = b.add(MaxWindows(self.geometry(b.type(x))), negated, name=f"{node.name}.largest", like=node)
        return b.add(Negate(), largest, name=node.name, like=node)

    def in_words(self, b: WordBuilder, *inputs: str) -> str:
        largest = MaxPool(self.size, stride=self.stride, pad=self.pad, dilate=self.dilate)
        return b.add(Formula(-X), b.add(largest, b.add(Formula(-X), *inputs, name="negated"), name="largest"))


@record
class AvgPool(OfWindows):
    """Average pooling: the mean of each window; padding does not count unless `count_pad on`."""

    word = "avgpool"
    example = "avgpool 2"
    account = "mean"
    aliases = ("avgpool2d", "avg_pool", "averagepooling2d", "averagepool", "averagepooling", "meanpool")

    count_pad: bool = setting(Switch(), False, "whether padding counts as pixels of value 0")

    def primitive(self, geometry: Geometry) -> Op:
        return MeanWindows(geometry, self.count_pad)


@record
class OfFormula(OfWindows):
    """A pooling word that is a formula of each window: targets that have nothing of their own for it take that."""

    account = "window"

    def primitive(self, geometry: Geometry) -> FormulaWindows:
        raise AssertionError(f"`{self.word}` must say its primitive")

    def formula(self, x: TensorType) -> WindowFormula:
        return self.primitive(self.geometry(x)).formula


@record
class LpPool(OfFormula):
    """Power-average pooling: the p-norm of each window, (sum of |x|^p)^(1/p); padding adds nothing.

    `p 1` is the sum of the sizes, a large p tends to the largest of them. Where all of a window is 0, so is its
    gradient.
    """

    word = "lppool"
    example = "lppool 2 p 3"
    aliases = ("lppool2d", "lp_pool", "power_average_pool")
    order = ("p", "size", "stride")

    p: int = setting(Count(1, 64), 2, "the power: 1 sums sizes, 2 is the root of the sum of squares")

    def primitive(self, geometry: Geometry) -> FormulaWindows:
        return NormWindows(geometry, self.p)


@record
class Gap(Op):
    """Global average pooling: the mean of each channel, which makes a vector."""

    word = "gap"
    family = "pooling"
    example = "gap -> dense 10"
    account = "image mean"
    aliases = (
        "globalaveragepooling2d",
        "global_avg_pool",
        "globalavgpool",
        "globalaveragepool",
        "adaptiveavgpool2d",
    )

    @property
    def looks_everywhere(self) -> bool:
        return True

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        return data(x["c"])

    def flops(self, x: TensorType) -> int:
        return x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(GlobalMeanGradient(b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.mean(axis=tuple(range(2, x.ndim)))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        height, channels, width, n = e.shape(x)
        if n == 1:
            self.emit_of_one(x, node, height, channels, width, e)
            return
        scratch = e.scratch("row", (channels, width, n))
        e.call(kernels.channels.image_means, e[x], scratch=scratch, out=e[node.name])

    def emit_of_one(self, x: str, node: Node, height: int, channels: int, width: int, e: PlanWriter) -> None:
        """Two products: rows added up, then the pixels of a channel."""
        import numpy as np

        ones, means = e.constant("ones", np.ones(height)), e.constant("means", np.full(width, 1 / (height * width)))
        row = e.scratch("row", (channels, width))
        rows, total = e.view("rows", f"{e[x]}.reshape({height}, -1)"), e.view("total", f"{row}.reshape(-1)")
        e.call(kernels.np.dot, ones, rows, out=total)
        e.call(kernels.np.dot, row, means, out=e.view("alone", f"{e[node.name]}[:, 0]"))


@record
class Gmp(Op):
    """Global max pooling: the largest value of each channel, which makes a vector."""

    word = "gmp"
    family = "pooling"
    example = "conv 4x3x3 -> gmp -> dense 10"
    account = "image max"
    aliases = ("globalmaxpooling2d", "global_max_pool", "globalmaxpooling", "adaptivemaxpool2d")

    @property
    def looks_everywhere(self) -> bool:
        return True

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        return data(x["c"])

    def flops(self, x: TensorType) -> int:
        return x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        whole = size_2d(b.type(x))
        largest = b.add(MaxWindows(Geometry(whole, whole)), x, name=f"{node.name}.largest", like=node)
        return b.add(Squeeze(), largest, name=node.name, like=node)

    def in_words(self, b: WordBuilder, *inputs: str) -> str:
        (x,) = inputs
        return b.add(Flatten(), b.add(MaxPool(tuple(b.type(x).spatial)), x, name="largest"))


OPS: tuple[type[Op], ...] = (MaxPool, AvgPool, MinPool, LpPool, Gap, Gmp)
