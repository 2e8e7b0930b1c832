"""Activations that look at all channels of a pixel: softmax, its logarithm, maxout."""

from __future__ import annotations

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.fields import Count, size
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter
from ..primitives.channels import LogSoftmaxGradient, MaxoutGradient, SoftmaxGradient, channel_axis, pieces
from ..record import record


@record
class Softmax(Op):
    """Softmax over the channels: exp(x) / sum of exp(x), a distribution; at the end it means cross-entropy."""

    word = "softmax"
    family = "activation"
    example = "dense 10 -> softmax"
    any_order = True

    def flops(self, x: TensorType) -> int:
        return 5 * x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(SoftmaxGradient(), dy, node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        powers = np.exp(x - x.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        axis, single = channel_axis(e.shape(x))
        scratch = e.scratch("sums", single)
        e.call(kernels.channels.softmax, e[x], axis, scratch=scratch, out=e[node.name])


@record
class LogSoftmax(Op):
    """Logarithm of softmax: x - log(sum of exp(x)); at the end it means cross-entropy."""

    word = "logsoftmax"
    family = "activation"
    example = "dense 10 -> logsoftmax"
    aliases = ("log_softmax",)
    any_order = True

    def flops(self, x: TensorType) -> int:
        return 5 * x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(LogSoftmaxGradient(), dy, node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        shifted = x - x.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        axis, single = channel_axis(e.shape(x))
        part, scratch = e.scratch("part", e.shape(x)), e.scratch("sums", single)
        e.call(kernels.channels.log_softmax, e[x], axis, part=part, scratch=scratch, out=e[node.name])


@record
class Maxout(Op):
    """Maxout: the largest of each K neighbouring channels, so that K times fewer are left.

    out[c] = max of in[K*c], ..., in[K*c + K-1]; a tie goes to the first.
    """

    word = "maxout"
    family = "activation"
    example = "conv 6x3x3 -> maxout 2"

    size: int = size(Count(1), "K", "channels that become one")

    def type(self, x: TensorType) -> TensorType:
        if x["c"] % self.size:
            raise Fault.of("CNN106", "size", "pieces", parts=self.size, channels=x["c"], rest=x["c"] % self.size)
        return x.resized(x.spatial, x["c"] // self.size)

    def flops(self, x: TensorType) -> int:
        return x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x = node.inputs[0]
        return (b.add(MaxoutGradient(self.size), dy, x, node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return x.reshape(len(x), -1, self.size, *x.shape[2:]).max(axis=2)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.np.maximum.reduce, pieces(x, self.size, e), axis=2, out=e.rows(node.name))
