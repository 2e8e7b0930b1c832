"""Batch normalisation."""

from __future__ import annotations

from ..ir import TensorType, parameter
from ..ir.fields import Number, setting
from ..ir.op import Decomposer, Node, Op, Parameter
from ..primitives.norm import BatchNorm, Blend, Normalise
from ..record import record


@record
class Bn(Op):
    """Batch normalisation: each channel to mean 0 and variance 1 over the batch, then a learnt scale and shift.

    out = (x - mean) / sqrt(var + eps) * weight + bias. In training mean and var are those of the whole batch,
    and running means of them are kept; afterwards the running ones are used.
    """

    word = "bn"
    family = "normalisation and regularisation"
    example = "conv 4x3x3 bias off -> bn -> relu"
    account = "point"
    aliases = ("batchnorm", "batch_norm", "batchnorm2d", "batchnormalization", "batchnormalisation")

    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")
    momentum: float = setting(Number(0, 1), 0.1, "weight of the new batch in the running mean and variance")

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        kind = parameter(c=x["c"])
        return (
            Parameter("weight", kind, 1.0),
            Parameter("bias", kind, 0.0),
            Parameter("running_mean", kind, 0.0, trained=False),
            Parameter("running_var", kind, 1.0, trained=False),
        )

    def flops(self, x: TensorType) -> int:
        return 2 * x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        weight, bias = b.parameter(node, "weight"), b.parameter(node, "bias")
        mean, var = b.parameter(node, "running_mean"), b.parameter(node, "running_var")
        if not b.learns(node):
            return b.add(Normalise(self.eps), x, mean, var, weight, bias, name=node.name, like=node)
        y = b.add(BatchNorm(self.eps), x, weight, bias, name=node.name, like=node)
        pixels = b.type(x).elements // b.type(x)["c"]
        b.update(mean, b.add(Blend(self.momentum), mean, f"{y}:mean", name=f"{y}.new_mean", like=node))
        b.update(var, b.add(Blend(self.momentum, pixels), var, f"{y}:var", name=f"{y}.new_var", like=node))
        return y


OPS: tuple[type[Op], ...] = (Bn,)
