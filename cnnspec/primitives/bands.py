"""Bands of rows: an image that several workers make together, each its own rows.

A pass (passes/bands.py) puts these where an op looks beyond the rows of its own band.
"""

from __future__ import annotations

from ..ir import TensorType
from ..ir.op import Array, Node, Op, PlanWriter
from ..record import record


@record
class AllGather(Op):
    """The whole image, when every worker has made its band of it: memory that all of them share."""

    height: int

    def type(self, x: TensorType) -> TensorType:
        return x.of_rows(self.height)

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
        return x.of_rows(self.stop - self.start)

    def flops(self, x: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        return x[:, :, self.start : self.stop]

    def renamed(self, source: str, of: tuple[int, ...], shape: tuple[int, ...]) -> str:
        return f"{source}[{self.start}:{self.stop}]"
