"""The lines of a drawing: from volume to volume, round the ends of rows, and the fans of dense layers."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

from .diagram import Diagram
from .layout import TURN, Layout, Waypoint
from .scene import Curve, Point, Polygon, Shape
from .volumes import Figure, color_of

HEAD = 6.0  # length of an arrow's head
ROUND = 8.0  # radius of a corner


def all_links(shown: Diagram, figures: dict[str, Figure], layout: Layout) -> list[Shape]:
    """What joins the vertices of a drawing."""
    shapes: list[Shape] = []
    for (one, other), way in layout.links.items():
        fan = _fan(shown, figures, one, other, way) if side_by_side(layout, way) else []
        shapes += fan or _link(figures, layout, way)
    return shapes


def side_by_side(layout: Layout, way: list[Waypoint]) -> bool:
    """Whether a link goes straight from one column to the next of the same row."""
    return len(way) == 2 and layout.columns[way[0].column].row == layout.columns[way[1].column].row


def _link(figures: dict[str, Figure], layout: Layout, way: list[Waypoint]) -> list[Shape]:
    """A line from place to place, level through columns and bent between them, with a head."""
    first, last = way[0], way[-1]
    if first.x == last.x and len(way) == 2:
        return _upright(figures, first, last)
    start = first.x + figures[first.name].leave
    end = last.x - figures[last.name].enter
    points: list[Point] = [(start, first.y)]
    for one, other in pairwise(way):
        left, right = layout.columns[one.column], layout.columns[other.column]
        if left.row == right.row:
            points += _level(points[-1], (left.right, one.y))
            points += _bend(points[-1], (right.x, other.y))
        else:
            points += _turn(layout, points[-1], one, (right.x, other.y))
    points += _level(points[-1], (end - HEAD, last.y))
    head = Polygon(((end, last.y), (end - HEAD, last.y - 3), (end - HEAD, last.y + 3)), "head")
    return [Curve(tuple(points), "link"), head]


def _level(start: Point, end: Point) -> list[Point]:
    """A straight piece, as a curve has it."""
    return [start, end, end]


def _bend(start: Point, end: Point) -> list[Point]:
    """From one level to another, leaving and arriving level."""
    middle = (start[0] + end[0]) / 2
    return [(middle, start[1]), (middle, end[1]), end]


def _upright(figures: dict[str, Figure], one: Waypoint, other: Waypoint) -> list[Shape]:
    """A straight line down or up, from a vertex to its reader below or above it."""
    down = 1 if other.y > one.y else -1
    start = one.y + (one.size.below + 4 if down > 0 else -figures[one.name].rise)
    end = other.y + (-figures[other.name].rise if down > 0 else other.size.below + 4)
    line = [(one.x, start), *_level((one.x, start), (one.x, end - down * HEAD))]
    tip = ((one.x, end), (one.x - 3, end - down * HEAD), (one.x + 3, end - down * HEAD))
    return [Curve(tuple(line), "link"), Polygon(tip, "head")]


def _turn(layout: Layout, start: Point, one: Waypoint, end: Point) -> list[Point]:
    """From the end of a row to the beginning of the next: out, down, back, down, in.

    Several lie within one another, the upper outermost, so that none crosses.
    """
    row = layout.columns[one.column].row
    above, below = layout.rows[row], layout.rows[row + 1]
    number = next(k for k, place in enumerate(above.turns) if place is one)
    inner = len(above.turns) - 1 - number
    between = (above.bottom + below.top) / 2 + TURN * (inner - number) / 2
    out, back = above.right + 14 + TURN * inner, end[0] - 14 - TURN * number
    corners = [start, (out, start[1]), (out, between), (back, between), (back, end[1]), end]
    points: list[Point] = []
    at = start
    for corner, after in pairwise(corners[1:]):
        before = _toward(corner, at, ROUND)
        at = _toward(corner, after, ROUND)
        points += [*_level(points[-1] if points else start, before), corner, corner, at]
    return points + _level(at, end)


def _toward(corner: Point, other: Point, by: float) -> Point:
    """The point `by` away from a corner, but no farther than halfway."""
    far = hypot(other[0] - corner[0], other[1] - corner[1])
    fraction = min(by, far / 2) / far if far else 0.0
    return corner[0] + fraction * (other[0] - corner[0]), corner[1] + fraction * (other[1] - corner[1])


def _fan(shown: Diagram, figures: dict[str, Figure], one: str, other: str, way: list[Waypoint]) -> list[Shape]:
    """The lines of a layer whose numbers look at everything: from each circle, or from a whole map."""
    source, target = figures[one], figures[other]
    if not shown.vertices[other].whole or not target.dots or shown.vertices[other].symbol:
        return []
    a, b = way
    color = color_of(shown.vertices[other])
    ends = [(b.x - 4, b.y + y) for _, y in target.dots]
    if source.dots:
        starts = [(a.x + 4, a.y + y) for _, y in source.dots]
        return [Polygon((p, q), f"fan {color}", open=True) for p in starts for q in ends]
    if source.front is None or shown.vertices[one].family == "block":
        return []
    x = a.x + source.front.x1
    left = ((x, a.y + source.front.y0), (x, a.y + source.front.y1))
    top, bottom = b.y - target.half, b.y + target.half
    return [Polygon((left[0], (b.x - 8, top), (b.x - 8, bottom), left[1]), f"funnel {color}")]
