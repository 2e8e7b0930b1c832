"""Which pixels of the input each number of a value depends on: exactly, borders and branches included.

Windows are the same for all channels, and rows go their way apart from columns; so an image's answer is a
range of rows for each of its rows, and one of columns for each of its columns. What is between the first and
the last pixel counts as seen, and so does every pixel behind a reshape; means and variances that a
normalisation takes over an image do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ..draw.windows import spans_of
from ..ir import Graph, Node
from ..ir.op import Window
from ..words.composed import has_primitives, spell_out
from .explanation import account

Range = tuple[int, int]
"""Pixels from the first to before the second; (0, 0) for none."""

Ranges = tuple[Range, ...]
NOTHING: Range = (0, 0)


@dataclass(frozen=True)
class Reach:
    """What the numbers of a value see of one input.

    axes    of an image or sequence: for each axis, what each index sees
    boxes   of a vector: what each number sees, a range for each axis of the input
    """

    axes: tuple[Ranges, ...] = ()
    boxes: tuple[Ranges, ...] = ()

    def at(self, index: Sequence[int]) -> Ranges:
        """What the number at `index` (channel first) sees."""
        if self.boxes:
            return self.boxes[index[0]]
        box = tuple(ranges[i] for ranges, i in zip(self.axes, index[1:], strict=True))
        return box if NOTHING not in box else (NOTHING,) * len(box)

    @property
    def whole(self) -> Ranges:
        """What all numbers see together."""
        axes = zip(*set(self.boxes), strict=True) if self.boxes else self.axes
        return tuple(reduce(hull, dict.fromkeys(ranges)) for ranges in axes)


def hull(one: Range, other: Range) -> Range:
    """The smallest range that holds both."""
    if one == NOTHING or other == NOTHING:
        return other if one == NOTHING else one
    return min(one[0], other[0]), max(one[1], other[1])


def receptive(graph: Graph, source: str) -> dict[str, Reach]:
    """What every value sees of the input `source`, an image or a sequence; empty for vectors."""
    graph = spell_out(graph, has_primitives)
    sizes = graph.type(source).spatial
    found: dict[str, Reach] = {}
    if not sizes:
        return found
    sees = {source}  # values that depend on it
    for node in graph:
        read = [graph[value].name for value in node.inputs]
        if node.name == source:
            found[node.name] = Reach(axes=tuple(tuple((i, i + 1) for i in range(size)) for size in sizes))
        elif not sees & set(read):
            found[node.name] = _filled(node, tuple(NOTHING for _ in sizes))
        else:
            sees.add(node.name)
            found[node.name] = _reach(graph, node, [found[name] for name in read], [name in sees for name in read])
    return found


def _filled(node: Node, box: Ranges) -> Reach:
    """The same for every number."""
    if not node.type.spatial:
        return Reach(boxes=(box,) * node.type.elements)
    if len(node.type.spatial) != len(box):
        return Reach(axes=tuple((reduce(hull, box),) * size for size in node.type.spatial))
    return Reach(axes=tuple((part,) * size for part, size in zip(box, node.type.spatial, strict=True)))


def _reach(graph: Graph, node: Node, before: list[Reach], sees: list[bool]) -> Reach:
    """What a value sees by what its inputs see; those that do not see the source may be of another rank."""
    types = graph.types(node)
    window = node.op.window(*types)
    if window is not None and before[0].axes:
        return Reach(axes=_through(window, types[0].spatial, node.type.spatial, before[0].axes))
    told = account(graph, node)
    if told.kind == "blend":
        sides = (told.detail["rows"], told.detail["columns"])[-len(before[0].axes) :]
        return Reach(axes=tuple(map(_blended, before[0].axes, sides)))
    wholes = [reach.whole for reach, seeing in zip(before, sees, strict=True) if seeing]
    everything = tuple(reduce(hull, part) for part in zip(*wholes, strict=True))
    if graph.figures[node.name].everywhere:
        return _filled(node, everything)
    if node.type.spatial:
        parts = [
            reach if kind.spatial == node.type.spatial else _filled(node, reach.whole)  # a gate serves all pixels
            for reach, kind in zip(before, types, strict=True)
        ]
        return Reach(axes=reduce(_joined, (part.axes for part in parts)))
    if node.op.is_view and before[0].axes:  # flattened: channel after channel, row after row
        return Reach(boxes=_flat(before[0].axes, types[0]["c"]))
    if told.kind == "concat":
        return Reach(boxes=tuple(box for reach in before for box in reach.boxes))
    if told.kind == "move" and told.detail["how"] == "channels":
        return Reach(boxes=tuple(before[0].boxes[c] for c in told.detail["channels"]))
    if told.kind in ("join", "point", "move"):
        return Reach(boxes=reduce(_joined, (reach.boxes for reach in before)))
    return _filled(node, everything)


def _blended(ranges: Ranges, parts: list[list[list[float]]]) -> Ranges:
    """After a blend: each index sees what those with a share in it see."""
    return tuple(reduce(hull, (ranges[int(k)] for k, _ in part), NOTHING) for part in parts)


def _through(
    window: Window, sizes: tuple[int, ...], made: tuple[int, ...], axes: tuple[Ranges, ...]
) -> tuple[Ranges, ...]:
    """After a window: each index sees what the indices that it meets see together."""
    spans = [spans_of(window, (i,) * len(sizes), sizes) for i in range(max(made))]
    return tuple(
        tuple(reduce(hull, ranges[slice(*spans[i][axis])], NOTHING) for i in range(count))
        for axis, (count, ranges) in enumerate(zip(made, axes, strict=True))
    )


def _joined(one: tuple[Ranges, ...], other: tuple[Ranges, ...]) -> tuple[Ranges, ...]:
    """What two branches see together, number by number."""
    return tuple(tuple(map(hull, a, b)) for a, b in zip(one, other, strict=True))


def _flat(axes: tuple[Ranges, ...], channels: int) -> tuple[Ranges, ...]:
    """A flattened image's numbers, in a text book's order."""
    boxes: list[Ranges] = [()]
    for ranges in axes:
        boxes = [(*box, part) for box in boxes for part in ranges]
    return tuple(boxes) * channels
