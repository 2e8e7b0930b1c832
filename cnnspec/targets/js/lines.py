"""The lines of JavaScript of every primitive: a call of a kernel of `kernels/`, or several.

To add one: its kernel there, a function here, an entry in `LINES`. A test names the words that want one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ir import TensorType
from ...ir.op import Node, Op
from ...passes.activation_gradients import Flat
from ...primitives import norm
from ...primitives.activation import Activation, ActivationGradient
from ...primitives.affine import Bend, BendGradient, ChannelDot, NegativePart, TimesChannel
from ...primitives.channels import LogSoftmaxGradient, MaxoutGradient, SoftmaxGradient
from ...primitives.convolution.convolve import (
    AddBias,
    ChannelSum,
    Convolve,
    ConvolveFilterGradient,
    ConvolveInputGradient,
)
from ...primitives.dense import Multiply, MultiplyInputGradient, MultiplyWeightGradient
from ...primitives.merge import Channels, MaxGradient, PixelSum, PlaceChannels, Product, Scale
from ...primitives.norm_windows import NormWindows, NormWindowsGradient
from ...primitives.regularise import Drop, Masked
from ...primitives.resample import BlendPixels, Enlarge, EnlargeGradient, Place, Take
from ...primitives.standardise import LrnGradient, Standardise, StandardiseGradient
from ...primitives.windows import MaxWindows, MaxWindowsGradient, MeanWindows, MeanWindowsGradient, Negate, Spread
from ...words.channels import LogSoftmax, Maxout, Softmax
from ...words.merge import Add, Concat, Max, Mean
from ...words.pool import Gap
from ...words.shape import Shuffle
from ...words.standardise import Lrn
from . import costs, pointwise
from .emit import Emitter, sizes, sliding

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
    elif type(op) in LINES:
        LINES[type(op)](e, node)
    else:
        word = op.word or type(op).__name__
        raise pointwise.refused(word, node.span)


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
        e.deepest, e.turned = max(e.deepest, depth), max(e.turned, weight.elements)
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


def multiply(e: Emitter, node: Node) -> None:
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
    e.line(f"addBias({e[x]}, {e[bias]}, {e[node.name]}, {e.rows(x)}{afterwards(e, node.op.relu, add)})")


def afterwards(e: Emitter, relu: bool, add: list[str], won: str = "") -> str:
    """What comes after a bias or a normalisation, as an argument."""
    parts = [f"add: {e[value]}" for value in add] + ["relu: true"] * relu + [f"won: {won}"] * bool(won)
    return f", {{ {', '.join(parts)} }}" if parts else ""


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
    else:
        e.line(f"multiplyGate({e[a]}, {e[b]}, {e[node.name]}, {e.channels(a)}, {e.pixels(a)}, n)")


def over_pixels(kernel: str) -> Line:
    """A kernel that takes the pixels of each channel of each image together."""

    def line(e: Emitter, node: Node) -> None:
        (x,) = node.inputs
        e.line(f"{kernel}({e[x]}, {e[node.name]}, {e.channels(x)}, {e.pixels(x)}, n)")

    return line


def spread(e: Emitter, node: Node) -> None:
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


# ---- pooling, resampling ---------------------------------------------------------------------------------


def max_windows(e: Emitter, node: Node[MaxWindows]) -> None:
    (x,) = node.inputs
    kernel = "maxpool2" if node.op.quartered else "maxpool"
    e.line(f"{kernel}({e[x]}, {e[node.name]}, n, {sliding(node.op.geometry, e.type(x), node.type)})")


def max_windows_gradient(e: Emitter, node: Node[MaxWindowsGradient]) -> None:
    dy, x, y, *_ = node.inputs
    kernel = "maxpool2Gradient" if node.op.quartered else "maxpoolGradient"
    window = sliding(node.op.geometry, e.type(x), e.type(y))
    e.line(f"{kernel}({e[dy]}, {e[x]}, {e[y]}, {e[node.name]}, n, {window})")


def mean_windows(e: Emitter, node: Node[MeanWindows]) -> None:
    (x,) = node.inputs
    window = sliding(node.op.geometry, e.type(x), node.type)
    e.line(f"avgpool({e[x]}, {e[node.name]}, n, {window}, {truth(node.op.count_pad)})")


def mean_windows_gradient(e: Emitter, node: Node[MeanWindowsGradient]) -> None:
    (dy,) = node.inputs
    window = sliding(node.op.geometry, node.type, e.type(dy))
    e.line(f"avgpoolGradient({e[dy]}, {e[node.name]}, n, {window}, {truth(node.op.count_pad)})")


def norm_windows(e: Emitter, node: Node[NormWindows]) -> None:
    (x,) = node.inputs
    e.line(f"lppool({e[x]}, {e[node.name]}, n, {sliding(node.op.geometry, e.type(x), node.type)}, {node.op.p})")


def norm_windows_gradient(e: Emitter, node: Node[NormWindowsGradient]) -> None:
    dy, x, y = node.inputs
    window = sliding(node.op.geometry, e.type(x), e.type(y))
    e.line(f"lppoolGradient({e[dy]}, {e[x]}, {e[y]}, {e[node.name]}, n, {window}, {node.op.p})")


def truth(value: bool) -> str:
    return "true" if value else "false"


def moved(kernel: str) -> Line:
    """`place` and `take`."""

    def line(e: Emitter, node: Node[Place | Take]) -> None:
        (x,) = node.inputs
        how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, before: {list(node.op.before)} }}"
        e.line(f"{kernel}({e[x]}, {e[node.name]}, n, {how})")

    return line


def enlarge(e: Emitter, node: Node[Enlarge]) -> None:
    (x,) = node.inputs
    how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, factors: {list(node.op.factors)} }}"
    e.line(f"enlarge({e[x]}, {e[node.name]}, n, {how})")


def enlarge_gradient(e: Emitter, node: Node[EnlargeGradient]) -> None:
    (dy,) = node.inputs
    how = f"{{ from: {sizes(node.type)}, to: {sizes(e.type(dy))}, factors: {list(node.op.factors)} }}"
    e.line(f"enlargeGradient({e[dy]}, {e[node.name]}, n, {how})")


def blend_pixels(e: Emitter, node: Node[BlendPixels]) -> None:
    (x,) = node.inputs
    tables = [
        f"{name}: [{', '.join(str([[i, share] for i, share in enumerate(row) if share]) for row in matrix)}]"
        for name, matrix in (("down", node.op.down), ("across", node.op.across))
    ]
    how = f"{{ from: {sizes(e.type(x))}, to: {sizes(node.type)}, {', '.join(tables)} }}"
    e.line(f"blendPixels({e[x]}, {e[node.name]}, n, {how})")


# ---- normalisation, regularisation -----------------------------------------------------------------------


def normalise(e: Emitter, node: Node[norm.Normalise]) -> None:
    x, mean, var, weight, bias, *add = node.inputs
    then = afterwards(e, node.op.relu, add)
    given = ", ".join(e[value] for value in (x, mean, var, weight, bias))
    e.line(f"normalise({given}, {node.op.eps!r}, {e[node.name]}, {e.rows(x)}{then})")


def normalise_gradient(e: Emitter, node: Node[norm.NormaliseGradient]) -> None:
    dy, var, weight = node.inputs
    e.line(f"normaliseGradient({e[dy]}, {e[var]}, {e[weight]}, {node.op.eps!r}, {e[node.name]}, {e.rows(dy)})")


def batch_norm(e: Emitter, node: Node[norm.BatchNorm]) -> None:
    x, weight, bias, *add = node.inputs
    mean, var = e[f"{node.name}:mean"], e[f"{node.name}:var"]
    then = afterwards(e, node.op.relu, add, e[f"{node.name}:won"] if node.op.relu else "")
    e.line(f"batchMoments({e[x]}, {mean}, {var}, {e.rows(x)})", margin=False)
    given = f"{e[x]}, {mean}, {var}, {e[weight]}, {e[bias]}"
    e.line(f"normalise({given}, {node.op.eps!r}, {e[node.name]}, {e.rows(x)}{then})")


def batch_norm_sums(e: Emitter, node: Node[norm.BatchNormSums]) -> None:
    """Together with dx, channel by channel while it is in the cache, where that is wanted."""
    if not norm_gradients(e, node, node.name):
        emit_norm_gradient(e, node, node.inputs[0], "null", "null")


def relu_batch_norm_sums(e: Emitter, node: Node[norm.ReluBatchNormSums]) -> None:
    dy, *_, won = node.inputs
    e.line(f"masked({e[dy]}, {e[won]}, {e[node.name]})")
    if not norm_gradients(e, node, f"{node.name}:sums"):
        emit_norm_gradient(e, node, node.name, "null", "null")


def norm_gradients(e: Emitter, node: Node, sums: str) -> list[Any]:
    """The nodes that make dx from the sums of a node; there is one, or none."""
    return [other for other in e.graph if sums in other.inputs and isinstance(other.op, norm.BatchNormGradient)]


def batch_norm_gradient(e: Emitter, node: Node) -> None:
    dy, *_, weight, sums = node.inputs
    emit_norm_gradient(e, e.graph[sums], dy, e[weight], e[node.name])


def emit_norm_gradient(e: Emitter, node: Node, dy: str, weight: str, dx: str) -> None:
    """The gradients of weight and bias, which are by-products of the sums `node`, and dx."""
    assert isinstance(node.op, norm.BatchNormSums)
    _, x, mean, var, *_ = node.inputs
    gradients = ", ".join(e[f"{node.name}:{name}"] for name in ("dweight", "dbias"))
    given = f"{e[dy]}, {e[x]}, {e[mean]}, {e[var]}, {weight}, {node.op.eps!r}"
    e.line(f"batchNormGradient({given}, {gradients}, {dx}, {e.rows(x)})")


def fold_filters(e: Emitter, node: Node[norm.FoldFilters]) -> None:
    w, var, weight = node.inputs
    given = f"{e[w]}, {e[var]}, {e[weight]}, {node.op.eps!r}"
    e.line(f"foldFilters({given}, {e[node.name]}, {e.type(w)['f']})")


def fold_bias(e: Emitter, node: Node[norm.FoldBias]) -> None:
    mean, var, weight, bias, *before = node.inputs
    own = e[before[0]] if before else "null"
    given = f"{e[mean]}, {e[var]}, {e[weight]}, {e[bias]}, {own}, {node.op.eps!r}"
    e.line(f"foldBias({given}, {e[node.name]})")


def blend(e: Emitter, node: Node[norm.Blend]) -> None:
    state, new = node.inputs
    op = node.op
    factor = f", unbiased({op.pixels} * n)" if op.pixels else ""
    e.settle(f"blend({e[state]}, {e[new]}, {op.momentum!r}{factor})")


def standardise(e: Emitter, node: Node[Standardise]) -> None:
    (x,) = node.inputs
    r, groups = e[f"{node.name}:r"], node.op.groups
    if groups:
        how = f"{groups}, {e.type(x).elements // groups}, n, {node.op.eps!r}"
        e.line(f"standardiseGroups({e[x]}, {e[node.name]}, {r}, {how})")
    else:
        e.line(f"standardisePixels({e[x]}, {e[node.name]}, {r}, {e.rows(x)}, {node.op.eps!r})")


def standardise_gradient(e: Emitter, node: Node[StandardiseGradient]) -> None:
    dy, z, r = node.inputs
    given, groups = f"{e[dy]}, {e[z]}, {e[r]}, {e[node.name]}", node.op.groups
    if groups:
        e.line(f"standardiseGroupsGradient({given}, {groups}, {e.type(z).elements // groups}, n)")
    else:
        e.line(f"standardisePixelsGradient({given}, {e.rows(z)})")


def lrn(e: Emitter, node: Node[Lrn]) -> None:
    (x,) = node.inputs
    op = node.op
    how = f"{{ size: {op.size}, alpha: {op.alpha!r}, beta: {op.beta!r}, k: {op.k!r} }}"
    e.line(f"lrn({e[x]}, {e[f'{node.name}:base']}, {e[node.name]}, {e.rows(x)}, {how})")


def lrn_gradient(e: Emitter, node: Node[LrnGradient]) -> None:
    dy, x, base = node.inputs
    op = node.op
    how = f"{{ size: {op.size}, alpha: {op.alpha!r}, beta: {op.beta!r} }}"
    e.line(f"lrnGradient({e[dy]}, {e[x]}, {e[base]}, {e[node.name]}, {e.rows(x)}, {how})")


def drop(e: Emitter, node: Node[Drop]) -> None:
    (x,) = node.inputs
    mask = f"{node.name}:mask"
    e.line(f"randomMask(random, {node.op.rate!r}, {e[mask]})", margin=False)
    emit_masked(e, x, mask, node.name)


def masked(e: Emitter, node: Node) -> None:
    x, mask = node.inputs
    emit_masked(e, x, mask, node.name)


def emit_masked(e: Emitter, x: str, mask: str, y: str) -> None:
    if e.type(mask).elements == e.type(x).elements:
        e.line(f"multiply({e[x]}, {e[mask]}, {e[y]})")
    else:
        e.line(f"multiplyImages({e[x]}, {e[mask]}, {e[y]}, n)")


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
    Spread: spread,
    MaxWindows: max_windows,
    MaxWindowsGradient: max_windows_gradient,
    MeanWindows: mean_windows,
    MeanWindowsGradient: mean_windows_gradient,
    NormWindows: norm_windows,
    NormWindowsGradient: norm_windows_gradient,
    Place: moved("place"),
    Take: moved("take"),
    Enlarge: enlarge,
    EnlargeGradient: enlarge_gradient,
    BlendPixels: blend_pixels,
    norm.Normalise: normalise,
    norm.NormaliseGradient: normalise_gradient,
    norm.BatchNorm: batch_norm,
    norm.BatchNormSums: batch_norm_sums,
    norm.ReluBatchNormSums: relu_batch_norm_sums,
    norm.BatchNormGradient: batch_norm_gradient,
    norm.FoldFilters: fold_filters,
    norm.FoldBias: fold_bias,
    norm.Blend: blend,
    Standardise: standardise,
    StandardiseGradient: standardise_gradient,
    Lrn: lrn,
    LrnGradient: lrn_gradient,
    Drop: drop,
    Masked: masked,
    Flat: flat,
    **costs.LINES,
}
