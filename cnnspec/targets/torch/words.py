"""What each word becomes in PyTorch: the source of its value, in terms of the variables it reads.

A function takes the page, the node and the variables of its inputs. To add a word: a function here and its
entry in WORDS (an activation needs none: its formula is written); the tests hold outputs and gradients against the
engine.
"""

from __future__ import annotations

from collections.abc import Callable

from ...ir import Node
from ...ir.op import Op
from ...primitives.activation import Activation
from ...words.activation import Celu, Clip, Elu, Gelu, HardSigmoid, Leaky
from ...words.affine import ChannelScale, PRelu
from ...words.channels import Maxout, RadixSoftmax
from ...words.norm import Bn
from ...words.regularise import Dropout, DropPath
from ...words.resample import Crop, Pad, PixelShuffle, PixelUnshuffle, Resize, Upsample
from ...words.shape import Shuffle
from ...words.standardise import Grn, GroupNorm, LayerNorm, Lrn
from ...words.take import Take
from . import windows as windows
from .formula import pointwise
from .page import Page, numbers

Writer = Callable[..., str]


# ---- shape -------------------------------------------------------------------------------------------


def flatten(page: Page, node: Node, x: str) -> str:
    return f"{x}.flatten(1)"


def reshape(page: Page, node: Node, x: str) -> str:
    return f"{x}.reshape(-1, {', '.join(map(str, node.type.shape))})"


def shuffle(page: Page, node: Node[Shuffle], x: str) -> str:
    groups = node.op.size
    if node.type.kind == "vector":
        return f"{x}.unflatten(1, ({groups}, -1)).transpose(1, 2).flatten(1)"
    return f"F.channel_shuffle({x}, {groups})"


def pad(page: Page, node: Node[Pad], x: str) -> str:
    op = node.op
    pairs = list(op.sides(page.kind(node)))[-len(node.type.spatial) :]
    if op.channels:
        pairs = [(op.channels, op.channels), *pairs]
    mode = {"zeros": "", "reflect": ', mode="reflect"', "edge": ', mode="replicate"'}[op.mode]
    return f"F.pad({x}, {tuple(side for pair in reversed(pairs) for side in pair)}{mode})"


def crop(page: Page, node: Node[Crop], x: str) -> str:
    op = node.op
    rank = len(node.type.spatial)
    starts = op.before(page.kind(node))[-rank:]
    cut = [f"{start}:{start + size}" for start, size in zip(starts, node.type.spatial, strict=True)]
    return f"{x}[:, :, {', '.join(cut)}]"


def upsample(page: Page, node: Node[Upsample], x: str) -> str:
    factors = node.op.factors(page.kind(node))
    return f"F.interpolate({x}, scale_factor={numbers(factors, len(node.type.spatial))})"


def resize(page: Page, node: Node[Resize], x: str) -> str:
    size = numbers(node.type.spatial, len(node.type.spatial))
    if node.op.mode == "area":
        return f"F.adaptive_avg_pool{len(node.type.spatial)}d({x}, {size})"
    if node.op.mode == "nearest":
        return f"F.interpolate({x}, {size})"
    mode = "bilinear" if node.type.kind == "image" else "linear"
    corners = ", align_corners=True" if node.op.align_corners else ""
    return f'F.interpolate({x}, {size}, mode="{mode}"{corners})'


def pixelshuffle(page: Page, node: Node[PixelShuffle], x: str) -> str:
    factors = node.op.factors(page.kind(node))[-len(node.type.spatial) :]
    if len(set(factors)) == 1 and len(factors) == 2:
        return f"F.pixel_shuffle({x}, {factors[0]})"
    rank = len(factors)
    order = [axis for k in range(rank) for axis in (2 + rank + k, 2 + k)]
    return rearranged(x, f"unflatten(1, ({node.type['c']}, {', '.join(map(str, factors))}))", order, node)


def pixelunshuffle(page: Page, node: Node[PixelUnshuffle], x: str) -> str:
    kind = page.kind(node)
    factors = node.op.factors(kind)[-len(node.type.spatial) :]
    if len(set(factors)) == 1 and len(factors) == 2:
        return f"F.pixel_unshuffle({x}, {factors[0]})"
    rank = len(factors)
    split = [size for pair in zip(node.type.spatial, factors, strict=True) for size in pair]
    order = [*(3 + 2 * k for k in range(rank)), *(2 + 2 * k for k in range(rank))]
    return rearranged(x, f"reshape(-1, {kind['c']}, {', '.join(map(str, split))})", order, node)


def rearranged(x: str, apart: str, order: list[int], node: Node) -> str:
    """Axes taken apart, put in another order, and together again."""
    shape = ", ".join(map(str, node.type.shape))
    return f"{x}.{apart}.permute(0, 1, {', '.join(map(str, order))}).reshape(-1, {shape})"


def take(page: Page, node: Node[Take], x: str) -> str:
    op = node.op
    return f"{x}[:, {op.start}:{op.start + op.size}]"


# ---- activations -------------------------------------------------------------------------------------


def function(name: str) -> Writer:
    """A function of torch that takes the value alone."""
    return lambda page, node, x: f"{name}({x})"


def leaky(page: Page, node: Node[Leaky], x: str) -> str:
    return f"F.leaky_relu({x}, {node.op.slope!r})"


def prelu(page: Page, node: Node[PRelu], x: str) -> str:
    op = node.op
    init = "" if op.init == 0.25 else f", init={op.init!r}"
    layer = page.layer(node, f"nn.PReLU({node.type['c']}{init})")
    return f"{layer}({x})"


def elu(page: Page, node: Node[Elu], x: str) -> str:
    return f"F.elu({x}, {node.op.alpha!r})"


def celu(page: Page, node: Node[Celu], x: str) -> str:
    return f"F.celu({x}, {node.op.alpha!r})"


def gelu(page: Page, node: Node[Gelu], x: str) -> str:
    form = "" if node.op.form == "exact" else ', approximate="tanh"'
    return f"F.gelu({x}{form})"


def softplus(page: Page, node: Node, x: str) -> str:
    return f"F.softplus({x}, threshold=40)"  # from its own threshold, 20, PyTorch gives x


def hardsigmoid(page: Page, node: Node[HardSigmoid], x: str) -> str:
    op = node.op
    if (op.slope, op.offset) != (1 / 6, 0.5):
        return f"torch.clamp({op.slope!r} * {x} + {op.offset!r}, 0, 1)"
    return f"F.relu6({x} + 3) / 6"  # the gradient of F.hardsigmoid takes 1/6 in float32


def clip(page: Page, node: Node[Clip], x: str) -> str:
    low, high = (None if bound == "none" else bound for bound in (node.op.low, node.op.high))
    return f"torch.clamp({x}, {low!r}, {high!r})"


def step(page: Page, node: Node, x: str) -> str:
    return f"({x} > 0).to({x}.dtype)"


def over_channels(name: str) -> Writer:
    """A function of torch along the axis of the channels."""
    return lambda page, node, x: f"{name}({x}, 1)"


def maxout(page: Page, node: Node[Maxout], x: str) -> str:
    return f"{x}.unflatten(1, (-1, {node.op.size})).max(2).values"


def radixsoftmax(page: Page, node: Node[RadixSoftmax], x: str) -> str:
    return f"{x}.unflatten(1, ({node.op.size}, -1)).softmax(1).flatten(1, 2)"


def channelmean(page: Page, node: Node, x: str) -> str:
    return f"{x}.mean(1, keepdim=True)"


def channelmax(page: Page, node: Node, x: str) -> str:
    return f"{x}.max(1, keepdim=True).values"


# ---- normalisation and regularisation ----------------------------------------------------------------


def bn(page: Page, node: Node[Bn], x: str) -> str:
    op = node.op
    rank = 2 if page.kind(node).kind == "image" else 1
    more = with_eps(op) + ("" if op.momentum == 0.1 else f", momentum={op.momentum!r}")
    layer = page.layer(node, f"nn.BatchNorm{rank}d({node.type['c']}{more})")
    return f"{layer}({x})"


CHANNEL_NORM = '''
class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
'''

SCALE = '''
class Scale(nn.Module):
    """A learnt factor for each channel, and with a bias a number that is added."""

    def __init__(self, channels, init=1.0, bias=False):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x):
        pixels = [1] * (x.dim() - 2)
        y = x * self.weight.reshape(-1, *pixels)
        return y if self.bias is None else y + self.bias.reshape(-1, *pixels)
'''

RESPONSE_NORM = '''
class ResponseNorm(nn.Module):
    """Global response normalisation (ConvNeXt V2)."""

    def __init__(self, channels, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        pixels = [1] * (x.dim() - 2)
        norm = torch.linalg.vector_norm(x, dim=tuple(range(2, x.dim())), keepdim=True)
        share = norm / (norm.mean(1, keepdim=True) + self.eps)
        return x + x * share * self.weight.reshape(-1, *pixels) + self.bias.reshape(-1, *pixels)
'''

DROP_PATH = '''
def drop_path(x, rate, training):
    """In training the whole value of an image is zero with this probability, and else grows to keep the mean."""
    if not training:
        return x
    return x * F.dropout(torch.ones(len(x), *[1] * (x.dim() - 1), dtype=x.dtype, device=x.device), rate)
'''


def with_eps(op: LayerNorm | GroupNorm | Bn) -> str:
    return "" if op.eps == 1e-5 else f", eps={op.eps!r}"


def layernorm(page: Page, node: Node[LayerNorm], x: str) -> str:
    kind = "nn.LayerNorm" if node.type.kind == "vector" else page.piece("ChannelNorm", CHANNEL_NORM)
    layer = page.layer(node, f"{kind}({node.type['c']}{with_eps(node.op)})")
    return f"{layer}({x})"


def groupnorm(page: Page, node: Node[GroupNorm], x: str) -> str:
    (groups,) = node.op.size
    layer = page.layer(node, f"nn.GroupNorm({groups}, {node.type['c']}{with_eps(node.op)})")
    return f"{layer}({x})"


def grn(page: Page, node: Node[Grn], x: str) -> str:
    eps = "" if node.op.eps == 1e-6 else f", eps={node.op.eps!r}"
    layer = page.layer(node, f"{page.piece('ResponseNorm', RESPONSE_NORM)}({node.type['c']}{eps})")
    return f"{layer}({x})"


def lrn(page: Page, node: Node[Lrn], x: str) -> str:
    op = node.op
    settings = f"{op.size}, alpha={op.alpha!r}, beta={op.beta!r}, k={op.k!r}"
    if node.type.kind == "vector":  # PyTorch wants a pixel to each channel
        return f"F.local_response_norm({x}[:, :, None], {settings})[:, :, 0]"
    return f"F.local_response_norm({x}, {settings})"


def scale(page: Page, node: Node[ChannelScale], x: str) -> str:
    op = node.op
    settings = ("" if op.init == 1 else f", init={op.init!r}") + (", bias=True" if op.bias else "")
    layer = page.layer(node, f"{page.piece('Scale', SCALE)}({node.type['c']}{settings})")
    return f"{layer}({x})"


def droppath(page: Page, node: Node[DropPath], x: str) -> str:
    rate = node.op.rate
    return f"{page.piece('drop_path', DROP_PATH)}({x}, {rate!r}, self.training)"


def dropout(page: Page, node: Node[Dropout], x: str) -> str:
    return f"F.dropout({x}, {node.op.rate!r}, self.training)"


# ---- joins -------------------------------------------------------------------------------------------


def add(page: Page, node: Node, *inputs: str) -> str:
    return " + ".join(inputs)


def mean(page: Page, node: Node, *inputs: str) -> str:
    return f"({' + '.join(inputs)}) / {len(inputs)}"


def maximum(page: Page, node: Node, *inputs: str) -> str:
    # unlike torch.maximum, this gives the gradient of a tie to the first
    return f"torch.stack([{', '.join(inputs)}]).max(0).values"


def minimum(page: Page, node: Node, *inputs: str) -> str:
    return f"torch.stack([{', '.join(inputs)}]).min(0).values"


def sub(page: Page, node: Node, *inputs: str) -> str:
    return " - ".join(inputs)


def mul(page: Page, node: Node, *inputs: str) -> str:
    factors = []
    for value, source in zip(node.inputs, inputs, strict=True):
        missing = len(node.type.shape) - len(page.graph.type(value).shape)
        factors.append(f"{source}[{', '.join([':', ':', *['None'] * missing])}]" if missing else source)
    return " * ".join(factors)


def concat(page: Page, node: Node, *inputs: str) -> str:
    return f"torch.cat([{', '.join(inputs)}], 1)"


def writer(op: Op) -> Writer:
    """What writes a word: its function below, or else the formula of an activation."""
    return WORDS.get(op.word, pointwise) if isinstance(op, Activation) else WORDS[op.word]


WORDS: dict[str, Writer] = {
    "conv": windows.conv,
    "dwconv": windows.dwconv,
    "upconv": windows.upconv,
    "maxpool": windows.maxpool,
    "avgpool": windows.avgpool,
    "minpool": windows.minpool,
    "lppool": windows.lppool,
    "gap": windows.gap,
    "gmp": windows.gmp,
    "channelmean": channelmean,
    "channelmax": channelmax,
    "dense": windows.dense,
    "flatten": flatten,
    "reshape": reshape,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixelshuffle,
    "pixelunshuffle": pixelunshuffle,
    "shuffle": shuffle,
    "take": take,
    "relu": function("F.relu"),
    "relu6": function("F.relu6"),
    "clip": clip,
    "leaky": leaky,
    "prelu": prelu,
    "elu": elu,
    "celu": celu,
    "selu": function("F.selu"),
    "gelu": gelu,
    "swish": function("F.silu"),
    "hardswish": function("F.hardswish"),
    "mish": function("F.mish"),
    "sigmoid": function("torch.sigmoid"),
    "hardsigmoid": hardsigmoid,
    "tanh": function("torch.tanh"),
    "softplus": softplus,
    "softsign": function("F.softsign"),
    "step": step,
    "abs": function("torch.abs"),
    "softmax": over_channels("F.softmax"),
    "logsoftmax": over_channels("F.log_softmax"),
    "radixsoftmax": radixsoftmax,
    "maxout": maxout,
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "grn": grn,
    "scale": scale,
    "dropout": dropout,
    "droppath": droppath,
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": maximum,
    "min": minimum,
    "sub": sub,
    "mean": mean,
}
