"""The page of a network: one HTML file with the drawing, the layers, the maps and the sums behind each pixel.

`page.html` is the frame; the style sheet, the scripts and the data are put into it, so that the file needs
nothing else, now or later. Scripts are plain and read from top to bottom in the order of SCRIPTS.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ...draw.drawing import draw
from ...explain.subject import Subject
from ...quoting import markup
from .content import content
from .numbers import Numbers

HERE = Path(__file__).parent
SCRIPTS = ("numbers.js", "compute.js", "maps.js", "charts.js", "slide.js", "sums.js", "results.js", "page.js")
OPENED = 80  # values up to which every block is drawn opened


def page(subject: Subject) -> str:
    """The page as the text of an HTML file."""
    numbers = Numbers()
    told = content(subject, numbers)
    depth = 9 if len(subject.graph) <= OPENED else 0
    scripts = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    parts = {
        "title": markup(subject.name),
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "drawing": draw(subject.graph, depth=depth, name=subject.name),
        "content": harmless(told),
        "numbers": numbers.text(),
        "script": scripts,
    }
    frame = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{ (\w+) \}\}", lambda mark: parts[mark[1]], frame)


def harmless(data: Any) -> str:
    """JSON that no HTML parser can take for the end of its script, in ASCII."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
