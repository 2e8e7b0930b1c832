"""Words over all channels of a pixel: softmax, its logarithm, maxout, their mean and their maximum."""

from __future__ import annotations

from .. import kernels
from ..diagnostics import Fault
from ..ir import TensorType
from ..ir.fields import Count, size
from ..ir.op import Array, Decomposer, GraphBuilder, Node, Op, PlanWriter
from ..primitives.channels import (
    ChannelTotal,
    LogSoftmaxGradient,
    MaxoutGradient,
    RadixSoftmaxGradient,
    SoftmaxGradient,
    channel_axis,
    in_parts,
    pieces,
)
from ..primitives.merge import Scale
from ..record import record


@record
class Softmax(Op):
    """Softmax over the channels: exp(x) / sum of exp(x), a distribution; at the end it means cross-entropy."""

    word = "softmax"
    family = "activation"
    example = "dense 10 -> softmax"
    account = "channels"
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
        if single == (1, 1):
            import numpy as np

            ones = e.constant("ones", np.ones(e.shape(x)[0]))
            alone, out = (e.view_of(value, "alone", f"{e[value]}[:, 0]") for value in (x, node.name))
            e.call(kernels.channels.softmax_of_one, alone, ones, out=out)
            return
        scratch = e.scratch("sums", single)
        e.call(kernels.channels.softmax, e[x], axis, scratch=scratch, out=e[node.name])


@record
class LogSoftmax(Op):
    """Logarithm of softmax: x - log(sum of exp(x)); at the end it means cross-entropy."""

    word = "logsoftmax"
    family = "activation"
    example = "dense 10 -> logsoftmax"
    account = "channels"
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
    account = "channels"

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


@record
class RadixSoftmax(Op):
    """Softmax between R parts of the channels, number by number: how much of each part counts (split attention).

    out[k, c] = exp(in[k, c]) / sum over the parts k of exp(in[k, c]), channel k * C/R + c being in[k, c] (ResNeSt,
    Zhang et al. 2020).
    """

    word = "radixsoftmax"
    family = "activation"
    example = "conv 6x3x3 -> gap -> dense 6 -> radixsoftmax 2"
    account = "channels"
    aliases = ("rsoftmax", "radix_softmax", "radix")
    row_by_row = True

    size: int = size(Count(1), "R", "parts of the channels that share 1 between them")

    def type(self, x: TensorType) -> TensorType:
        if x["c"] % self.size:
            raise Fault.of("CNN106", "size", "parts", parts=self.size, channels=x["c"], rest=x["c"] % self.size)
        return x

    def flops(self, x: TensorType) -> int:
        return 5 * x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(RadixSoftmaxGradient(self.size), dy, node.name, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return Softmax().evaluate(x.reshape(len(x), self.size, -1, *x.shape[2:])).reshape(x.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        height, channels, length = e.rows_shape(x)
        scratch = e.scratch("sums", (height, 1, channels // self.size, length))
        source, out = (in_parts(value, self.size, e) for value in (x, node.name))
        e.call(kernels.channels.softmax, source, 1, scratch=scratch, out=out)


@record
class ChannelMean(Op):
    """The mean over the channels of each pixel: a map of 1xHxW, which spatial attention looks at.

    CBAM's (Woo et al. 2018) reads it beside the largest channel: `concat( channelmean | channelmax )`.
    """

    word = "channelmean"
    family = "pooling"
    example = "mul( id | channelmean -> conv 1x3x3 pad same -> sigmoid )"
    account = "channels"
    aliases = ("channel_mean", "channelavg", "channelpool")
    row_by_row = True
    any_order = True

    def type(self, x: TensorType) -> TensorType:
        return x.resized(x.spatial, 1)

    def flops(self, x: TensorType) -> int:
        return x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        total = b.add(ChannelTotal(), x, name=f"{node.name}.total", like=node)
        return b.add(Scale(1 / b.type(x)["c"]), total, name=node.name, like=node)


@record
class ChannelMax(Op):
    """The largest channel of each pixel: a map of 1xHxW; a tie goes to the first."""

    word = "channelmax"
    family = "pooling"
    example = "mul( id | channelmax -> conv 1x3x3 pad same -> sigmoid )"
    account = "channels"
    aliases = ("channel_max",)

    def type(self, x: TensorType) -> TensorType:
        return x.resized(x.spatial, 1)

    def flops(self, x: TensorType) -> int:
        return x.elements

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        (x,) = inputs
        return b.add(Maxout(b.type(x)["c"]), x, name=node.name, like=node)


OPS: tuple[type[Op], ...] = (ChannelMean, ChannelMax, Softmax, LogSoftmax, RadixSoftmax, Maxout)
