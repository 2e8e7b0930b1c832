"""Regularisation: noise while training, nothing afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir import TensorType
from ..ir.fields import Number, optional_size
from ..ir.op import Op
from ..record import record


@record
class Dropout(Op):
    """Dropout: in training each number is zero with this probability, the others grow to keep the mean."""

    word = "dropout"
    family = "normalisation and regularisation"
    example = "dense 20 -> relu -> dropout 50% -> dense 10"
    any_order = True

    rate: float = optional_size(Number(0, 1, open_high=True), "P", 0.5, "probability of a zero: 50% or 0.5")

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        if not b.training or self.rate == 0:
            return x
        return b.add(Drop(self.rate), x, name=node.name, like=node)


@record
class DropPath(Op):
    """Stochastic depth: in training the whole value of an image is zero with this probability.

    At the end of a branch of `add` it drops the branch, for one image and not for another (Huang et al. 2016).
    """

    word = "droppath"
    family = "normalisation and regularisation"
    example = "add( conv 3x3x3 pad same -> droppath 20% | id )"
    aliases = ("drop_path", "stochastic_depth", "stochasticdepth")
    any_order = True

    rate: float = optional_size(Number(0, 1, open_high=True), "P", 0.1, "probability of a zero: 10% or 0.1")

    def decompose(self, node, inputs, b) -> str:
        (x,) = inputs
        if not b.training or self.rate == 0:
            return x
        return b.add(Drop(self.rate, whole=True), x, name=node.name, like=node)


@record
class Drop(Op):
    """x times a random mask of 0 and 1 / (1 - rate), which is kept for the way back.

    The mask depends on the model's seed, the step, the shard and the node, on nothing else. With `whole`,
    each image is kept or dropped as one.
    """

    any_order = True
    rate: float
    whole: bool = False

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"mask": TensorType((("c", 1),)) if self.whole else x}

    def gradient(self, node, dy, b):
        return (b.add(Masked(), dy, f"{node.name}:mask", name=f"{node.name}.dx", like=node),)

    def evaluate(self, x, mask=None):
        """With a mask given (the plan's own), its product; an oracle cannot know the random numbers."""
        import numpy as np

        mask = np.ones_like(x) if mask is None else mask
        return Masked().evaluate(x, mask), mask

    def emit(self, node, e) -> None:
        (x,) = node.inputs
        mask = e[f"{node.name}:mask"]
        e.line(f"random_mask({e.random_key(node)}, {self.rate!r}, out={mask})")
        e.line(f"np.multiply({e[x]}, {mask}, out={e[node.name]})")


@record
class Masked(Op):
    """x times a mask, one number each or one for each image."""

    can_alias = (0,)

    def type(self, x: TensorType, mask: TensorType) -> TensorType:
        return x

    def evaluate(self, x, mask):
        return x * mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))

    def emit(self, node, e) -> None:
        x, mask = node.inputs
        e.line(f"np.multiply({e[x]}, {e[mask]}, out={e[node.name]})")
