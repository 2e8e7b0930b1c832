"""Costs of numbers: how far the prediction is from the target."""

from __future__ import annotations

from ... import kernels
from ...ir import TensorType
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..channels import channel_axis
from .base import CostPrimitive, ScaledDifference, weigh


@record
class SquaredError(CostPrimitive):
    """The mean over the outputs of (p - t)^2."""

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return ScaledDifference(self.weight, factor=2.0, mean=True), node.inputs[0]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        return self.weight * weigh((p - t) ** 2, weights).mean()

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        kind = e.type(p)
        scale = self.scale(kind, e) / kind["c"]
        part = e.scratch("part", e.shape(p))
        places = {"scratch": part, **self.weighed(node, e)}
        e.call_to(e.cost(node), kernels.cost.squared_error, e[p], e[t], scale, **places)
        e.count_correct(node, p, t)


@record
class AbsoluteError(CostPrimitive):
    """The mean over the outputs of |p - t|."""

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return AbsoluteErrorGradient(self.weight), node.inputs[0]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        return self.weight * weigh(abs(p - t), weights).mean()

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        part = e.scratch("part", e.shape(p))
        places = {"scratch": part, **self.weighed(node, e)}
        e.call_to(e.cost(node), kernels.cost.absolute_error, e[p], e[t], self.each(p, e), **places)
        e.count_correct(node, p, t)


@record
class AbsoluteErrorGradient(CostPrimitive):
    """The sign of p - t, divided by the outputs and images; 0 where they are equal."""

    can_alias = (0,)

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        import numpy as np

        return self.weight * np.sign(p - t) / p.size

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        e.call(kernels.cost.absolute_error_gradient, e[p], e[t], self.each(p, e), out=e[node.name])


@record
class HuberError(CostPrimitive):
    """The mean over the outputs of d^2 / 2 up to delta and delta * (d - delta / 2) above, d = |p - t|."""

    delta: float = 1.0

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return HuberErrorGradient(self.weight, self.delta), node.inputs[0]

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        import numpy as np

        d = abs(p - t)
        each = np.where(d < self.delta, d * d / 2, self.delta * (d - self.delta / 2))
        return self.weight * weigh(each, weights).mean()

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        places = {name: e.scratch(name, e.shape(p)) for name in ("a", "b")} | self.weighed(node, e)
        e.call_to(e.cost(node), kernels.cost.huber, e[p], e[t], self.delta, self.each(p, e), **places)
        e.count_correct(node, p, t)


@record
class HuberErrorGradient(HuberError):
    """p - t, no larger than delta, divided by the outputs and images."""

    can_alias = (0,)

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        return self.weight * (p - t).clip(-self.delta, self.delta) / p.size

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        e.call(kernels.cost.huber_gradient, e[p], e[t], self.delta, self.each(p, e), out=e[node.name])


@record
class HingeError(CostPrimitive):
    """The mean over the classes of max(0, margin + p - p of the true class), the true class left out."""

    margin: float = 1.0

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        return HingeErrorGradient(self.weight, self.margin), node.inputs[0]

    def violations(self, p: Array, t: Array) -> Array:
        """margin + p - p of the true class, where that is positive."""
        true = (p * t).sum(axis=1, keepdims=True)
        return (self.margin + p - true).clip(0) * (1 - t)

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        return self.weight * weigh(self.violations(p, t), weights).mean()

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t, *_ = node.inputs
        axis, single = channel_axis(e.shape(p))
        places = {"single": e.scratch("single", single), "part": e.scratch("part", e.shape(p))}
        places |= self.weighed(node, e)
        e.call_to(e.cost(node), kernels.cost.hinge, e[p], e[t], self.margin, self.each(p, e), axis, **places)
        e.count_correct(node, p, t)


@record
class HingeErrorGradient(HingeError):
    """1 for each class that is too near, minus their count for the true one; divided by classes and images."""

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array) -> Array:
        near = (self.violations(p, t) > 0) * (1 - t)
        return self.weight * (near - t * near.sum(axis=1, keepdims=True)) / p.size

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        axis, single = channel_axis(e.shape(p))
        places = {"single": e.scratch("single", single), "part": e.scratch("part", e.shape(p))}
        e.call(
            kernels.cost.hinge_gradient, e[p], e[t], self.margin, self.each(p, e), axis, **places, out=e[node.name]
        )
