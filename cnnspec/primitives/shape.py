"""The same numbers in other axes: flattening, reshaping, shuffling channels.

The plan keeps an image as rows of channels of pixels (h, c, w), a text book as channels of rows (c, h, w).
Flattening moves nothing, so a flattened image's numbers stand in the plan's order, and its type says so
(`folded`). An op that minds gets them straightened first (`passes/canonicalise_layout.py`).
"""

from __future__ import annotations

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record


def two_orders(kind: TensorType) -> bool:
    """Whether the plan and a text book keep the numbers of such a value in different orders."""
    return kind.kind == "image" and kind["c"] > 1 and kind["h"] > 1


@record
class Move(Op):
    """The base of ops that move numbers and compute nothing."""

    def flops(self, *inputs: TensorType) -> int:
        return 0


@record
class Flattening(Move):
    """An image or a sequence as the vector of its numbers."""

    is_view = True
    any_order = True

    def type(self, x: TensorType) -> TensorType:
        if x.kind == "vector":
            return x
        return TensorType((("c", x.elements),), folded=x.axes if two_orders(x) else ())

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x = b.type(node.inputs[0])
        return (dy if x.kind == "vector" else b.add(Unflatten(x), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), -1)


@record
class Unflatten(Move):
    """A vector as the image that it was."""

    is_view = True
    any_order = True
    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Flattening(), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), *self.made.shape)


@record
class Contiguous(Move):
    """A flattened image's numbers from the plan's order into a text book's, channel after channel."""

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        image = b.add(Fold(TensorType(b.type(node.inputs[0]).folded)), dy, name=f"{node.name}.dx", like=node)
        return (b.add(Flattening(), image, name=f"{node.name}.dx.flatten", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        image = e.view("image", f"{e.unfolded(x)}.swapaxes(0, 1)")
        sizes = TensorType(e.type(x).folded).shape
        out = e.view("rows", f"{e[node.name]}.reshape({(*sizes, e.n)})")
        e.call(kernels.np.copyto, out, image)


@record
class Fold(Move):
    """A vector in a text book's order as an image."""

    made: TensorType

    def type(self, x: TensorType) -> TensorType:
        return self.made

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        flat = b.add(Flattening(), dy, name=f"{node.name}.dx.flatten", like=node)
        return (b.add(Contiguous(), flat, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), *self.made.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        rows = e.view("rows", f"{e[x]}.reshape({(*self.made.shape, e.n)})")
        out = e.view("image", f"{e[node.name]}.swapaxes(0, 1)")
        e.call(kernels.np.copyto, out, rows)
