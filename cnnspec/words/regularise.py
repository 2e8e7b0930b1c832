"""Regularisation: noise while training, nothing afterwards."""

from __future__ import annotations

from ..ir.fields import Number, optional_size
from ..ir.op import Decomposer, Node, Op
from ..primitives.regularise import Drop
from ..record import record


@record
class Dropout(Op):
    """Dropout: in training each number is zero with this probability, the others grow to keep the mean."""

    word = "dropout"
    family = "normalisation and regularisation"
    example = "dense 20 -> relu -> dropout 50% -> dense 10"
    account = "point"
    any_order = True

    rate: float = optional_size(Number(0, 1, open_high=True), "P", 0.5, "probability of a zero: 50% or 0.5")

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
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
    account = "point"
    aliases = ("drop_path", "stochastic_depth", "stochasticdepth")
    any_order = True

    rate: float = optional_size(Number(0, 1, open_high=True), "P", 0.1, "probability of a zero: 10% or 0.1")

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        if not b.training or self.rate == 0:
            return x
        return b.add(Drop(self.rate, whole=True), x, name=node.name, like=node)


OPS: tuple[type[Op], ...] = (Dropout, DropPath)
