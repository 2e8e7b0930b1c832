"""Some of the channels: what a network needs that sends one half of them along a way of its own."""

from __future__ import annotations

from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.fields import Count, setting, size
from ..ir.op import Array, Decomposer, Node, Op
from ..primitives.merge import Channels
from ..record import record


@record
class Take(Op):
    """Taking channels: N of them, from the first or from a later one on."""

    word = "take"
    family = "dense and shape"
    example = "conv 6x1x1 -> concat( take 2 | take 4 start 2 -> relu )"
    account = "move"
    aliases = ("slice", "split", "chunk", "narrow")

    size: int = size(Count(1), "N", "how many channels")
    start: int = setting(Count(0), 0, "the number of the first one, counted from 0")

    def type(self, x: TensorType) -> TensorType:
        if self.start + self.size > x["c"]:
            at = "start" if self.size <= x["c"] else "size"
            raise Fault.of("CNN107", at, "take", channels=x["c"], count=self.size, start=self.start)
        return x.resized(x.spatial, self.size)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        made = self.type(b.type(x))
        return b.add(Channels(self.start, self.start + self.size, made), x, name=node.name, like=node)

    def evaluate(self, x: Array) -> Array:
        return x[:, self.start : self.start + self.size]


OPS: tuple[type[Op], ...] = (Take,)
