"""Bands of rows: an image that several workers make together, each its own rows, or some of its channels.

A pass (passes/bands.py) puts these where an op looks beyond the rows of its own band.
"""

from __future__ import annotations

from math import prod

from ..ir import TensorType
from ..ir.op import Array, Node, Op, PlanWriter
from ..record import record


@record
class AllGather(Op):
    """The whole image, when every worker has made its band of it: memory that all of them share.

    Or the whole vector. This worker makes start..stop-1 of `count` along an axis: rows `h`, or channels `c`.
    """

    axis: str
    start: int
    stop: int
    count: int

    def type(self, x: TensorType) -> TensorType:
        return x.sized(self.axis, self.count)

    def whole(self, memory: str, shape: tuple[int, ...]) -> str:
        """Source of the whole in memory that has room for as many bands of the first one's size."""
        return f"{memory}.reshape(-1)[:{prod(shape)}].reshape{shape}"

    def own(self, whole: str, x: TensorType) -> str:
        """Source of this worker's band."""
        every = ":, " * (self.axis == "c" and "h" in x)  # rows come first
        return f"{whole}[{every}{self.start}:{self.stop}]"

    def flops(self, x: TensorType) -> int:
        return 0

    def emit(self, node: Node, e: PlanWriter) -> None:
        e.barrier("every band has its rows")


@record
class Rows(Op):
    """Rows start..stop-1 of an image."""

    is_view = True
    start: int
    stop: int

    def type(self, x: TensorType) -> TensorType:
        return x.sized("h", self.stop - self.start)

    def flops(self, x: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        return x[:, :, self.start : self.stop]

    def renamed(self, source: str, of: tuple[int, ...], shape: tuple[int, ...]) -> str:
        return f"{source}[{self.start}:{self.stop}]"


@record
class Filters(Op):
    """Filters start..stop-1 of a layer's weights, as they lie or transformed, or such pieces of them."""

    is_view = True
    start: int
    stop: int
    axis: int = 0

    def type(self, w: TensorType) -> TensorType:
        return w.sized(w.names[self.axis], self.stop - self.start)

    def flops(self, w: TensorType) -> int:
        return 0

    def evaluate(self, w: Array) -> Array:
        return w[(*[slice(None)] * self.axis, slice(self.start, self.stop))]

    def renamed(self, source: str, of: tuple[int, ...], shape: tuple[int, ...]) -> str:
        return f"{source}[{':, ' * self.axis}{self.start}:{self.stop}]"
