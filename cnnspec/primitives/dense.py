"""Products of matrices: a fully connected layer and its gradients."""

from __future__ import annotations

from collections.abc import Callable

from .. import kernels
from ..ir import TensorType, data
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record

SOON = 500_000  # multiply-adds of a product that takes so long that it does not matter how it begins
FEW_IMAGES = 32  # up to so many, memory is what takes time in a large product, not multiplications
LARGE = 1 << 16  # weights beyond which that pays
FEWEST = 32  # rows and columns of a piece that is worth a product of its own


def multiplying(
    rows: int, depth: int, columns: int, across: bool = False, transposed: bool = False
) -> Callable[..., object]:
    """NumPy's product of matrices, or our own if it is taken in pieces; the first or the second is transposed."""
    whole = kernels.gemm.fits_one_gemm(rows, depth, columns, across, transposed)
    return kernels.np.matmul if whole else kernels.gemm.gemm


def multiplying_two(rows: int, depth: int, columns: int) -> Callable[..., object]:
    """The same of two matrices for one image: `dot` begins sooner than `matmul`, as a small product notices."""
    whole = rows * depth * columns <= SOON
    return kernels.np.dot if whole else multiplying(rows, depth, columns)


@record
class Multiply(Op):
    """y = w x, a product of matrices over the batch."""

    any_order = True

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return data(w["o"])

    def macs(self, x: TensorType, w: TensorType) -> int:
        return w.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        return (
            b.add(MultiplyInputGradient(b.type(x)), dy, w, name=f"{node.name}.dx", like=node),
            b.add(MultiplyWeightGradient(b.type(w)), x, dy, name=f"{node.name}.dw", like=node),
        )

    def evaluate(self, x: Array, w: Array) -> Array:
        return x @ w.T

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        (outputs, n), inputs = e.shape(node.name), e.shape(x)[0]
        by = multiplying_two if n == 1 else multiplying
        e.call(by(outputs, inputs, n), e.matrix(w), e[x], out=e[node.name])


@record
class MultiplyInputGradient(Op):
    """dx = w^T dy"""

    x: TensorType

    def type(self, dy: TensorType, w: TensorType) -> TensorType:
        return self.x

    def macs(self, dy: TensorType, w: TensorType) -> int:
        return w.elements

    def evaluate(self, dy: Array, w: Array) -> Array:
        return dy @ w

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, w = node.inputs
        (outputs, n), inputs = e.shape(dy), e.shape(node.name)[0]
        gemm = kernels.gemm
        if gemm.WITHOUT_PACKING and outputs > gemm.ACROSS and n <= FEW_IMAGES:
            rows, columns = gemm.bands_of(outputs, inputs, n)
            if min(rows, columns) >= FEWEST:
                parts = e.scratch("parts", (outputs // rows, inputs // columns, columns, n))
                e.call(gemm.across_by_bands, e.matrix(w), e[dy], parts=parts, out=e[node.name])
                return
        by = multiplying(inputs, outputs, n, across=True)
        e.call(by, f"{e.matrix(w)}.T", e[dy], out=e[node.name])


@record
class MultiplyWeightGradient(Op):
    """dw = dy x^T"""

    w: TensorType

    def type(self, x: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, x: TensorType, dy: TensorType) -> int:
        return self.w.elements

    def evaluate(self, x: Array, dy: Array) -> Array:
        return dy.T @ x

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, dy = node.inputs
        (outputs, n), inputs = e.shape(dy), e.shape(x)[0]
        gemm = kernels.gemm
        if outputs <= gemm.NARROW:
            by = multiplying(outputs, n, inputs, transposed=True)
            e.call(by, e[dy], f"{e[x]}.T", out=e.matrix(node.name))
        elif gemm.WITHOUT_PACKING and n <= FEW_IMAGES and self.w.elements >= LARGE:
            scratch = e.scratch("transposed", (n, inputs))
            e.call(gemm.outer_products, e[dy], e[x], scratch=scratch, out=e.matrix(node.name))
        else:
            e.call(kernels.np.matmul, e[dy], f"{e[x]}.T", out=e.matrix(node.name))
