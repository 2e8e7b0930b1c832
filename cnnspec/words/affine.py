"""Numbers learnt for each channel: `scale`, `prelu`."""

from __future__ import annotations

from ..ir import TensorType, parameter
from ..ir.fields import Number, Switch, setting
from ..ir.op import Decomposer, Node, Op, Parameter
from ..primitives.affine import Bend, TimesChannel
from ..record import record
from .conv import with_bias


@record
class ChannelScale(Op):
    """A learnt factor for each channel: out[c] = weight[c] * in[c], with `bias on` + bias[c]."""

    word = "scale"
    family = "normalisation and regularisation"
    example = "conv 4x3x3 -> scale init 0.5 -> relu"
    account = "point"
    aliases = ("layer_scale", "layerscale", "gamma")

    init: float = setting(Number(), 1.0, "how the factors begin (ConvNeXt: 1e-6)")
    bias: bool = setting(Switch(), False, "whether a number is added to each channel")

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        weight = Parameter("weight", parameter(c=x["c"]), self.init)
        return (weight, Parameter("bias", parameter(c=x["c"]), 0.0)) if self.bias else (weight,)

    def macs(self, x: TensorType) -> int:
        return 0

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return with_bias(TimesChannel(), x, self.bias, node, b)


@record
class PRelu(Op):
    """Parametric rectifier: x where positive, weight[c] * x elsewhere (He et al. 2015)."""

    word = "prelu"
    family = "activation"
    example = "conv 4x3x3 -> prelu"
    account = "point"
    aliases = ("parametric_relu",)

    init: float = setting(Number(), 0.25, "how the negative_slopes of the negative part begin")

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return (Parameter("weight", parameter(c=x["c"]), self.init),)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        return b.add(Bend(), inputs[0], b.parameter(node, "weight"), name=node.name, like=node)


OPS: tuple[type[Op], ...] = (PRelu, ChannelScale)
