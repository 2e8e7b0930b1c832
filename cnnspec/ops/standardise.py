"""Normalisation within one image: `layernorm`, `groupnorm`, `lrn`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..diagnostics import Fault
from ..ir import TensorType, parameter
from ..ir.fields import Count, Number, Shape, optional_size, setting, size
from ..ir.op import Op, Parameter
from ..record import record
from .affine import TimesChannel
from .convolve import AddBias


def affine_parameters(x: TensorType) -> tuple[Parameter, ...]:
    kind = parameter(c=x["c"])
    return Parameter("weight", kind, 1.0), Parameter("bias", kind, 0.0)


def affine(op: Op, node, inputs, b) -> str:
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
    aliases = ("layer_norm", "ln", "layernorm2d", "layernormalization")

    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return affine_parameters(x)

    def flops(self, x: TensorType) -> int:
        return 8 * x.elements

    def decompose(self, node, inputs, b) -> str:
        return affine(Standardise(self.eps), node, inputs, b)


@record
class GroupNorm(Op):
    """Group normalisation: in each image every group of channels to mean 0 and variance 1, then scale and shift.

    `groupnorm 1` takes all channels together, `groupnorm C` each alone (Wu and He 2018).
    """

    word = "groupnorm"
    family = "normalisation and regularisation"
    example = "conv 6x3x3 -> groupnorm 3 -> relu"
    aliases = ("group_norm", "gn", "groupnormalization")

    size: tuple[int, ...] = size(Shape((1,)), "G", "groups that the channels are split into")
    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")

    def type(self, x: TensorType) -> TensorType:
        (groups,) = self.size
        if x["c"] % groups:
            message = f"{groups} groups do not divide {x['c']} channels"
            raise Fault("CNN106", message, at="size", label=f"{x['c']} % {groups} = {x['c'] % groups}")
        return x

    def parameters(self, x: TensorType) -> tuple[Parameter, ...]:
        return affine_parameters(x)

    def flops(self, x: TensorType) -> int:
        return 8 * x.elements

    def decompose(self, node, inputs, b) -> str:
        return affine(Standardise(self.eps, self.size[0]), node, inputs, b)


@record
class Lrn(Op):
    """Local response normalisation: each number divided by what its neighbouring channels are.

    out[c] = x[c] / (k + alpha / N * sum of x[c']^2 over the N channels around c)^beta (Krizhevsky et al. 2012,
    alpha divided by N as in PyTorch).
    """

    word = "lrn"
    family = "normalisation and regularisation"
    example = "conv 8x3x3 -> relu -> lrn 5"
    aliases = ("localresponsenorm", "local_response_norm")

    size: int = optional_size(Count(1, 1024), "N", 5, "channels that are summed over")
    alpha: float = setting(Number(0), 1e-4, "weight of the sum")
    beta: float = setting(Number(0), 0.75, "power of the divisor")
    k: float = setting(Number(0, open_low=True), 1.0, "added to the sum")

    def flops(self, x: TensorType) -> int:
        return x.elements * (self.size + 6)

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"base": replace(x, folded=())}

    @property
    def numbers(self) -> str:
        return f"{self.size}, {self.alpha!r}, {self.beta!r}"

    def near(self, c: int, channels: int) -> slice:
        """The channels around c that there are: size // 2 before it, the rest after it."""
        first = c - self.size // 2
        return slice(max(0, first), min(channels, first + self.size))

    def gradient(self, node, dy, b):
        op = LrnGradient(self.size, self.alpha, self.beta, self.k)
        return (b.add(op, dy, node.inputs[0], f"{node.name}:base", name=f"{node.name}.dx", like=node),)

    def evaluate(self, x):
        import numpy as np

        square, channels = x * x, x.shape[1]
        sums = np.stack([square[:, self.near(c, channels)].sum(axis=1) for c in range(channels)], axis=1)
        base = self.k + self.alpha / self.size * sums
        return x * base**-self.beta, base

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        row = e.scratch("row", e.rows_shape(x)[1:])
        e.line(
            f"lrn({e.rows(x)}, {self.numbers}, {self.k!r}, scratch={row}, base={e.rows(f'{node.name}:base')}, "
            f"out={e.rows(node.name)})"
        )


# ---- primitives --------------------------------------------------------------------------------------


@record
class Standardise(Op):
    """(x - mean) / sqrt(var + eps) within an image: over the channels of each pixel, or with `groups` over all
    pixels of each group of channels. Keeps r = 1 / sqrt(var + eps).
    """

    eps: float
    groups: int = 0

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        if self.groups:
            return {"r": TensorType((("c", self.groups),))}
        return {"r": x.resized(x.spatial, 1)}

    def gradient(self, node, dy, b):
        op = StandardiseGradient(self.eps, self.groups)
        return (b.add(op, dy, node.name, f"{node.name}:r", name=f"{node.name}.dx", like=node),)

    def split(self, x):
        """(n, c, ...) as (n, g, c / g, pixels), and the axes that are averaged over."""
        n, c = x.shape[:2]
        return x.reshape(n, self.groups or 1, c // (self.groups or 1), -1), (2, 3) if self.groups else (2,)

    def evaluate(self, x):
        import numpy as np

        parts, axes = self.split(x)
        mean, var = parts.mean(axis=axes, keepdims=True), parts.var(axis=axes, keepdims=True)
        r = 1 / np.sqrt(var + self.eps)
        kept = r.reshape(len(x), self.groups) if self.groups else r.reshape(len(x), 1, *x.shape[2:])
        return ((parts - mean) * r).reshape(x.shape), kept

    def views(self, e, *values: str) -> tuple[list[str], tuple[int, ...]]:
        """Values as [h,g,c/g,w,n], and their shape."""
        h, c, w, n = (1, *e.shape(values[0])[:1], 1, e.n) if len(e.shape(values[0])) == 2 else e.shape(values[0])
        groups = self.groups or 1
        shape = (h, groups, c // groups, w, n)
        return [e.view_of(value, f"groups{groups}", f"{e[value]}.reshape{shape}") for value in values], shape

    def parts(self, e, shape: tuple[int, ...]) -> str:
        """Scratch for sums over pixels, as an argument."""
        h, groups, _, w, n = shape
        return f"parts={e.scratch('parts', (h + 1, groups, 1, w, n))}, " if self.groups else ""

    def single_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """That of a number for all that is averaged over, against those views."""
        h, groups, _, w, n = shape
        return (1, groups, 1, 1, n) if self.groups else (h, 1, 1, w, n)

    def single(self, e, r: str, shape: tuple[int, ...]) -> str:
        """r against those views."""
        return e.view_of(r, "groups", f"{e[r]}.reshape{self.single_shape(shape)}")

    def emit(self, node, e) -> None:
        (x, y), shape = self.views(e, node.inputs[0], node.name)
        mean, scratch = e.scratch("mean", self.single_shape(shape)), e.scratch("squares", shape)
        r = self.single(e, f"{node.name}:r", shape)
        parts = self.parts(e, shape)
        e.line(f"standardise({x}, {self.eps!r}, mean={mean}, r={r}, scratch={scratch}, {parts}out={y})")


@record
class StandardiseGradient(Standardise):
    """dx = r * (dy - mean(dy) - z * mean(dy * z)), the means over what was standardised together."""

    def type(self, dy: TensorType, z: TensorType, r: TensorType) -> TensorType:
        return z

    def extras(self, dy: TensorType, z: TensorType, r: TensorType) -> Mapping[str, TensorType]:
        return {}

    def evaluate(self, dy, z, r):
        (parts, axes), (standard, _) = self.split(dy), self.split(z)
        wide = r.reshape(len(z), self.groups, 1, 1) if self.groups else r.reshape(len(z), 1, 1, -1)
        inner = parts - parts.mean(axis=axes, keepdims=True)
        inner = inner - standard * (parts * standard).mean(axis=axes, keepdims=True)
        return (inner * wide).reshape(z.shape)

    def emit(self, node, e) -> None:
        (dy, z, dx), shape = self.views(e, node.inputs[0], node.inputs[1], node.name)
        scratch = e.scratch("products", shape)
        r = self.single(e, node.inputs[2], shape)
        single = e.scratch("means", self.single_shape(shape))
        lent = f"scratch={scratch}, {self.parts(e, shape)}single={single}"
        e.line(f"standardise_gradient({dy}, {z}, {r}, {lent}, out={dx})")


@record
class LrnGradient(Lrn):
    """dx = dy * base^-beta - 2 alpha beta / N * x * sum of (dy * x * base^(-beta-1)) over those who see x."""

    word = ""

    def type(self, dy: TensorType, x: TensorType, base: TensorType) -> TensorType:
        return x

    def extras(self, dy: TensorType, x: TensorType, base: TensorType) -> Mapping[str, TensorType]:
        return {}

    def flops(self, dy: TensorType, x: TensorType, base: TensorType) -> int:
        return x.elements * (self.size + 8)

    def evaluate(self, dy, x, base):
        import numpy as np

        channels = x.shape[1]
        inner = dy * x * base ** (-self.beta - 1)
        spread = np.zeros_like(x)
        for c in range(channels):
            spread[:, self.near(c, channels)] += inner[:, c : c + 1]
        return dy * base**-self.beta - 2 * self.alpha * self.beta / self.size * x * spread

    def emit(self, node, e) -> None:
        dy, x, base = node.inputs
        inner, row = (e.scratch(name, e.rows_shape(x)[1:]) for name in ("inner", "row"))
        e.line(
            f"lrn_gradient({e.rows(dy)}, {e.rows(x)}, {e.rows(base)}, {self.numbers}, inner={inner}, "
            f"scratch={row}, out={e.rows(node.name)})"
        )
