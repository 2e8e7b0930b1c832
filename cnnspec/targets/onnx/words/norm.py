"""Words with a number for each channel in ONNX: normalisations, `scale`, `prelu`."""

from __future__ import annotations

from ....ir import Node
from ....words.affine import ChannelScale
from ....words.norm import Bn
from ....words.standardise import Grn, GroupNorm, LayerNorm, Lrn
from ..page import WORD, OnnxPage, Writer
from .pixel import reduced


def bn(page: OnnxPage, node: Node[Bn], x: str) -> None:
    op = node.op
    learnt = [page.weight(node, name) for name in ("weight", "bias", "running_mean", "running_var")]
    page.add("BatchNormalization", node, x, *learnt, epsilon=op.eps, momentum=1 - op.momentum)


def by_channel(page: OnnxPage, node: Node, name: str) -> str:
    """A parameter with a number for each channel, in the shape in which ONNX spreads it over pixels."""
    weight = page.weight(node, name)
    rank = len(node.type.spatial)
    if not rank:
        return weight
    axes = page.constant(f"{node.name}.axes", list(range(1, 1 + rank)))
    return page.add("Unsqueeze", node, weight, axes, part=f"{name}s")


def scale(page: OnnxPage, node: Node[ChannelScale], x: str) -> None:
    """Factors, and numbers added: noted, so that no reader makes them part of the layer before."""
    op = node.op
    y = page.add("Mul", node, x, by_channel(page, node, "weight"), part="scaled" if op.bias else "")
    if op.bias:
        page.add("Add", node, y, by_channel(page, node, "bias"))
    page.note(WORD, "scale bias on" if op.bias else "scale")


def prelu(page: OnnxPage, node: Node, x: str) -> None:
    page.add("PRelu", node, x, by_channel(page, node, "weight"))


def layernorm(page: OnnxPage, node: Node[LayerNorm], x: str) -> None:
    op = node.op
    learnt = [page.weight(node, "weight"), page.weight(node, "bias")]
    rank = len(node.type.shape)
    if rank == 1:
        page.add("LayerNormalization", node, x, *learnt, epsilon=op.eps)
        return
    last = page.add("Transpose", node, x, part="pixels", perm=[0, *range(2, rank + 1), 1])
    made = page.add("LayerNormalization", node, last, *learnt, part="normal", epsilon=op.eps)
    page.add("Transpose", node, made, perm=[0, rank, *range(1, rank)])


def groupnorm(page: OnnxPage, node: Node[GroupNorm], x: str) -> None:
    """One operator since opset 21; before, each group is a channel of an InstanceNormalization."""
    op = node.op
    groups = op.size[0]
    if page.opset >= 21 and node.type.spatial:
        learnt = [page.weight(node, "weight"), page.weight(node, "bias")]
        page.add("GroupNormalization", node, x, *learnt, num_groups=groups, epsilon=op.eps)
        return
    together = page.constant(f"{node.name}.groups", [0, groups, -1])
    parts = page.add("Reshape", node, x, together, part="grouped")
    plain = [page.constant(f"{node.name}.{k}", [v] * groups, page.dtype) for k, v in (("ones", 1), ("zeros", 0))]
    alike = page.add("InstanceNormalization", node, parts, *plain, part="standard", epsilon=op.eps)
    shape = page.constant(f"{node.name}.shape", [0, *node.type.shape])
    back = page.add("Reshape", node, alike, shape, part="normal")
    scaled = page.add("Mul", node, back, by_channel(page, node, "weight"), part="scaled")
    page.add("Add", node, scaled, by_channel(page, node, "bias"))


def lrn(page: OnnxPage, node: Node[Lrn], x: str) -> None:
    op = node.op
    settings = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "bias": op.k}
    rank = len(node.type.shape)
    axes = page.constant(f"{node.name}.axes", list(range(rank + 1, 4))) if rank < 3 else ""
    if axes:
        x = page.add("Unsqueeze", node, x, axes, part="image")
    if op.size % 2 == 0:  # the odd channel is the one before here, and the one after in ONNX
        x = turned(page, node, x, "turned")
    x = page.add("LRN", node, x, part="" if rank == 3 and op.size % 2 else "normal", **settings)
    if op.size % 2 == 0:
        x = turned(page, node, x, "" if rank == 3 else "back")
    if axes:
        page.add("Squeeze", node, x, axes)


def turned(page: OnnxPage, node: Node, x: str, part: str) -> str:
    """The channels from last to first."""
    ends = [page.constant(f"{node.name}.{k}", [v]) for k, v in (("last", -1), ("first", -(1 << 31)), ("c", 1))]
    return page.add("Slice", node, x, *ends, page.constant(f"{node.name}.back_by", [-1]), part=part)


def grn(page: OnnxPage, node: Node[Grn], x: str) -> None:
    """in + in * ratio * weight + bias, in the operators that PyTorch's exporter writes ConvNeXt V2 with."""
    rank = len(page.kind(node).spatial)
    norm = reduced(page, node, "ReduceL2", x, [*range(2, 2 + rank)], part="norm")
    mean = reduced(page, node, "ReduceMean", norm, [1], part="mean")
    total = page.add("Add", node, mean, page.number(f"{node.name}.eps", node.op.eps), part="total")
    ratio = page.add("Div", node, norm, total, part="ratio")
    weight, bias = (by_channel(page, node, name) for name in ("weight", "bias"))
    shared = page.add("Mul", node, x, ratio, part="shared")
    scaled = page.add("Mul", node, weight, shared, part="scaled")
    page.add("Add", node, x, page.add("Add", node, bias, scaled, part="more"))


WORDS: dict[str, Writer] = {
    "prelu": prelu,
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "grn": grn,
    "scale": scale,
}
