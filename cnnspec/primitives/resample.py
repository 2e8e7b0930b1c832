"""Pixels placed, taken, enlarged and blended."""

from __future__ import annotations

from math import floor

from .. import kernels
from ..ir import TensorType, data
from ..ir.geometry import Pair, size_2d
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record

Matrix = tuple[tuple[float, ...], ...]


def blend(have: int, want: int, mode: str, corners: bool = False) -> Matrix:
    """How each of `want` new pixels is made of `have` old ones, a row each.

    nearest takes pixel floor(i * have / want); bilinear blends the two around (i + 1/2) * have / want - 1/2, with
    `corners` those around i * (have - 1) / (want - 1); area is the mean of those from floor(i * have / want) up to
    ceil((i + 1) * have / want), as PyTorch's adaptive pooling takes them.
    """
    rows = []
    for i in range(want):
        row = [0.0] * have
        if mode == "nearest":
            row[i * have // want] = 1.0
        elif mode == "area":
            first, end = i * have // want, -(-(i + 1) * have // want)
            row[first:end] = [1 / (end - first)] * (end - first)
        else:
            at = max((i + 0.5) * have / want - 0.5, 0.0)
            if corners:
                at = i * (have - 1) / (want - 1) if want > 1 else 0.0
            low = min(floor(at), have - 1)
            high = min(low + 1, have - 1)
            row[low] += 1 - (at - low)
            row[high] += at - low
        rows.append(tuple(row))
    return tuple(rows)


def again(have: int, before: int, after: int, mode: str) -> Matrix:
    """Which of `have` old pixels each new one is, a row each: those beyond the edge are pixels of the image again.

    reflect goes back from the edge, 2 1 | 0 1 2 | 1 0; edge repeats it, 0 0 | 0 1 2 | 2 2.
    """
    rows = []
    for at in range(-before, have + after):
        beyond = 2 * (have - 1) - at if mode == "reflect" else have - 1
        first = -at if mode == "reflect" else 0
        pixel = first if at < 0 else beyond if at >= have else at
        rows.append(tuple(float(k == pixel) for k in range(have)))
    return tuple(rows)


@record
class Squeeze(Op):
    """An image of one pixel as a vector."""

    is_view = True

    def type(self, x: TensorType) -> TensorType:
        return data(x["c"])

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Unsqueeze(b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.reshape(x.shape[:2])


@record
class Unsqueeze(Op):
    """A vector as an image of one pixel."""

    is_view = True
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), *self.made.shape)


def corner(array: Array, before: tuple[int, int, int], kind: TensorType) -> Array:
    """The part of (n, c, ...) that a value of a type covers."""
    c, h, w = before
    sides = (h, w) if len(kind.spatial) == 2 else (w,)
    cut = [slice(s, s + n) for s, n in zip(sides, kind.spatial, strict=True)]
    return array[(slice(None), slice(c, c + kind["c"]), *cut)]


@record
class ZeroPad(Op):
    """A value in the midst of zeros; `before` counts channels, rows and columns ahead of it."""

    before: tuple[int, int, int]
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Slice(self.before, b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        y = np.zeros((len(x), *self.made.shape), x.dtype)
        corner(y, self.before, data(*x.shape[1:]))[...] = x
        return y

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.call(kernels.resample.place, e[node.inputs[0]], self.before, out=e[node.name])


@record
class Slice(Op):
    """A part of a value."""

    before: tuple[int, int, int]
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(ZeroPad(self.before, b.type(node.inputs[0])), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return corner(x, self.before, self.made).copy()

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.call(kernels.resample.take, e[node.inputs[0]], self.before, out=e[node.name])


@record
class Enlarge(Op):
    """Every pixel a block."""

    factors: Pair

    def type(self, x: TensorType) -> TensorType:
        spatial = tuple(n * f for n, f in zip(size_2d(x), self.factors, strict=True))
        return x.resized(spatial[-len(x.spatial) :])

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = EnlargeGradient(self.factors, b.type(node.inputs[0]))
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        y = x.repeat(self.factors[1], axis=-1)
        return y.repeat(self.factors[0], axis=-2) if x.ndim == 4 else y

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.call(kernels.resample.enlarge, e[node.inputs[0]], self.factors, out=e[node.name])


@record
class EnlargeGradient(Op):
    """The sum of each block."""

    factors: Pair
    made: TensorType

    def type(self, dy: TensorType) -> TensorType:
        return self.made

    def evaluate(self, dy: Array) -> Array:
        u, v = self.factors
        height, width = size_2d(self.made)
        parts = dy.reshape(*dy.shape[:2], height, u, width, v)
        return parts.sum(axis=(3, 5)).reshape(len(dy), *self.made.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.call(kernels.resample.enlarge_gradient, e[node.inputs[0]], self.factors, out=e[node.name])


@record
class BlendPixels(Op):
    """Rows blended by one matrix, columns by another."""

    down: Matrix
    across: Matrix

    def type(self, x: TensorType) -> TensorType:
        return x.resized((len(self.down), len(self.across))[-len(x.spatial) :])

    def macs(self, x: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        transposed = BlendPixels(tuple(zip(*self.down, strict=True)), tuple(zip(*self.across, strict=True)))
        return (b.add(transposed, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        y = np.einsum("...w,jw->...j", x, np.array(self.across))
        return np.einsum("nchj,ih->ncij", y, np.array(self.down)) if x.ndim == 4 else y

    def emit(self, node: Node, e: PlanWriter) -> None:
        import numpy as np

        (x,) = node.inputs
        _, channels, width, n = e.shape(x)
        down, across = e.constant("down", np.array(self.down)), e.constant("across", np.array(self.across))
        scratch = e.scratch("rows", (len(self.down), channels, width, n))
        e.call(kernels.resample.blend_pixels, e[x], down, across, scratch=scratch, out=e[node.name])


@record
class PixelShuffle(Op):
    """Channels become pixels, each a block of so many; or pixels channels again, where `back`."""

    factors: Pair
    back: bool = False

    def type(self, x: TensorType) -> TensorType:
        u, v = self.factors
        if self.back:
            spatial = tuple(n // f for n, f in zip(size_2d(x), self.factors, strict=True))
            return x.resized(spatial[-len(x.spatial) :], x["c"] * u * v)
        spatial = tuple(n * f for n, f in zip(size_2d(x), self.factors, strict=True))
        return x.resized(spatial[-len(x.spatial) :], x["c"] // (u * v))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(self.changed(back=not self.back), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        u, v = self.factors
        made = self.type(data(*x.shape[1:])).shape
        x = x if x.ndim == 4 else x[:, :, None]
        n, c, h, w = x.shape
        if self.back:
            parts = x.reshape(n, c, h // u, u, w // v, v).transpose(0, 1, 3, 5, 2, 4)
        else:
            parts = x.reshape(n, c // (u * v), u, v, h, w).transpose(0, 1, 4, 2, 5, 3)
        return parts.reshape(n, *made)

    def emit(self, node: Node, e: PlanWriter) -> None:
        kernel = kernels.resample.pixel_unshuffle if self.back else kernels.resample.pixel_shuffle
        e.call(kernel, e[node.inputs[0]], self.factors, out=e[node.name])
