"""Random masks."""

from __future__ import annotations

from collections.abc import Mapping

from .. import kernels
from ..ir import TensorType
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..record import record


@record
class Drop(Op):
    """x times a random mask of 0 and 1 / (1 - rate), which is saved for the backward pass.

    The mask depends on the model's seed, the step, the shard and the node, on nothing else. With `whole`,
    each image is kept or dropped as one.
    """

    any_order = True
    rate: float
    whole: bool = False

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"mask": TensorType((("c", 1),)) if self.whole else x}

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Masked(), dy, f"{node.name}:mask", name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array, mask: Array | None = None) -> tuple[Array, ...]:
        """With a mask given (the plan's own), its product; an oracle cannot know the random numbers."""
        import numpy as np

        mask = np.ones_like(x) if mask is None else mask
        return Masked().evaluate(x, mask), mask

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        mask = e[f"{node.name}:mask"]
        e.call(kernels.activation.random_mask, e.random_key(node), self.rate, out=mask)
        e.call(kernels.np.multiply, e[x], mask, out=e[node.name])


@record
class Masked(Op):
    """x times a mask, one number each or one for each image."""

    can_alias = (0,)

    def type(self, x: TensorType, mask: TensorType) -> TensorType:
        return x

    def evaluate(self, x: Array, mask: Array) -> Array:
        return x * mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, mask = node.inputs
        e.call(kernels.np.multiply, e[x], e[mask], out=e[node.name])
