"""The lines of JavaScript of every primitive: a call of a kernel of `kernels/`, or several.

To add one: its kernel there, a function here, an entry in `LINES`. A test names the words that want one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ir import Builder, TensorType
from ...ir.leaves import Input, Weight
from ...ir.op import Node, Op
from ...passes.activation_gradients import Flat
from ...passes.decompose import decompose_inference
from ...primitives.activation import Activation, ActivationGradient
from ...primitives.affine import Bend, BendGradient, ChannelDot, NegativePart, TimesChannel
from ...primitives.channels import (
    ChannelTotal,
    LogSoftmaxGradient,
    MaxoutGradient,
    RadixSoftmaxGradient,
    RepeatChannels,
    SoftmaxGradient,
)
from ...primitives.convolution.bias import AddBias, ChannelSum
from ...primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ...primitives.dense import Multiply, MultiplyInputGradient, MultiplyWeightGradient
from ...primitives.merge import Channels, MaxGradient, PixelSum, PlaceChannels, Product, Scale
from ...primitives.windows import GlobalMeanGradient, MaxWindows, Negate
from ...words.channels import LogSoftmax, Maxout, RadixSoftmax, Softmax
from ...words.merge import Add, Concat, Max, Mean
from ...words.pool import Gap
from ...words.shape import Shuffle
from . import costs, norms, pixels, pointwise
from .emit import Emitter, sliding

Line = Callable[..., None]
Convolution = Convolve | ConvolveInputGradient | ConvolveFilterGradient


def write(e: Emitter, node: Node) -> None:
    """The lines of a node; a diagnostic where nobody has written them yet."""
    op = node.op
    if isinstance(op, Activation):
        e.line(f"{pointwise.name(op)}({e[node.inputs[0]]}, {e[node.name]})")
    elif isinstance(op, ActivationGradient):
        dy, value = node.inputs
        e.line(f"{pointwise.name(op.activation)}Gradient({e[dy]}, {e[value]}, {e[node.name]})")
    elif line := line_of(op):
        line(e, node)
    else:
        word = op.word or type(op).__name__
        raise pointwise.refused(word, node.span)


def line_of(op: Op) -> Line | None:
    """The line of a primitive, its own or that of its formula."""
    follow = (line for kind, line in pixels.FORMULAS.items() if isinstance(op, kind))
    return LINES.get(type(op)) or next(follow, None)


def known(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Whether all primitives of a word have their lines here."""
    if not type(op).has_primitives():
        return False
    b = Builder()
    inputs = tuple(b.add(Input(kind), name=f"input{k}") for k, kind in enumerate(types))
    graph = decompose_inference(b.graph(inputs, (b.add(op, *inputs, name="value"),)))
    return all(line_of(made.op) or isinstance(made.op, (Activation, Input, Weight)) for made in graph)


def unmade(op: Op) -> bool:
    """Whether the by-products of an op are not made here."""
    return isinstance(op, MaxWindows)


# ---- convolutions, products ------------------------------------------------------------------------------


def depthwise(op: Convolution, weight: TensorType) -> bool:
    return op.groups > 1 and weight["c"] == 1 and weight["f"] == op.groups


def need_columns(e: Emitter, op: Convolution, made: TensorType, weight: TensorType) -> None:
    """Room for the columns of one row of windows."""
    depth = weight.elements // weight["f"]
    e.deepest = max(e.deepest, depth, weight["f"])
    if not op.geometry.plain:
        e.scratch = max(e.scratch, depth * made.spatial[-1])


def convolve(e: Emitter, node: Node[Convolve]) -> None:
    x, w = node.inputs
    op, weight = node.op, e.type(w)
    window = sliding(op.geometry, e.type(x), node.type, op.groups)
    if depthwise(op, weight):
        e.line(f"depthwise({e[x]}, {e[w]}, {e[node.name]}, n, {window})")
        return
    need_columns(e, op, node.type, weight)
    e.line(f"convolve(room, {e[x]}, {e[w]}, {e[node.name]}, n, {window})")


def convolve_input_gradient(e: Emitter, node: Node[ConvolveInputGradient]) -> None:
    dy, w = node.inputs
    op, weight = node.op, e.type(w)
    window = sliding(op.geometry, node.type, e.type(dy), op.groups)
    if depthwise(op, weight):
        e.line(f"depthwiseInputGradient({e[dy]}, {e[w]}, {e[node.name]}, n, {window})")
        return
    need_columns(e, op, e.type(dy), weight)
    if op.geometry.stride == (1, 1) and not op.geometry.plain:
        depth = weight.elements // weight["c"] // op.groups
        e.deepest, e.flipped = max(e.deepest, depth), max(e.flipped, weight.elements)
        e.scratch = max(e.scratch, depth * node.type.spatial[-1])
    e.line(f"convolveInputGradient(room, {e[dy]}, {e[w]}, {e[node.name]}, n, {window})")


def convolve_filter_gradient(e: Emitter, node: Node[ConvolveFilterGradient]) -> None:
    x, dy = node.inputs
    op, weight = node.op, node.type
    window = sliding(op.geometry, e.type(x), e.type(dy), op.groups)
    if depthwise(op, weight):
        e.line(f"depthwiseFilterGradient({e[x]}, {e[dy]}, {e[node.name]}, n, {window})")
        return
    need_columns(e, op, e.type(dy), weight)
    e.line(f"convolveFilterGradient(room, {e[x]}, {e[dy]}, {e[node.name]}, n, {window})")


def multiply(e: Emitter, node: Node[Multiply]) -> None:
    assert node.op.part is None, "workers share one image, and JavaScript has one"
    x, w = node.inputs
    o, c = e.type(w).shape
    e.deepest = max(e.deepest, o, c)
    e.line(f"room.product({e[w]}, 0, {c}, 1, {e[x]}, 0, n, {e[node.name]}, 0, n, {o}, {c}, n)")


def multiply_input_gradient(e: Emitter, node: Node) -> None:
    dy, w = node.inputs
    o, c = e.type(w).shape
    e.deepest = max(e.deepest, o, c)
    e.line(f"room.product({e[w]}, 0, 1, {c}, {e[dy]}, 0, n, {e[node.name]}, 0, n, {c}, {o}, n)")


def multiply_weight_gradient(e: Emitter, node: Node) -> None:
    x, dy = node.inputs
    o, c = node.type.shape
    e.line(f"{e[node.name]}.fill(0)", margin=False)
    e.line(f"room.dots({e[dy]}, 0, n, {e[x]}, 0, n, {e[node.name]}, 0, {c}, {o}, {c}, n)")


def add_bias(e: Emitter, node: Node[AddBias]) -> None:
    x, bias, *add = node.inputs
    e.line(f"addBias({e[x]}, {e[bias]}, {e[node.name]}, {e.rows(x)}{norms.epilogue_of(e, node.op.relu, add)})")


def rowwise(kernel: str) -> Line:
    """A kernel of the inputs, the value, and the channels and their numbers."""

    def line(e: Emitter, node: Node) -> None:
        inputs = ", ".join(e[value] for value in node.inputs)
        e.line(f"{kernel}({inputs}, {e[node.name]}, {e.rows(node.inputs[0])})")

    return line


def numberwise(kernel: str) -> Line:
    """A kernel of the inputs and the value, number by number."""

    def line(e: Emitter, node: Node) -> None:
        e.line(f"{kernel}({', '.join(e[value] for value in node.inputs)}, {e[node.name]})")

    return line


def channel_dot(e: Emitter, node: Node) -> None:
    a, b, _ = node.inputs
    e.line(f"channelDots({e[a]}, {e[b]}, {e[node.name]}, {e.rows(a)})")


def maxout(e: Emitter, node: Node[Maxout]) -> None:
    e.line(f"maxout({e[node.inputs[0]]}, {e[node.name]}, {e.rows(node.name)}, {node.op.size})")


def maxout_gradient(e: Emitter, node: Node[MaxoutGradient]) -> None:
    dy, x, y = node.inputs
    e.line(f"maxoutGradient({e[dy]}, {e[x]}, {e[node.name]}, {e.rows(y)}, {node.op.size})")


def repeat_channels(e: Emitter, node: Node) -> None:
    e.line(f"repeatChannels({e[node.inputs[0]]}, {e[node.name]}, {e.rows(node.name)})")


def in_parts(kernel: str, parts: Callable[[Any], int]) -> Line:
    """A kernel of channels that takes parts of ours as its channels."""

    def line(e: Emitter, node: Node) -> None:
        inputs = ", ".join(e[value] for value in node.inputs)
        count, size = parts(node.op), node.type.elements
        e.line(f"{kernel}({inputs}, {e[node.name]}, {count}, {size // count} * n)")

    return line


# ---- joins -----------------------------------------------------------------------------------------------


def pairwise(kernel: str) -> Line:
    """A kernel of two values at a time."""

    def line(e: Emitter, node: Node) -> None:
        first, second, *rest = node.inputs
        e.line(f"{kernel}({e[first]}, {e[second]}, {e[node.name]})")
        for value in rest:
            e.line(f"{kernel}({e[node.name]}, {e[value]}, {e[node.name]})")

    return line


def mean(e: Emitter, node: Node) -> None:
    pairwise("add")(e, node)
    e.line(f"scale({e[node.name]}, {1 / len(node.inputs)!r}, {e[node.name]})")


def max_gradient(e: Emitter, node: Node[MaxGradient]) -> None:
    dy, y, *branches = node.inputs
    which = node.op.which
    earlier = ", ".join(e[value] for value in branches[:which])
    e.line(f"largestGradient({e[dy]}, {e[y]}, {e[branches[which]]}, [{earlier}], {e[node.name]})")


def product(e: Emitter, node: Node) -> None:
    a, b = node.inputs
    if e.type(b).elements == e.type(a).elements:
        e.line(f"multiply({e[a]}, {e[b]}, {e[node.name]})")
    elif e.type(b).elements == 1:
        e.line(f"multiplyImages({e[a]}, {e[b]}, {e[node.name]}, n)")
    elif e.channels(b) < e.channels(a):
        e.line(f"multiplyMap({e[a]}, {e[b]}, {e[node.name]}, {e.rows(a)})")
    else:
        e.line(f"multiplyGate({e[a]}, {e[b]}, {e[node.name]}, {e.channels(a)}, {e.pixels(a)}, n)")


def over_pixels(kernel: str) -> Line:
    """A kernel that takes the pixels of each channel of each image together."""

    def line(e: Emitter, node: Node) -> None:
        (x,) = node.inputs
        e.line(f"{kernel}({e[x]}, {e[node.name]}, {e.channels(x)}, {e.pixels(x)}, n)")

    return line


def global_mean_gradient(e: Emitter, node: Node) -> None:
    (dy,) = node.inputs
    e.line(f"pixelMeansGradient({e[dy]}, {e[node.name]}, {e.channels(dy)}, {e.pixels(node.name)}, n)")


def scale(e: Emitter, node: Node[Scale]) -> None:
    e.line(f"scale({e[node.inputs[0]]}, {node.op.by!r}, {e[node.name]})")


def negate(e: Emitter, node: Node) -> None:
    e.line(f"scale({e[node.inputs[0]]}, -1, {e[node.name]})")


def concat(e: Emitter, node: Node) -> None:
    start = 0
    for value in node.inputs:
        size = e.type(value).elements
        e.line(f"copy({e[value]}, 0, {e[node.name]}, {start} * n, {size} * n)")
        start += size


def channels(e: Emitter, node: Node[Channels]) -> None:
    (x,) = node.inputs
    start = node.op.start * e.pixels(x)
    e.line(f"copy({e[x]}, {start} * n, {e[node.name]}, 0, {node.type.elements} * n)")


def place_channels(e: Emitter, node: Node[PlaceChannels]) -> None:
    (x,) = node.inputs
    e.line(f"placeAt({e[x]}, {e[node.name]}, {node.op.start * e.pixels(x)} * n)")


def shuffle(e: Emitter, node: Node[Shuffle]) -> None:
    (x,) = node.inputs
    e.line(f"shuffle({e[x]}, {e[node.name]}, {e.rows(x)}, {node.op.size})")


def flat(e: Emitter, node: Node) -> None:
    e.line(f"{e[node.name]}.fill(0)")


LINES: dict[type[Op], Line] = {
    Convolve: convolve,
    ConvolveInputGradient: convolve_input_gradient,
    ConvolveFilterGradient: convolve_filter_gradient,
    AddBias: add_bias,
    ChannelSum: rowwise("channelSums"),
    Multiply: multiply,
    MultiplyInputGradient: multiply_input_gradient,
    MultiplyWeightGradient: multiply_weight_gradient,
    Softmax: rowwise("softmax"),
    SoftmaxGradient: rowwise("softmaxGradient"),
    LogSoftmax: rowwise("logSoftmax"),
    LogSoftmaxGradient: rowwise("logSoftmaxGradient"),
    Maxout: maxout,
    MaxoutGradient: maxout_gradient,
    ChannelTotal: rowwise("channelTotals"),
    RepeatChannels: repeat_channels,
    RadixSoftmax: in_parts("softmax", lambda op: op.size),
    RadixSoftmaxGradient: in_parts("softmaxGradient", lambda op: op.parts),
    TimesChannel: rowwise("timesChannel"),
    ChannelDot: channel_dot,
    Bend: rowwise("prelu"),
    BendGradient: rowwise("preluGradient"),
    NegativePart: numberwise("negativePart"),
    Add: pairwise("add"),
    Mean: mean,
    Max: pairwise("larger"),
    MaxGradient: max_gradient,
    Product: product,
    PixelSum: over_pixels("pixelSums"),
    Scale: scale,
    Negate: negate,
    Concat: concat,
    Channels: channels,
    PlaceChannels: place_channels,
    Shuffle: shuffle,
    Gap: over_pixels("pixelMeans"),
    GlobalMeanGradient: global_mean_gradient,
    Flat: flat,
    **pixels.LINES,
    **norms.LINES,
    **costs.LINES,
}
