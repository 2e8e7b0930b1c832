"""The drawing's stations and links as text for other programs: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from ..quoting import visible
from .diagram import DiagramBox, diagram
from .scene import LIGHT
from .volumes import caption, color_of


def mermaid(graph: Graph, *, depth: int = 0) -> str:
    """A Mermaid flow chart; opened blocks are subgraphs."""
    shown = diagram(graph, depth)
    ids = {name: f"n{k}" for k, name in enumerate(shown.stations)}
    lines = ["flowchart LR"]

    def node(station: DiagramBox, indent: str) -> str:
        text = "<br/>".join(_mermaid_text(line) for line in label(station))
        return f'{indent}{ids[station.name]}["{text}"]:::{color_of(station)}'

    def block(path: tuple[str, ...], number: str, indent: str) -> str:
        return f'{indent}subgraph b{number}["{_mermaid_text(path[-1])}"]'

    lines += _nested(list(shown), node, block, "end", "  ")
    lines += [f"  {ids[value]} --> {ids[station.name]}" for station in shown for value in station.inputs]
    for color in dict.fromkeys(map(color_of, shown)):
        hue = LIGHT[color]["stroke"]
        lines.append(f"  classDef {color} fill:{hue}22,stroke:{hue}")
    return "\n".join(lines) + "\n"


def dot(graph: Graph, *, depth: int = 0) -> str:
    """A graph in Graphviz's language; opened blocks are clusters."""
    shown = diagram(graph, depth)
    lines = [
        "digraph network {",
        "  rankdir=LR",
        '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=10]',
        '  edge [color="#94a3b8"]',
    ]

    def node(station: DiagramBox, indent: str) -> str:
        hue = LIGHT[color_of(station)]["stroke"]
        text = "\\n".join(map(_dot_text, label(station)))
        return f'{indent}"{_dot_text(station.name)}" [label="{text}", color="{hue}", fillcolor="{hue}22"]'

    def block(path: tuple[str, ...], number: str, indent: str) -> str:
        return f'{indent}subgraph cluster_{number} {{ label="{_dot_text(path[-1])}"; fontname="monospace"'

    lines += _nested(list(shown), node, block, "}", "  ")
    lines += [
        f'  "{_dot_text(value)}" -> "{_dot_text(station.name)}"' for station in shown for value in station.inputs
    ]
    return "\n".join([*lines, "}"]) + "\n"


def label(station: DiagramBox) -> list[str]:
    """A station in lines: its name, shape, and what happened."""
    lines = [station.title, str(station.type).replace("x", "×"), *caption(station)]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _nested(
    stations: list[DiagramBox],
    node: Callable[[DiagramBox, str], str],
    block: Callable[[tuple[str, ...], str, str], str],
    end: str,
    indent: str,
    depth: int = 0,
) -> list[str]:
    """Stations with those of each block inside its braces; a block that is left and entered again is two."""
    lines: list[str] = []
    k = 0
    while k < len(stations):
        path = stations[k].blocks[: depth + 1]
        if len(path) <= depth:
            lines.append(node(stations[k], indent))
            k += 1
            continue
        stop = k
        while stop < len(stations) and stations[stop].blocks[: depth + 1] == path:
            stop += 1
        lines.append(block(path, f"{depth}_{_safe(stations[k].name)}", indent))
        lines += _nested(stations[k:stop], node, block, end, indent + "  ", depth + 1)
        lines.append(f"{indent}{end}")
        k = stop
    return lines


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}" for c in name)


def _mermaid_text(text: str) -> str:
    """Text inside Mermaid's quotes, where entities are written with #."""
    return "".join(f"#{ord(c)};" if c in '"#<>&;`\\' else c for c in visible(text))


def _dot_text(text: str) -> str:
    """Text inside the quotes of dot."""
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')
