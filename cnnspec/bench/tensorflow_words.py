"""Words in TensorFlow: source of the value of each, channels last, in terms of the variables it reads.

A word that has no entry in WORDS is refused by name, and so are the settings that TensorFlow has no like for.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph, Node
from ..ir.geometry import Geometry
from ..words.activation.gates import Gelu
from ..words.activation.rectifiers import Clip, Elu, Leaky
from ..words.affine import ChannelScale
from ..words.conv import Conv, DwConv
from ..words.dense import Dense
from ..words.norm import Bn
from ..words.pool import AvgPool, MaxPool
from ..words.regularise import Dropout, DropPath
from ..words.resample import Crop, Pad, Upsample
from ..words.shape import Shuffle
from ..words.standardise import LayerNorm
from ..words.take import Take
from ..words.upconv import UpConv

Writer = Callable[..., str]


def refused(what: str) -> SpecError:
    """That nothing writes this for TensorFlow."""
    return SpecError((Diagnostic.of("CNN314", case="TensorFlow", what=what),))


def written(graph: Graph, node: Node, inputs: list[str]) -> str:
    """Source of a node's value."""
    writer = WORDS.get(node.op.word)
    if writer is None:
        raise refused(f"`{node.op.word}`")
    return writer(graph, node, *inputs)


def weight(node: Node, part: str = "weight") -> str:
    return f"w[{f'{node.owner}.{part}'!r}]"


def with_bias(node: Node[Conv | DwConv | UpConv], code: str) -> str:
    return f"tf.nn.bias_add({code}, {weight(node, 'bias')})" if node.op.bias else code


def padding(geometry: Geometry) -> str:
    (top, bottom), (left, right) = geometry.pad
    return f"[[0, 0], [{top}, {bottom}], [{left}, {right}], [0, 0]]"


def conv(graph: Graph, node: Node[Conv], x: str) -> str:
    op, geometry = node.op, node.op.geometry(graph.types(node)[0])
    if set(geometry.dilate) != {1}:  # no gradients on processors
        raise refused("a convolution with dilation")
    settings = f"{geometry.stride}, {padding(geometry)}"
    if op.groups == 1:
        return with_bias(node, f"tf.nn.conv2d({x}, {weight(node)}, {settings})")
    parts = f"zip(tf.split({x}, {op.groups}, -1), tf.split({weight(node)}, {op.groups}, -1))"
    return with_bias(node, f"tf.concat([tf.nn.conv2d(part, k, {settings}) for part, k in {parts}], -1)")


def dwconv(graph: Graph, node: Node[DwConv], x: str) -> str:
    geometry = node.op.geometry(graph.types(node)[0])
    (high, wide), one = geometry.stride, set(geometry.dilate) == {1}
    if high != wide:  # TensorFlow knows one stride
        raise refused("a depthwise convolution of two strides")
    x, pad = (x, padding(geometry)) if one else (f"tf.pad({x}, {padding(geometry)})", "'VALID'")
    more = "" if one else f", dilations={geometry.dilate}"
    return with_bias(node, f"tf.nn.depthwise_conv2d({x}, {weight(node)}, (1, {high}, {wide}, 1), {pad}{more})")


def upconv(graph: Graph, node: Node[UpConv], x: str) -> str:
    geometry, kind = node.op.geometry(graph.types(node)[0]), node.type
    if node.op.groups != 1 or set(geometry.dilate) != {1}:
        raise refused("an upconv in groups or with dilation")
    shape = f"({x}.shape[0], {kind['h']}, {kind['w']}, {kind['c']})"
    code = f"tf.nn.conv2d_transpose({x}, {weight(node)}, {shape}, {geometry.stride}, {padding(geometry)})"
    return with_bias(node, code)


def dense(graph: Graph, node: Node[Dense], x: str) -> str:
    code = f"tf.matmul({x}, {weight(node)})"
    return f"{code} + {weight(node, 'bias')}" if node.op.bias else code


def flatten(graph: Graph, node: Node, x: str) -> str:
    return f"tf.reshape(channels_first({x}), (x[0].shape[0], {node.type['c']}))"


def reshape(graph: Graph, node: Node, x: str) -> str:
    code = f"tf.reshape(channels_first({x}), (x[0].shape[0], {', '.join(map(str, node.type.shape))}))"
    return f"tf.transpose({code}, (0, 2, 3, 1))" if node.type.kind == "image" else code


def maxpool(graph: Graph, node: Node[MaxPool], x: str) -> str:
    geometry = node.op.geometry(graph.types(node)[0])
    if set(geometry.dilate) != {1}:
        raise refused("pooling with dilation")
    if any(map(any, geometry.pad)):
        x = f"tf.pad({x}, {padding(geometry)}, constant_values={x}.dtype.min)"
    return f"tf.nn.max_pool2d({x}, {geometry.kernel}, {geometry.stride}, 'VALID')"


def avgpool(graph: Graph, node: Node[AvgPool], x: str) -> str:
    geometry = node.op.geometry(graph.types(node)[0])
    if set(geometry.dilate) != {1}:
        raise refused("pooling with dilation")

    def pooled(value: str) -> str:
        return f"tf.nn.avg_pool2d({value}, {geometry.kernel}, {geometry.stride}, 'VALID')"

    if not any(map(any, geometry.pad)):
        return pooled(x)
    code = pooled(f"tf.pad({x}, {padding(geometry)})")
    return code if node.op.count_pad else f"{code} / {pooled(f'tf.pad(tf.ones_like({x}), {padding(geometry)})')}"


def bn(graph: Graph, node: Node[Bn], x: str) -> str:
    return f"batch_norm(w, {node.owner!r}, {x}, training, {node.op.eps!r}, {node.op.momentum!r})"


def layernorm(graph: Graph, node: Node[LayerNorm], x: str) -> str:
    return f"channel_norm(w, {node.owner!r}, {x}, {node.op.eps!r})"


def dropout(graph: Graph, node: Node[Dropout], x: str) -> str:
    return f"drop({x}, {node.op.rate!r}, training)"


def droppath(graph: Graph, node: Node[DropPath], x: str) -> str:
    ones = ", 1" * len(node.type.shape)
    return f"drop({x}, {node.op.rate!r}, training, ({x}.shape[0]{ones}))"


def shuffle(graph: Graph, node: Node[Shuffle], x: str) -> str:
    if node.type.kind != "image":
        raise refused("`shuffle` of a vector")
    return f"channel_shuffle({x}, {node.op.size})"


def take(graph: Graph, node: Node[Take], x: str) -> str:
    return f"{x}[..., {node.op.start}:{node.op.start + node.op.size}]"


def pad(graph: Graph, node: Node[Pad], x: str) -> str:
    op = node.op
    if op.mode == "edge":
        raise refused("`pad edge`")
    (top, bottom), (left, right) = list(op.sides(graph.types(node)[0]))[-2:]
    mode = ", mode='REFLECT'" if op.mode == "reflect" else ""
    sides = f"[[0, 0], [{top}, {bottom}], [{left}, {right}], [{op.channels}, {op.channels}]]"
    return f"tf.pad({x}, {sides}{mode})"


def crop(graph: Graph, node: Node[Crop], x: str) -> str:
    top, left = node.op.before(graph.types(node)[0])[-2:]
    return f"{x}[:, {top}:{top + node.type['h']}, {left}:{left + node.type['w']}]"


def upsample(graph: Graph, node: Node[Upsample], x: str) -> str:
    down, across = node.op.factors(graph.types(node)[0])[-2:]
    return f"tf.repeat(tf.repeat({x}, {down}, 1), {across}, 2)"


def over_pixels(name: str) -> Writer:
    return lambda graph, node, x: f"{name}({x}, (1, 2))"


def scale(graph: Graph, node: Node[ChannelScale], x: str) -> str:
    return f"{x} * {weight(node)}" + (f" + {weight(node, 'bias')}" if node.op.bias else "")


def function(name: str, more: str = "") -> Writer:
    return lambda graph, node, x: f"{name}({x}{more})"


def leaky(graph: Graph, node: Node[Leaky], x: str) -> str:
    return f"tf.nn.leaky_relu({x}, {node.op.slope!r})"


def elu(graph: Graph, node: Node[Elu], x: str) -> str:
    if node.op.alpha != 1:
        raise refused("`elu` with another alpha than 1")
    return f"tf.nn.elu({x})"


def gelu(graph: Graph, node: Node[Gelu], x: str) -> str:
    return f"{'gelu' if node.op.form == 'exact' else 'gelu_by_tanh'}({x})"


def clip(graph: Graph, node: Node[Clip], x: str) -> str:
    for name, bound in (("tf.minimum", node.op.high), ("tf.maximum", node.op.low)):
        x = x if bound == "none" else f"{name}({x}, {bound!r})"
    return x


def mul(graph: Graph, node: Node, *inputs: str) -> str:
    factors = []
    for value, code in zip(node.inputs, inputs, strict=True):
        smaller = len(graph.type(value).shape) < len(node.type.shape)
        factors.append(f"{code}[:, None, None]" if smaller else code)
    return " * ".join(factors)


def joined(sign: str) -> Writer:
    return lambda graph, node, *inputs: sign.join(inputs)


WORDS: dict[str, Writer] = {
    "conv": conv,
    "dwconv": dwconv,
    "upconv": upconv,
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "gap": over_pixels("tf.reduce_mean"),
    "gmp": over_pixels("tf.reduce_max"),
    "bn": bn,
    "layernorm": layernorm,
    "scale": scale,
    "dropout": dropout,
    "droppath": droppath,
    "shuffle": shuffle,
    "take": take,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "relu": function("tf.nn.relu"),
    "relu6": function("tf.nn.relu6"),
    "leaky": leaky,
    "elu": elu,
    "selu": function("tf.nn.selu"),
    "gelu": gelu,
    "clip": clip,
    "swish": function("tf.nn.silu"),
    "sigmoid": function("tf.sigmoid"),
    "tanh": function("tf.tanh"),
    "softplus": function("tf.math.softplus"),
    "softsign": function("tf.nn.softsign"),
    "abs": function("tf.abs"),
    "softmax": function("tf.nn.softmax"),
    "logsoftmax": function("tf.nn.log_softmax"),
    "add": joined(" + "),
    "sub": joined(" - "),
    "mul": mul,
    "concat": lambda graph, node, *inputs: f"tf.concat([{', '.join(inputs)}], -1)",
}
