"""Lowering of convolutions to their methods."""

from __future__ import annotations

from ..ir import Builder, Graph, Node, TensorType
from ..ir.geometry import Geometry
from ..ir.leaves import Input
from ..ir.op import Op
from ..primitives.activation import Activation
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.depthwise_bands import (
    STRIP,
    ColumnsByPhase,
    DenseTaps,
    DepthwiseBands,
    DepthwiseByBands,
    DepthwiseDense,
)
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


def depthwise_bands(graph: Graph) -> Graph:
    """Depthwise convolutions with their kernels as matrices, which are made of parameters alone.

        y = convolve x w;  dx = convolve_input_gradient dy w
        w.bands = depthwise_bands w;  y = depthwise_by_bands x w.bands
        w.flipped = depthwise_bands w;  dx = depthwise_by_bands dy w.flipped
        w.dense = dense_taps w;  y = depthwise_dense x w.dense            (where the image has few pixels)

    The input's gradient only with stride 1.
    """

    def flips(op: Convolve | ConvolveInputGradient) -> bool:
        return not op.dense and op.geometry.stride == (1, 1) and min(map(min, flipped_pads(op.geometry))) >= 0

    def weights(op: DepthwiseBands | DenseTaps, w: str, suffix: str, b: Builder) -> str:
        """One for all readers."""
        for other in b.nodes.values():
            if other.op == op and other.inputs == (w,):
                return other.name
        return b.add(op, w, name=b.free_name(f"{w}.{suffix}"), like=b.nodes[w])

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if not isinstance(op, (Convolve, ConvolveInputGradient)) or op.groups == 1:
            return None
        x, w = inputs
        forward = isinstance(op, Convolve)
        if b.type(w)["c"] > 1 or b.type(w)["f"] > op.groups or not (forward or flips(op)):
            return None
        if op.dense:
            matrix = weights(DenseTaps(op.geometry, b.type(x)), w, "dense", b)
            return b.add(DepthwiseDense(op.geometry), x, matrix, name=node.name, like=node, why=node.why)
        geometry = op.geometry
        if not forward:
            geometry = Geometry(geometry.kernel, (1, 1), flipped_pads(geometry), geometry.dilate)
        rows = rows_of_strip(node.type)
        bands = weights(DepthwiseBands(geometry, rows, not forward), w, "bands" if forward else "flipped", b)
        return b.add(DepthwiseByBands(geometry), x, bands, name=node.name, like=node, why=node.why)

    return rewrite(graph, rule)


def depthwise_by_phase(graph: Graph) -> Graph:
    """A strided depthwise convolution gets columns by phase from where an image has fewer channels.

        y = convolve x w;  r = relu y;  z = depthwise_by_bands r v                  (1x1, more channels than x)
        p = columns_by_phase x;  y = convolve p w;  r = relu y;  z = depthwise_by_bands r v, by_phase

    Pixels that lie apart are then copied one by one where they are few. Not where another node reads y or r, nor
    where the stride does not divide the columns.
    """
    readers, results = graph.readers(), set(graph.results)

    def alone(node: Node) -> bool:
        return len(readers[node.name]) == 1 and node.name not in results

    def source(node: Node) -> Node | None:
        """The 1x1 convolution that all pixels of a depthwise one come from, each by itself."""
        above = graph[node.inputs[0]]
        while alone(above) and isinstance(above.op, (AddBias, Activation)):
            if sum(graph.type(value).batched for value in above.inputs) > 1:
                return None
            above = graph[above.inputs[0]]
        op = above.op
        if not isinstance(op, Convolve) or not op.geometry.plain or op.groups > 1 or op.polyphase:
            return None
        widens = 2 * graph.type(above.inputs[0])["c"] <= above.type["c"]
        return above if widens and alone(above) else None

    moved: dict[str, int] = {}
    strided = []
    for node in graph:
        if isinstance(node.op, DepthwiseByBands) and node.op.geometry.stride[1] > 1:
            stride, made = node.op.geometry.stride[1], source(node)
            if made is not None and graph.type(node.inputs[0])["w"] % stride == 0:
                moved[made.name] = stride
                strided.append(node.name)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in moved:
            x, w = inputs
            by_phase = b.add(ColumnsByPhase(moved[node.name]), x, name=b.free_name(f"{x}.by_phase"), like=node)
            return b.add(node.op, by_phase, w, name=node.name, like=node, why=node.why)
        if node.name in strided:
            return b.add(node.op.changed(by_phase=True), *inputs, name=node.name, like=node, why=node.why)
        return None

    return rewrite(graph, rule)


def rows_of_strip(y: TensorType) -> int:
    """How many rows of an image are a product: two at least, since that of one row has other sums."""
    return max(2, min(STRIP, y["h"])) if y.kind == "image" else 1


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
