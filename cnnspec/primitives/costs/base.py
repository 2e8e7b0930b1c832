"""The base of the primitives of costs, their sum, and the gradient that several share."""

from __future__ import annotations

from ... import kernels
from ...ir import SCALAR, TensorType
from ...ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ...record import record


def weigh(values: Array, weights: tuple[Array, ...]) -> Array:
    """values (n, ...) times the weights (n, 1) of their images, if there are any."""
    return values * weights[0].reshape(-1, *(1,) * (values.ndim - 1)) if weights else values


@record
class CostPrimitive(Op):
    """The base of the costs of a plan. Their value is a number, at the place `e.cost`.

    They read a prediction and its target, and the weight of each image where there is one. `extras` may keep what
    the gradient is made of.
    """

    weight: float = 1.0

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return SCALAR

    def flops(self, p: TensorType, t: TensorType, *weights: TensorType) -> int:
        return 5 * p.elements

    def prediction_gradient(self, node: Node) -> tuple[Op, str]:
        """The op that makes the gradient of the prediction, of images without weights, and what it reads of it."""
        raise AssertionError("a cost must say what its gradient is")

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        """Of the prediction; each image's is multiplied by its weight, as its cost is."""
        _, t, *weights = node.inputs
        op, read = self.prediction_gradient(node)
        made = b.add(op, read, t, name=f"{node.name}.d{'p' if read == node.inputs[0] else 'z'}", like=node)
        if weights:
            made = b.add(WeighImages(), made, *weights, name=f"{made}.weighed", like=node)
        return made, None, *(None for _ in weights)

    def weighed(self, node: Node, e: PlanWriter, scratch: bool = False) -> dict[str, str]:
        """A kernel's arguments for the images' weights; with `scratch`, memory for the products."""
        p, _, *weights = node.inputs
        part = {"part": e.scratch("weighed", e.shape(p))} if weights and scratch else {}
        return {**({"weights": e[weights[0]]} if weights else {}), **part}

    def scale(self, p: TensorType, e: PlanWriter) -> float:
        """weight / images of the batch, and for images / pixels."""
        return self.weight / (e.batch * (p.elements // p["c"]))

    def each(self, p: str, e: PlanWriter) -> float:
        """weight / numbers that are judged: what costs that are a mean over the outputs multiply by."""
        kind = e.type(p)
        return self.scale(kind, e) / kind["c"]


@record
class ScaledDifference(CostPrimitive):
    """factor * (p - t) / images: the gradient of several costs; `mean` divides by the channels too."""

    can_alias = (0,)
    smoothing: float = 0.0
    factor: float = 1.0
    mean: bool = False

    def type(self, p: TensorType, t: TensorType, *weights: TensorType) -> TensorType:
        return p

    def evaluate(self, p: Array, t: Array, *weights: Array) -> Array:
        if self.smoothing:
            t = t * (1 - self.smoothing) + self.smoothing / t.shape[1]
        count = p.size if self.mean else p.size / p.shape[1]
        return (p - t) * (self.factor * self.weight / count)

    def emit(self, node: Node, e: PlanWriter) -> None:
        p, t = node.inputs
        kind = e.type(p)
        target = e[t]
        if self.smoothing:
            target = e.scratch("smooth", e.shape(t))
            e.call(kernels.cost.smooth, e[t], self.smoothing, kind["c"], out=target)
        scale = self.factor * self.scale(kind, e) / (kind["c"] if self.mean else 1)
        e.call(kernels.cost.scaled_difference, e[p], target, scale, out=e[node.name])


@record
class WeighImages(Op):
    """Each image times its weight."""

    can_alias = (0,)

    def type(self, x: TensorType, weights: TensorType) -> TensorType:
        return x

    def evaluate(self, x: Array, weights: Array) -> Array:
        return weigh(x, (weights,))

    def emit(self, node: Node, e: PlanWriter) -> None:
        x, weights = node.inputs
        e.call(kernels.np.multiply, e[x], e[weights], out=e[node.name])


@record
class Total(Op):
    """The sum of all costs: what training makes small."""

    def type(self, *costs: TensorType) -> TensorType:
        return SCALAR

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (dy,) * len(node.inputs)

    def evaluate(self, *costs: Array) -> Array:
        return sum(costs[1:], costs[0])

    def emit(self, node: Node, e: PlanWriter) -> None:
        """Nothing: the shards' costs are added up where the step ends."""
