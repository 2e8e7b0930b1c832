"""Winograd's convolution where it pays, and polyphase rows as far as they carry."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..ir.leaves import Input
from ..ir.op import Op
from ..primitives.activation import Rectifier
from ..primitives.convolution.bias import AddBias
from ..primitives.convolution.convolve import Convolve
from ..primitives.convolution.polyphase import FromPolyphase, ToPolyphase
from ..primitives.convolution.pooled import pooled_geometry
from ..primitives.convolution.squares import ConvolveSquares, TransformFiltersOfSquares
from ..primitives.convolution.taps import ConvolveByTap
from ..primitives.convolution.winograd_1d import READY, WinogradConvolve
from ..primitives.convolution.winograd_2d import Winograd2dConvolve
from ..primitives.convolution.winograd_one import WinogradFilters, WinogradOneImage, pieces, strips_together
from ..primitives.windows import MaxWindows, PolyphasePool
from .convolutions import filters_at_once
from .methods import Convolution, layer_method, no_im2col
from .rewrite import Absorbed, both, rewrite

WAYS: dict[str, type[WinogradConvolve]] = {"Winograd": WinogradConvolve, "Winograd 2d": Winograd2dConvolve}


def winograd(graph: Graph, learns: bool = True) -> Graph:
    """Convolutions that Winograd's method is chosen for (`methods`), and what lies between, in polyphase rows.

        y = convolve x w;  r = relu y;  z = convolve r v
        y = winograd (polyphase x) w;  r = relu y;  z = pixels (winograd r v)

    Pooling takes polyphase rows and gives an image. Not for strides or dilations, few channels, or a handful of
    images; where four does not divide the width, the image is itself again after each convolution. Every
    convolution gets its method and the reason.
    """

    def moved(value: str, b: Builder) -> str | None:
        """The value in polyphase rows where it comes from there, with every tile full."""
        made = b.nodes[value.partition(":")[0]]
        full = isinstance(made.op, FromPolyphase) and made.op.full(b.type(made.inputs[0]))
        return made.inputs[0] if full and ":" not in value else None

    def back(value: str, node: Node, b: Builder) -> dict[str, str]:
        return {node.name: b.add(FromPolyphase(node.type["w"]), value, name=f"{node.name}.in_order", like=node)}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | dict[str, str] | None:
        op = node.op
        types = tuple(b.type(value) for value in inputs)
        if isinstance(op, Convolve):
            first = isinstance(b.nodes[inputs[0].partition(":")[0]].op, Input)
            circumstances = graph.images, first, learns, graph.shards
            convolution = Convolution(op.geometry, types[0], types[1]["f"], op.groups, *circumstances)
            choice = layer_method(convolution, graph.measured)
            if choice.method == "squares":
                to_filters = TransformFiltersOfSquares(types[0]["h"], types[0]["w"])
                w = b.add(
                    to_filters, inputs[1], name=b.free_name(f"{inputs[1]}.transformed"), like=b.nodes[inputs[1]]
                )
                some = filters_at_once(types[1]["f"]) if graph.images == 1 else 0
                return b.add(ConvolveSquares(some), inputs[0], w, name=node.name, like=node, why=choice.why)
            if choice.method == "Winograd of one":
                filters = b.add(
                    WinogradFilters(pieces(node.type)), inputs[1], name=f"{node.name}.transformed", like=node
                )
                squares = WinogradOneImage(op.geometry, strips_together(node.type))
                return b.add(squares, inputs[0], filters, name=node.name, like=node, why=choice.why)
            if choice.method == "tap by tap":
                return b.add(ConvolveByTap(op.geometry), *inputs, name=node.name, like=node, why=choice.why)
            if choice.method not in WAYS:
                op = op.changed(dense=choice.method == "dense")
                return b.add(op, *inputs, name=node.name, like=node, why=choice.why)
            x = polyphase(inputs[0], b)
            made = WAYS[choice.method](op.geometry, types[0]["w"])
            return back(b.add(made, x, inputs[1], name=node.name, like=node, why=choice.why), node, b)
        same = op.for_polyphase(*types)
        if node.type.kind == "image" and same is not None:
            images = [value for value, kind in zip(inputs, types, strict=True) if kind.batched]
            if any(moved(value, b) for value in images):
                there = [polyphase(v, b) if kind.batched else v for v, kind in zip(inputs, types, strict=True)]
                value = b.add(same, *there, name=node.name, like=node)
                return value if b.type(value).kind == "image" else back(value, node, b)
        return None

    return rewrite(graph, rule)


def winograd_forward(graph: Graph) -> Graph:
    """The same, for layers that have no gradients."""
    return winograd(graph, learns=False)


def transform_filters_once(graph: Graph) -> Graph:
    """Filters of Winograd's method transformed by a node of their own: of parameters alone, it runs once.

        y = winograd x w b
        w.transformed = transform_filters w;  y = winograd x w.transformed b

    Where nothing is learnt, for several images, and unless filters are so many that they would take much memory.
    """
    if graph.images == 1:
        return graph
    made: dict[tuple[str, Op], str] = {}

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        op = node.op
        if not isinstance(op, WinogradConvolve) or op.to_filters.type(b.type(inputs[1])).elements > READY:
            return None
        x, w, *rest = inputs
        key = w, op.to_filters
        if key not in made:
            name = b.free_name(f"{w}.transformed")
            made[key] = b.add(op.to_filters, w, name=name, like=b.nodes[w], span=node.span)
        return b.add(op.changed(ready=True), x, made[key], *rest, name=node.name, like=node, why=node.why)

    return rewrite(graph, rule)


def pooled_squares(graph: Graph) -> Graph:
    """2x2 max pooling of the squares that Winograd's method makes of one image, before they are an image.

        y = winograd_one_image x u;  p = max_windows y
        p = winograd_one_image x u, pooled

    Not where another node reads y.
    """
    readers, results = graph.readers(), set(graph.results)

    def alone(node: Node) -> bool:
        return isinstance(node.op, WinogradOneImage) and len(readers[node.name]) == 1 and node.name not in results

    pools = [node for node in graph if isinstance(node.op, MaxWindows) and node.op.quartered]
    read = {f"{node.name}:{extra}" for node in pools for extra in node.extras} & {*readers, *results}
    found = {node.name: node.inputs[0] for node in pools if alone(graph[node.inputs[0]]) and not read}
    absorbed: Absorbed = dict.fromkeys(found.values(), ())

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if node.name not in found:
            return None
        made = graph[found[node.name]]
        assert isinstance(made.op, WinogradOneImage)
        op = made.op.changed(geometry=pooled_geometry(made.op.geometry), pooled=True)
        span = both(made, node)
        return b.add(op, *absorbed[made.name], name=node.name, like=made, span=span, why=made.why)

    return rewrite(graph, rule, absorbed)


def polyphase_early(graph: Graph) -> Graph:
    """polyphase rows from where an image is made, if all that reads it does not mind or wants them.

        y = convolve x w;  n = batch_norm y g b;  r = relu n;  z = winograd (polyphase r) v
        y = convolve x w;  n = batch_norm (polyphase y) g b;  r = relu n;  z = winograd r v

    The epilogue can then be fused in the backward pass as well. Pooling of polyphase rows makes polyphase rows
    itself, and so does a first convolution by im2col, from columns in that order. Not for sums of images, nor where
    a tile is half empty: but a first convolution, its bias and relu may leave anything there that nobody reads.
    """
    readers, results = graph.readers(), set(graph.results)
    moved: set[str] = set()

    def first(node: Node) -> bool:
        """A convolution by im2col whose input needs no gradient."""
        op = node.op
        if not isinstance(op, Convolve) or op.groups > 1 or not isinstance(graph[node.inputs[0]].op, Input):
            return False
        x = graph.type(node.inputs[0])
        convolution = Convolution(op.geometry, x, node.type["c"], op.groups, graph.images, first=True)
        return not no_im2col(convolution) and op.geometry.dilate[0] == 1

    def whole(node: Node) -> bool:
        """Whether no reader of a node's image in polyphase rows sees what is beyond its last column."""
        if node.type["w"] % 4 == 0:
            return True
        rows = [reader for reader in readers[node.name] if isinstance(reader.op, ToPolyphase)]
        finite = first(node) or isinstance(node.op, (AddBias, Rectifier))
        return finite and all(within(reader) for made in rows for reader in readers[made.name])

    for node in reversed(list(graph)):
        kind, makes = node.type, isinstance(node.op, PolyphasePool) or first(node)
        if not (node.op.layout_agnostic or makes) or kind.kind != "image" or node.name in results:
            continue
        images = [value for value in node.inputs if graph.type(value).batched]
        wanted = readers.get(node.name, ())
        taken = wanted and all(isinstance(r.op, ToPolyphase) or r.name in moved for r in wanted)
        if len(images) == 1 and taken and whole(node):
            moved.add(node.name)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        if isinstance(node.op, ToPolyphase) and node.inputs[0] in moved:
            return inputs[0]
        if node.name not in moved:
            return None
        if isinstance(node.op, PolyphasePool):
            return b.add(node.op.changed(onward=True), *inputs, name=node.name, like=node)
        if isinstance(node.op, Convolve):
            return b.add(node.op.changed(polyphase=True), *inputs, name=node.name, like=node, why=node.why)
        there = tuple(
            polyphase(new, b) if graph.type(old).batched and old not in moved else new
            for old, new in zip(node.inputs, inputs, strict=True)
        )
        return b.add(node.op, *there, name=node.name, like=node)

    return rewrite(graph, rule)


def within(node: Node) -> bool:
    """Whether a node is Winograd's convolution without padding whose last tile ends with the last column."""
    op = node.op
    if not isinstance(op, WinogradConvolve) or any(op.geometry.pad[1]):
        return False
    return (op.width - op.geometry.kernel[1] + 1) % 4 == 0


def polyphase(value: str, b: Builder) -> str:
    """The value in polyphase rows: what it was made of, or a node for it, one for all readers.

    A convolution leaves anything at all where its last tile is empty, so there the rows are made anew.
    """
    made = b.nodes[value.partition(":")[0]]
    if isinstance(made.op, FromPolyphase) and made.op.full(b.type(made.inputs[0])):
        return made.inputs[0]
    for other in b.nodes.values():
        if isinstance(other.op, ToPolyphase) and other.inputs == (value,):
            return other.name
    return b.add(ToPolyphase(), value, name=f"{made.name}.as_polyphase", like=made)
