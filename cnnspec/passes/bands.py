"""One image for several workers: each makes a band of the rows of every layer."""

from __future__ import annotations

from ..ir import Builder, Graph, Node, TensorType
from ..primitives.bands import AllGather, Rows
from .rewrite import rewrite

WORTH = 2_500_000  # multiply-adds from one barrier to the next, below which waiting costs more than sharing brings
Halo = tuple[range, tuple[int, int]]  # rows, and the padding that is seen above and below them


def partition_rows(graph: Graph) -> Graph:
    """What one band of so many computes (`Graph.band`): its rows of every image, from those of all bands.

        y = convolve x w;  z = convolve y v                                    (3x3, pad 1, y of 32 rows)
        y = convolve x.rows w;  y.whole = together y;  z = convolve (rows y.whole 0..17) v     (pad 1,0)

    Where an op wants the whole image (a dense layer, a global pool), or the bands do not divide its rows, every
    band computes it whole; what follows the last barrier, the first band alone. Each row is the same product of
    matrices as without bands, so that no bit changes.
    """
    band, bands = graph.band
    if bands == 1:
        return graph
    mine: dict[str, tuple[range, int]] = {}  # values that this band has rows of: which, of how many

    def node_for(op: Rows | AllGather, value: str, suffix: str, b: Builder) -> str:
        """One for all readers."""
        for other in b.nodes.values():
            if other.op == op and other.inputs == (value,):
                return other.name
        name = b.free_name(f"{value.replace(':', '.')}.{suffix}")
        return b.add(op, value, name=name, like=b.nodes[value.partition(":")[0]])

    def whole(value: str, b: Builder) -> str:
        return node_for(AllGather(mine[value][1]), value, "whole", b) if value in mine else value

    def rows(value: str, wanted: range, b: Builder) -> str:
        """Some rows of an image: this band's own, or out of the whole."""
        if value in mine and mine[value][0] == wanted:
            return value
        image = whole(value, b)
        if wanted == range(b.type(image)["h"]):
            return image
        return node_for(Rows(wanted.start, wanted.stop), image, "rows", b)

    def rows_of(kind: TensorType, k: int) -> range:
        """The rows that band k makes of an image."""
        each = kind["h"] // bands
        return range(k * each, (k + 1) * each)

    def halos(node: Node) -> list[Halo]:
        """What each band sees of the first input; nothing where a band could not make its rows."""
        window = node.op.row_geometry
        if window is None or node.op.is_view or not is_image(node.type) or node.type["h"] % bands:
            return []
        height = graph.type(node.inputs[0])["h"]
        seen = [window.rows(rows_of(node.type, k), height) for k in range(bands)]
        return seen if all(rows for rows, _ in seen) else []

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        seen = halos(node)
        if not seen:
            return b.copy(node, tuple(whole(value, b) for value in inputs))
        x, own = graph.type(node.inputs[0]), rows_of(node.type, band)
        if any(wanted != rows_of(x, k) for k, (wanted, _) in enumerate(seen)):
            whole(inputs[0], b)  # all bands meet at the same places, even where one of them needs no other
        wanted, pad = seen[band]
        there = [rows(inputs[0], wanted, b)]
        for old, new in zip(node.inputs[1:], inputs[1:], strict=True):
            kind = graph.type(old)
            alike = is_image(kind) and kind["h"] == node.type["h"]  # else it has a number for each channel
            there.append(rows(new, own, b) if alike else whole(new, b))
        name = b.add(node.op.for_rows(len(own), pad), *there, name=node.name, like=node, why=node.why)
        mine.update(dict.fromkeys((name, *(f"{name}:{extra}" for extra in node.extras)), (own, node.type["h"])))
        return name

    made = rewrite(graph, rule)
    b = Builder(made)
    outputs = tuple(whole(value, b) for value in made.outputs)
    made = made.with_nodes(b.nodes, outputs=outputs)
    return made if band == 0 else without_rest(made)


def is_image(kind: TensorType) -> bool:
    return kind.batched and "h" in kind


def without_rest(graph: Graph) -> Graph:
    """The graph up to the last barrier.

    Values that depend on parameters alone stay: all bands find them at the same place.
    """
    every = list(graph)
    last = max((k for k, node in enumerate(every) if isinstance(node.op, AllGather)), default=-1)
    nodes = [n for k, n in enumerate(every) if k <= last or not n.type.batched or not n.inputs]
    return graph.with_nodes({node.name: node for node in nodes}, outputs=())


def worth_partitioning(words: Graph, shared: Graph) -> bool:
    """Whether one image of a network is work for more than one worker, who then meet as often as in `shared`."""
    gathers = sum(isinstance(node.op, AllGather) for node in shared)
    return 0 < gathers * WORTH <= sum(figures.macs for figures in words.figures.values())
