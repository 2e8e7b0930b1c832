"""Lowering of convolutions to their methods."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..ir.geometry import Geometry
from ..ir.leaves import Input
from ..ir.op import Op
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.im2col import FlipKernel, Im2col, Im2colFilterGradient, Im2colGemm
from ..primitives.convolution.phases import (
    PhasedConvolve,
    PhasedFilterGradient,
    PhasedGemm,
    PhasedIm2col,
    PhasedIm2colFilterGradient,
)
from ..primitives.convolution.taps import FilterGradientByTap, InputGradientByTap
from ..primitives.convolution.winograd_phases import (
    ConvolvePhases,
    FilterComponents,
    LargeComponents,
    PhasesFilterGradient,
    SmallComponents,
    SpreadPhases,
)
from .methods import (
    PHASES,
    Convolution,
    filter_method,
    flipped_pads,
    input_method,
    layer_method,
    no_im2col,
    no_winograd_phases,
)
from .rewrite import rewrite

MUCH = 1_000_000  # multiply-adds of a layer beside which copies of its columns do not matter
NARROW = 8  # pixels of all images' rows, with fewer of which a product is slow
PIECES, FEWEST = 4, 32  # products of a layer that is made at once, which workers may share, each of so many filters
MANY, WIDE = 500_000, 12  # weights that do not stay in a core's cache from row to row, and pixels that are few then


def winograd_phases(graph: Graph) -> Graph:
    """4x4 convolutions with stride 2, transposed ones, and their gradients, by Winograd's method in phases.

        y = convolve x w;  dx = convolve_input_gradient dy w;  dw = convolve_filter_gradient x dy
        u = filter_components w;  s = small_components dy;  l = large_components x
        y = convolve_phases l u;  dx = spread_phases s u;  dw = phases_filter_gradient s l

    Where that is chosen (`methods`), for all three or none where something is learnt; not for a single image, which
    is computed row by row.
    """
    learns = bool(graph.gradients)

    def components(op: Op, value: str, suffix: str, node: Node, b: Builder) -> str:
        for other in b.nodes.values():
            if other.op == op and other.inputs == (value,):
                return other.name
        return b.add(op, value, name=b.free_name(f"{value.partition(':')[0]}.{suffix}"), like=node)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if not isinstance(op, (Convolve, ConvolveInputGradient, ConvolveFilterGradient)):
            return None
        first, second = inputs
        x = op.x if isinstance(op, ConvolveInputGradient) else b.type(first)
        w = op.w if isinstance(op, ConvolveFilterGradient) else b.type(second)
        given = not isinstance(op, ConvolveInputGradient) and isinstance(b.nodes[first.partition(":")[0]].op, Input)
        convolution = Convolution(op.geometry, x, w["f"], op.groups, graph.images, given, learns)
        if no_winograd_phases(convolution):
            return None
        alone = isinstance(op, ConvolveInputGradient) and not learns
        choice = (input_method if alone else layer_method)(convolution, graph.measured)
        if choice.method != PHASES:
            return None
        if isinstance(op, Convolve):
            large = components(LargeComponents(), first, "components", node, b)
            u = components(FilterComponents(), second, "components", node, b)
            return b.add(ConvolvePhases(node.type), large, u, name=node.name, like=node, why=choice.why)
        if isinstance(op, ConvolveInputGradient):
            small = components(SmallComponents(), first, "components", node, b)
            u = components(FilterComponents(), second, "components", node, b)
            return b.add(SpreadPhases(node.type), small, u, name=node.name, like=node, why=choice.why)
        large = components(LargeComponents(), first, "components", node, b)
        small = components(SmallComponents(), second, "components", node, b)
        return b.add(PhasesFilterGradient(op.w), small, large, name=node.name, like=node)

    return rewrite(graph, rule)


def flip_input_gradients(graph: Graph) -> Graph:
    """The input's gradient of a stride-1 convolution is a convolution with the flipped kernel.

        dx = convolve_input_gradient dy w
        w.flipped = flip_kernel w;  dx = convolve dy w.flipped        (padded by dilate * (kernel - 1) - pad)

    Not for strides above one, whose gradient falls on some pixels only, though pixels that lie a stride apart are
    made by such convolutions where that is quicker than col2im; not where col2im is quicker, since a
    product with few rows is slow, and so is a copy of many weights (`methods`); not for 1x1 kernels, whose
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
        shards = graph.shards if graph.gradients else 1
        convolution = Convolution(op.geometry, op.x, b.type(w)["f"], op.groups, graph.images, shards=shards)
        choice = input_method(convolution, graph.measured)
        why = f"input gradient {choice.why}" if node.name in backward else choice.why
        if choice.method == "tap by tap":
            by_tap = InputGradientByTap(op.geometry, op.x)
            return b.add(by_tap, *inputs, name=node.name, like=node, why=why)
        if choice.method != "flipping":
            made = op.changed(by_taps=choice.method == "col2im", by_phase=choice.method == "phases")
            return b.add(made, *inputs, name=node.name, like=node, why=why)
        flipped = b.add(FlipKernel(op.groups), w, name=f"{node.name}.flipped", like=node)
        geometry = Geometry(op.geometry.kernel, (1, 1), flipped_pads(op.geometry), op.geometry.dilate)
        return b.add(Convolve(geometry, op.groups), dy, flipped, name=node.name, like=node, why=why)

    return rewrite(graph, rule)


def filters_at_once(filters: int) -> int:
    """How many filters are a product, where all rows of one image are made at once; workers may share them."""
    return filters // PIECES if filters % PIECES == 0 and filters >= PIECES * FEWEST else filters


def few_pixels_at_once(graph: Graph) -> Graph:
    """The rows of one small image, or of a few, by one product.

        y = convolve x w
        y = convolve x w, at_once

    A product of its own for each row has few columns, and reads all weights again. No worker can make some rows of
    one image then, since other products would have other bits; but some filters, a quarter of which are a product.
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op, kind = node.op, node.type
        if not isinstance(op, Convolve) or op.groups > 1 or op.polyphase or kind.kind != "image":
            return None
        if kind["h"] == 1 or op.geometry.dilate[0] > 1 or op.macs(*graph.types(node)) < MUCH:
            return None
        many = graph.type(node.inputs[1]).elements >= MANY
        if kind["w"] * graph.images >= (WIDE if many else NARROW):
            return None
        why = "all rows by one product, for each of them has few pixels"
        some = filters_at_once(kind["c"]) if graph.images == 1 else kind["c"]
        return b.add(op.changed(at_once=some), *inputs, name=node.name, like=node, why=why)

    return rewrite(graph, rule)


def lower_convolutions(graph: Graph) -> Graph:
    """Convolutions by im2col, widened once for the product and the filters' gradient.

        y = convolve x w;  dw = convolve_filter_gradient x dy
        x.wide = im2col x;  y = im2col_gemm x.wide w;  dw = im2col_filter_gradient x.wide dy

    Not for 1x1 kernels, whose columns are the image itself, nor for depthwise ones. The filters' gradient is made
    at once where that is quicker than row by row (`methods`).
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
            product = Im2colGemm(wanted, node.type, op.moments, op.at_once)
            return b.add(product, wide, inputs[1], name=node.name, like=node, why=node.why)
        if isinstance(op, ConvolveFilterGradient):
            convolution = Convolution(op.geometry, b.type(inputs[0]), op.w["f"], op.groups, graph.images)
            choice = filter_method(convolution, graph.measured)
            once = choice.method == "at once" and not op.polyphase
            met = choice.method == "tap by tap" and not op.polyphase
            why = f"filters' gradient {choice.why}" if once or met else ""
            if met:
                by_tap = FilterGradientByTap(op.geometry, op.w)
                return b.add(by_tap, *inputs, name=node.name, like=node, why=why)
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
