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

from ...draw.drawing import draw
from ...explain.subject import Subject
from ...quoting import markup
from .beyond import beyond
from .content import content
from .network import shown
from .numbers import NumberStore

HERE = Path(__file__).parent
SCRIPTS = (
    "elements.js",
    "numbers.js",
    "looking.js",
    "part.js",
    "compute.js",
    "maps.js",
    "charts.js",
    "shown.js",
    "layers.js",
    "slide.js",
    "sums.js",
    "weight.js",
    "back.js",
    "changes.js",
    "fit.js",
    "keys.js",
    "own.js",
    "camera.js",
    "touch.js",
    "results.js",
    "address.js",
    "page.js",
)
OPENED = 200  # values up to which a second drawing has every block opened


def page(subject: Subject) -> str:
    """The page as the text of an HTML file."""
    numbers = NumberStore()
    told = content(subject, numbers)
    inputs, preparation = subject.graph.inputs, subject.preparation
    network = shown(subject.model, preparation.of(inputs[0]) if preparation and len(inputs) == 1 else None)
    told["part"] = None
    if network.takes:
        rest = beyond(subject, network.layers, numbers)
        told["part"] = {"layers": list(network.layers), "takes": network.takes, "beyond": rest}
    frame, script = framed()
    parts = {
        "title": markup(subject.name),
        "drawing": drawings(subject),
        "content": harmless(told),
        "numbers": numbers.text(),
        "network": network.text,
        "hashes": f"{script} {digest(network.text)}",
    }
    return filled(frame, parts)


def drawings(subject: Subject) -> str:
    """The network with its blocks folded; behind it, hidden at first, with all of them opened."""
    folded = draw(subject.graph, name=subject.name)
    if len(subject.graph) > OPENED or not any(node.blocks for node in subject.graph):
        return folded
    return folded + draw(subject.graph, depth=9, name=subject.name).replace("<svg ", "<svg hidden ", 1)


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


def harmless(data: object) -> str:
    """JSON that no HTML parser can take for the end of its script, in ASCII."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
