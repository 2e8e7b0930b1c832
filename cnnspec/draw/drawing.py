"""The drawing of a network: what `cnnspec draw` writes, and reports and notebooks show."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from ..ir import Graph
from ..ir.facts import Facts, facts
from .diagram import Diagram, Vertex, diagram
from .layout import Layout, lay_out
from .links import all_links
from .scene import Box, Circle, Curve, Group, Polygon, Rect, Scene, Shape, Text
from .svg import svg
from .u_layout import u_layout
from .volumes import HEADING, LARGEST, Figure, Scale, caption, figure
from .windows import windows

GAP, FAN_GAP = 46.0, 60.0
PAGE = 1400.0
WIDER = 1.4  # a network that is a U may be so much wider than rows are


def draw(graph: Graph, *, depth: int = 0, width: float = PAGE, name: str = "network") -> str:
    """A network as SVG: the forward pass from left to right, in rows of about `width`.

    Blocks nested deeper than `depth` are folded.
    """
    return svg(scene(graph, depth=depth, width=width, name=name))


def scene(graph: Graph, *, depth: int = 0, width: float = PAGE, name: str = "network") -> Scene:
    """The same as shapes."""
    shown = diagram(graph, depth)
    scale, figures = _figures(shown, 0.75 * LARGEST)
    layout = u_layout(shown, {name: made.size for name, made in figures.items()})
    if layout is None or layout.width > WIDER * width:
        scale, figures = _figures(shown, LARGEST)
        layout = lay_out(
            {vertex.name: vertex.inputs for vertex in shown},
            {name: made.size for name, made in figures.items()},
            lambda one, other: _gap(shown, one, other),
            ties=lambda one, other: _ties(shown.vertices[one], shown.vertices[other]),
            width=width,
        )
    return Picture(shown, figures, layout, facts(graph)).scene(name, _note(shown, scale))


def _figures(shown: Diagram, largest: float) -> tuple[Scale, dict[str, Figure]]:
    """What stands in the picture, where the largest map is drawn so large."""
    scale = Scale.of(shown, largest)
    return scale, {vertex.name: figure(vertex, scale, vertex.name in shown.outputs) for vertex in shown}


def _note(shown: Diagram, scale: Scale) -> str:
    """What the sizes of the volumes mean, where there are volumes."""
    if not any(vertex.type.spatial for vertex in shown):
        return "a circle for each number, the middle ones left out where there are many"
    scaled = "to scale" if scale.power == 1 else f"to scale of size^{scale.power:.2f}"
    return f"heights and widths {scaled}, thickness of √channels"


def _gap(shown: Diagram, one: str, other: str) -> float:
    """Room between two neighbours: more where a fan of lines is drawn."""
    if one and other and not shown.vertices[one].type.spatial and shown.vertices[other].whole:
        return FAN_GAP
    return GAP


def _ties(one: Vertex, other: Vertex) -> int:
    """How many of the opened blocks hold both."""
    return sum(a == b for a, b in zip(one.blocks, other.blocks, strict=False))


class Picture:
    """Puts the parts of a drawing together."""

    def __init__(self, shown: Diagram, figures: dict[str, Figure], layout: Layout, known: Facts) -> None:
        self.shown, self.figures, self.layout, self.known = shown, figures, layout, known

    def scene(self, name: str, note: str) -> Scene:
        """Frames at the back, then links, then vertices, then windows over all."""
        frames = Group(self.frames())
        vertices = [self.vertex(vertex) for vertex in self.shown]
        links = Group(all_links(self.shown, self.figures, self.layout))
        texts = [s.box for group in (frames, *vertices) for s in group.shapes if isinstance(s, Text)]
        rays = Group(windows(self.shown, self.figures, self.layout, texts))
        height = self.layout.height + 18
        foot = Text(24, height - 14, note, "note", "start")
        width = max(self.layout.width, foot.box.x1 + 24)
        groups = [frames, links, *vertices, rays, Group([foot])]
        return Scene(width, height, name, describe(self.shown, self.known), groups)

    def vertex(self, vertex: Vertex) -> Group:
        place = self.layout.places[vertex.name]
        shapes = [moved(shape, place.x, place.y) for shape in self.figures[vertex.name].shapes]
        return Group(shapes, vertex.name, self.tooltip(vertex))

    def tooltip(self, vertex: Vertex) -> str:
        """What pointing at a vertex says: its values as written, parameters and work."""
        rows = [row for name in vertex.members for row in self.known.rows if row.name == name]
        parameters, macs = sum(row.parameters for row in rows), sum(row.macs for row in rows)
        said = " -> ".join(row.written for row in rows[:6]) + (" -> ..." if len(rows) > 6 else "")
        figures = [f"{parameters:,} parameters"] * bool(parameters) + [f"{macs:,} multiply-adds"] * bool(macs)
        return "; ".join([f"{vertex.title}: {said}", str(vertex.type), *figures])

    def frames(self) -> list[Shape]:
        """A frame around every opened block, in each row that it comes to; none that would hold others."""
        shapes: list[Shape] = []
        for path in dict.fromkeys(s.blocks[: k + 1] for s in self.shown for k in range(len(s.blocks))):
            inside = [vertex for vertex in self.shown if vertex.blocks[: len(path)] == path]
            others = [vertex for vertex in self.shown if vertex not in inside]
            for row in {self.row(vertex) for vertex in inside}:
                boxes = [self.framed(vertex, path) for vertex in inside if self.row(vertex) == row]
                frame = reduce(Box.around, boxes)
                if not any(self.row(other) == row and frame.overlaps(self.box(other)) for other in others):
                    shapes.append(Rect(frame, "frame", 6))
                    shapes.append(Text(frame.x0 + 6, frame.y0 + 11, path[-1], "heading", "start"))
        return shapes

    def framed(self, vertex: Vertex, path: tuple[str, ...]) -> Box:
        """A vertex with the frames of the blocks inside `path` that it stands in, and their names."""
        box, inner = self.box(vertex), len(vertex.blocks) - len(path)
        side = 3 + 4 * inner
        top = box.y0 + HEADING * (len(path) - 1)
        return Box(box.x0 - side, top, box.x1 + side, box.y1 + side)

    def box(self, vertex: Vertex) -> Box:
        place, size = self.layout.places[vertex.name], self.figures[vertex.name].size
        return Box(place.x - size.left, place.y - size.above, place.x + size.right, place.y + size.below)

    def row(self, vertex: Vertex) -> int:
        return self.layout.columns[self.layout.places[vertex.name].column].row


def moved(shape: Shape, x: float, y: float) -> Shape:
    """A shape elsewhere."""
    match shape:
        case Polygon(points=points) | Curve(points=points):
            return replace(shape, points=tuple((px + x, py + y) for px, py in points))
        case Rect(box=box):
            return replace(shape, box=Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y))
        case Circle() | Text():
            return replace(shape, x=shape.x + x, y=shape.y + y)


def describe(shown: Diagram, known: Facts) -> str:
    """The drawing in words, for those who do not see it."""
    steps = [f"{' '.join(caption(vertex)) or 'input'} gives {vertex.type}" for vertex in shown]
    return f"{'; '.join(steps)}. {known.parameters:,} parameters, {known.macs:,} multiply-adds."
