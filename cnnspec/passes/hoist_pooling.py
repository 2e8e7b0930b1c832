"""Max pooling before what commutes with it, and convolutions whose output lies as the pooling reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from ..ir import Builder, Graph, Node
from ..ir.leaves import Input
from ..primitives.activation import Activation, Rectifier
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import Convolve
from ..primitives.convolution.phases import MaxPhases, PhasedConvolve
from ..primitives.convolution.pooled import CornerFilters, PooledConvolve, pooled_geometry
from ..primitives.windows import MaxWindows
from .methods import Convolution, no_im2col
from .rewrite import Absorbed, both, rewrite

ZEROS = 500_000  # multiply-adds with zeros, which take about as long as the calls that they save


def commutes(node: Node) -> bool:
    """Whether max pooling may move before a node: a bias or a rising activation keeps which value is largest."""
    return isinstance(node.op, AddBias) or (isinstance(node.op, Activation) and node.op.monotone)


def hoist_pooling(graph: Graph) -> Graph:
    """Pool, then add the bias and apply the activation, to a quarter of the numbers.

        a = add_bias y b;  r = relu a;  p = max_windows r
        p.pooled = max_windows y;  p.a = add_bias p.pooled b;  p = relu p.a

    Not where another node reads the values in between: they would have to be computed as well. A rising
    function keeps which value is the largest, though values that it maps to one (all negative ones under relu)
    may now send their gradient, which is zero there, to another pixel.
    """
    readers = graph.readers()
    results = set(graph.results)

    def chain_above(node: Node) -> list[Node]:
        """What can move below the pool, nearest first."""
        found: list[Node] = []
        value = node.inputs[0]
        while True:
            above = graph[value]
            if not commutes(above) or len(readers[above.name]) != 1 or above.name in results:
                return found
            found.append(above)
            value = above.inputs[0]

    moved: dict[str, list[Node]] = {}
    for node in graph:
        if isinstance(node.op, MaxWindows):
            chain = chain_above(node)
            if chain:
                moved[node.name] = chain
    skipped = {above.name for chain in moved.values() for above in chain}
    if not moved:
        return graph

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        if node.name in skipped:
            return {node.name: inputs[0]}  # nobody but the pool reads it
        if node.name not in moved:
            return None
        value = b.add(node.op, inputs[0], name=f"{node.name}.pooled", like=node)
        for above in reversed(moved[node.name]):
            last = above is moved[node.name][0]
            name = node.name if last else above.name
            value = b.add(above.op, value, *above.inputs[1:], name=name, like=above)
            b.nodes[value] = replace(b.nodes[value], span=above.span)
        return value

    return rewrite(graph, rule)


def phased_pooling(graph: Graph) -> Graph:
    """A convolution by im2col makes its image in 2x2 phases where a 2x2 max pooling reads it.

        y = convolve x w;  p = max_windows y
        y = phased_convolve x w;  p = max_phases y

    The pooling then runs over four long blocks; in an image's order it goes from pixel to pixel. Not where another
    node reads y, nor for kernels dilated in height, groups, or one image, which several workers may make in bands
    of rows.
    """
    return poolings_moved(graph, MaxPhases(), lambda convolution: True)


def phased_first_pooling(graph: Graph) -> Graph:
    """The same in training, of the network's first layers alone; the argmax is saved for the backward pass.

        y = phased_convolve x w;  p = max_phases y, save

    Of the first layers alone, since they need no gradient of their input: for that the gradient of y would have to
    be put in an image's order again, which costs what is gained.
    """
    return poolings_moved(
        graph, MaxPhases(save=True), lambda convolution: isinstance(graph[convolution.inputs[0]].op, Input)
    )


def pooled_product(graph: Graph) -> Graph:
    """For one image of a small layer, a convolution and the 2x2 max pooling after it are one product.

        y = convolve x w;  p = max_windows y;  a = add_bias p b;  r = relu a
        w.corners = corner_filters w b;  r = pooled_convolve x w.corners, bias, relu

    Four bands of filters make the four outputs of each window, and calls are saved at the cost of products with
    zeros. Not where these are more than some, nor where several workers share the image. The bias and relu come
    with it where nobody else reads what they follow.
    """
    if graph.images > 1 or graph.band[1] > 1:
        return graph

    def small(node: Node) -> bool:
        assert isinstance(node.op, Convolve)
        g = node.op.geometry
        zeros = prod(pooled_geometry(g).kernel) - prod(g.kernel)
        return g.dilate == (1, 1) and zeros * graph.type(node.inputs[0])["c"] * node.type.elements <= ZEROS

    pools = pooled_convolutions(graph, small)
    readers, results = graph.readers(), set(graph.results)

    def only_reader(node: Node) -> Node | None:
        found = [] if node.name in results else readers[node.name]
        return found[0] if len(found) == 1 else None

    made_by: dict[str, list[Node]] = {}  # by the last node: convolution, pooling, and what else follows
    for name, convolution in pools.items():
        chain = made_by[name] = [graph[convolution], graph[name]]
        for kind in (AddBias, Rectifier):
            after = only_reader(chain[-1])
            if after is not None and isinstance(after.op, kind) and len(after.inputs) <= 2:
                del made_by[chain[-1].name]
                chain.append(after)
                made_by[after.name] = chain
    absorbed: Absorbed = {node.name: () for chain in made_by.values() for node in chain[:-1]}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name not in made_by:
            return None
        made, _, *after = made_by[node.name]
        assert isinstance(made.op, Convolve)
        x, w = absorbed[made.name]
        biases = [absorbed.get(one.name, inputs)[1] for one in after if isinstance(one.op, AddBias)]
        relu = isinstance(node.op, Rectifier)
        geometry = pooled_geometry(made.op.geometry)
        corners = b.add(CornerFilters(geometry.kernel), w, *biases, name=f"{made.name}.corners", like=made)
        why = "the four outputs of a window of the pooling by one product, from four bands of filters"
        op, span = PooledConvolve(geometry, bool(biases), relu), both(made, node)
        return b.add(op, x, corners, name=node.name, like=made, span=span, why=why)

    return rewrite(graph, rule, absorbed)


def pool_rows_first(graph: Graph) -> Graph:
    """2x2 max pooling of one image compares whole rows first, and saves nothing for a gradient.

        p = max_windows y                            (p:top, p:bottom)
        p = max_windows y, saves false

    Of several images a pixel is a run of them already.
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if graph.images > 1 or not (isinstance(node.op, MaxWindows) and node.extras):
            return None
        return b.add(node.op.changed(saves=False), *inputs, name=node.name, like=node, why=node.why)

    return rewrite(graph, rule)


def pooled_convolutions(graph: Graph, wanted: Callable[[Node], bool]) -> dict[str, str]:
    """By the name of each 2x2 max pooling: the convolution by im2col whose image it alone reads."""
    readers, results = graph.readers(), set(graph.results)

    def suits(node: Node) -> bool:
        op = node.op
        if not isinstance(op, Convolve) or op.polyphase or op.groups > 1 or op.geometry.dilate[0] > 1:
            return False
        convolution = Convolution(op.geometry, graph.type(node.inputs[0]), node.type["c"], op.groups, graph.images)
        alone = len(readers[node.name]) == 1 and node.name not in results
        return alone and node.type.kind == "image" and not no_im2col(convolution) and wanted(node)

    return {
        node.name: node.inputs[0]
        for node in graph
        if isinstance(node.op, MaxWindows) and node.op.quartered and suits(graph[node.inputs[0]])
    }


def poolings_moved(graph: Graph, pool: MaxPhases, wanted: Callable[[Node], bool]) -> Graph:
    if graph.images == 1 or graph.band[1] > 1:
        return graph
    pools = pooled_convolutions(graph, wanted)
    moved = set(pools.values())

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name in moved:
            assert isinstance(node.op, Convolve)
            return b.add(PhasedConvolve(node.op.geometry), *inputs, name=node.name, like=node, why=node.why)
        return b.add(pool, *inputs, name=node.name, like=node) if node.name in pools else None

    return rewrite(graph, rule)
