"""Winograd's convolution where it pays, and residue rows as far as they carry."""

from __future__ import annotations

from ..ir import Builder, Graph, Node, TensorType
from ..ops.convolve import Convolve
from ..ops.winograd import Pixels, Residues, WinogradConvolve
from .rewrite import rewrite

CHANNELS = 16  # below, the transforms cost more than the products they save
RUN = 64  # numbers of a tile's row: shorter runs of memory are all overhead


def suits(op: Convolve, x: TensorType, w: TensorType, images: int) -> bool:
    """Whether a convolution is one that Winograd's method does, and does faster."""
    if x.kind != "image" or op.groups > 1 or op.geometry.kernel != (3, 3):
        return False
    if op.geometry.stride != (1, 1) or op.geometry.dilate != (1, 1):
        return False
    pad_rows, pad_columns = op.geometry.pad
    width = op.type(x, w)["w"]
    fits = width % 4 == 0 and pad_columns in ((0, 0), (1, 1)) and max(pad_rows) <= 2
    return fits and min(w["c"], w["f"]) >= CHANNELS and width // 4 * images >= RUN


def winograd(graph: Graph) -> Graph:
    """3x3 convolutions with enough channels and images, and what stands between them, in residue rows.

        y = convolve x w;  r = relu y;  z = convolve r v
        y = winograd (residues x) w;  r = relu y;  z = pixels (winograd r v)

    Pooling takes residue rows and gives an image. Not for strides or dilations, few channels, widths that four
    does not divide, or a handful of images.
    """

    def moved(value: str, b: Builder) -> str | None:
        """The value in residue rows where it comes from there, with every tile full."""
        made = b.nodes[value.partition(":")[0]]
        full = isinstance(made.op, Pixels) and b.type(made.inputs[0])["t"] * 4 == made.op.width
        return made.inputs[0] if full and ":" not in value else None

    def residues(value: str, node: Node, b: Builder) -> str:
        made = b.nodes[value.partition(":")[0]]
        if isinstance(made.op, Pixels):
            return made.inputs[0]
        for other in b.nodes.values():
            if isinstance(other.op, Residues) and other.inputs == (value,):
                return other.name
        return b.add(Residues(), value, name=f"{made.name}.in_residues", like=made)

    def back(value: str, node: Node, b: Builder) -> dict[str, str]:
        return {node.name: b.add(Pixels(node.type["w"]), value, name=f"{node.name}.in_order", like=node)}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        op = node.op
        types = tuple(b.type(value) for value in inputs)
        if isinstance(op, Convolve) and suits(op, types[0], types[1], graph.images):
            x = residues(inputs[0], node, b)
            made = WinogradConvolve(op.geometry, types[0]["w"])
            return back(b.add(made, x, inputs[1], name=node.name, like=node), node, b)
        same = op.on_residues(*types)
        if node.type.kind == "image" and same is not None:
            images = [value for value, kind in zip(inputs, types, strict=True) if kind.batched]
            if any(moved(value, b) for value in images):
                there = [residues(v, node, b) if kind.batched else v for v, kind in zip(inputs, types, strict=True)]
                value = b.add(same, *there, name=node.name, like=node)
                return value if b.type(value).kind == "image" else back(value, node, b)
        return None

    return rewrite(graph, rule)
