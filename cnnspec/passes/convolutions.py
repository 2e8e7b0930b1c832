"""Lowering of convolutions to their methods."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..ir.geometry import Geometry
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.im2col import FlipKernel, Im2col, Im2colFilterGradient, Im2colGemm
from ..primitives.convolution.phases import (
    PhasedConvolve,
    PhasedFilterGradient,
    PhasedGemm,
    PhasedIm2col,
    PhasedIm2colFilterGradient,
)
from .methods import Convolution, filter_method, flipped_pads, input_method, no_im2col
from .rewrite import rewrite


def flip_input_gradients(graph: Graph) -> Graph:
    """The input's gradient of a stride-1 convolution is a convolution with the flipped kernel.

        dx = convolve_input_gradient dy w
        w.flipped = flip_kernel w;  dx = convolve dy w.flipped        (padded by dilate * (kernel - 1) - pad)

    Not for strides above one, whose gradient falls on some pixels only; not where col2im is quicker, since a
    product with few rows is slow, and so is a copy of many weights (`methods.py`); not for 1x1 kernels, whose
    matrix is multiplied transposed as it lies; not for depthwise kernels, which have their own.
    """
    names = list(graph.nodes)
    backward = set(names[names.index(graph.cost) :]) if graph.cost else set()

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if not isinstance(op, ConvolveInputGradient):
            return None
        if op.dense:
            return None
        dy, w = inputs
        convolution = Convolution(op.geometry, op.x, b.type(w)["f"], op.groups, graph.images)
        choice = input_method(convolution, graph.measured)
        why = f"input gradient {choice.why}" if node.name in backward else choice.why
        if choice.method != "flipping":
            made = op.changed(by_taps=choice.method == "col2im")
            return b.add(made, *inputs, name=node.name, like=node, why=why)
        flipped = b.add(FlipKernel(op.groups), w, name=f"{node.name}.flipped", like=node)
        geometry = Geometry(op.geometry.kernel, (1, 1), flipped_pads(op.geometry), op.geometry.dilate)
        return b.add(Convolve(geometry, op.groups), dy, flipped, name=node.name, like=node, why=why)

    return rewrite(graph, rule)


def lower_convolutions(graph: Graph) -> Graph:
    """Convolutions by im2col, widened once for the product and the filters' gradient.

        y = convolve x w;  dw = convolve_filter_gradient x dy
        x.wide = im2col x;  y = im2col_gemm x.wide w;  dw = im2col_filter_gradient x.wide dy

    Not for 1x1 kernels, whose columns are the image itself, nor for depthwise ones. The filters' gradient is made
    at once where that is quicker than row by row (`methods.py`).
    """

    def im2col(value: str, wanted: Im2col, node: Node, b: Builder) -> str:
        for other in b.nodes.values():
            if other.op == wanted and other.inputs == (value,):
                return other.name
        return b.add(wanted, value, name=f"{node.name.removesuffix('.products')}.wide", like=node)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if isinstance(op, Convolve):
            filters = b.type(inputs[1])["f"]
            if no_im2col(Convolution(op.geometry, b.type(inputs[0]), filters, op.groups, graph.images)):
                return None
            wanted = Im2col(op.geometry, op.groups, op.polyphase)
            wide = im2col(inputs[0], wanted, node, b)
            product = Im2colGemm(wanted, node.type, op.moments)
            return b.add(product, wide, inputs[1], name=node.name, like=node, why=node.why)
        if isinstance(op, ConvolveFilterGradient):
            convolution = Convolution(op.geometry, b.type(inputs[0]), op.w["f"], op.groups, graph.images)
            choice = filter_method(convolution, graph.measured)
            once = choice.method == "at once" and not op.polyphase
            why = f"filters' gradient {choice.why}" if once else ""
            if not no_im2col(convolution):
                wanted = Im2col(op.geometry, op.groups, op.polyphase)
                wide = im2col(inputs[0], wanted, node, b)
                made = Im2colFilterGradient(wanted, op.w, once)
                return b.add(made, wide, inputs[1], name=node.name, like=node, why=why)
            if once:
                return b.add(op.changed(at_once=True), *inputs, name=node.name, like=node, why=why)
        if isinstance(op, PhasedConvolve):
            phased = PhasedIm2col(op.geometry)
            wide = im2col(inputs[0], phased, node, b)
            return b.add(PhasedGemm(phased, node.type), wide, inputs[1], name=node.name, like=node, why=node.why)
        if isinstance(op, PhasedFilterGradient):
            phased = PhasedIm2col(op.geometry)
            wide = im2col(inputs[0], phased, node, b)
            return b.add(PhasedIm2colFilterGradient(phased, op.w), wide, inputs[1], name=node.name, like=node)
        return None

    return rewrite(graph, rule)
