"""Products of matrices: a fully connected layer and its gradients."""

from __future__ import annotations

from collections.abc import Callable

from .. import kernels
from ..ir import TensorType, data
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record
from .together import gather, outweighs, places, room, share, show, takes_reading

SOON = 500_000  # multiply-adds of a product that takes so long that it does not matter how it begins
FEW_IMAGES = 32  # up to so many, memory is what takes time in a large product, not multiplications
LARGE = 1 << 16  # weights beyond which that pays
PIECE = 16  # outputs of a large layer that are made at a time of one image
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


def pieces(x: TensorType, w: TensorType) -> int:
    """How many pieces a product for one image is made in, so that workers who share the image have some each."""
    outputs, inputs = w["o"], x.elements
    return outputs // PIECE if outputs % PIECE == 0 and outputs * inputs > SOON else 1


@record
class Multiply(Op):
    """y = w x, a product of matrices over the batch; or a `part` of it, from one output up to another."""

    any_order = True
    part: tuple[int, int] | None = None

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        start, stop = self.part or (0, w["o"])
        return data(stop - start)

    def macs(self, x: TensorType, w: TensorType) -> int:
        return x.elements * self.type(x, w).elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x, w = node.inputs
        return (
            b.add(MultiplyInputGradient(b.type(x)), dy, w, name=f"{node.name}.dx", like=node),
            b.add(MultiplyWeightGradient(b.type(w)), x, dy, name=f"{node.name}.dw", like=node),
        )

    def evaluate(self, x: Array, w: Array) -> Array:
        return x @ w[slice(*self.part or (None,))].T

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        (outputs, n), inputs = e.shape(node.name), e.shape(x)[0]
        together = takes_reading(e.type(w), e.type(x), node.type, e)  # first: it is the same for all shards
        if n == 1 and not together and pieces(e.type(x), e.type(w)) > 1:
            mine = "" if self.part is None else f"[{self.part[0]}:{self.part[1]}]"
            weights, out = (
                f"{of}.reshape(-1, {PIECE}, {last})"
                for of, last in ((e.matrix(w) + mine, inputs), (e[node.name], 1))
            )
            e.call(kernels.np.matmul, e.view("pieces", weights), e[x], out=e.view("by_piece", out))
            return
        if together:
            some = share(outputs, e)
            given = e.view("x_of_all", f"{show(e, by_image='x', x=x)['x']}.T")
            whole, mine = room(e, "y", node.name)
            rows, out = e.view("some_rows", f"{e.matrix(w)}[{some}]"), e.view("made", f"{whole}[{some}]")
            if outputs % e.shards:
                e.call(kernels.gemm.gemm, rows, given, out=out)
            else:
                self._emit_product(rows, given, out, (outputs // e.shards, inputs, places(e)), e)
            gather(e, mine, node.name)
            return
        self._emit_product(e.matrix(w), e[x], e[node.name], (outputs, inputs, n), e)

    def _emit_product(self, w: str, x: str, out: str, sizes: tuple[int, int, int], e: PlanWriter) -> None:
        """w[o,i] . x[i,n], for so many outputs, inputs and images."""
        gemm = kernels.gemm
        parts = gemm.parts_of(*sizes)
        if parts is not None:
            e.call(gemm.by_depth, w, x, parts=e.scratch("parts", parts), out=out)
            return
        by = multiplying_two if sizes[2] == 1 else multiplying
        e.call(by(*sizes), w, x, out=out)


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
        if takes_reading(e.type(w), node.type, e.type(dy), e):
            some = share(inputs, e)
            given = e.view("dy_of_all", show(e, dy=dy)["dy"])
            whole, mine = room(e, "dx", node.name)
            weights, out = e.view("some_columns", f"{e.matrix(w)}[:, {some}]"), e.view("made", f"{whole}[{some}]")
            if inputs % e.shards:
                e.call(kernels.gemm.gemm, f"{weights}.T", given, out=out)
            else:
                self._emit_product(weights, given, out, (outputs, inputs // e.shards, places(e)), e)
            gather(e, mine, node.name)
            return
        self._emit_product(e.matrix(w), e[dy], e[node.name], (outputs, inputs, n), e)

    def _emit_product(self, w: str, dy: str, out: str, sizes: tuple[int, int, int], e: PlanWriter) -> None:
        """w[o,i]^T . dy[o,n], for so many outputs, inputs and images."""
        outputs, inputs, n = sizes
        gemm = kernels.gemm
        if gemm.WITHOUT_PACKING and outputs > gemm.ACROSS and n <= FEW_IMAGES:
            rows, columns = gemm.bands_of(outputs, inputs, n)
            if min(rows, columns) >= FEWEST:
                parts = e.scratch("parts", (outputs // rows, inputs // columns, 1, columns, n))
                e.call(gemm.across_by_bands, w, dy, parts=parts, out=out)
                return
        e.call(multiplying(inputs, outputs, n, across=True), f"{w}.T", dy, out=out)


@record
class MultiplyWeightGradient(Op):
    """dw = dy x^T

    The gradient of many weights is made by all shards together, some rows each, from the images of all: what they
    show one another for that is a few numbers an image, and neither is a gradient for each shard kept, nor are any
    added up.
    """

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
        few = gemm.WITHOUT_PACKING and n <= FEW_IMAGES
        if outweighs(self.w, e.batch) and e.made_together(node.name):
            self._emit_some_rows(node, gemm.few_rows_at_a_time if few else kernels.np.matmul, e)
        elif outputs <= gemm.NARROW:
            by = multiplying(outputs, n, inputs, transposed=True)
            e.call(by, e[dy], f"{e[x]}.T", out=e.matrix(node.name))
        elif few and self.w.elements >= LARGE:
            scratch = e.scratch("transposed", (n, inputs))
            e.call(gemm.outer_products, e[dy], e[x], scratch=scratch, out=e.matrix(node.name))
        else:
            e.call(kernels.np.matmul, e[dy], f"{e[x]}.T", out=e.matrix(node.name))

    def _emit_some_rows(self, node: Node, by: Callable[..., object], e: PlanWriter) -> None:
        """A product over the images of all shards, which show one another theirs, for this shard's rows."""
        x, dy = node.inputs
        given, some = show(e, by_image="x", dy=dy, x=x), share(e.shape(dy)[0], e)
        e.call(
            by,
            e.view("dy_of_all", f"{given['dy']}[{some}]"),
            e.view("x_of_all", given["x"]),
            out=e.view("rows", f"{e.matrix(node.name)}[{some}]"),
        )
