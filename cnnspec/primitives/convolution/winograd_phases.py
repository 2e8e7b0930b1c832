"""4x4 convolutions of stride 2, and transposed ones, by Winograd's method in phases (kernels/winograd_phases.py).

What is done beforehand to filters, to the smaller image and to the larger one is a node each, for two products want
each: those that make the smaller image, the larger one and the filters' gradient.
"""

from __future__ import annotations

from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record

GEOMETRY = Geometry((4, 4), (2, 2), ((1, 1), (1, 1)))


def matrices(like: Array) -> tuple[Array, Array]:
    """Components of two taps or two pixels of the smaller image, and of three pixels of a phase."""
    import numpy as np

    return np.array([[1, 0], [1, 1], [0, 1]], like.dtype), np.array([[1, -1, 0], [0, 1, 0], [0, -1, 1]], like.dtype)


@record
class FilterComponents(Op):
    """w[f,c,4,4] as it is multiplied with."""

    def type(self, w: TensorType) -> TensorType:
        return parameter(k=9, f=w["f"], p=4, c=w["c"])

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        two, _ = matrices(w)
        taps = w.reshape(*w.shape[:2], 2, 2, 2, 2)  # f c, then a tap and its phase, down and across
        return np.einsum("kg,lh,fcgphq->klfpqc", two, two, taps).reshape(9, len(w), 4, -1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        e.call(kernels.winograd_phases.filter_components, taps_of(w, e), out=e[node.name])


@record
class SmallComponents(Op):
    """The smaller image as it is multiplied with: for each square of 2x2 pixels."""

    def type(self, x: TensorType) -> TensorType:
        return TensorType((("k", 9), ("c", x["c"]), ("i", x["h"] // 2), ("t", x["w"] // 2)))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        two, _ = matrices(x)
        n, c, height, width = x.shape
        squares = x.reshape(n, c, height // 2, 2, width // 2, 2)
        return np.einsum("ku,lv,nciutv->nklcit", two, two, squares).reshape(n, 9, c, height // 2, width // 2)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.winograd_phases.small_components, e[x], out=e[node.name])


@record
class LargeComponents(Op):
    """The larger image as it is multiplied with: for each square of 2x2 pixels of the smaller one."""

    def type(self, x: TensorType) -> TensorType:
        return TensorType((("k", 9), ("p", 4), ("c", x["c"]), ("i", x["h"] // 4), ("t", x["w"] // 4)))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        _, three = matrices(x)
        n, c, height, width = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        seen = np.array(
            [[padded[:, :, u : u + height - 3 : 4, v : v + width - 3 : 4] for v in range(6)] for u in range(6)]
        )
        phases = seen.reshape(3, 2, 3, 2, *seen.shape[2:])  # a pixel and its phase, down and across
        return np.einsum("ku,lv,upvqncit->nklpqcit", three, three, phases).reshape(n, 9, 4, c, height // 4, -1)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        _, channels, *squares = e.shape(node.name)[1:]
        columns = e.scratch("columns", (3, 2, 4, channels, *squares))
        e.call(kernels.winograd_phases.large_components, e[x], columns=columns, out=e[node.name])


@record
class ConvolvePhases(Op):
    """The smaller image: y = x convolved with w, from components of both."""

    y: TensorType

    def type(self, x: TensorType, w: TensorType) -> TensorType:
        return self.y

    def macs(self, x: TensorType, w: TensorType) -> int:
        """Nine products for sixteen."""
        return w.elements * x["i"] * x["t"]

    def evaluate(self, x: Array, w: Array) -> Array:
        import numpy as np

        two, _ = matrices(x)
        products = np.einsum("nkpcit,kfpc->nkfit", x, w)
        n, _, f, rows, squares = products.shape
        apart = products.reshape(n, 3, 3, f, rows, squares)
        return np.einsum("ku,lv,nklfit->nfiutv", two, two, apart).reshape(n, f, 2 * rows, 2 * squares)

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, w = node.inputs
        squares = prod(e.shape(x)[3:])
        products = e.scratch("products", (9, self.y["c"], *e.shape(x)[3:]))
        made = e.view("made", f"{products}.reshape(9, {self.y['c']}, {squares})")
        e.call(kernels.gemm.gemm, matrix(w, self.y["c"], e), matrix(x, 4 * e.shape(x)[2], e), out=made)
        e.call(kernels.winograd_phases.small_of_components, products, out=e[node.name])


@record
class SpreadPhases(Op):
    """The larger image: dx of that convolution, or a transposed one, from components of dy and w."""

    x: TensorType

    def type(self, dy: TensorType, w: TensorType) -> TensorType:
        return self.x

    def macs(self, dy: TensorType, w: TensorType) -> int:
        return w.elements * dy["i"] * dy["t"]

    def evaluate(self, dy: Array, w: Array) -> Array:
        import numpy as np

        _, three = matrices(dy)
        products = np.einsum("nkfit,kfpc->nkpcit", dy, w)
        n, _, _, c, rows, squares = products.shape
        apart = products.reshape(n, 3, 3, 2, 2, c, rows, squares)
        pixels = np.einsum("ku,lv,nklpqcit->upvqncit", three, three, apart).reshape(6, 6, n, c, rows, squares)
        padded = np.zeros((n, c, 4 * rows + 2, 4 * squares + 2), dy.dtype)
        for u in range(6):
            for v in range(6):
                padded[:, :, u : u + 4 * rows - 3 : 4, v : v + 4 * squares - 3 : 4] += pixels[u, v]
        return padded[:, :, 1:-1, 1:-1]

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, w = node.inputs
        filters, channels = e.shape(dy)[1], self.x["c"]
        squares = e.shape(dy)[2:]
        products = e.scratch("products", (9, 4, channels, *squares))
        transposed = e.view_of(w, "transposed", f"{matrix(w, filters, e)}.swapaxes(1, 2)")
        made = e.view("made", f"{products}.reshape(9, {4 * channels}, {prod(squares)})")
        e.call(kernels.gemm.gemm, transposed, matrix(dy, filters, e), out=made)
        e.call(kernels.winograd_phases.large_of_components, products, out=e[node.name])


@record
class PhasesFilterGradient(Op):
    """dw of that convolution, or a transposed one, from components of the smaller image and the larger one."""

    w: TensorType

    def type(self, small: TensorType, large: TensorType) -> TensorType:
        return self.w

    def macs(self, small: TensorType, large: TensorType) -> int:
        return small["c"] * large.elements

    def evaluate(self, small: Array, large: Array) -> Array:
        import numpy as np

        two, _ = matrices(small)
        products = np.einsum("nkfit,nkpcit->kfpc", small, large)
        apart = products.reshape(3, 3, self.w["f"], 2, 2, self.w["c"])
        return np.einsum("kg,lh,klfpqc->fcgphq", two, two, apart).reshape(self.w.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        small, large = node.inputs
        filters, channels = self.w["f"], self.w["c"]
        products = e.scratch("products", (9, filters, 4, channels))
        made = e.view("made", f"{products}.reshape(9, {filters}, {4 * channels})")
        transposed = e.view_of(large, "transposed", f"{matrix(large, 4 * channels, e)}.swapaxes(1, 2)")
        e.call(kernels.gemm.gemm, matrix(small, filters, e), transposed, out=made)
        e.call(kernels.winograd_phases.filters_of_components, products, out=taps_of(node.name, e))


def taps_of(w: str, e: PlanWriter) -> str:
    kind = e.type(w)
    return e.view_of(w, "taps", f"{e[w]}.reshape({kind['f']}, 4, 4, {kind['c']})")


def matrix(components: str, rows: int, e: PlanWriter) -> str:
    """Nine matrices with so many rows."""
    return e.view_of(components, "matrices", f"{e[components]}.reshape(9, {rows}, -1)")
