"""How things show themselves in a notebook: drawings, tables, curves, marked source.

Each function gives HTML (or SVG) for one of them; the objects' `_repr_html_` call these when they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from .diagnostics import Diagnostic, SpecError
from .diagnostics.text import render
from .display import shows
from .draw.drawing import draw
from .draw.svg import number
from .ir import Graph, summary
from .ir.facts import Facts, facts
from .quoting import markup
from .train.documents import Summary
from .train.folder import RunFolder

if TYPE_CHECKING:
    from .checking import Report
    from .model import Model
    from .train.history import History

WIDTH = 900.0  # of a notebook's cell
SHOWN = 60  # values whose table is not folded away
ANSI = {"1": "font-weight:bold", "31": "color:#dc2626", "33": "color:#b45309", "34": "color:#2563eb",
        "36": "color:#0e7490", "32": "color:#15803d", "2": "opacity:.7"}  # fmt: skip
PRE = "font-family:ui-monospace,Menlo,Consolas,monospace;line-height:1.35;white-space:pre;overflow-x:auto"


@shows("graph_svg")
def graph_svg(graph: Graph) -> str:
    """The drawing of a checked graph."""
    return draw(graph, width=WIDTH)


@shows("facts_html")
def facts_html(known: Facts) -> str:
    """The table of layers."""
    head = "".join(f"<th>{markup(name)}</th>" for name in summary.COLUMNS)
    rows = [summary.cells(row) for row in known.rows]
    rows.append(("total", "", "", f"{known.parameters:,}", f"{known.macs:,}", "", ""))
    body = "".join(f"<tr>{''.join(f'<td>{markup(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@shows("model_html")
def model_html(model: Model) -> str:
    """The drawing and the table of a model."""
    known = facts(model.graph)
    opened = " open" if len(known.rows) <= SHOWN else ""
    table = f"<details{opened}><summary>layers</summary>{facts_html(known)}</details>"
    said = f"{known.parameters:,} parameters, {known.macs:,} multiply-adds, {model.steps:,} steps taken"
    return f"<div>{graph_svg(model.graph)}<p>{said}</p>{table}</div>"


@shows("history_html")
def history_html(history: History) -> str:
    """The curves of a training and its best epoch."""
    names = ("cost", "validation_cost", "accuracy", "validation_accuracy")
    columns = {name: history[name] for name in names}
    best = f"<p>best epoch {history.best_epoch} of {len(history)}</p>" if history.best_epoch else ""
    return f"<div>{curves_svg(columns)}{best}</div>"


@shows("run_html")
def run_html(path: Path) -> str:
    """The curves of a run's folder, what came of it, and its pictures' names."""
    folder = RunFolder(path)
    columns: dict[str, list[float | None]] = {}
    told = Summary()
    with suppress(SpecError):
        columns = folder.columns()
    with suppress(SpecError):
        told = folder.ended()
    cells = "".join(
        f"<tr><th>{markup(name)}</th><td>{markup(value)}</td></tr>"
        for name, value in told.items()
        if not isinstance(value, (dict, list))
    )
    return f"<div><p><code>{markup(path)}</code></p>{curves_svg(columns)}<table>{cells}</table></div>"


@shows("diagnostics_html")
def diagnostics_html(found: Iterable[Diagnostic]) -> str:
    """Findings with their source, marked as in a terminal."""
    text = re.sub(r"\x1b\[([\d;]*)m", _style, escape(render(found, color=True), quote=False))
    return f'<pre style="{PRE}">{text}</pre>'


def _style(code: re.Match[str]) -> str:
    """A colour of the terminal as a span; the one that ends it ends the span."""
    numbers = [part.lstrip("0") for part in code[1].split(";") if part.strip("0")]
    if not numbers:
        return "</span>"
    styles = [ANSI[part] for part in numbers if part in ANSI]
    return f'<span style="{";".join(styles)}">'


@shows("report_html")
def report_html(report: Report) -> str:
    """What a check found, and the network where it found no error."""
    known = report.summary
    parts = [diagnostics_html(report.diagnostics)] if report.diagnostics else ["<p>no findings</p>"]
    if known is not None and report.reading is not None:
        parts.append(graph_svg(report.reading.graph))
        parts.append(facts_html(known))
    return f"<div>{''.join(parts)}</div>"


# ---- curves ----------------------------------------------------------------------------------------------

BROAD, TALL, LEFT, TOP, BOTTOM = 380.0, 210.0, 58.0, 26.0, 26.0
STYLE = """
.cnn-curves text { font: 11px system-ui, sans-serif; fill: currentColor; }
.cnn-curves line { stroke: currentColor; opacity: .25; }
.cnn-curves polyline { fill: none; stroke-width: 2; stroke: #3b82f6; }
.cnn-curves circle { fill: #3b82f6; }
.cnn-curves circle.validation { fill: #ea580c; }
.cnn-curves polyline + polyline { stroke: #ea580c; stroke-dasharray: 5 3; }
"""


def curves_svg(columns: dict[str, list[float | None]]) -> str:
    """Cost and accuracy over the epochs, training and validation, side by side."""
    charts: list[str] = []
    for name in ("cost", "accuracy"):
        series = [columns.get(key, []) for key in (name, f"validation_{name}")]
        if any(value is not None for values in series for value in values):
            charts.append(_chart(name, series, BROAD * len(charts)))
    if not charts:
        return ""
    width = number(BROAD * len(charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cnn-curves" viewBox="0 0 {width} {number(TALL)}" '
        f'width="{width}" height="{number(TALL)}" role="img" aria-label="Cost and accuracy over the epochs">'
        f"<style>{STYLE}</style>{''.join(charts)}</svg>"
    )


def _chart(name: str, series: Sequence[list[float | None]], x: float) -> str:
    known = [value for values in series for value in values if value is not None and isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    count = max(len(values) for values in series)
    span = high - low or abs(high) or 1.0

    def place(k: int, value: float) -> tuple[str, str]:
        across = x + LEFT + (BROAD - LEFT - 20) * k / max(1, count - 1)
        return number(across), number(TOP + (TALL - TOP - BOTTOM) * (1 - (value - low) / span))

    parts = [f'<text x="{number(x + LEFT)}" y="14">{name}: training —, validation - -</text>']
    for value in (low, high):
        level = TOP + (TALL - TOP - BOTTOM) * (1 - (value - low) / span)
        told = f"{value:.1%}" if name == "accuracy" else f"{value:.3g}"
        right = number(x + BROAD - 20)
        parts.append(f'<line x1="{number(x + LEFT)}" x2="{right}" y1="{number(level)}" y2="{number(level)}"/>')
        parts.append(f'<text x="{number(x + LEFT - 5)}" y="{number(level + 4)}" text-anchor="end">{told}</text>')
    drawn = [[place(k, v) for k, v in enumerate(vs) if v is not None and isfinite(v)] for vs in series]
    parts += [f'<polyline points="{" ".join(map(",".join, points))}"/>' for points in drawn]
    for points, kind in zip(drawn, ("training", "validation"), strict=True):
        if len(points) == 1:  # a line of one point is not seen
            ((cx, cy),) = points
            parts.append(f'<circle class="{kind}" cx="{cx}" cy="{cy}" r="3"/>')
    parts.append(
        f'<text x="{number(x + BROAD - 20)}" y="{number(TALL - 6)}" text-anchor="end">epoch {count}</text>'
    )
    return f"<g>{''.join(parts)}</g>"
