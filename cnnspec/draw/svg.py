"""A scene as SVG: plain, self-contained, light or dark as the reader's system is."""

from __future__ import annotations

from collections.abc import Mapping

from ..quoting import markup
from .scene import DARK, LIGHT, SIZES, Circle, Curve, Group, Point, Polygon, Rect, Scene, Shape, Text

FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


def svg(scene: Scene, prefix: str = "cnn") -> str:
    """The picture as the text of an SVG file. `prefix` keeps its classes apart from those of a page."""
    size = f"{number(scene.width)} {number(scene.height)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{prefix}" viewBox="0 0 {size}" '
        f'width="{number(scene.width)}" height="{number(scene.height)}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-description">',
        f'<title id="{prefix}-title">{markup(scene.title)}</title>',
        f'<desc id="{prefix}-description">{markup(scene.description)}</desc>',
        f"<style>\n{style_sheet(prefix)}</style>",
        f'<rect class="page" width="{number(scene.width)}" height="{number(scene.height)}" rx="8"/>',
    ]
    for group in scene.groups:
        lines += _group(group)
    return "\n".join([*lines, "</svg>"]) + "\n"


def style_sheet(prefix: str) -> str:
    """The colours, for light and for dark."""
    lines = [f".{prefix} text {{ font-family: {FONT}; }}"]
    lines += [f".{prefix} .{name} {{ font-size: {number(size)}px; }}" for name, size in SIZES.items()]
    lines += _rules(prefix, LIGHT)
    lines.append("@media (prefers-color-scheme: dark) {")
    lines += [f"  {rule}" for rule in _rules(prefix, DARK | _again(DARK))]
    lines.append("}")
    return "\n".join(lines) + "\n"


def _again(changed: Mapping[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Rules that must come after the changed ones, as they do in the light sheet: `plane` has no fill."""
    return {
        name: {key: "none" for key in ("fill", "stroke") if properties.get(key) == "none"}
        for name, properties in LIGHT.items()
        if name not in changed and "none" in (properties.get("fill"), properties.get("stroke"))
    }


def _rules(prefix: str, table: Mapping[str, dict[str, str]]) -> list[str]:
    return [
        f".{prefix} .{name} {{ {' '.join(f'{key}: {value};' for key, value in properties.items())} }}"
        for name, properties in table.items()
    ]


def _group(group: Group) -> list[str]:
    drawn = [_shape(shape) for shape in group.shapes]
    if not group.name:
        return drawn
    title = f"<title>{markup(group.title)}</title>" if group.title else ""
    return [f'<g data-value="{markup(group.name)}">{title}', *drawn, "</g>"]


def _shape(shape: Shape) -> str:
    style = f'class="{shape.style}"'
    match shape:
        case Polygon(points=points, open=opened):
            return f'<{"polyline" if opened else "polygon"} {style} points="{" ".join(map(_pair, points))}"/>'
        case Curve(points=points):
            first, *rest = map(_pair, points)
            pieces = " ".join(f"C{' '.join(rest[k : k + 3])}" for k in range(0, len(rest), 3))
            return f'<path {style} d="M{first} {pieces}"/>'
        case Rect(box=box, radius=radius):
            corner = f' rx="{number(radius)}"' if radius else ""
            return (
                f'<rect {style} x="{number(box.x0)}" y="{number(box.y0)}" '
                f'width="{number(box.x1 - box.x0)}" height="{number(box.y1 - box.y0)}"{corner}/>'
            )
        case Circle():
            return f'<circle {style} cx="{number(shape.x)}" cy="{number(shape.y)}" r="{number(shape.radius)}"/>'
        case Text():
            return (
                f'<text {style} x="{number(shape.x)}" y="{number(shape.y)}" text-anchor="{shape.anchor}">'
                f"{markup(shape.text)}</text>"
            )
    raise AssertionError(shape)


def _pair(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"


def number(value: float) -> str:
    """As few digits as a picture needs."""
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.1f}"
