"""How each convolution is computed."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..ops.columns import Columns, ColumnsFilterGradient, ColumnsProduct, TurnKernel
from ..ops.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..ops.geometry import Geometry
from .rewrite import rewrite


def turn_input_gradients(graph: Graph) -> Graph:
    """The input's gradient of a stride-1 convolution is a convolution with the turned kernel.

        dx = convolve_input_gradient dy w
        w.turned = turn w;  dx = convolve dy w.turned        (padded by dilate * (kernel - 1) - pad)

    Not for strides above one, whose gradient falls on some pixels only; not where there are few channels
    (a product with few rows is slow, spreading is quicker); not for depthwise kernels, which have their own.
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if not isinstance(op, ConvolveInputGradient) or op.geometry.stride != (1, 1):
            return None
        if op.geometry.plain and op.groups == 1:
            pads = ((0, 0), (0, 0))
        else:
            if op.groups > 1 and b.type(inputs[1])["c"] == 1:
                return None
            if op.x["c"] // op.groups < 16:
                return None
            pads = tuple(  # type: ignore[assignment]
                (extent - 1 - before, extent - 1 - after)
                for extent, (before, after) in zip(op.geometry.extent, op.geometry.pad, strict=True)
            )
            if min(min(pair) for pair in pads) < 0:
                return None
        dy, w = inputs
        turned = b.add(TurnKernel(op.groups), w, name=f"{node.name}.turned", like=node)
        geometry = Geometry(op.geometry.kernel, (1, 1), pads, op.geometry.dilate)
        return b.add(Convolve(geometry, op.groups), dy, turned, name=node.name, like=node)

    return rewrite(graph, rule)


def unroll_convolutions(graph: Graph) -> Graph:
    """Convolutions by columns, widened once for the product and the filters' gradient.

        y = convolve x w;  dw = convolve_filter_gradient x dy
        x.wide = columns x;  y = columns_product x.wide w;  dw = columns_filter_gradient x.wide dy

    Not for 1x1 kernels, whose columns are the image itself, nor for depthwise ones.
    """

    def by_columns(op: Convolve | ConvolveFilterGradient, channels: int, filters: int) -> bool:
        depthwise = op.groups > 1 and channels == 1 and filters == op.groups
        return not depthwise and not (op.geometry.plain and op.groups == 1)

    def columns(value: str, op: Convolve | ConvolveFilterGradient, node: Node, b: Builder) -> str:
        wanted = Columns(op.geometry, op.groups)
        for other in b.nodes.values():
            if other.op == wanted and other.inputs == (value,):
                return other.name
        return b.add(wanted, value, name=f"{node.name.removesuffix('.products')}.wide", like=node)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if isinstance(op, Convolve):
            w = b.type(inputs[1])
            if by_columns(op, w["c"], w["f"]):
                wide = columns(inputs[0], op, node, b)
                product = ColumnsProduct(Columns(op.geometry, op.groups), node.type)
                return b.add(product, wide, inputs[1], name=node.name, like=node)
        if isinstance(op, ConvolveFilterGradient) and by_columns(op, op.w["c"], op.w["f"]):
            wide = columns(inputs[0], op, node, b)
            made = ColumnsFilterGradient(Columns(op.geometry, op.groups), op.w)
            return b.add(made, wide, inputs[1], name=node.name, like=node)
        return None

    return rewrite(graph, rule)
