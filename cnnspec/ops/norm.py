"""Normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir import TensorType, parameter
from .base import Op, Parameter
from .fields import Number, setting


@dataclass(frozen=True)
class Bn(Op):
    """Batch normalisation: each channel to mean 0 and variance 1 over the batch, then a learnt scale and shift.

    out = (x - mean) / sqrt(var + eps) * weight + bias. In training mean and var are those of the whole batch,
    and running means of them are kept; afterwards the running ones are used.
    """

    word = "bn"
    family = "normalisation and regularisation"
    example = "conv 4x3x3 bias off -> bn -> relu"
    aliases = ("batchnorm", "batch_norm", "batchnorm2d", "batchnormalization", "batchnormalisation")

    eps: float = setting(Number(0, 1, open_low=True), 1e-5, "added to the variance")
    momentum: float = setting(Number(0, 1), 0.1, "share of the new batch in the running mean and variance")

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

    def expand(self, node, inputs, b) -> str:
        (x,) = inputs
        weight, bias = b.parameter(node, "weight"), b.parameter(node, "bias")
        mean, var = b.parameter(node, "running_mean"), b.parameter(node, "running_var")
        if not b.training:
            return b.add(Normalise(self.eps), x, mean, var, weight, bias, name=node.name, like=node)
        y = b.add(BatchNorm(self.eps), x, weight, bias, name=node.name, like=node)
        pixels = b.type(x).elements // b.type(x)["c"]
        b.update(mean, b.add(Blend(self.momentum), mean, f"{y}:mean", name=f"{y}.new_mean", like=node))
        b.update(var, b.add(Blend(self.momentum, pixels), var, f"{y}:var", name=f"{y}.new_var", like=node))
        return y


# ---- primitives --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Normalise(Op):
    """(x - mean) / sqrt(var + eps) * weight + bias with given mean and variance."""

    overwrites = (0,)
    any_rows = True
    eps: float

    def evaluate(self, x, mean, var, weight, bias):
        import numpy as np

        mean, var, weight, bias = (a.reshape(-1, *[1] * (x.ndim - 2)) for a in (mean, var, weight, bias))
        return ((x - mean) / np.sqrt(var + self.eps) * weight + bias).astype(x.dtype)

    def gradient(self, node, dy, b):
        """That of x alone, for pages that show a trained network; training takes the batch's statistics."""
        _, _, var, weight, _ = node.inputs
        op = NormaliseGradient(self.eps)
        return b.add(op, dy, var, weight, name=f"{node.name}.dx", like=node), None, None, None, None

    def emit(self, node, e) -> None:
        x, mean, var, weight, bias = node.inputs
        e.line(
            f"normalise({e.rows(x)}, {e[mean]}, {e[var]}, {e[weight]}, {e[bias]}, {self.eps!r}, "
            f"out={e.rows(node.name)})"
        )


@dataclass(frozen=True)
class NormaliseGradient(Op):
    """dx = dy / sqrt(var + eps) * weight, where mean and variance are given."""

    any_rows = True
    eps: float

    def evaluate(self, dy, var, weight):
        import numpy as np

        none = np.zeros_like(weight)
        return Normalise(self.eps).evaluate(dy, none, var, weight, none)

    def emit(self, node, e) -> None:
        import numpy as np

        dy, var, weight = node.inputs
        none = e.constant("none", np.zeros(e.graph.type(weight).shape))
        e.line(
            f"normalise({e.rows(dy)}, {none}, {e[var]}, {e[weight]}, {none}, {self.eps!r}, out={e.rows(node.name)})"
        )


@dataclass(frozen=True)
class BatchNorm(Op):
    """Batch normalisation with the statistics of the whole batch, over all shards."""

    any_rows = True
    eps: float

    def type(self, x: TensorType, weight: TensorType, bias: TensorType) -> TensorType:
        return x

    def extras(self, x: TensorType, weight: TensorType, bias: TensorType) -> Mapping[str, TensorType]:
        return {"mean": weight, "var": weight}

    def flops(self, x: TensorType, *rest: TensorType) -> int:
        return 6 * x.elements

    def gradient(self, node, dy, b):
        x, weight, _ = node.inputs
        dx = b.add(
            BatchNormGradient(self.eps),
            dy,
            x,
            f"{node.name}:mean",
            f"{node.name}:var",
            weight,
            name=f"{node.name}.dx",
            like=node,
        )
        return dx, f"{dx}:dweight", f"{dx}:dbias"

    def evaluate(self, x, weight, bias):
        axes = (0, *range(2, x.ndim))
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        return Normalise(self.eps).evaluate(x, mean, var, weight, bias), mean, var

    def emit(self, node, e) -> None:
        x, weight, bias = node.inputs
        mine, everyone = e.meeting("sums", (2, e.graph.type(weight)["c"]))
        mean, var = e[f"{node.name}:mean"], e[f"{node.name}:var"]
        e.line(f"sums_and_squares({e.rows(x)}, out={mine})")
        e.meet()
        e.line(f"batch_moments({everyone}, {e.pixel_count(x)}, mean={mean}, var={var})")
        e.line(
            f"normalise({e.rows(x)}, {mean}, {var}, {e[weight]}, {e[bias]}, {self.eps!r}, out={e.rows(node.name)})"
        )


@dataclass(frozen=True)
class BatchNormGradient(Op):
    """dx of batch normalisation, and as by-products the gradients of its weight and bias."""

    eps: float

    def type(self, dy: TensorType, x: TensorType, *rest: TensorType) -> TensorType:
        return x

    def extras(self, dy: TensorType, x: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        return {"dweight": rest[2], "dbias": rest[2]}

    def flops(self, dy: TensorType, *rest: TensorType) -> int:
        return 8 * dy.elements

    def evaluate(self, dy, x, mean, var, weight):
        import numpy as np

        axes = (0, *range(2, x.ndim))
        wide = (-1, *[1] * (x.ndim - 2))
        r = 1 / np.sqrt(var + self.eps)
        z = (x - mean.reshape(wide)) * r.reshape(wide)
        dbias, dweight = dy.sum(axis=axes), (dy * z).sum(axis=axes)
        count = x.size // x.shape[1]
        inner = dy - (dbias / count).reshape(wide) - z * (dweight / count).reshape(wide)
        return inner * (weight * r).reshape(wide), dweight, dbias

    def emit(self, node, e) -> None:
        dy, x, mean, var, weight = node.inputs
        mine, everyone = e.meeting("sums", (2, e.graph.type(weight)["c"]))
        scratch = e.scratch("row", e.rows_shape(x)[1:])
        e.line(f"gradient_sums({e.rows(dy)}, {e.rows(x)}, out={mine})")
        e.line(
            f"parameter_gradients({mine}, {e[mean]}, {e[var]}, {self.eps!r}, "
            f"dweight={e[node.name + ':dweight']}, dbias={e[node.name + ':dbias']})"
        )
        e.meet()
        e.line(
            f"normalise_gradient({e.rows(dy)}, {e.rows(x)}, {e[mean]}, {e[var]}, {e[weight]}, {everyone}, "
            f"{e.pixel_count(x)}, {self.eps!r}, scratch={scratch}, out={e.rows(node.name)})"
        )


@dataclass(frozen=True)
class Blend(Op):
    """A running mean: state moves by a share towards the new value.

    For a variance, `pixels` an image makes of the biased one the unbiased (times count / (count - 1)).
    """

    settles = True
    momentum: float
    pixels: int = 0

    def correction(self, images: int) -> float:
        count = images * self.pixels
        return count / (count - 1) if count > 1 else 1.0

    def evaluate(self, state, new):
        return state  # what an update does is `blend`; the graph only says that it happens

    def emit(self, node, e) -> None:
        state, new = node.inputs
        factor = self.momentum * self.correction(e.batch)
        e.update_line(f"blend({e[state]}, {e[new]}, {1 - self.momentum!r}, {factor!r})")
