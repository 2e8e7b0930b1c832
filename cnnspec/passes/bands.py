"""One image for several workers: each makes a band of the rows of every layer."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir import Builder, Graph, Node, TensorType
from ..ir.geometry import Geometry
from ..primitives.bands import AllGather, Filters, Rows
from ..primitives.convolution.convolve import Convolve
from ..primitives.convolution.pooled import PooledConvolve
from ..primitives.convolution.squares import ConvolveSquares
from ..primitives.convolution.winograd_one import WinogradOneImage
from ..primitives.dense import Multiply, pieces
from .rewrite import rewrite

WORTH = 700_000  # multiply-adds that others do from one barrier to the next, below which waiting costs more
WORTH_OF_THREADS = 10_000_000  # the same of threads, who hand the interpreter's lock around
LONG = 10_000_000  # multiply-adds that others do, beside which it does not count that they must be woken first
AGAIN = 150_000  # multiply-adds that every band does for itself rather than wait for the other that does them too
Bands = tuple[range, ...]  # the rows of an image that each band makes, or sees


def partition_rows(graph: Graph) -> Graph:
    """What one band of so many computes (`Graph.band`): its rows of every image, from those of all bands.

        y = convolve x w;  z = convolve y v                                    (3x3, pad 1, y of 32 rows)
        y = convolve x.rows w;  y.whole = together y;  z = convolve (rows y.whole 0..17) v     (pad 1,0)

    Rows that others see and that are soon made, every band makes for itself. A large dense layer is cut by its
    outputs, one whose rows are made at once by its filters. Where an op wants the whole image (a global pool), or
    there are fewer rows than bands, every band computes it whole; what follows the last barrier, the first band
    alone. Each row is the same product of matrices as without bands, so that no bit changes.
    """
    band, bands = graph.band
    if bands == 1:
        return graph
    made_by = rows_by_band(graph)
    mine: dict[str, AllGather] = {}  # values that this band has a part of, and what makes them whole

    def node_for(op: Rows | AllGather | Filters, value: str, suffix: str, b: Builder) -> str:
        """One for all readers."""
        for other in b.nodes.values():
            if other.op == op and other.inputs == (value,):
                return other.name
        name = b.free_name(f"{value.replace(':', '.')}.{suffix}")
        return b.add(op, value, name=name, like=b.nodes[value.partition(":")[0]])

    def whole(value: str, b: Builder) -> str:
        return node_for(mine[value], value, "whole", b) if value in mine else value

    def rows(value: str, wanted: range, b: Builder) -> str:
        """Some rows of an image: of this band's own, or out of the whole."""
        part = mine.get(value)
        there = range(part.start, part.stop) if part else range(b.type(value)["h"])
        if part and (part.axis != "h" or not within(wanted, there)):
            value = whole(value, b)
            there = range(b.type(value)["h"])
        if wanted == there:
            return value
        return node_for(Rows(wanted.start - there.start, wanted.stop - there.start), value, "rows", b)

    def read(old: str, new: str, wanted: Bands, b: Builder) -> str:
        """The rows of an input that this band wants."""
        there = made_by.get(old.partition(":")[0])
        if there is not None and not all(map(within, wanted, there)):
            whole(new, b)  # all bands meet at the same places, even where one of them needs no other
        return rows(new, wanted[band], b)

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        outputs = outputs_by_band(node, graph)
        if outputs:
            op, (x, w) = node.op, [whole(value, b) for value in inputs]
            if isinstance(op, Multiply):
                op = op.changed(part=outputs[band])
            else:
                w = node_for(filters_from(*outputs[band], b.type(w)), w, "mine", b)
            name = b.add(op, x, w, name=node.name, like=node, why=node.why)
            mine[name] = AllGather("c", *outputs[band], node.type["c"])
            return name
        made = made_by.get(node.name)
        if made is None:
            return b.copy(node, tuple(whole(value, b) for value in inputs))
        seen = [geometry_of(node).rows(part, graph.type(node.inputs[0])["h"]) for part in made]
        there = [read(node.inputs[0], inputs[0], tuple(wanted for wanted, _ in seen), b)]
        for old, new in zip(node.inputs[1:], inputs[1:], strict=True):
            there.append(read(old, new, made, b) if row_for_row(old, node, graph) else whole(new, b))
        own, (_, pad) = made[band], seen[band]
        name = b.add(node.op.for_rows(len(own), pad), *there, name=node.name, like=node, why=node.why)
        gather = AllGather("h", own.start, own.stop, node.type["h"])
        mine.update(dict.fromkeys((name, *(f"{name}:{extra}" for extra in node.extras)), gather))
        return name

    made = rewrite(graph, rule)
    b = Builder(made)
    outputs = tuple(whole(value, b) for value in made.outputs)
    made = made.with_nodes(b.nodes, outputs=outputs)
    return made if band == 0 else without_rest(made)


def rows_by_band(graph: Graph) -> dict[str, Bands]:
    """Which rows of its image each band makes, by node; an image that every band makes whole is not there.

    Its share, which every band can be given by the others; or, where these are soon made, all the rows that the
    band itself reads later, so that nobody asks for another's.
    """
    readers, results = graph.readers(), set(graph.results)
    found: dict[str, Bands] = {}
    steps: dict[int, int] = {}  # by the height of an image: rows that some node makes together
    for node in graph:
        if is_image(node.type):
            steps[node.type["h"]] = max(steps.get(node.type["h"], 1), node.op.rows_together)

    def wanted_of(node: Node) -> Bands | None:
        """The rows that each band reads; None where all of them are read, or what comes beside them."""
        if node.name in results or any(f"{node.name}:{extra}" in readers for extra in node.extras):
            return None
        looks: list[Bands] = []
        for reader in readers.get(node.name, ()):
            made = found.get(reader.name)
            if made is None:
                return None
            if reader.inputs[0] == node.name:
                looks.append(tuple(geometry_of(reader).rows(part, node.type["h"])[0] for part in made))
            if node.name in reader.inputs[1:]:
                if not row_for_row(node.name, reader, graph):
                    return None
                looks.append(made)
        every = zip(*looks, strict=True)
        return tuple(range(min(r.start for r in seen), max(r.stop for r in seen)) for seen in every) or None

    def work(node: Node) -> float:
        """Multiply-adds of a row, and of those that it is made from, up to a product or what others read too."""
        above = (graph[value] for value in node.inputs if value in graph.nodes and len(readers[value]) == 1)
        return work_of(node, graph) / node.type["h"] or sum(work(other) for other in above if is_image(other.type))

    for node in reversed(list(graph)):
        share = shares(node, graph, steps)
        if share:
            wanted = wanted_of(node)
            further = max(map(len, wanted)) - len(share[0]) if wanted else 0
            soon = wanted and makes(node, wanted, graph) and further * work(node) <= AGAIN
            found[node.name] = wanted if wanted and soon else share
    for node in graph:
        sources = {value.partition(":")[0] for value in node.inputs}
        if node.name in found and not (work_of(node, graph) or sources & {*found, *graph.inputs}):
            del found[node.name]  # every band has all that it is made from
    return found


def shares(node: Node, graph: Graph, steps: Mapping[int, int]) -> Bands:
    """A share of a node's rows for each band, the same for all images as high; none where one could not be made."""
    if node.op.row_geometry is None or node.op.is_view or not is_image(node.type):
        return ()
    share = shared_evenly(node.type["h"], steps[node.type["h"]], graph.band[1])
    return share if all(share) and makes(node, share, graph) else ()


def shared_evenly(height: int, step: int, bands: int) -> Bands:
    """Rows for each band, a multiple of `step` but for the last rows; the first band has the most.

    10 rows for two: 0..4 and 5..9, in steps of 4 0..7 and 8..9
    """
    pieces = -(-height // step)
    ends = [min(step * -(-pieces * k // bands), height) for k in range(bands + 1)]
    return tuple(map(range, ends, ends[1:]))


def makes(node: Node, rows: Bands, graph: Graph) -> bool:
    """Whether each of the bands sees rows of the first input, not padding alone, and begins where an op can."""
    height = graph.type(node.inputs[0])["h"]
    if any(part.start % node.op.rows_together for part in rows):
        return False
    return all(geometry_of(node).rows(part, height)[0] for part in rows)


def geometry_of(node: Node) -> Geometry:
    geometry = node.op.row_geometry
    assert geometry is not None
    return geometry


def row_for_row(value: str, node: Node, graph: Graph) -> bool:
    """Whether a further input of a node is an image as high as its own, and not a number for each channel."""
    kind = graph.type(value)
    return is_image(kind) and kind["h"] == node.type["h"]


def outputs_by_band(node: Node, graph: Graph) -> tuple[tuple[int, int], ...]:
    """The outputs that each band makes of a large dense layer, or of one whose rows are made at once.

    None where the bands do not divide the products that it is made in, or a layer has little to do beside waiting.
    """
    bands, count = graph.band[1], 1
    if isinstance(node.op, Multiply):
        count = pieces(*graph.types(node))
    elif work_of(node, graph) < 2 * WORTH:
        return ()
    elif isinstance(node.op, WinogradOneImage) and "p" in graph.type(node.inputs[1]):
        count = graph.type(node.inputs[1])["p"]
    elif isinstance(node.op, (Convolve, ConvolveSquares)) and node.op.at_once:
        count = node.type["c"] // node.op.at_once
    if count == 1 or count % bands:
        return ()
    each = node.type["c"] // bands
    return tuple((k * each, (k + 1) * each) for k in range(bands))


def filters_from(start: int, stop: int, w: TensorType) -> Filters:
    """Some filters of weights that have an axis of them, or one of pieces with so many each."""
    each, axis = (w["f"], "p") if "p" in w else (1, "f")
    return Filters(start // each, stop // each, w.names.index(axis))


def is_image(kind: TensorType) -> bool:
    return kind.batched and "h" in kind


def within(part: range, whole: range) -> bool:
    return whole.start <= part.start and part.stop <= whole.stop


def without_rest(graph: Graph) -> Graph:
    """The graph up to the last barrier.

    Values that depend on parameters alone stay: all bands find them at the same place.
    """
    every = list(graph)
    last = max((k for k, node in enumerate(every) if isinstance(node.op, AllGather)), default=-1)
    nodes = [n for k, n in enumerate(every) if k <= last or not n.type.batched or not n.inputs]
    return graph.with_nodes({node.name: node for node in nodes}, outputs=())


def shared_work(alone: Graph, shared: Graph, worth: int = WORTH) -> int:
    """Multiply-adds of an image that others do for the first of its workers, who runs `shared`; 0 where that is
    less at a barrier than is `worth` the waiting.

    Not where one product makes a convolution and its pooling (`pooled_product`): bands have other sums there, and
    an image is to have the same bits whoever makes it.
    """
    if any(isinstance(node.op, PooledConvolve) for node in alone):
        return 0
    gathers = sum(isinstance(node.op, AllGather) for node in shared)
    whole, part = (sum(work_of(node, graph) for node in graph) for graph in (alone, shared))
    return whole - part if 0 < gathers * worth <= whole - part else 0


def work_of(node: Node, graph: Graph) -> int:
    """Multiply-adds."""
    return node.op.macs(*graph.types(node))
