"""The cookbook: every network that comes along with its drawing, its figures and its text."""

from __future__ import annotations

from ..api import read_spec
from ..draw.drawing import scene
from ..draw.svg import svg
from ..ir.facts import facts
from ..plain_files import read_text
from ..quoting import markup
from ..resources import spec_files
from .markdown import RenderedPage, Section, code

WIDTH = 1400  # of a drawing, which scrolls where the page is narrower


def cookbook() -> tuple[RenderedPage, dict[str, bytes]]:
    """The page, and the drawings by the names of their files."""
    pieces = [
        '<h1 id="cookbook">Networks to read and copy from</h1>\n<p>Each lies in <code>specs/</code>, is checked '
        "and compiled by tests, and begins with where it is from; <code>cnnspec draw</code> draws them.</p>\n"
    ]
    sections = [Section(1, "Networks to read and copy from", "cookbook", "cookbook networks drawings specs")]
    drawings = {}
    for path in spec_files("*.cnn"):
        name, text = path.stem, read_text(path)
        graph = read_spec(path).graph
        known = facts(graph)
        inputs = ", ".join(str(graph.type(value)) for value in graph.inputs)
        figures = (
            f"{len(known.rows)} layers, input {inputs}, {known.parameters:,} parameters, "
            f"{known.macs:,} multiply-adds for each example"
        )
        drawings[f"drawings/{name}.svg"] = svg(scene(graph, width=WIDTH, name=name)).encode()
        pieces.append(
            f'<h2 id="{markup(name)}">{markup(name)}</h2>\n<p>{markup(figures)}</p>\n'
            f'<div class="scroll" tabindex="0" role="group" aria-label="{markup(f"the drawing of {name}")}">'
            f'<img class="drawing" src="drawings/{markup(name)}.svg" loading="lazy" '
            f'alt="{markup(f"the layers of {name}, as volumes")}"></div>\n{code(text, "cnn")}'
        )
        sections.append(Section(2, name, name, text))
    return RenderedPage("".join(pieces), tuple(sections)), drawings
