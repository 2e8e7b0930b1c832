"""The lines of JavaScript of costs and of their gradients."""

from __future__ import annotations

from collections.abc import Callable

from ...ir.op import Node, Op
from ...primitives.costs.base import CostPrimitive, ScaledDifference, Total
from ...primitives.costs.cross_entropy import (
    BinaryCrossEntropyLoss,
    BinaryCrossEntropyLossGradient,
    CrossEntropyLoss,
    CrossEntropyLossGradient,
    NegativeLogLikelihood,
    NegativeLogLikelihoodGradient,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from ...primitives.costs.regression import (
    AbsoluteError,
    AbsoluteErrorGradient,
    HingeError,
    HingeErrorGradient,
    HuberError,
    HuberErrorGradient,
    SquaredError,
)
from .emit import Emitter


def cross_entropy(e: Emitter, node: Node[CrossEntropyLoss]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight)}, {node.op.smoothing!r}, room.tiny"
    e.cost(f"crossEntropy({e[p]}, {e[t]}, {e.rows(p)}, {how})", p, t)


def cross_entropy_gradient(e: Emitter, node: Node[CrossEntropyLossGradient]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight)}, {node.op.smoothing!r}, room.tiny"
    e.line(f"crossEntropyGradient({e[p]}, {e[t]}, {e[node.name]}, {e.channels(p)}, {how})")


def negative_log_likelihood(e: Emitter, node: Node[NegativeLogLikelihood]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight)}, {node.op.smoothing!r}"
    e.cost(f"negativeLogLikelihood({e[p]}, {e[t]}, {e.rows(p)}, {how})", p, t)


def negative_log_likelihood_gradient(e: Emitter, node: Node[NegativeLogLikelihoodGradient]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight)}, {node.op.smoothing!r}"
    e.line(f"negativeLogLikelihoodGradient({e[t]}, {e[node.name]}, {e.channels(p)}, {how})")


def softmax_cross_entropy(e: Emitter, node: Node[SoftmaxCrossEntropy]) -> None:
    z, t = node.inputs
    p = f"{node.name}:probabilities"
    how = f"{e.mean_factor(z, node.op.weight)}, {node.op.smoothing!r}"
    e.cost(f"softmaxCrossEntropy({e[z]}, {e[t]}, {e[p]}, {e.rows(z)}, {how})", p, t)


def binary_cross_entropy(e: Emitter, node: Node[BinaryCrossEntropyLoss]) -> None:
    p, t = node.inputs
    mean_factor = e.mean_factor(p, node.op.weight, each=True)
    e.cost(f"binaryCrossEntropy({e[p]}, {e[t]}, {mean_factor}, room.tiny)", p, t, labels=True)


def binary_cross_entropy_gradient(e: Emitter, node: Node[BinaryCrossEntropyLossGradient]) -> None:
    p, t = node.inputs
    mean_factor = e.mean_factor(p, node.op.weight, each=True)
    e.line(f"binaryCrossEntropyGradient({e[p]}, {e[t]}, {e[node.name]}, {mean_factor}, room.tiny)")


def sigmoid_cross_entropy(e: Emitter, node: Node[SigmoidCrossEntropy]) -> None:
    z, t = node.inputs
    p = f"{node.name}:probabilities"
    mean_factor = e.mean_factor(z, node.op.weight, each=True)
    e.cost(f"sigmoidCrossEntropy({e[z]}, {e[t]}, {e[p]}, {mean_factor})", p, t, labels=True)


def scaled_difference(e: Emitter, node: Node[ScaledDifference]) -> None:
    p, t = node.inputs
    factor = e.mean_factor(p, node.op.factor * node.op.weight, each=node.op.mean)
    how = f"{e.channels(p)}, {factor}, {node.op.smoothing!r}"
    e.line(f"scaledDifference({e[p]}, {e[t]}, {e[node.name]}, {how})")


def mean_error(kernel: str, setting: str = "") -> Callable[[Emitter, Node[CostPrimitive]], None]:
    """A mean over the outputs."""

    def line(e: Emitter, node: Node[CostPrimitive]) -> None:
        p, t = node.inputs
        more = f", {getattr(node.op, setting)!r}" if setting else ""
        e.cost(f"{kernel}({e[p]}, {e[t]}, {e.mean_factor(p, node.op.weight, each=True)}{more})", p, t)

    return line


def mean_error_gradient(kernel: str, setting: str = "") -> Callable[[Emitter, Node[CostPrimitive]], None]:
    def line(e: Emitter, node: Node[CostPrimitive]) -> None:
        p, t = node.inputs
        more = f", {getattr(node.op, setting)!r}" if setting else ""
        e.line(f"{kernel}({e[p]}, {e[t]}, {e[node.name]}, {e.mean_factor(p, node.op.weight, each=True)}{more})")

    return line


def hinge(e: Emitter, node: Node[HingeError]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight, each=True)}, {node.op.margin!r}"
    e.cost(f"hinge({e[p]}, {e[t]}, {e.rows(p)}, {how})", p, t)


def hinge_gradient(e: Emitter, node: Node[HingeErrorGradient]) -> None:
    p, t = node.inputs
    how = f"{e.mean_factor(p, node.op.weight, each=True)}, {node.op.margin!r}"
    e.line(f"hingeGradient({e[p]}, {e[t]}, {e[node.name]}, {e.rows(p)}, {how})")


def total(e: Emitter, node: Node) -> None:
    """Nothing: every cost has been added up."""


LINES: dict[type[Op], Callable[..., None]] = {
    CrossEntropyLoss: cross_entropy,
    CrossEntropyLossGradient: cross_entropy_gradient,
    NegativeLogLikelihood: negative_log_likelihood,
    NegativeLogLikelihoodGradient: negative_log_likelihood_gradient,
    SoftmaxCrossEntropy: softmax_cross_entropy,
    BinaryCrossEntropyLoss: binary_cross_entropy,
    BinaryCrossEntropyLossGradient: binary_cross_entropy_gradient,
    SigmoidCrossEntropy: sigmoid_cross_entropy,
    ScaledDifference: scaled_difference,
    SquaredError: mean_error("squaredError"),
    AbsoluteError: mean_error("absoluteError"),
    AbsoluteErrorGradient: mean_error_gradient("absoluteErrorGradient"),
    HuberError: mean_error("huber", "delta"),
    HuberErrorGradient: mean_error_gradient("huberGradient", "delta"),
    HingeError: hinge,
    HingeErrorGradient: hinge_gradient,
    Total: total,
}
