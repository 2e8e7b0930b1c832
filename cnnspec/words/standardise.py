"""Normalisation within one image: `layernorm`, `groupnorm`, `lrn`, `grn`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType, parameter
from ..ir.fields import Count, Number, Shape, optional_size, setting, size
from ..ir.geometry import need_pixels
from ..ir.op import Array, Decomposer, GraphBuilder, Node, Op, Parameter, PlanWriter
from ..primitives.affine import TimesChannel
from ..primitives.convolution.bias import AddBias
from ..primitives.standardise import LrnGradient, Neighbours, ResponseNorm, Standardise
from ..record import record
from .merge import Add


def affine_parameters(x: TensorType) -> tuple[Parameter, ...]:
    kind = parameter(c=x["c"])
    return Parameter("weight", kind, 1.0), Parameter("bias", kind, 0.0)


def affine(op: Op, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
    """op(x) * weight + bias, for each channel."""
    z = b.add(op, inputs[0], name=f"{node.name}.standard", like=node)
    y = b.add(TimesChannel(), z, b.parameter(node, "weight"), name=f"{node.name}.scaled", like=node)
    return b.add(AddBias(), y, b.parameter(node, "bias"), name=node.name, like=node)


@record
class LayerNorm(Op):
    """Layer normalisation: at each pixel the channels to mean 0 and variance 1, then a learnt scale and shift.

    out = (x - mean) / sqrt(var + eps) * weight + bias, mean and var over the channels (Ba et al. 2016; on
    images as in ConvNeXt).
    """

    word = "layernorm"
    family = "normalisation and regularisation"
    example = "conv 6x3x3 -> layernorm -> gelu"
    account = "channels"
    aliases = ("layer_norm", "ln", "layernorm2d", "layernormalization")

    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return affine_parameters(x)

    def flops(self, x: TensorType) -> int:
        return 8 * x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        return affine(Standardise(self.eps), node, inputs, b)


@record
class GroupNorm(Op):
    """Group normalisation: in each image every group of channels to mean 0 and variance 1, then scale and shift.

    `groupnorm 1` takes all channels together, `groupnorm C` each alone (Wu and He 2018).
    """

    word = "groupnorm"
    family = "normalisation and regularisation"
    example = "conv 6x3x3 -> groupnorm 3 -> relu"
    account = "group"
    aliases = ("group_norm", "gn", "groupnormalization")

    size: tuple[int, ...] = size(Shape((1,)), "G", "groups that the channels are split into")
    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")

    def type(self, x: TensorType) -> TensorType:
        (groups,) = self.size
        if x["c"] % groups:
            raise Fault.of("CNN106", "size", parts=groups, channels=x["c"], rest=x["c"] % groups)
        return x

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return affine_parameters(x)

    def flops(self, x: TensorType) -> int:
        return 8 * x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        return affine(Standardise(self.eps, self.size[0]), node, inputs, b)


@record
class Lrn(Neighbours):
    """Local response normalisation: each number divided by what its neighbouring channels are.

    out[c] = x[c] / (k + alpha / N * sum of x[c']^2 over the N channels around c)^beta (Krizhevsky et al. 2012,
    alpha divided by N as in PyTorch).
    """

    word = "lrn"
    family = "normalisation and regularisation"
    example = "conv 8x3x3 -> relu -> lrn 5"
    account = "channels"
    aliases = ("localresponsenorm", "local_response_norm")

    size: int = optional_size(Count(1, 1024), "N", 5, "channels that are summed over")
    alpha: float = setting(Number(0), 1e-4, "weight of the sum")
    beta: float = setting(Number(0), 0.75, "power of the divisor")
    k: float = setting(Number(0, open_low=True), 1.0, "added to the sum")

    def flops(self, x: TensorType) -> int:
        return x.elements * (self.size + 6)

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"base": replace(x, folded=())}

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = LrnGradient(self.size, self.alpha, self.beta, self.k)
        return (b.add(op, dy, node.inputs[0], f"{node.name}:base", name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> tuple[Array, ...]:
        import numpy as np

        square, channels = x * x, x.shape[1]
        sums = np.stack([square[:, self.near(c, channels)].sum(axis=1) for c in range(channels)], axis=1)
        base = self.k + self.alpha / self.size * sums
        return x * base**-self.beta, base

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        row = e.scratch("row", e.rows_shape(x)[1:])
        e.call(
            kernels.standardise.lrn,
            e.rows(x),
            *self.numbers,
            self.k,
            scratch=row,
            base=e.rows(f"{node.name}:base"),
            out=e.rows(node.name),
        )


@record
class Grn(Op):
    """Global response normalisation: channels that answer strongly to an image grow beside the others.

    out = in + in * share[c] * weight[c] + bias[c], share[c] = norm[c] / (eps + mean of norm over the channels),
    norm[c] the root of the sum of squares of the channel's pixels (ConvNeXt V2, Woo et al. 2023).
    """

    word = "grn"
    family = "normalisation and regularisation"
    example = "conv 6x3x3 -> gelu -> grn"
    account = "response"
    aliases = ("globalresponsenorm", "global_response_norm")

    eps: float = setting(Number(0, 1, open_low=True), 1e-6, "added to the mean of the norms")

    def type(self, x: TensorType) -> TensorType:
        need_pixels(self.word, x)
        return x

    @property
    def looks_everywhere(self) -> bool:
        return True

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        kind = parameter(c=x["c"])
        return Parameter("weight", kind, 0.0), Parameter("bias", kind, 0.0)

    def flops(self, x: TensorType) -> int:
        return 6 * x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        weight, bias = b.parameter(node, "weight"), b.parameter(node, "bias")
        shared = b.add(ResponseNorm(self.eps), x, name=f"{node.name}.shared", like=node)
        scaled = b.add(TimesChannel(), shared, weight, name=f"{node.name}.scaled", like=node)
        moved = b.add(AddBias(), scaled, bias, name=f"{node.name}.moved", like=node)
        return b.add(Add(), x, moved, name=node.name, like=node)


OPS: tuple[type[Op], ...] = (LayerNorm, GroupNorm, Lrn, Grn)
