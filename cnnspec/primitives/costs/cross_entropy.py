"""Costs of distributions: how surprising the target is to the prediction."""

from __future__ import annotations

from collections.abc import Mapping

from ... import kernels
from ...ir import TensorType
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..channels import channel_axis
from .base import CostPrimitive, ScaledDifference, weigh


@record
class CrossEntropyLoss(CostPrimitive):
    """-sum of t * log p over the channels."""

    smoothing: float = 0.0

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return CrossEntropyLossGradient(self.weight, self.smoothing), node.inputs[0]

    def smooth(self, t: Array) -> Array:
        return t * (1 - self.smoothing) + self.smoothing / t.shape[1]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        import numpy as np

        images = p.size / p.shape[1]
        floor = np.finfo(p.dtype).tiny
        return -self.weight * weigh(self.smooth(t) * np.log(np.maximum(p, floor)), weights).sum() / images

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        kind = e.type(p)
        part = e.scratch("part", e.shape(p))
        scale, smoothing = self.scale(kind, e), self.smoothing
        places = {"scratch": part, **self.weighed(node, e)}
        e.call_to(e.cost(node), kernels.cost.cross_entropy, e[p], e[t], smoothing, kind["c"], scale, **places)
        e.count_correct(node, p, t)


@record
class CrossEntropyLossGradient(CrossEntropyLoss):
    """-t / p, times the weight, divided by the images."""

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        return -self.weight * self.smooth(t) / np.maximum(p, floor) / (p.size / p.shape[1])

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        kind = e.type(p)
        part = e.scratch("part", e.shape(p))
        e.call(
            kernels.cost.cross_entropy_gradient,
            e[p],
            e[t],
            self.smoothing,
            kind["c"],
            self.scale(kind, e),
            scratch=part,
            out=e[node.name],
        )


@record
class NegativeLogLikelihood(CrossEntropyLoss):
    """-sum of t * p over the channels, where p is the logarithm of a prediction."""

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return NegativeLogLikelihoodGradient(self.weight, self.smoothing), node.inputs[0]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        return -self.weight * weigh(self.smooth(t) * p, weights).sum() / (p.size / p.shape[1])

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        kind = e.type(p)
        e.call_to(
            e.cost(node),
            kernels.cost.negative_log_likelihood,
            e[p],
            e[t],
            self.smoothing,
            kind["c"],
            self.scale(kind, e),
            **self.weighed(node, e, scratch=True),
        )
        e.count_correct(node, p, t)


@record
class NegativeLogLikelihoodGradient(NegativeLogLikelihood):
    """-t, divided by the images"""

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        return -self.weight * self.smooth(t) / (p.size / p.shape[1])

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        kind, out = e.type(p), e[node.name]
        e.call(kernels.cost.smooth, e[t], self.smoothing, kind["c"], out=out)
        e.call(kernels.np.multiply, out, e.number(-self.scale(kind, e)), out=out)


@record
class SoftmaxCrossEntropy(CrossEntropyLoss):
    """Cross-entropy of softmax(z), as one: exact for logits of any size, gradient softmax(z) - t."""

    def extras(self, z: TensorType, t: TensorType, *weights: TensorType) -> Mapping[str, TensorType]:
        return {"probabilities": z}

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return ScaledDifference(self.weight, smoothing=self.smoothing), f"{node.name}:probabilities"

    def evaluate(self, z: Array, t: Array, *weights: Array) -> tuple[Array, ...]:
        import numpy as np

        shifted = z - z.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        cost = weigh(self.smooth(t) * log_p, weights).sum() / (z.size / z.shape[1])
        return -self.weight * cost, np.exp(log_p)

    def emit(self, node: Node, e: PlanWriter) -> None:
        z, t, *_ = node.inputs
        kind = e.type(z)
        axis, single = channel_axis(e.shape(z))
        scratch = e.scratch("single", single)
        target = e[t]
        if self.smoothing:
            target = e.scratch("smooth", e.shape(t))
            e.call(kernels.cost.smooth, e[t], self.smoothing, kind["c"], out=target)
        e.call_to(
            e.cost(node),
            kernels.cost.softmax_cross_entropy,
            e[z],
            target,
            self.scale(kind, e),
            axis,
            single=scratch,
            out=e[node.name + ":probabilities"],
            **self.weighed(node, e, scratch=True),
        )
        e.count_correct(node, f"{node.name}:probabilities", t)


@record
class BinaryCrossEntropyLoss(CostPrimitive):
    """The mean over the outputs of -(t log p + (1 - t) log(1 - p))."""

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return BinaryCrossEntropyLossGradient(self.weight), node.inputs[0]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        log_p, log_q = np.log(np.maximum(p, floor)), np.log(np.maximum(1 - p, floor))
        return -self.weight * weigh(t * log_p + (1 - t) * log_q, weights).mean()

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        kind = e.type(p)
        scale = self.scale(kind, e) / kind["c"]
        a, b = e.scratch("a", e.shape(p)), e.scratch("b", e.shape(p))
        places = {"a": a, "b": b, **self.weighed(node, e)}
        e.call_to(e.cost(node), kernels.cost.binary_cross_entropy, e[p], e[t], scale, **places)
        e.count_correct(node, p, t, labels=True)


@record
class BinaryCrossEntropyLossGradient(CostPrimitive):
    """(p - t) / (p (1 - p)), divided by the outputs and images."""

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        import numpy as np

        floor = np.finfo(p.dtype).tiny
        return self.weight * (p - t) / np.maximum(p * (1 - p), floor) / p.size

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        kind = e.type(p)
        scale = self.scale(kind, e) / kind["c"]
        scratch = e.scratch("part", e.shape(p))
        e.call(kernels.cost.binary_cross_entropy_gradient, e[p], e[t], scale, scratch=scratch, out=e[node.name])


@record
class SigmoidCrossEntropy(BinaryCrossEntropyLoss):
    """Binary cross-entropy of sigmoid(z), as one: exact for any z, gradient sigmoid(z) - t."""

    def extras(self, z: TensorType, t: TensorType, *weights: TensorType) -> Mapping[str, TensorType]:
        return {"probabilities": z}

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return ScaledDifference(self.weight, mean=True), f"{node.name}:probabilities"

    def evaluate(self, z: Array, t: Array, *weights: Array) -> tuple[Array, ...]:
        import numpy as np

        cost = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
        return self.weight * weigh(cost, weights).mean(), np.exp(-np.logaddexp(0, -z)).astype(z.dtype)

    def emit(self, node: Node, e: PlanWriter) -> None:
        z, t, *_ = node.inputs
        kind = e.type(z)
        probabilities = f"{node.name}:probabilities"
        scale = self.scale(kind, e) / kind["c"]
        scratch = e.scratch("part", e.shape(z))
        e.call_to(
            e.cost(node),
            kernels.cost.sigmoid_cross_entropy,
            e[z],
            e[t],
            scale,
            scratch=scratch,
            out=e[probabilities],
            **self.weighed(node, e),
        )
        e.count_correct(node, probabilities, t, labels=True)
