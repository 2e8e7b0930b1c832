"""Windows on the maps that they look at: a filter on its patch, with rays to the pixel that it makes."""

from __future__ import annotations

from ..ir import TensorType
from ..ir.op import Window
from .diagram import Diagram, Vertex
from .layout import Layout, Waypoint
from .links import side_by_side
from .scene import Box, Point, Polygon, Rect, Shape
from .volumes import Figure, color_of

PLACES = ((0.3, 0.62), (0.66, 0.3), (0.3, 0.25), (0.7, 0.7))  # of a pixel in its map: rows, columns
SMALLEST = 3.0  # a pixel that can still be seen
TILES = 20  # windows side by side are all shown up to so many along a side


def windows(shown: Diagram, figures: dict[str, Figure], layout: Layout, texts: list[Box]) -> list[Shape]:
    """A window for each link between neighbours that has one; rays only where they cross no text."""
    shapes: list[Shape] = []
    looks: dict[str, int] = {}
    for (one, other), way in layout.links.items():
        source, target, vertex = figures[one], figures[other], shown.vertices[other]
        near = side_by_side(layout, way) and source.front is not None and target.front is not None
        if not near or vertex.window is None or shown.vertices[one].family == "block":
            continue
        place = PLACES[looks.get(one, 0) % len(PLACES)]
        looks[one] = looks.get(one, 0) + 1
        shapes += _window(shown.vertices[one].type, vertex, source, target, way, place, texts)
    return shapes


def _window(
    seen: TensorType,
    vertex: Vertex,
    source: Figure,
    target: Figure,
    way: list[Waypoint],
    place: tuple[float, float],
    texts: list[Box],
) -> list[Shape]:
    assert vertex.window is not None and source.front is not None and target.front is not None
    made = vertex.type
    rank = len(seen.spatial)
    grows = max(vertex.window.grow, default=1) > 1
    sizes = seen.spatial if grows else made.spatial  # of a growing window one pixel of its input is shown
    pixel = tuple(round((size - 1) * fraction) for size, fraction in zip(sizes, place[-rank:], strict=True))
    one = [(p, p + 1) for p in pixel]
    spans = made_by(vertex.window, pixel, made.spatial) if grows else spans_of(vertex.window, pixel, seen.spatial)
    if any(start >= stop for start, stop in spans):
        return []
    patch = _part(source.front, one if grows else spans, seen.spatial, way[0])
    dot = _part(target.front, spans if grows else one, made.spatial, way[1])
    color = color_of(vertex)
    shapes: list[Shape] = []
    if vertex.family == "pooling":
        shapes += _tiles(vertex.window, source.front, seen.spatial, way[0], color)
    shapes += [Rect(patch, f"patch {color}"), Rect(dot, f"patch {color}")]
    if vertex.channels_seen > 1:
        shapes += _inside(patch, source.deep * min(1.0, vertex.channels_seen / seen["c"]), color)
    rays = _rays(patch, dot)
    if not any(box.met_by(*ray) for ray in rays for box in texts):
        shapes += [Polygon(ray, f"ray {color}", open=True) for ray in rays]
    return shapes


def spans_of(window: Window, pixel: tuple[int, ...], sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """The pixels from `start` to before `stop` that a window meets along each axis, without padding."""
    grow = window.grow or (1,) * len(pixel)
    spans = []
    for o, k, s, p, d, g, size in zip(
        pixel, window.kernel, window.stride, window.pad, window.dilate, grow, sizes, strict=True
    ):
        first = o * s - p
        last = first + d * (k - 1)
        start = max(0, -(-first // g))
        spans.append((start, max(start, min(size, last // g + 1))))
    return spans


def made_by(window: Window, pixel: tuple[int, ...], sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """The other way round: the pixels of the output, from `start` to before `stop`, that see a pixel."""
    spans = []
    grow = window.grow or (1,) * len(pixel)
    for i, k, s, p, d, g, size in zip(
        pixel, window.kernel, window.stride, window.pad, window.dilate, grow, sizes, strict=True
    ):
        last = i * g + p  # the output whose first tap meets the pixel, in steps of the window
        spans.append((max(0, -(-(last - d * (k - 1)) // s)), min(size, last // s + 1)))
    return spans


def _part(front: Box, spans: list[tuple[int, int]], sizes: tuple[int, ...], at: Waypoint) -> Box:
    """Pixels of a map as a rectangle of its front, large enough to be seen."""
    edges = []
    sides = ((front.y0, front.y1), (front.x0, front.x1))
    if len(spans) == 1:  # a sequence's front is one pixel high
        spans, sizes = [(0, 1), *spans], (1, *sizes)
    for (start, stop), size, (low, high) in zip(spans, sizes, sides, strict=True):
        unit = (high - low) / size
        a, b = low + start * unit, low + stop * unit
        if b - a < SMALLEST:
            middle = min(max((a + b) / 2, low + SMALLEST / 2), high - SMALLEST / 2)
            a, b = middle - SMALLEST / 2, middle + SMALLEST / 2
        edges.append((a, b))
    (y0, y1), (x0, x1) = edges
    return Box(at.x + x0, at.y + y0, at.x + x1, at.y + y1)


def _inside(patch: Box, deep: float, color: str) -> list[Shape]:
    """The edges of the filter as it goes through the channels."""
    corners = ((patch.x0, patch.y0), (patch.x1, patch.y0), (patch.x1, patch.y1))
    back = tuple((x + deep, y - deep) for x, y in corners)
    lines: list[tuple[Point, ...]] = [(front, behind) for front, behind in zip(corners, back, strict=True)]
    return [Polygon(line, f"inside {color}", open=True) for line in [*lines, back]]


def _rays(patch: Box, dot: Box) -> list[tuple[Point, Point]]:
    """From the corners of the patch to those of the pixel."""
    small = max(patch.x1 - patch.x0, patch.y1 - patch.y0, dot.x1 - dot.x0, dot.y1 - dot.y0) <= SMALLEST
    if small:
        return [((patch.x1, (patch.y0 + patch.y1) / 2), (dot.x0, (dot.y0 + dot.y1) / 2))]
    return [
        ((patch.x0, patch.y0), (dot.x0, dot.y0)),
        ((patch.x1, patch.y0), (dot.x1, dot.y0)),
        ((patch.x0, patch.y1), (dot.x0, dot.y1)),
        ((patch.x1, patch.y1), (dot.x1, dot.y1)),
    ]


def _tiles(window: Window, front: Box, sizes: tuple[int, ...], at: Waypoint, color: str) -> list[Shape]:
    """The borders of windows that lie side by side."""
    apart = window.stride == window.kernel and not any(window.pad) and len(sizes) == 2
    if not apart or max(size // step for size, step in zip(sizes, window.stride, strict=True)) > TILES:
        return []
    height, width = (front.y1 - front.y0) / sizes[0], (front.x1 - front.x0) / sizes[1]
    rows = [at.y + front.y0 + k * height for k in range(window.stride[0], sizes[0], window.stride[0])]
    columns = [at.x + front.x0 + k * width for k in range(window.stride[1], sizes[1], window.stride[1])]
    lines = [((at.x + front.x0, y), (at.x + front.x1, y)) for y in rows]
    lines += [((x, at.y + front.y0), (x, at.y + front.y1)) for x in columns]
    return [Polygon(line, f"tile {color}", open=True) for line in lines]
