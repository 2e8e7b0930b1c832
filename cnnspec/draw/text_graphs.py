"""The drawing's vertices and links as text for other programs: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from ..quoting import visible
from .diagram import Vertex, diagram
from .scene import LIGHT
from .volumes import caption, color_of


def mermaid(graph: Graph, *, depth: int = 0) -> str:
    """A Mermaid flow chart; opened blocks are subgraphs."""
    shown = diagram(graph, depth)
    ids = {name: f"n{k}" for k, name in enumerate(shown.vertices)}
    lines = ["flowchart LR"]

    def node(vertex: Vertex, indent: str) -> str:
        text = "<br/>".join(_mermaid_text(line) for line in label(vertex))
        return f'{indent}{ids[vertex.name]}["{text}"]:::{color_of(vertex)}'

    def block(path: tuple[str, ...], number: str, indent: str) -> str:
        return f'{indent}subgraph b{number}["{_mermaid_text(path[-1])}"]'

    lines += _nested(list(shown), node, block, "end", "  ")
    lines += [f"  {ids[value]} --> {ids[vertex.name]}" for vertex in shown for value in vertex.inputs]
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

    def node(vertex: Vertex, indent: str) -> str:
        hue = LIGHT[color_of(vertex)]["stroke"]
        text = "\\n".join(map(_dot_text, label(vertex)))
        return f'{indent}"{_dot_text(vertex.name)}" [label="{text}", color="{hue}", fillcolor="{hue}22"]'

    def block(path: tuple[str, ...], number: str, indent: str) -> str:
        return f'{indent}subgraph cluster_{number} {{ label="{_dot_text(path[-1])}"; fontname="monospace"'

    lines += _nested(list(shown), node, block, "}", "  ")
    lines += [
        f'  "{_dot_text(value)}" -> "{_dot_text(vertex.name)}"' for vertex in shown for value in vertex.inputs
    ]
    return "\n".join([*lines, "}"]) + "\n"


def label(vertex: Vertex) -> list[str]:
    """A vertex in lines: its name, shape, and what happened."""
    lines = [vertex.title, str(vertex.type).replace("x", "×"), *caption(vertex)]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _nested(
    vertices: list[Vertex],
    node: Callable[[Vertex, str], str],
    block: Callable[[tuple[str, ...], str, str], str],
    end: str,
    indent: str,
    depth: int = 0,
) -> list[str]:
    """Vertices with those of each block inside its braces; a block that is left and entered again is two."""
    lines: list[str] = []
    k = 0
    while k < len(vertices):
        path = vertices[k].blocks[: depth + 1]
        if len(path) <= depth:
            lines.append(node(vertices[k], indent))
            k += 1
            continue
        stop = k
        while stop < len(vertices) and vertices[stop].blocks[: depth + 1] == path:
            stop += 1
        lines.append(block(path, f"{depth}_{_safe(vertices[k].name)}", indent))
        lines += _nested(vertices[k:stop], node, block, end, indent + "  ", depth + 1)
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
