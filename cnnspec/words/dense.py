"""Fully connected layers."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType, data, parameter
from ..ir.fields import Shape, Switch, setting, size
from ..ir.op import Decomposer, Node, Op, Parameter
from ..primitives.dense import Multiply
from ..record import record
from .conv import INIT, bias_init, with_bias


@record
class Dense(Op):
    """A fully connected layer: every output is a weighted sum of all inputs; an image is flattened first.

    out[o] = bias[o] + sum over c of weight[o,c] * in[c]
    """

    word = "dense"
    family = "dense and shape"
    example = "dense 10 -> softmax"
    account = "all"
    aliases = ("linear", "fc", "fully_connected", "fullyconnected", "innerproduct", "gemm", "connected")

    size: tuple[int, ...] = size(Shape((1,)), "N", "outputs")
    bias: bool = setting(Switch(), True, "whether a number is added to each output")
    init: str = setting(INIT, "kaiming_uniform", "how the weights begin")

    @property
    def outputs(self) -> int:
        return self.size[0]

    @property
    def looks_everywhere(self) -> bool:
        return True

    def type(self, x: TensorType) -> TensorType:
        if x.kind != "vector":
            raise Fault.of("CNN104", case="dense", found=x)
        return data(self.outputs)

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        kind = TensorType((("o", self.outputs), ("c", x["c"])), batched=False, folded=x.folded)
        names = [name for name, _ in x.folded] or ["c"]
        spatial_first = sorted(names, key=("h", "c", "w").index)  # rows, then channels, as images are kept
        weight = Parameter("weight", kind, self.init, x["c"], self.outputs, ("o", *spatial_first))
        if not self.bias:
            return (weight,)
        bias = Parameter("bias", parameter(o=self.outputs), bias_init(self.init), x["c"], self.outputs)
        return weight, bias

    def macs(self, x: TensorType) -> int:
        return self.outputs * x["c"]

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        return with_bias(Multiply(), inputs[0], self.bias, node, b)


OPS: tuple[type[Op], ...] = (Dense,)
