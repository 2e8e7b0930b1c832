"""Costs: the words of `train { cost ... }` and the primitives that they become.

A cost is the mean over the images of a batch; what an image costs is said by each. Gradients are of the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..ir import SCALAR, TensorType
from .activation import channel_axis
from .base import Op
from .fields import Kind, Number, Quoted, Written, setting


class Name(Kind):
    """The name of a value."""

    wanted = "the name of an output"

    def read(self, value: Written) -> str:
        if not isinstance(value, str) or isinstance(value, Quoted):
            raise self.refuse(value)
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True)
class Cost(Op):
    """What the words share: which output they judge and how much they count."""

    family = "cost"

    of: str = setting(Name(), "", "the output that is judged (default: the only one)")
    weight: float = setting(Number(0), 1.0, "how much it counts beside the other costs")

    def type(self, prediction: TensorType, target: TensorType) -> TensorType:
        return SCALAR

    def flops(self, prediction: TensorType, target: TensorType) -> int:
        return 5 * prediction.elements

    def primitive(self) -> Op:
        raise AssertionError("a cost must say what it is made of")

    def expand(self, node, inputs, b) -> str:
        return b.add(self.primitive(), *inputs, name=node.name, like=node)


@dataclass(frozen=True)
class CrossEntropy(Cost):
    """Cross-entropy: -sum over the classes of target * log(prediction), for a softmax at the end."""

    word = "cross_entropy"
    aliases = ("crossentropy", "categorical_crossentropy", "nll", "softmax_cross_entropy", "ce")

    smoothing: float = setting(Number(0, 1, open_high=True), 0.0, "share of the target spread over all classes")

    def primitive(self) -> Op:
        return Surprise(self.weight, self.smoothing)


@dataclass(frozen=True)
class BinaryCrossEntropy(Cost):
    """Binary cross-entropy: the mean over the outputs of -(t log p + (1 - t) log(1 - p)), for a sigmoid."""

    word = "binary_cross_entropy"
    aliases = ("bce", "binary_crossentropy", "logistic")

    def primitive(self) -> Op:
        return BinarySurprise(self.weight)


@dataclass(frozen=True)
class Mse(Cost):
    """Mean squared error: the mean over the outputs of (prediction - target)^2."""

    word = "mse"
    aliases = ("mean_squared_error", "l2", "squared_error")

    def primitive(self) -> Op:
        return SquaredError(self.weight)


COSTS: tuple[type[Cost], ...] = (CrossEntropy, BinaryCrossEntropy, Mse)


# ---- primitives --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CostPrimitive(Op):
    """What costs of the plan share. Their value is a number; `e.cost` gives the place where it is kept.

    `extras` may keep what the gradient is made of.
    """

    weight: float = 1.0

    def type(self, p: TensorType, t: TensorType) -> TensorType:
        return SCALAR

    def flops(self, p: TensorType, t: TensorType) -> int:
        return 5 * p.elements

    def share(self, p: TensorType, e) -> float:
        """weight / images of the batch, and for images / pixels."""
        return self.weight / (e.batch * (p.elements // p["c"]))


@dataclass(frozen=True)
class Surprise(CostPrimitive):
    """-sum of t * log p over the channels."""

    smoothing: float = 0.0

    def gradient(self, node, dy, b):
        p, t = node.inputs
        op = SurpriseGradient(self.weight, self.smoothing)
        return b.add(op, p, t, name=f"{node.name}.dp", like=node), None

    def smooth(self, t):
        return t * (1 - self.smoothing) + self.smoothing / t.shape[1]

    def evaluate(self, p, t):
        import numpy as np

        images = p.size / p.shape[1]
        floor = np.finfo(p.dtype).tiny
        return -self.weight * (self.smooth(t) * np.log(np.maximum(p, floor))).sum() / images

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        part = e.scratch("part", e.shape(p))
        share, smoothing = self.share(kind, e), self.smoothing
        e.line(f"{e.cost(node)} = surprise({e[p]}, {e[t]}, {smoothing!r}, {kind['c']}, {share!r}, scratch={part})")
        e.count_right(node, p, t)


@dataclass(frozen=True)
class SurpriseGradient(Surprise):
    """-t / p, times the weight, divided by the images."""

    def type(self, p: TensorType, t: TensorType) -> TensorType:
        return p

    def evaluate(self, p, t):
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        return -self.weight * self.smooth(t) / np.maximum(p, floor) / (p.size / p.shape[1])

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        part = e.scratch("part", e.shape(p))
        e.line(
            f"surprise_gradient({e[p]}, {e[t]}, {self.smoothing!r}, {kind['c']}, {self.share(kind, e)!r}, "
            f"scratch={part}, out={e[node.name]})"
        )


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Surprise):
    """Cross-entropy of softmax(z), as one: exact for logits of any size, gradient softmax(z) - t."""

    def extras(self, z: TensorType, t: TensorType) -> Mapping[str, TensorType]:
        return {"probabilities": z}

    def gradient(self, node, dy, b):
        _, t = node.inputs
        op = ScaledDifference(self.weight, smoothing=self.smoothing)
        return b.add(op, f"{node.name}:probabilities", t, name=f"{node.name}.dz", like=node), None

    def evaluate(self, z, t):
        import numpy as np

        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -self.weight * (self.smooth(t) * log_p).sum() / (z.size / z.shape[1]), np.exp(log_p)

    def emit(self, node, e) -> None:
        z, t = node.inputs
        kind = e.graph.type(z)
        axis, single = channel_axis(e.shape(z))
        scratch = e.scratch("single", single)
        target = e[t]
        if self.smoothing:
            target = e.scratch("smooth", e.shape(t))
            e.line(f"smooth({e[t]}, {self.smoothing!r}, {kind['c']}, out={target})")
        e.line(
            f"{e.cost(node)} = softmax_cross_entropy({e[z]}, {target}, {self.share(kind, e)!r}, {axis}, "
            f"single={scratch}, out={e[node.name + ':probabilities']})"
        )
        e.count_right(node, f"{node.name}:probabilities", t)


@dataclass(frozen=True)
class ScaledDifference(CostPrimitive):
    """factor * (p - t) / images: the gradient of several costs; `mean` divides by the channels too."""

    overwrites = (0,)
    smoothing: float = 0.0
    factor: float = 1.0
    mean: bool = False

    def type(self, p: TensorType, t: TensorType) -> TensorType:
        return p

    def evaluate(self, p, t):
        if self.smoothing:
            t = t * (1 - self.smoothing) + self.smoothing / t.shape[1]
        count = p.size if self.mean else p.size / p.shape[1]
        return (p - t) * (self.factor * self.weight / count)

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        target = e[t]
        if self.smoothing:
            target = e.scratch("smooth", e.shape(t))
            e.line(f"smooth({e[t]}, {self.smoothing!r}, {kind['c']}, out={target})")
        share = self.factor * self.share(kind, e) / (kind["c"] if self.mean else 1)
        e.line(f"scaled_difference({e[p]}, {target}, {share!r}, out={e[node.name]})")


@dataclass(frozen=True)
class BinarySurprise(CostPrimitive):
    """The mean over the outputs of -(t log p + (1 - t) log(1 - p))."""

    def gradient(self, node, dy, b):
        p, t = node.inputs
        return b.add(BinarySurpriseGradient(self.weight), p, t, name=f"{node.name}.dp", like=node), None

    def evaluate(self, p, t):
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        log_p, log_q = np.log(np.maximum(p, floor)), np.log(np.maximum(1 - p, floor))
        return -self.weight * (t * log_p + (1 - t) * log_q).mean()

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        share = self.share(kind, e) / kind["c"]
        a, b = e.scratch("a", e.shape(p)), e.scratch("b", e.shape(p))
        e.line(f"{e.cost(node)} = binary_surprise({e[p]}, {e[t]}, {share!r}, a={a}, b={b})")
        e.count_right(node, p, t, 0.5)


@dataclass(frozen=True)
class BinarySurpriseGradient(CostPrimitive):
    """(p - t) / (p (1 - p)), divided by the outputs and images."""

    def type(self, p: TensorType, t: TensorType) -> TensorType:
        return p

    def evaluate(self, p, t):
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        return self.weight * (p - t) / np.maximum(p * (1 - p), floor) / p.size

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        share = self.share(kind, e) / kind["c"]
        scratch = e.scratch("part", e.shape(p))
        e.line(f"binary_surprise_gradient({e[p]}, {e[t]}, {share!r}, scratch={scratch}, out={e[node.name]})")


@dataclass(frozen=True)
class SigmoidCrossEntropy(BinarySurprise):
    """Binary cross-entropy of sigmoid(z), as one: exact for any z, gradient sigmoid(z) - t."""

    def extras(self, z: TensorType, t: TensorType) -> Mapping[str, TensorType]:
        return {"probabilities": z}

    def gradient(self, node, dy, b):
        _, t = node.inputs
        op = ScaledDifference(self.weight, mean=True)
        return b.add(op, f"{node.name}:probabilities", t, name=f"{node.name}.dz", like=node), None

    def evaluate(self, z, t):
        import numpy as np

        cost = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
        return self.weight * cost.mean(), np.exp(-np.logaddexp(0, -z)).astype(z.dtype)

    def emit(self, node, e) -> None:
        z, t = node.inputs
        kind = e.graph.type(z)
        probabilities = f"{node.name}:probabilities"
        share = self.share(kind, e) / kind["c"]
        scratch = e.scratch("part", e.shape(z))
        e.line(
            f"{e.cost(node)} = sigmoid_cross_entropy({e[z]}, {e[t]}, {share!r}, scratch={scratch}, "
            f"out={e[probabilities]})"
        )
        e.count_right(node, probabilities, t, 0.5)


@dataclass(frozen=True)
class SquaredError(CostPrimitive):
    """The mean over the outputs of (p - t)^2."""

    def gradient(self, node, dy, b):
        p, t = node.inputs
        op = ScaledDifference(self.weight, factor=2.0, mean=True)
        return b.add(op, p, t, name=f"{node.name}.dp", like=node), None

    def evaluate(self, p, t):
        return self.weight * ((p - t) ** 2).mean()

    def emit(self, node, e) -> None:
        p, t = node.inputs
        kind = e.graph.type(p)
        share = self.share(kind, e) / kind["c"]
        part = e.scratch("part", e.shape(p))
        e.line(f"{e.cost(node)} = squared_error({e[p]}, {e[t]}, {share!r}, scratch={part})")
        e.count_right(node, p, t)


@dataclass(frozen=True)
class Total(Op):
    """The sum of all costs: what training makes small."""

    def type(self, *costs: TensorType) -> TensorType:
        return SCALAR

    def gradient(self, node, dy, b):
        return (dy,) * len(node.inputs)

    def evaluate(self, *costs):
        return sum(costs)

    def emit(self, node, e) -> None:
        """Nothing: the shards' costs are added up where the step ends."""
