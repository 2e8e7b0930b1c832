"""The words of convolution: `conv` and `dwconv`."""

from __future__ import annotations

from functools import lru_cache

from ..diagnostics import Fault
from ..ir import TensorType, parameter
from ..ir.fields import Choice, Count, Each, Padding, Shape, Sizes, Switch, setting, size
from ..ir.geometry import Geometry, need_pixels, size_2d, slide
from ..ir.op import Decomposer, Node, Op, Parameter, Window
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import Convolve
from ..record import record

INITIALISERS = (
    "kaiming_uniform",
    "kaiming_normal",
    "xavier_uniform",
    "xavier_normal",
    "lecun_normal",
    "orthogonal",
    "zeros",
)
PAD = Choice(("valid", "same", "include"), Sizes(0))
INIT = Choice(INITIALISERS)


@record
class Conv(Op):
    """A convolution: slides F filters over the input and sums products, all channels together.

    out[f,i,j] = bias[f] + sum over c,u,v of weight[f,c,u,v] * in[c, i*stride + u*dilate - pad, ...]
    """

    word = "conv"
    family = "convolution"
    example = "conv 8x3x3 stride 2 pad same"
    account = "filter"
    aliases = ("conv2d", "convolution", "conv1d", "convolution2d", "convolutional")

    size: tuple[int, ...] = size(Shape((2, 3)), "FxKxK", "filters, kernel height, kernel width (FxK on a sequence)")
    stride: Each = setting(Sizes(1), 1, "pixels from one window to the next")
    pad: Padding = setting(PAD, "valid", "zeros around the input: valid (none), same, include, N, HxW, or TxBxLxR")
    dilate: Each = setting(Sizes(1), 1, "pixels from one tap of the kernel to the next")
    groups: int = setting(Count(1), 1, "parts into which channels and filters are split")
    bias: bool = setting(Switch(), True, "whether a number is added to each filter's output")
    init: str = setting(INIT, "kaiming_uniform", "how the weights begin")

    @property
    def filters(self) -> int:
        return self.size[0]

    @property
    def kernel(self) -> tuple[int, ...]:
        return self.size[1:]

    def geometry(self, x: TensorType) -> Geometry:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        if len(self.size) != rank + 1:
            raise Fault.of("CNN205", "size", f"filters {x.kind}", word=self.word, given=len(self.size))
        return slide("kernel", x, self.kernel, self.stride, self.pad, self.dilate)

    def type(self, x: TensorType) -> TensorType:
        found = self.geometry(x)
        for what, count in (("channels", x["c"]), ("filters", self.filters)):
            if count % self.groups:
                groups, rest = self.groups, count % self.groups
                raise Fault.of("CNN105", "groups", groups=groups, count=count, what=what, rest=rest)
        return x.resized(found.out(*size_2d(x))[-len(x.spatial) :], self.filters)

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return kernel_parameters(self.filters, x["c"] // self.groups, self.kernel, self.bias, self.init)

    def macs(self, x: TensorType) -> int:
        (weight, *_) = self.parameters(x)
        return weight.type.elements * self.type(x).elements // self.filters

    def window(self, x: TensorType) -> Window:
        return self.geometry(x).window(len(x.spatial))

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        convolve = Convolve(self.geometry(b.type(x)), self.groups)
        return with_bias(convolve, x, self.bias, node, b)


@record
class DwConv(Op):
    """A depthwise convolution: every channel is filtered on its own, by one kernel."""

    word = "dwconv"
    family = "convolution"
    example = "dwconv 3x3 pad same"
    account = "filter"
    aliases = ("depthwise", "depthwiseconv2d", "depthwise_conv")

    size: tuple[int, ...] = size(Shape((1, 2)), "KxK", "kernel height and width (K on a sequence)")
    stride: Each = setting(Sizes(1), 1, "pixels from one window to the next")
    pad: Padding = setting(PAD, "valid", "zeros around the input: valid (none), same, include, N, HxW, or TxBxLxR")
    dilate: Each = setting(Sizes(1), 1, "pixels from one tap of the kernel to the next")
    bias: bool = setting(Switch(), True, "whether a number is added to each channel's output")
    init: str = setting(INIT, "kaiming_uniform", "how the weights begin")

    def geometry(self, x: TensorType) -> Geometry:
        need_pixels(self.word, x)
        rank = len(x.spatial)
        if len(self.size) != rank:
            raise Fault.of("CNN205", "size", f"kernel {x.kind}", word=self.word, given=len(self.size))
        return slide("kernel", x, self.size, self.stride, self.pad, self.dilate)

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.geometry(x).out(*size_2d(x))[-len(x.spatial) :])

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return kernel_parameters(x["c"], 1, self.size, self.bias, self.init)

    def macs(self, x: TensorType) -> int:
        (weight, *_) = self.parameters(x)
        return weight.type.elements * self.type(x).elements // x["c"]

    def window(self, x: TensorType) -> Window:
        return self.geometry(x).window(len(x.spatial))

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        kind = b.type(x)
        return with_bias(Convolve(self.geometry(kind), kind["c"]), x, self.bias, node, b)


@lru_cache(4096)  # asked for the parameters and the work of every layer
def kernel_parameters(
    filters: int, channels: int, kernel: tuple[int, ...], bias: bool, init: str
) -> tuple[Parameter, ...]:
    """weight (F, C, KH, KW), kept with the channels innermost, and bias (F,)."""
    sides = dict(zip(("u", "v")[-len(kernel) :], kernel, strict=True))
    weight_type = parameter(f=filters, c=channels, **sides)
    taps = weight_type.elements // (filters * channels)
    fan_in, fan_out = channels * taps, filters * taps
    weight = Parameter("weight", weight_type, init, fan_in, fan_out, ("f", *sides, "c"))
    if not bias:
        return (weight,)
    return weight, Parameter("bias", parameter(f=filters), bias_init(init), fan_in, fan_out)


def bias_init(init: str) -> str | float:
    """PyTorch's biases begin uniform within 1/sqrt(fan_in) where its weights do; zero elsewhere."""
    return "fan_in_uniform" if init == "kaiming_uniform" else 0.0


def with_bias(op: Op, x: str, bias: bool, node: Node, b: Decomposer) -> str:
    """op(x, weight), then the bias where there is one."""
    weight = b.parameter(node, "weight")
    if not bias:
        return b.add(op, x, weight, name=node.name, like=node)
    product = b.add(op, x, weight, name=f"{node.name}.products", like=node)
    return b.add(AddBias(), product, b.parameter(node, "bias"), name=node.name, like=node)


OPS: tuple[type[Op], ...] = (Conv, DwConv)
