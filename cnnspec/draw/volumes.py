"""The shape of a vertex: a box of channels for an image, a bar of circles for a vector, with its caption.

The front of a box is one map, height by width; it goes back by its channels. All boxes of a picture have one
scale. Coordinates are around the anchor, the middle of the front.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log, log2, sqrt

from ..ir import TensorType
from .diagram import Vertex
from .layout import Size
from .scene import Box, Circle, Point, Polygon, Rect, Shape, Text, text_width

LARGEST, SMALLEST = 132.0, 4.5  # sides of a front
DEEPEST = 56.0  # thickness of the most channels
LINE = 13.0
HEADING = 16.0  # room above a vertex for the name of each opened block around it
CAPTION = 18  # characters of a caption's line
CIRCLES = 12
THIN = 10.0  # height of a sequence's front


@dataclass(frozen=True)
class Scale:
    """Points of the picture for sizes of the network: side = unit * size^power, thickness = depth * sqrt(c)."""

    unit: float
    power: float
    depth: float

    @classmethod
    def of(cls, vertices: Iterable[Vertex], sides_to: float = LARGEST) -> Scale:
        """One scale for all: linear where the smallest map can be seen then, else flatter."""
        kinds = [vertex.type for vertex in vertices if vertex.type.spatial]
        sides = [side for kind in kinds for side in kind.spatial] or [1]
        largest, smallest = max(sides), min(sides)
        room = min(sides_to, 14.0 * largest)
        power = 1.0
        if largest > smallest and room * smallest / largest < SMALLEST:
            power = log(room / SMALLEST) / log(largest / smallest)
        channels = max((kind["c"] for kind in kinds), default=1)
        return cls(room / largest**power, power, min(8.0, DEEPEST / sqrt(channels)))

    def side(self, size: int) -> float:
        return max(self.unit * size**self.power, 3.0)

    def thickness(self, channels: int) -> float:
        return 0.7 * self.depth * sqrt(channels)

    def front(self, kind: TensorType) -> tuple[float, float]:
        """Height and width of a map."""
        *heights, width = kind.spatial
        return (self.side(heights[0]) if heights else THIN), self.side(width)


@dataclass
class Figure:
    """A vertex as drawn around its anchor.

    enter, leave  how far left and right of the anchor links end and begin
    rise          how far above the anchor links from below end and those to above begin
    front         the map's rectangle, for windows; None for vectors
    deep          how far back (right and up) the box goes
    dots, half    circles of a vector from top to bottom, and half the height of its bar
    """

    size: Size
    shapes: list[Shape] = field(default_factory=list)
    enter: float = 0.0
    leave: float = 0.0
    rise: float = 0.0
    front: Box | None = None
    deep: float = 0.0
    dots: list[Point] = field(default_factory=list)
    half: float = 0.0


def figure(vertex: Vertex, scale: Scale, output: bool) -> Figure:
    """Draw a vertex: its volume, the sign of a join, its caption."""
    made = _volume(vertex, scale) if vertex.type.spatial else _vector(vertex)
    color = color_of(vertex)
    extent = made.size
    if vertex.symbol:
        x = -made.enter - 20
        made.shapes += [Circle(x, 0, 10, f"circle {color}"), Text(x, 3.4, vertex.symbol, "sign")]
        made.shapes.append(Polygon(((x + 10, 0), (-made.enter, 0)), "link", open=True))
        made.enter = -x + 10
        extent = Size(max(extent.left, made.enter), extent.right, max(extent.above, 10), max(extent.below, 10))
    if vertex.family == "block":
        frame = Box(-extent.left, -extent.above, extent.right, extent.below).wider(6)
        made.shapes.insert(0, Rect(frame, f"folded {color}", 6))
        made.enter, made.leave, made.rise = -frame.x0, frame.x1, -frame.y0
        extent = Size(-frame.x0, frame.x1, -frame.y0, frame.y1)
    made.size = _captioned(made, vertex, extent, output)
    return made


def color_of(vertex: Vertex) -> str:
    """The class that colours a vertex: the first word of its family."""
    return vertex.family.split()[0]


def _volume(vertex: Vertex, scale: Scale) -> Figure:
    """A box: its front a map, going back by its channels, which are seen where there are few."""
    height, width = scale.front(vertex.type)
    deep = scale.thickness(vertex.type["c"])
    color = color_of(vertex)
    x, y = width / 2, height / 2
    shapes: list[Shape] = [
        Polygon(((-x, -y), (-x + deep, -y - deep), (x + deep, -y - deep), (x, -y)), f"top {color}"),
        Polygon(((x, -y), (x + deep, -y - deep), (x + deep, y - deep), (x, y)), f"side {color}"),
        Rect(Box(-x, -y, x, y), f"front {color}"),
    ]
    channels = vertex.type["c"]
    if channels > 1 and deep / channels > 1.6:
        for k in range(1, channels):
            d = deep * k / channels
            line = ((-x + d, -y - d), (x + d, -y - d), (x + d, y - d))
            shapes.append(Polygon(line, f"plane {color}", open=True))
    return Figure(
        Size(x, x + deep, y + deep, y),
        shapes,
        enter=x,
        leave=x + min(deep, y),
        rise=y + min(deep, x),
        front=Box(-x, -y, x, y),
        deep=deep,
    )


def _vector(vertex: Vertex) -> Figure:
    """A bar of circles, one for each number, or with a gap where there are too many."""
    count = vertex.type.elements
    color = color_of(vertex)
    half = 5.5 * min(count, CIRCLES) + (3 * log2(count / CIRCLES) if count > CIRCLES else 0)
    shapes: list[Shape] = [Rect(Box(-8, -half, 8, half), f"bar {color}", 8)]
    step = 11.0
    if count <= CIRCLES:
        levels = [step * (k - (count - 1) / 2) for k in range(count)]
    else:
        ends = [half - step * (k + 0.5) for k in range(CIRCLES // 2 - 1)]
        levels = [-y for y in ends] + ends[::-1]
        shapes += [Circle(0, y, 1.1, f"dot {color}") for y in (-5, 0, 5)]
    shapes += [Circle(0, y, 3.8, f"dot {color}") for y in levels]
    return Figure(Size(8, 8, half, half), shapes, enter=8, leave=8, dots=[(0, y) for y in levels], half=half)


def _captioned(made: Figure, vertex: Vertex, extent: Size, output: bool) -> Size:
    """Write the caption under a volume; returns the room of both."""
    lines = [(text, "name") for text in wrapped(vertex.title)]
    lines.append((str(vertex.type).replace("x", "×"), "shape"))
    lines += [(text, "word") for text in caption(vertex)]
    if output:
        lines.append(("output", "note"))
    y, widest = extent.below + 5, 0.0
    for text, style in lines:
        y += LINE
        made.shapes.append(Text(0, y, text, style))
        widest = max(widest, text_width(text, style))
    above = extent.above + HEADING * len(vertex.blocks)
    return Size(max(extent.left, widest / 2), max(extent.right, widest / 2), above, y + 4)


def caption(vertex: Vertex) -> list[str]:
    """What happened, in lines that fit under a volume."""
    head, *rest = vertex.words
    if vertex.family == "block":
        many = [f"{head} ×{vertex.count}"] if vertex.count > 1 else []
        more = [f"+{vertex.growth} channels each"] if vertex.growth and vertex.count > 1 else []
        return many + more + listed(rest)
    return ([] if vertex.family == "input" else wrapped(head)) + listed(rest)


def listed(words: Sequence[str]) -> list[str]:
    """Words with dots between them, in lines that fit, broken at the dots where that is enough."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 3 <= CAPTION:
            lines[-1] += f" · {word}"
        else:
            lines += wrapped(word)
    return lines


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, CAPTION, break_long_words=True, break_on_hyphens=False)
