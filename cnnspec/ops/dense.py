"""Fully connected layers."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType, data, parameter
from ..ir.fields import Shape, Switch, setting, size
from ..ir.op import Op, Parameter, multiplying
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
    aliases = ("linear", "fc", "fully_connected", "fullyconnected", "innerproduct")

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
            raise Fault("CNN104", f"`dense` works on a vector, not on {x}", help="put `flatten` before it")
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

    def decompose(self, node, inputs, b) -> str:
        return with_bias(Multiply(), inputs[0], self.bias, node, b)


# ---- primitives --------------------------------------------------------------------------------------


@record
class Multiply(Op):
    """y = w x, a product of matrices over the batch."""

    any_order = True

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return data(w["o"])

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements

    def gradient(self, node, dy, b):
        x, w = node.inputs
        return (
            b.add(MultiplyInputGradient(b.type(x)), dy, w, name=f"{node.name}.dx", like=node),
            b.add(MultiplyWeightGradient(b.type(w)), x, dy, name=f"{node.name}.dw", like=node),
        )

    def evaluate(self, x, w):
        return x @ w.T

    def emit(self, node, e) -> None:
        x, w = node.inputs
        (outputs, n), inputs = e.shape(node.name), e.shape(x)[0]
        e.line(f"{multiplying(outputs, inputs, n)}({e.matrix(w)}, {e[x]}, out={e[node.name]})")


@record
class MultiplyInputGradient(Op):
    """dx = w^T dy"""

    x: TensorType

    def type(self, dy: TensorType, w: TensorType) -> TensorType:
        return self.x

    def macs(self, dy: TensorType, w: TensorType) -> int:
        return w.elements

    def evaluate(self, dy, w):
        return dy @ w

    def emit(self, node, e) -> None:
        dy, w = node.inputs
        (outputs, n), inputs = e.shape(dy), e.shape(node.name)[0]
        by = multiplying(inputs, outputs, n, across=True)
        e.line(f"{by}({e.matrix(w)}.T, {e[dy]}, out={e[node.name]})")


@record
class MultiplyWeightGradient(Op):
    """dw = dy x^T"""

    w: TensorType

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, x: TensorType, dy: TensorType) -> int:
        return self.w.elements

    def evaluate(self, x, dy):
        return dy.T @ x

    def emit(self, node, e) -> None:
        x, dy = node.inputs
        e.line(f"np.matmul({e[dy]}, {e[x]}.T, out={e.matrix(node.name)})")
