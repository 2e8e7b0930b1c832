"""The drawing of a text as it stands in the editor."""

from __future__ import annotations

from .document import Document

WIDTH = 1100


def drawing(document: Document) -> str | None:
    """SVG; None for a text that has errors, or no network."""
    spec = document.report.reading.spec if document.report.reading else None
    if spec is None:
        return None
    from ..draw.drawing import scene
    from ..draw.svg import svg

    name = document.path.name.partition(".")[0] if document.path else "network"
    return svg(scene(spec.graph, width=WIDTH, name=name))
