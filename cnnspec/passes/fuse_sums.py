"""Batch normalisation's moments and sums, taken where the rows are made."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.convolution.convolve import Convolve, ConvolveFilterGradient, ConvolveInputGradient
from ..primitives.convolution.pointwise import PointwiseNormGradient, PointwiseNormSums
from ..primitives.convolution.winograd_1d import WinogradConvolve, WinogradConvolveGradient
from ..primitives.norm import BatchNorm, BatchNormGradient, BatchNormSums, ReluBatchNormSums
from ..words.merge import Add
from .methods import Convolution, filter_method
from .rewrite import Absorbed, rewrite

# A number of y that is no longer read and written takes as long as so many multiply-adds; a number of x that is
# copied as long as some of these; one of the matrices that all pixels share as long as so many numbers of y.
PRODUCTS, COPY, MATRICES = 40, 16, 6
MOST = 0.6  # of the time that is saved, which may go into these


def moments_of_rows(graph: Graph) -> Graph:
    """A convolution takes the moments of what it makes, block by block, for the batch normalisation that follows.

    y = winograd x w;  n = batch_norm y g b
    y = winograd x w, moments;  n = batch_norm y g b y:moments
    """
    summed = {node.inputs[0] for node in graph if isinstance(node.op, BatchNorm) and by_rows(graph, node.inputs[0])}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in summed:
            return b.add(node.op.changed(moments=True), *inputs, name=node.name, like=node, why=node.why)
        if isinstance(node.op, BatchNorm) and node.inputs[0] in summed:
            return b.add(node.op.changed(summed=True), *inputs, f"{inputs[0]}:moments", name=node.name, like=node)
        return None

    return rewrite(graph, rule)


def by_rows(graph: Graph, value: str) -> bool:
    """Whether a convolution makes the value block by block."""
    op = graph[value].op
    makes = isinstance(op, WinogradConvolve) or (isinstance(op, Convolve) and op.polyphase)
    return makes and value == graph[value].name


def sums_of_gradients(graph: Graph) -> Graph:
    """The gradient that comes out of a convolution goes through relu, and is summed for bn, block by block.

        dx = winograd_gradient dy x w;  d = add dx r;  dz = relu_batch_norm_sums d z m v x
        dz = winograd_gradient dy x w z m v x r, sums

    Not where another node reads the gradient in between: it does not last.
    """
    readers, results = graph.readers(), set(graph.results)

    def alone(value: str) -> bool:
        return len(readers[value]) == 1 and value not in results

    def gradient(value: str) -> bool:
        """Whether a convolution's gradient makes this value, for one reader, and the filters' for none."""
        made = graph[value]
        its = isinstance(made.op, WinogradConvolveGradient) and value == made.name
        return its and alone(value) and f"{value}:dw" not in readers

    found: dict[str, tuple[str, str]] = {}  # what the sums' node joins: the convolution's gradient, and the sum
    for node in graph:
        if isinstance(node.op, ReluBatchNormSums):
            total = graph[node.inputs[0]]
            if gradient(total.name):
                found[node.name] = total.name, ""
            elif isinstance(total.op, Add) and len(total.inputs) == 2 and alone(total.name):
                parts = [value for value in total.inputs if gradient(value)]
                if parts:
                    found[node.name] = parts[0], total.name
    gone: Absorbed = {name: () for pair in found.values() for name in pair if name}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        if node.name not in found:
            return None
        name, total = found[node.name]
        rest = [value for value in gone[total] if value != name] if total else []
        op = graph[name].op.changed(sums=node.op)
        made = b.add(op, *gone[name], *inputs[1:], *rest, name=name, like=graph[name])
        return {node.name: made, **{f"{node.name}:{extra}": f"{made}:{extra}" for extra in node.extras}}

    return rewrite(graph, rule, gone)


def sums_of_products(graph: Graph) -> Graph:
    """A 1x1 convolution from few channels to many gets its gradients through a normalisation from what goes in.

        y = convolve x w;  d.sums = batch_norm_sums d y m v;  dy = batch_norm_gradient d y m v g d.sums
        dx = convolve_input_gradient dy w;  dw = convolve_filter_gradient x dy

        d.sums = pointwise_norm_sums d x w m v;  dx = pointwise_norm_gradient d w m v g d.sums ...

    Neither y nor dy, which is as large, is read or written then. Not where another node reads dy or the sums, nor
    where products of x with itself would take longer than that.
    """
    readers, results = graph.readers(), set(graph.results)
    sums: dict[str, Node] = {}  # by the sums' node: the convolution
    gradients: dict[str, Node] = {}  # by the node of dx: the normalisation's gradient
    filters: dict[str, str] = {}  # by the node of dw: that of dx
    for node in graph:
        if not isinstance(node.op, BatchNormGradient) or node.name in results:
            continue
        y, total = graph[node.inputs[1]], graph[node.inputs[-1]]
        if not pointwise(y, graph) or type(total.op) is not BatchNormSums or len(readers[total.name]) > 1:
            continue
        x, w = y.inputs
        back = {type(reader.op): reader for reader in readers[node.name] if {x, w} & set(reader.inputs)}
        if len(readers[node.name]) == 2 and back.keys() == {ConvolveInputGradient, ConvolveFilterGradient}:
            dx, dw = back[ConvolveInputGradient], back[ConvolveFilterGradient]
            sums[total.name], gradients[dx.name], filters[dw.name] = y, node, dx.name
    gone: Absorbed = {node.name: () for node in gradients.values()}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in sums:
            y, op = sums[node.name], node.op
            assert isinstance(op, BatchNormSums) and isinstance(y.op, Convolve)
            found = Convolution(y.op.geometry, graph.type(y.inputs[0]), y.type["c"], 1, graph.images)
            at_once = filter_method(found, graph.measured).method == "at once"
            dy, _, mean, var = inputs
            made = PointwiseNormSums(op.eps, at_once)
            return b.add(made, dy, *y.inputs, mean, var, name=node.name, like=node, why="from products with x")
        if node.name in gradients:
            norm = gradients[node.name]
            assert isinstance(norm.op, BatchNormGradient)
            dy, _, mean, var, weight, total = gone[norm.name]
            left = (f"{total}:{name}" for name in ("centre", "centred", "products"))
            op = PointwiseNormGradient(norm.op.eps)
            return b.add(op, dy, inputs[1], mean, var, weight, total, *left, name=node.name, like=node)
        return f"{filters[node.name]}:dw" if node.name in filters else None

    return rewrite(graph, rule, gone)


def pointwise(node: Node, graph: Graph) -> bool:
    """Whether a node is a 1x1 convolution from so few channels to so many that products take its place."""
    op = node.op
    if not isinstance(op, Convolve) or not op.geometry.plain or op.groups > 1 or op.polyphase:
        return False
    x = graph.type(node.inputs[0])
    if x.kind != "image":
        return False
    channels, pixels = x["c"], x["h"] * x["w"] * graph.images
    each = channels * (channels + COPY) / node.type["c"] / PRODUCTS
    return each + channels * MATRICES / pixels < MOST
