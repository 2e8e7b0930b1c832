"""Normalisation within one image."""

from __future__ import annotations

from collections.abc import Mapping

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record


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

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = StandardiseGradient(self.eps, self.groups)
        return (b.add(op, dy, node.name, f"{node.name}:r", name=f"{node.name}.dx", like=node),)

    def split(self, x: Array) -> tuple[Array, tuple[int, ...]]:
        """(n, c, ...) as (n, g, c / g, pixels), and the axes that are averaged over."""
        n, c = x.shape[:2]
        return x.reshape(n, self.groups or 1, c // (self.groups or 1), -1), (2, 3) if self.groups else (2,)

    def evaluate(self, x: Array) -> tuple[Array, ...]:
        import numpy as np

        parts, axes = self.split(x)
        mean, var = parts.mean(axis=axes, keepdims=True), parts.var(axis=axes, keepdims=True)
        r = 1 / np.sqrt(var + self.eps)
        scale = r.reshape(len(x), self.groups) if self.groups else r.reshape(len(x), 1, *x.shape[2:])
        return ((parts - mean) * r).reshape(x.shape), scale

    def views(self, e: PlanWriter, *values: str) -> tuple[list[str], tuple[int, ...]]:
        """Values as [h,g,c/g,w,n], and their shape."""
        h, c, w, n = (1, *e.shape(values[0])[:1], 1, e.n) if len(e.shape(values[0])) == 2 else e.shape(values[0])
        groups = self.groups or 1
        shape = (h, groups, c // groups, w, n)
        return [e.view_of(value, f"groups{groups}", f"{e[value]}.reshape{shape}") for value in values], shape

    def parts(self, e: PlanWriter, shape: tuple[int, ...]) -> dict[str, str]:
        """Scratch for sums over pixels, as an argument."""
        h, groups, _, w, n = shape
        return {"parts": e.scratch("parts", (h + 1, groups, 1, w, n))} if self.groups else {}

    def single_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """That of a number for all that is averaged over, against those views."""
        h, groups, _, w, n = shape
        return (1, groups, 1, 1, n) if self.groups else (h, 1, 1, w, n)

    def single(self, e: PlanWriter, r: str, shape: tuple[int, ...]) -> str:
        """r against those views."""
        return e.view_of(r, "groups", f"{e[r]}.reshape{self.single_shape(shape)}")

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x, y), shape = self.views(e, node.inputs[0], node.name)
        mean, scratch = e.scratch("mean", self.single_shape(shape)), e.scratch("squares", shape)
        r = self.single(e, f"{node.name}:r", shape)
        parts = self.parts(e, shape)
        e.call(kernels.standardise.standardise, x, self.eps, mean=mean, r=r, scratch=scratch, **parts, out=y)


@record
class StandardiseGradient(Standardise):
    """dx = r * (dy - mean(dy) - z * mean(dy * z)), the means over what was standardised together."""

    def type(self, dy: TensorType, z: TensorType, r: TensorType) -> TensorType:
        return z

    def extras(self, dy: TensorType, z: TensorType, r: TensorType) -> Mapping[str, TensorType]:
        return {}

    def evaluate(self, dy: Array, z: Array, r: Array) -> Array:
        (parts, axes), (standard, _) = self.split(dy), self.split(z)
        wide = r.reshape(len(z), self.groups, 1, 1) if self.groups else r.reshape(len(z), 1, 1, -1)
        inner = parts - parts.mean(axis=axes, keepdims=True)
        inner = inner - standard * (parts * standard).mean(axis=axes, keepdims=True)
        return (inner * wide).reshape(z.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (dy, z, dx), shape = self.views(e, node.inputs[0], node.inputs[1], node.name)
        scratch = e.scratch("products", shape)
        r = self.single(e, node.inputs[2], shape)
        single = e.scratch("means", self.single_shape(shape))
        parts = self.parts(e, shape)
        kernel = kernels.standardise.standardise_gradient
        e.call(kernel, dy, z, r, scratch=scratch, **parts, single=single, out=dx)


@record
class Neighbours(Op):
    """What `lrn` and its gradient share: the channels that are summed over, and the constants of the divisor."""

    size: int
    alpha: float
    beta: float
    k: float

    @property
    def numbers(self) -> tuple[int, float, float]:
        return self.size, self.alpha, self.beta

    def near(self, c: int, channels: int) -> slice:
        """The channels around c that there are: size // 2 before it, the rest after it."""
        first = c - self.size // 2
        return slice(max(0, first), min(channels, first + self.size))


@record
class LrnGradient(Neighbours):
    """dx = dy * base^-beta - 2 alpha beta / N * x * sum of (dy * x * base^(-beta-1)) over those who see x."""

    def type(self, dy: TensorType, x: TensorType, base: TensorType) -> TensorType:
        return x

    def extras(self, dy: TensorType, x: TensorType, base: TensorType) -> Mapping[str, TensorType]:
        return {}

    def flops(self, dy: TensorType, x: TensorType, base: TensorType) -> int:
        return x.elements * (self.size + 8)

    def evaluate(self, dy: Array, x: Array, base: Array) -> Array:
        import numpy as np

        channels = x.shape[1]
        inner = dy * x * base ** (-self.beta - 1)
        upsampled = np.zeros_like(x)
        for c in range(channels):
            upsampled[:, self.near(c, channels)] += inner[:, c : c + 1]
        return dy * base**-self.beta - 2 * self.alpha * self.beta / self.size * x * upsampled

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, base = node.inputs
        inner, row = (e.scratch(name, e.rows_shape(x)[1:]) for name in ("inner", "row"))
        e.call(
            kernels.standardise.lrn_gradient,
            e.rows(dy),
            e.rows(x),
            e.rows(base),
            *self.numbers,
            inner=inner,
            scratch=row,
            out=e.rows(node.name),
        )


@record
class ResponseNorm(Op):
    """x * norm[c] / (eps + mean of norm over the channels), norm[c] the root of the sum of squares of a channel."""

    eps: float

    def flops(self, x: TensorType) -> int:
        return 3 * x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(ResponseNormGradient(self.eps), dy, node.inputs[0], name=f"{node.name}.dx", like=node),)

    def shares(self, x: Array) -> tuple[Array, Array, Array]:
        """norm, total = eps + the mean of norm, and norm / total, each [n,c or 1,1..]."""
        import numpy as np

        norm = np.sqrt((x * x).sum(axis=tuple(range(2, x.ndim)), keepdims=True))
        total = norm.mean(axis=1, keepdims=True) + self.eps
        return norm, total, norm / total

    def evaluate(self, x: Array) -> Array:
        return x * self.shares(x)[2]

    def scratch(self, x: str, e: PlanWriter, *more: str) -> dict[str, str]:
        """What the kernels count in: numbers for each channel, [c,n], and for each image, [1,n]."""
        _, channels, _, n = e.shape(x)
        named = {"norm": channels, "total": 1, "ratio": channels, "derivative": channels, "mean": 1}
        return {name: e.scratch(name, (named[name], n)) for name in ("norm", "total", "ratio", *more)}

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.standardise.response_norm, e[x], self.eps, **self.scratch(x, e), out=e[node.name])


@record
class ResponseNormGradient(ResponseNorm):
    """dx = dy * ratio + x * (s - mean of s * ratio) / (total * norm), s[c] the sum of dy * x; 0 where norm is."""

    def type(self, dy: TensorType, x: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, x: TensorType) -> int:
        return 7 * x.elements

    def evaluate(self, dy: Array, x: Array) -> Array:
        import numpy as np

        norm, total, ratio = self.shares(x)
        s = (dy * x).sum(axis=tuple(range(2, x.ndim)), keepdims=True)
        derivative = (s - (s * ratio).mean(axis=1, keepdims=True)) / total
        return dy * ratio + x * np.divide(derivative, norm, out=np.zeros_like(derivative), where=norm > 0)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x = node.inputs
        scratch = {**self.scratch(x, e, "derivative", "mean"), "part": e.scratch("part", e.shape(x))}
        e.call(kernels.standardise.response_norm_gradient, e[dy], e[x], self.eps, **scratch, out=e[node.name])
