"""A picture before it is a file: shapes with the classes that colour them, and the room that texts take.

Every text is set in a monospaced font, so its width is known here and a test can see that none overlaps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

ADVANCE = 0.605  # width of a character in sizes of the font: the widest of the usual monospaced ones
SIZES = {"name": 9.5, "shape": 11.0, "word": 10.0, "sign": 10.0, "note": 9.0, "heading": 10.0}

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle from (x0, y0) to (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: Box) -> bool:
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def within(self, other: Box) -> bool:
        return other.x0 <= self.x0 and other.y0 <= self.y0 and self.x1 <= other.x1 and self.y1 <= other.y1

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def wider(self, by: float) -> Box:
        return Box(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    def met_by(self, a: Point, b: Point) -> bool:
        """Whether the line from a to b enters the box (Liang and Barsky 1984)."""
        low, high = 0.0, 1.0
        steps = (b[0] - a[0], b[1] - a[1])
        for step, start, near, far in zip(steps, a, (self.x0, self.y0), (self.x1, self.y1), strict=True):
            if step == 0:
                if not near < start < far:
                    return False
                continue
            enter, leave = sorted(((near - start) / step, (far - start) / step))
            low, high = max(low, enter), min(high, leave)
        return low < high


@dataclass(frozen=True)
class Polygon:
    """A closed shape, or with `open` a line through its points."""

    points: tuple[Point, ...]
    style: str
    open: bool = False


@dataclass(frozen=True)
class Curve:
    """A line of cubic pieces: a first point, then three for each piece."""

    points: tuple[Point, ...]
    style: str


@dataclass(frozen=True)
class Rect:
    """A rectangle, with round corners where `radius` is above 0."""

    box: Box
    style: str
    radius: float = 0.0


@dataclass(frozen=True)
class Circle:
    x: float
    y: float
    radius: float
    style: str


@dataclass(frozen=True)
class Text:
    """A line of text on its baseline; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    style: str
    anchor: str = "middle"

    @property
    def size(self) -> float:
        return SIZES[self.style.split()[0]]

    @property
    def box(self) -> Box:
        width = text_width(self.text, self.style)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(left, self.y - 0.78 * self.size, left + width, self.y + 0.22 * self.size)


Shape = Polygon | Curve | Rect | Circle | Text


@dataclass
class Group:
    """Shapes that belong together; `name` is the value they stand for, `title` what to say of it."""

    shapes: list[Shape] = field(default_factory=list)
    name: str = ""
    title: str = ""


@dataclass
class Scene:
    """A picture: its size, what it shows in words, and its groups from back to front."""

    width: float
    height: float
    title: str
    description: str
    groups: list[Group] = field(default_factory=list)

    def shapes(self) -> Iterator[Shape]:
        for group in self.groups:
            yield from group.shapes

    def texts(self) -> list[Text]:
        return [shape for shape in self.shapes() if isinstance(shape, Text)]


def text_width(text: str, style: str) -> float:
    cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return cells * ADVANCE * SIZES[style.split()[0]]


# ---- colours ---------------------------------------------------------------------------------------------

LIGHT: dict[str, dict[str, str]] = {
    "page": {"fill": "#ffffff"},
    "input": {"fill": "#64748b", "stroke": "#64748b"},
    "convolution": {"fill": "#2563eb", "stroke": "#2563eb"},
    "pooling": {"fill": "#d97706", "stroke": "#d97706"},
    "dense": {"fill": "#059669", "stroke": "#059669"},
    "activation": {"fill": "#db2777", "stroke": "#db2777"},
    "normalisation": {"fill": "#0891b2", "stroke": "#0891b2"},
    "join": {"fill": "#9333ea", "stroke": "#9333ea"},
    "block": {"fill": "#0d9488", "stroke": "#0d9488"},
    "front": {"fill-opacity": "0.26", "stroke-width": "1"},
    "top": {"fill-opacity": "0.12", "stroke-width": "1"},
    "side": {"fill-opacity": "0.42", "stroke-width": "1"},
    "plane": {"fill": "none", "stroke-width": "0.6", "stroke-opacity": "0.6"},
    "tile": {"fill": "none", "stroke-width": "0.5", "stroke-opacity": "0.45"},
    "patch": {"fill-opacity": "0.5", "stroke-width": "1.2"},
    "inside": {"fill": "none", "stroke-width": "0.8", "stroke-dasharray": "2 2"},
    "ray": {"fill": "none", "stroke-width": "0.8", "stroke-opacity": "0.85"},
    "fan": {"fill": "none", "stroke-width": "0.4", "stroke-opacity": "0.35"},
    "funnel": {"fill-opacity": "0.08", "stroke-width": "0.6", "stroke-opacity": "0.5"},
    "dot": {"stroke": "none"},
    "bar": {"fill-opacity": "0.14", "stroke-width": "1"},
    "folded": {"fill": "none", "stroke-width": "1", "stroke-dasharray": "4 3"},
    "frame": {"fill": "#64748b", "fill-opacity": "0.07", "stroke": "#94a3b8", "stroke-width": "0.8"},
    "circle": {"fill-opacity": "0.12", "stroke-width": "1"},
    "link": {"fill": "none", "stroke": "#94a3b8", "stroke-width": "1.1"},
    "head": {"fill": "#94a3b8", "stroke": "none"},
    "name": {"fill": "#64748b"},
    "shape": {"fill": "#0f172a", "font-weight": "bold"},
    "word": {"fill": "#334155"},
    "sign": {"fill": "#581c87", "font-weight": "bold"},
    "note": {"fill": "#64748b"},
    "heading": {"fill": "#475569", "font-weight": "bold"},
}

DARK: dict[str, dict[str, str]] = {
    "page": {"fill": "#0f172a"},
    "input": {"fill": "#94a3b8", "stroke": "#94a3b8"},
    "convolution": {"fill": "#60a5fa", "stroke": "#60a5fa"},
    "pooling": {"fill": "#fbbf24", "stroke": "#fbbf24"},
    "dense": {"fill": "#34d399", "stroke": "#34d399"},
    "activation": {"fill": "#f472b6", "stroke": "#f472b6"},
    "normalisation": {"fill": "#22d3ee", "stroke": "#22d3ee"},
    "join": {"fill": "#c084fc", "stroke": "#c084fc"},
    "block": {"fill": "#2dd4bf", "stroke": "#2dd4bf"},
    "link": {"stroke": "#64748b"},
    "head": {"fill": "#64748b"},
    "name": {"fill": "#94a3b8"},
    "shape": {"fill": "#f1f5f9"},
    "word": {"fill": "#cbd5e1"},
    "sign": {"fill": "#e9d5ff"},
    "note": {"fill": "#94a3b8"},
    "heading": {"fill": "#cbd5e1"},
}


def look(style: str) -> dict[str, str]:
    """The light properties of a shape's classes; later classes of the table win, as in the style sheet."""
    classes = style.split()
    found: dict[str, str] = {}
    for name, properties in LIGHT.items():
        if name in classes:
            found |= properties
    return found
