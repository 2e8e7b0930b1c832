"""The word of transposed convolution: `upconv`."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType, parameter
from ..ir.fields import Count, Each, Shape, Sizes, Switch, setting, size
from ..ir.geometry import Geometry, each, each_side, last_two, need_pixels, size_2d
from ..ir.op import Decomposer, Node, Op, Parameter, Window
from ..primitives.convolution.convolve import ConvolveInputGradient
from ..record import record
from .conv import INIT, bias_init, kernel_parameters, with_bias


@record
class UpConv(Op):
    """A transposed convolution: every pixel paints a kernel's worth of output, `stride` pixels apart.

    It is the gradient of a convolution with respect to its input, which makes images larger:
    (n - 1) * stride + dilate * (K - 1) + 1 + output_pad - 2 * pad pixels out of n (or less the pads of both sides).
    """

    word = "upconv"
    family = "convolution"
    example = "upconv 4x3x3 stride 2 pad 1 output_pad 1"
    account = "filter"
    on = "3x5x6"
    aliases = ("convtranspose2d", "deconv", "conv_transpose", "conv2dtranspose", "deconvolution")

    size: tuple[int, ...] = size(Shape((2, 3)), "FxKxK", "filters, kernel height, kernel width (FxK on a sequence)")
    stride: Each = setting(Sizes(1), 1, "output pixels from one input pixel's kernel to the next")
    pad: Each = setting(Sizes(0), 0, "output pixels cut off: at every side N, HxW, or TxBxLxR")
    output_pad: Each = setting(Sizes(0), 0, "further output pixels below and at the right, fewer than the stride")
    dilate: Each = setting(Sizes(1), 1, "pixels from one tap of the kernel to the next")
    groups: int = setting(Count(1), 1, "parts into which channels and filters are split")
    bias: bool = setting(Switch(), True, "whether a number is added to each filter's output")
    init: str = setting(INIT, "kaiming_uniform", "how the weights begin")

    def geometry(self, x: TensorType) -> Geometry:
        """That of the convolution whose gradient this is: from the output to the input."""
        need_pixels(self.word, x)
        rank = len(x.spatial)
        if len(self.size) != rank + 1:
            raise Fault.of("CNN205", "size", f"filters {x.kind}", word=self.word, given=len(self.size))
        return Geometry(
            last_two((1, *self.size[1:])),
            each(self.stride, rank, "stride"),
            each_side(self.pad, rank, "pad"),
            each(self.dilate, rank, "dilate"),
        )

    def type(self, x: TensorType) -> TensorType:
        found = self.geometry(x)
        rank = len(x.spatial)
        more = each(self.output_pad, rank, "output_pad", fill=0)
        if any(extra and extra >= step for extra, step in zip(more, found.stride, strict=True)):
            raise Fault.of("CNN206", "output_pad", case="output_pad")
        for what, count in (("channels", x["c"]), ("filters", self.size[0])):
            if count % self.groups:
                groups, rest = self.groups, count % self.groups
                raise Fault.of("CNN105", "groups", groups=groups, count=count, what=what, rest=rest)
        sizes = tuple(
            (n - 1) * step + extent + extra - sum(pad)
            for n, step, extent, extra, pad in zip(
                size_2d(x), found.stride, found.extent, more, found.pad, strict=True
            )
        )
        if min(sizes) < 1:
            raise Fault.of("CNN107", "pad", "pad", pad=self.pad)
        return x.resized(sizes[-rank:], self.size[0])

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        """weight (C, F / groups, KH, KW), PyTorch's layout of ConvTranspose2d, and bias (F,)."""
        weight, *_ = kernel_parameters(x["c"], self.size[0] // self.groups, self.size[1:], False, self.init)
        if not self.bias:
            return (weight,)
        count = parameter(f=self.size[0])
        return weight, Parameter("bias", count, bias_init(self.init), weight.fan_in, weight.fan_out)

    def macs(self, x: TensorType) -> int:
        (weight, *_) = self.parameters(x)
        return weight.type.elements * (x.elements // x["c"])

    def window(self, x: TensorType) -> Window:
        found, rank = self.geometry(x), len(x.spatial)
        before = tuple(extent - 1 - pad[0] for extent, pad in zip(found.extent, found.pad, strict=True))
        return Window(
            found.kernel[-rank:], (1,) * rank, before[-rank:], found.dilate[-rank:], grow=found.stride[-rank:]
        )

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        kind = b.type(x)
        paint = ConvolveInputGradient(self.geometry(kind), self.groups, self.type(kind))
        return with_bias(paint, x, self.bias, node, b)


OPS: tuple[type[Op], ...] = (UpConv,)
