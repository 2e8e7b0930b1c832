"""The leaves of graphs: inputs, targets and their weights, parameters."""

from __future__ import annotations

from ..record import record
from .op import Op, Parameter
from .types import TensorType


@record
class Input(Op):
    """The images (or sequences, or vectors) of a batch."""

    given: TensorType

    def type(self) -> TensorType:
        return self.given

    def flops(self, *inputs: TensorType) -> int:
        return 0


@record
class Target(Op):
    """What the network should answer: a distribution over the classes, or regression targets."""

    given: TensorType

    def type(self) -> TensorType:
        return self.given

    def flops(self, *inputs: TensorType) -> int:
        return 0


@record
class ImageWeights(Target):
    """The weights of the images in the cost, one number an image."""


@record
class Weight(Op):
    """A parameter, read from the model's memory."""

    parameter: Parameter

    def type(self) -> TensorType:
        return self.parameter.type

    def flops(self, *inputs: TensorType) -> int:
        return 0
