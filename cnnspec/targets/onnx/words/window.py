"""Words that slide a window, in ONNX: convolutions and pools."""

from __future__ import annotations

from typing import Any

from ....ir import Node
from ....ir.geometry import Geometry, each
from ....words.conv import Conv, DwConv
from ....words.dense import Dense
from ....words.pool import AvgPool, LpPool, MaxPool, MinPool
from ....words.upconv import UpConv
from ..page import OnnxPage, Writer


def sliding(geometry: Geometry, rank: int, dilated: bool = True) -> dict[str, Any]:
    """Kernel, stride and padding as attributes: pads are all beginnings, then all ends.

    Where not `dilated` (pools, to which later opsets gave it) the dilation is left out unless there is one.
    """
    pads = geometry.pad[-rank:]
    found = {
        "kernel_shape": list(geometry.kernel[-rank:]),
        "strides": list(geometry.stride[-rank:]),
        "pads": [before for before, _ in pads] + [after for _, after in pads],
    }
    apart = list(geometry.dilate[-rank:])
    return {**found, "dilations": apart} if dilated or set(apart) != {1} else found


def biased(page: OnnxPage, node: Node[Conv | DwConv | UpConv | Dense]) -> list[str]:
    """The names of weight and bias."""
    op = node.op
    return [page.weight(node, "weight")] + ([page.weight(node, "bias")] if op.bias else [])


def convolution(page: OnnxPage, node: Node[Conv | DwConv], x: str) -> None:
    op = node.op
    kind = page.kind(node)
    groups = kind["c"] if isinstance(op, DwConv) else op.groups
    attributes = sliding(op.geometry(kind), len(kind.spatial))
    page.add("Conv", node, x, *biased(page, node), group=groups, **attributes)


def upconv(page: OnnxPage, node: Node[UpConv], x: str) -> None:
    op = node.op
    kind = page.kind(node)
    rank = len(kind.spatial)
    added = list(each(op.output_pad, rank, "output_pad", fill=0)[-rank:])
    attributes = {**sliding(op.geometry(kind), rank), "output_padding": added, "group": op.groups}
    page.add("ConvTranspose", node, x, *biased(page, node), **attributes)


def maxpool(page: OnnxPage, node: Node[MaxPool], x: str) -> None:
    op = node.op
    kind = page.kind(node)
    page.add("MaxPool", node, x, **sliding(op.geometry(kind), len(kind.spatial), dilated=False))


def minpool(page: OnnxPage, node: Node[MinPool], x: str) -> None:
    op = node.op
    kind = page.kind(node)
    negated = page.add("Neg", node, x, part="negated")
    window = sliding(op.geometry(kind), len(kind.spatial), dilated=False)
    page.add("Neg", node, page.add("MaxPool", node, negated, part="largest", **window))


def avgpool(page: OnnxPage, node: Node[AvgPool], x: str) -> None:
    op = node.op
    if op.dilate != 1:
        page.ask_for(19, op.written())
    kind = page.kind(node)
    window = sliding(op.geometry(kind), len(kind.spatial), dilated=False)
    page.add("AveragePool", node, x, count_include_pad=int(op.count_pad), **window)


def lppool(page: OnnxPage, node: Node[LpPool], x: str) -> None:
    op = node.op
    if op.dilate != 1:
        page.ask_for(18, op.written())
    kind = page.kind(node)
    page.add("LpPool", node, x, p=op.p, **sliding(op.geometry(kind), len(kind.spatial), dilated=False))


WORDS: dict[str, Writer] = {
    "conv": convolution,
    "dwconv": convolution,
    "upconv": upconv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "minpool": minpool,
    "lppool": lppool,
}
