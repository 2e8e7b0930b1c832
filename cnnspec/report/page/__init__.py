"""The page of a network: one HTML file with the drawing, the layers, the maps and the sums behind each pixel.

`page.html` is the frame; the style sheet, the scripts, the network and the data are put into it, so that the file
needs nothing else, now or later. Scripts are plain and read from top to bottom in the order of SCRIPTS. No value is
kept: the network itself is in the page, as JavaScript (targets/js) with its weights, and a worker of the page
computes the values and gradients of an example when it is looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...draw.drawing import draw
from ...explain.subject import Subject
from ...quoting import markup
from .content import content
from .network import network_text
from .numbers import Numbers

HERE = Path(__file__).parent
SCRIPTS = (
    "elements.js",
    "numbers.js",
    "looking.js",
    "compute.js",
    "maps.js",
    "charts.js",
    "slide.js",
    "sums.js",
    "back.js",
    "fit.js",
    "own.js",
    "touch.js",
    "results.js",
    "page.js",
)
OPENED = 80  # values up to which every block is drawn opened


def page(subject: Subject) -> str:
    """The page as the text of an HTML file."""
    numbers = Numbers()
    told = content(subject, numbers)
    text, told["refused"] = network_text(subject.model, subject.preparation)
    depth = 9 if len(subject.graph) <= OPENED else 0
    frame, script = framed()
    parts = {
        "title": markup(subject.name),
        "drawing": draw(subject.graph, depth=depth, name=subject.name),
        "content": harmless(told),
        "numbers": numbers.text(),
        "network": text,
        "hashes": f"{script} {digest(text)}",
    }
    return filled(frame, parts)


def framed() -> tuple[str, str]:
    """The page with its style and scripts, and marks for all that is of a network; the digest of its script."""
    scripts = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    frame = (HERE / "page.html").read_text(encoding="utf-8")
    script = frame.rpartition("<script>")[2].partition("</script>")[0].replace("{{ script }}", scripts)
    parts = {"style": (HERE / "page.css").read_text(encoding="utf-8"), "script": scripts}
    return filled(frame, parts), digest(script)


def filled(frame: str, parts: Mapping[str, str]) -> str:
    """The frame with parts in the place of their marks; marks of others stay."""
    return re.sub(r"\{\{ (\w+) \}\}", lambda mark: parts.get(mark[1], mark[0]), frame)


def digest(script: str) -> str:
    """A script's SHA-256 as a content security policy says it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def harmless(data: Any) -> str:
    """JSON that no HTML parser can take for the end of its script, in ASCII."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
