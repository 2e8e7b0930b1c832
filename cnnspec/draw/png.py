"""A scene as PNG, by matplotlib (extra `plot`)."""

from __future__ import annotations

import io
from typing import Any

from ..diagnostics import Diagnostic, SpecError
from .scene import SIZES, Circle, Curve, Polygon, Rect, Scene, Shape, Text, look

MISSING = Diagnostic.of("CNN551")


def png(scene: Scene, scale: float = 2.0) -> bytes:
    """The picture in light colours, `scale` pixels for each of its points."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise SpecError((MISSING,)) from None
    figure = Figure(figsize=(scene.width / 72, scene.height / 72), dpi=72 * scale)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, scene.width), ylim=(scene.height, 0))
    axes.axis("off")
    for order, shape in enumerate(scene.shapes()):
        _add(axes, shape, order)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Title": scene.title, "Description": scene.description})
    return file.getvalue()


def _add(axes: Any, shape: Shape, order: int) -> None:
    from matplotlib.patches import Circle as RoundPatch
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path

    if isinstance(shape, Text):
        aligned = {"start": "left", "middle": "center", "end": "right"}[shape.anchor]
        colors, size = look(shape.style), SIZES[shape.style.split()[0]]
        axes.text(
            shape.x, shape.y, shape.text, ha=aligned, va="baseline", family="monospace", fontsize=size,
            color=colors["fill"], weight=colors.get("font-weight", "normal"), zorder=order,
        )  # fmt: skip
        return
    patch: Any
    match shape:
        case Polygon(points=points, open=opened):
            path = Path([*points, points[0]], closed=True) if not opened else Path(points)
            patch = PathPatch(path, **_looks(shape.style))
        case Curve(points=points):
            codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
            patch = PathPatch(Path(points, codes), **_looks(shape.style))
        case Rect(box=box, radius=radius):
            width, height = box.x1 - box.x0, box.y1 - box.y0
            patch = FancyBboxPatch((box.x0, box.y0), width, height, **_looks(shape.style))
            patch.set_boxstyle("round", pad=0, rounding_size=min(radius, width / 2, height / 2) or 0.01)
        case Circle(x=x, y=y, radius=radius):
            patch = RoundPatch((x, y), radius, **_looks(shape.style))
    patch.set_zorder(order)
    axes.add_patch(patch)


def _looks(style: str) -> dict[str, Any]:
    """A shape's style sheet in matplotlib's words."""
    from matplotlib.colors import to_rgba

    found = look(style)

    def color(part: str) -> Any:
        value = found.get(part, "none")
        return "none" if value == "none" else to_rgba(value, float(found.get(f"{part}-opacity", 1)))

    looks = {
        "facecolor": color("fill"),
        "edgecolor": color("stroke"),
        "linewidth": float(found.get("stroke-width", 1)),
    }
    if "stroke-dasharray" in found:
        looks["linestyle"] = (0, tuple(float(part) for part in found["stroke-dasharray"].split()))
    return looks
