"""Activations in PyTorch, where it has a function for them, and words along the channels."""

from __future__ import annotations

from ...ir import Node
from ...words.activation.gates import Gelu
from ...words.activation.rectifiers import Celu, Clip, Elu, Leaky
from ...words.activation.sigmoids import HardSigmoid
from ...words.affine import PRelu
from ...words.channels import Maxout, RadixSoftmax
from .page import Page, Writer


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


WORDS: dict[str, Writer] = {
    "channelmean": channelmean,
    "channelmax": channelmax,
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
}
