"""Where the vertices of a network stand that narrows and widens again, with bridges across: as a U.

Maps of about one size stand on one level, in the order of the forward pass; what halves them goes straight
down, what doubles them straight up, and bridges run above their level. Ronneberger, Fischer and Brox 2015
drew theirs so.
"""

from __future__ import annotations

from math import log2

from .diagram import Diagram, Vertex
from .layout import LANE, Column, Layout, LayoutRow, Size, Waypoint

MARGIN = 24.0
GAP = 30.0  # between one vertex and the next
STEP = 40.0  # between one level and the next


def u_layout(shown: Diagram, sizes: dict[str, Size]) -> Layout | None:
    """The layout as a U, or None where a network is not one."""
    levels = _levels(shown)
    cells = _cells(shown, levels) if levels else None
    if levels is None or cells is None:
        return None
    bridges = [
        (value, vertex.name)
        for vertex in shown
        for value in vertex.inputs
        if levels[value] == levels[vertex.name] and cells[vertex.name] > cells[value] + 1
    ]
    if len({levels[one] for one, other in bridges if _deeper(one, other, levels, cells)}) < 2:
        return None
    lanes = _lanes(bridges, levels, cells)
    across = _across(levels, cells, sizes)
    places: dict[str, Waypoint] = {}
    columns: list[Column] = []
    tops: list[float] = []
    top = MARGIN
    for level in range(max(levels.values()) + 1):
        names = [name for name in cells if levels[name] == level]
        tops.append(top + LANE * max((lanes[b] + 1 for b in bridges if levels[b[0]] == level), default=0))
        y = tops[-1] + max(sizes[name].above for name in names)
        for name in names:
            places[name] = Waypoint(name, sizes[name], len(columns), x=across[name], y=y)
            columns.append(Column(0, across[name] - sizes[name].left, across[name] + sizes[name].right))
        top = y + max(sizes[name].below for name in names) + STEP
    links = {}
    for vertex in shown:
        for value in vertex.inputs:
            way = [places[value], places[vertex.name]]
            if (value, vertex.name) in lanes:
                y = tops[levels[value]] - LANE * (lanes[value, vertex.name] + 0.5)
                for x in (columns[way[0].column].right + GAP, columns[way[-1].column].x - GAP):
                    way.insert(-1, Waypoint("", Size(0, 0, 0, 0), len(columns), x=x, y=y))
                    columns.append(Column(0, x, x))
            links[value, vertex.name] = way
    right = max(column.right for column in columns)
    row = LayoutRow(MARGIN, top - STEP, right, [])
    return Layout(places, links, columns, [row], right + MARGIN, top - STEP + MARGIN)


def _across(levels: dict[str, int], cells: dict[str, int], sizes: dict[str, Size]) -> dict[str, float]:
    """The x of every vertex: one for all of a column, as far left as those beside it on their levels let it."""
    across: dict[int, float] = {}
    edges: dict[int, float] = {}  # how far each level is taken up
    for cell in sorted(set(cells.values())):
        here = [name for name in cells if cells[name] == cell]
        across[cell] = max(edges.get(levels[name], MARGIN - GAP) + GAP + sizes[name].left for name in here)
        edges |= {levels[name]: across[cell] + sizes[name].right for name in here}
    return {name: across[cell] for name, cell in cells.items()}


def _levels(shown: Diagram) -> dict[str, int] | None:
    """How often the map of every vertex has been halved; None where that cannot be said."""
    levels: dict[str, int] = {}
    for vertex in shown:
        if not vertex.type.spatial or (not vertex.inputs and levels):
            return None
        before = [shown.vertices[name] for name in vertex.inputs]
        steps = {levels[b.name] + _halvings(vertex, b) for b in before}
        if len(steps) > 1 or min(steps, default=0) < 0:
            return None
        levels[vertex.name] = min(steps, default=0)
    return levels


def _halvings(vertex: Vertex, before: Vertex) -> int:
    """How often a vertex halves the map that it reads, below 0 where it doubles it; a crop does neither."""
    if vertex.window is None:
        return round(log2(before.type.spatial[0] / vertex.type.spatial[0]))
    return round(log2(vertex.window.stride[0] / max(vertex.window.grow, default=1)))


def _cells(shown: Diagram, levels: dict[str, int]) -> dict[str, int] | None:
    """The column of every vertex: below or above what it reads where the level changes, else to the right."""
    cells: dict[str, int] = {}
    taken: set[tuple[int, int]] = set()
    for vertex in shown:
        level = levels[vertex.name]
        changes = [abs(levels[name] - level) for name in vertex.inputs]
        if any(changes) and changes != [1]:
            return None
        cell = max((cells[name] + (levels[name] == level) for name in vertex.inputs), default=0)
        while (cell, level) in taken:
            if any(changes):
                return None
            cell += 1
        cells[vertex.name] = cell
        taken.add((cell, level))
    return cells


def _deeper(one: str, other: str, levels: dict[str, int], cells: dict[str, int]) -> bool:
    """Whether a bridge leads over something of a deeper level."""
    return any(cells[one] < cell < cells[other] and levels[name] > levels[one] for name, cell in cells.items())


def _lanes(
    bridges: list[tuple[str, str]], levels: dict[str, int], cells: dict[str, int]
) -> dict[tuple[str, str], int]:
    """Bridges of one level that would lie on one another go one above the other."""
    lanes: dict[tuple[str, str], int] = {}
    for one, other in bridges:
        beside = {
            lanes[a, b]
            for a, b in lanes
            if levels[a] == levels[one] and cells[a] < cells[other] and cells[one] < cells[b]
        }
        lanes[one, other] = next(k for k in range(len(beside) + 1) if k not in beside)
    return lanes
