"""polyphase rows, and the ways between them and ordinary rows.

A value in polyphase rows has the axes c h r t: pixel w = 4t + r of a row. Words that treat each number, or each
channel, alike do not mind; passes/winograd.py moves them over, so that a chain of layers stays in these rows.
"""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record


def polyphase_type(x: TensorType) -> TensorType:
    """The type of an image in polyphase rows; a last tile may be half empty."""
    sizes = (x["c"], x["h"], 4, -(-x["w"] // 4))
    return TensorType(tuple(zip("chrt", sizes, strict=True)))


def image_type(x: TensorType, width: int) -> TensorType:
    return TensorType((("c", x["c"]), ("h", x["h"]), ("w", width)))


@record
class ToPolyphase(Op):
    """An image in polyphase rows."""

    row_by_row = True

    def type(self, x: TensorType) -> TensorType:
        return polyphase_type(x)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        width = b.type(node.inputs[0])["w"]
        return (b.add(FromPolyphase(width), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return as_polyphase(x)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.polyphase.to_polyphase, e[x], out=e[node.name])


@record
class FromPolyphase(Op):
    """polyphase rows as an image of a certain width."""

    row_by_row = True
    width: int

    def full(self, x: TensorType) -> bool:
        """Whether every tile of x has four pixels."""
        return x["t"] * 4 == self.width

    def type(self, x: TensorType) -> TensorType:
        return image_type(x, self.width)

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(ToPolyphase(), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return as_image(x, self.width)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        if e.op(x).fused_into_reader:  # made block by block, where each pixel belongs
            height, channels, width, n = e.shape(node.name)
            rows = f"{e[node.name]}.reshape({height}, {channels}, {width // 4}, 4, {n}).transpose(0, 3, 1, 2, 4)"
            e.call(kernels.norm.BlockwiseNormGradient.write, e[x], out=e.view("as_polyphase", rows))
        else:
            e.call(kernels.polyphase.from_polyphase, e[x], out=e[node.name])


def moments_type(channels: int) -> TensorType:
    """The type of what each shard knows of its channels: how many numbers, their mean, the squares about it."""
    return TensorType((("k", 3), ("c", channels)), batched=False, dtype="partial")


def moments_of(y: Array) -> Array:
    """How many numbers each channel of polyphase rows has, their mean, and the sum of squares about it."""
    import numpy as np

    axes = (0, 2, 3, 4)
    count = y.size // y.shape[1]
    return np.stack([np.full(y.shape[1], count), y.mean(axis=axes), y.var(axis=axes) * count])


def as_polyphase(x: Array) -> Array:
    """x[n,c,h,w] -> [n,c,h,4,t], zero beyond the image."""
    import numpy as np

    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (0, -x.shape[3] % 4)))
    return np.ascontiguousarray(padded.reshape(*x.shape[:3], -1, 4).swapaxes(3, 4))


def as_image(x: Array, width: int) -> Array:
    """x[n,c,h,4,t] -> [n,c,h,w]"""
    import numpy as np

    return np.ascontiguousarray(x.swapaxes(3, 4).reshape(*x.shape[:3], -1)[..., :width])
