"""The primitive of power-average pooling: the p-norm of each window's pixels."""

from __future__ import annotations

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, PlanWriter
from ..record import record
from .convolution.convolve import image_4d, looks
from .windows import Windows


@record
class NormWindows(Windows):
    """(sum of |x|^p)^(1/p) of each window.

    Each number is taken relative to the window's largest, so that no power overflows.
    """

    p: int = 2

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = NormWindowsGradient(self.geometry, self.p)
        return (b.add(op, dy, node.inputs[0], node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        sizes = np.abs(self.seen(x, 0.0)).astype(float)
        y = ((sizes**self.p).sum(axis=0) ** (1 / self.p)).astype(x.dtype)
        return y if x.ndim == 4 else np.ascontiguousarray(y[:, :, 0])

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        shape = e.shape(node.name)
        scratch = f"({e.scratch('largest', shape)}, {e.scratch('part', shape)})"
        e.call(kernels.pool.lp_pool, e[x], self.p, *self.arguments, scratch=scratch, out=e[node.name])


@record
class NormWindowsGradient(NormWindows):
    """dy * sign(x) * (|x| / y)^(p - 1), and 0 where y is 0."""

    def type(self, dy: TensorType, x: TensorType, y: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, x: TensorType, y: TensorType) -> int:
        return dy.elements * self.geometry.kernel[0] * self.geometry.kernel[1]

    def evaluate(self, dy: Array, x: Array, y: Array) -> Array:
        import numpy as np

        (top, bottom), (left, right) = self.geometry.pad
        x4, dy4, y4 = image_4d(x), image_4d(dy), image_4d(y)
        *outer, height, width = x4.shape
        padded = np.zeros((*outer, height + top + bottom, width + left + right))
        share = np.divide(dy4, y4 ** (self.p - 1), out=np.zeros_like(dy4), where=y4 != 0)
        for seen, (_, _, grad) in zip(self.seen(x, 0.0), looks(self.geometry, padded, *dy4.shape[2:]), strict=True):
            grad += share * np.sign(seen) * np.abs(seen) ** (self.p - 1)
        return padded[:, :, top : top + height, left : left + width].reshape(x.shape).astype(x.dtype)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, y = node.inputs
        shape = e.shape(dy)
        scratch = f"({', '.join(e.scratch(name, shape) for name in ('safe', 'part', 'sign'))})"
        arrays = (e[dy], e[x], e[y])
        e.call(
            kernels.pool.lp_pool_gradient,
            *arrays,
            self.p,
            *self.arguments,
            scratch=scratch,
            out=e[node.name],
        )
