"""The layout of a drawing's vertices: columns from left to right, in rows as wide as a page.

Layered drawing after Sugiyama, Tagawa and Toda 1981: a column for each step of the longest way, links
over several columns pass through *waypoints*, columns are ordered so that few links cross, and everything
stands as level with its neighbours as there is room. Rows are broken as Knuth and Plass 1981 break paragraphs.
Sizes are given, so nothing can overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

LANE = 16.0  # height that a passing link takes
SPACE = 14.0  # between two things of a column
LEAD = 26.0  # room for a link that comes from the row above
TURN = 7.0  # between links that go round the end of a row side by side
SWEEPS = 12


@dataclass(frozen=True)
class Size:
    """The room that something takes around its anchor, where links arrive and leave."""

    left: float
    right: float
    above: float
    below: float


@dataclass
class Waypoint:
    """A vertex or a waypoint in its column, with its anchor at (x, y)."""

    name: str
    size: Size
    column: int
    before: list[Waypoint] = field(default_factory=list)
    after: list[Waypoint] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def waypoint(self) -> bool:
        return not self.name


@dataclass(frozen=True)
class Column:
    """A column as placed: from x to `right`, on its row."""

    row: int
    x: float
    right: float


@dataclass(frozen=True)
class LayoutRow:
    """A row of columns: from `top` to `bottom`; from `turns`, top to bottom, links go round to the next row."""

    top: float
    bottom: float
    right: float
    turns: list[Waypoint]


@dataclass(frozen=True)
class Layout:
    """Places by name, the way of every link as the places it passes, and the columns and rows."""

    places: dict[str, Waypoint]
    links: dict[tuple[str, str], list[Waypoint]]
    columns: list[Column]
    rows: list[LayoutRow]
    width: float
    height: float


def lay_out(
    inputs: dict[str, tuple[str, ...]],
    sizes: dict[str, Size],
    gap: Callable[[str, str], float],
    *,
    width: float,
    ties: Callable[[str, str], int] = lambda one, other: 0,
    margin: float = 24.0,
    row_gap: float = 56.0,
) -> Layout:
    """Place vertices, given what each reads (in computable order) and how large it is.

    `gap(a, b)` is the room wanted between a vertex and its reader in the next column. Rows are as wide as
    `width` at most, but for a single column, and broken where few links cross and where `ties`, which says
    how much would rather stay together, is small.
    """
    columns, links = _columns(inputs, sizes)
    _order(columns)
    gaps = _gaps(columns, gap)
    spans = [(max(p.size.left for p in c), max(p.size.right for p in c)) for c in columns]
    starts = _breaks(spans, gaps, _cuts(columns, ties), width - 2 * margin)
    placed: list[Column] = []
    rows: list[LayoutRow] = []
    top = margin
    turns: list[Waypoint] = []
    for row, (start, stop) in enumerate(zip(starts, [*starts[1:], len(columns)], strict=True)):
        part = columns[start:stop]
        _levels(part)
        shift = top - min(p.y - p.size.above for c in part for p in c)
        x = margin + _lead(len(turns))
        for number in range(start, stop):
            left, right = spans[number]
            for place in columns[number]:
                place.x, place.y = x + left, place.y + shift
            placed.append(Column(row, x, x + left + right))
            x += left + right + gaps[number]
        bottom = max(p.y + p.size.below for c in part for p in c)
        turns = [place for place in columns[stop - 1] if place.after]
        rows.append(LayoutRow(top, bottom, placed[-1].right, turns))
        top = bottom + row_gap + TURN * max(0, len(turns) - 1)
    places = {p.name: p for c in columns for p in c if p.name}
    broadest = max(row.right + _lead(len(row.turns)) for row in rows) + margin
    return Layout(places, links, placed, rows, broadest, rows[-1].bottom + margin)


def _lead(turns: int) -> float:
    """Room beside a row for so many links that come round from the row above, or go to the one below."""
    return LEAD + TURN * (turns - 1) if turns else 0.0


def _columns(
    inputs: dict[str, tuple[str, ...]], sizes: dict[str, Size]
) -> tuple[list[list[Waypoint]], dict[tuple[str, str], list[Waypoint]]]:
    """Vertices by the length of the longest way to them, with waypoints on links that skip columns."""
    places: dict[str, Waypoint] = {}
    columns: list[list[Waypoint]] = []

    def put(place: Waypoint) -> Waypoint:
        while len(columns) <= place.column:
            columns.append([])
        columns[place.column].append(place)
        return place

    for name, values in inputs.items():
        column = max((places[value].column + 1 for value in values), default=0)
        places[name] = put(Waypoint(name, sizes[name], column))
    links = {}
    for name, values in inputs.items():
        for value in values:
            way = [places[value]]
            for column in range(places[value].column + 1, places[name].column):
                way.append(put(Waypoint("", Size(0, 0, LANE / 2, LANE / 2), column)))
            way.append(places[name])
            for one, other in pairwise(way):
                one.after.append(other)
                other.before.append(one)
            links[value, name] = way
    return columns, links


def _order(columns: list[list[Waypoint]]) -> None:
    """Sort each column by where its neighbours stand, to and fro; keep the order with fewest crossings."""
    _number(columns)
    best, fewest = [list(c) for c in columns], _crossings(columns)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        for column in columns if forth else reversed(columns):
            column.sort(key=lambda place: _middle(place.before if forth else place.after, place.y))
            _number([column])
        crossings = _crossings(columns)
        if crossings < fewest:
            best, fewest = [list(c) for c in columns], crossings
    for column, order in zip(columns, best, strict=True):
        column[:] = order


def _number(columns: Iterable[list[Waypoint]]) -> None:
    """While columns are sorted, y is the place in the column."""
    for column in columns:
        for k, place in enumerate(column):
            place.y = k


def _middle(places: list[Waypoint], otherwise: float) -> float:
    return sum(place.y for place in places) / len(places) if places else otherwise


def _crossings(columns: list[list[Waypoint]]) -> int:
    """Pairs of links that cross between neighbouring columns."""
    _number(columns)
    count = 0
    for column in columns:
        ends = [sorted(reader.y for reader in place.after) for place in column]
        for k, above in enumerate(ends):
            for below in ends[k + 1 :]:
                count += sum(a > b for a in above for b in below)
    return count


def _gaps(columns: list[list[Waypoint]], gap: Callable[[str, str], float]) -> list[float]:
    """Room after each column: the most that one of its links wants."""
    return [max((gap(p.name, r.name) for p in column for r in p.after), default=0.0) for column in columns]


def _cuts(columns: list[list[Waypoint]], ties: Callable[[str, str], int]) -> list[tuple[int, int]]:
    """For a row that begins with each column, and for the end: how many links go round, how much is torn."""
    cuts = [(0, 0)]
    for before, column in pairwise(columns):
        torn = max((ties(p.name, q.name) for p in before for q in column if p.name and q.name), default=0)
        cuts.append((sum(bool(place.after) for place in before), torn))
    return [*cuts, (0, 0)]


def _breaks(
    spans: list[tuple[float, float]], gaps: list[float], cuts: list[tuple[int, int]], width: float
) -> list[int]:
    """The first column of each row: few rows, few links round their ends, little torn, little left empty."""
    best, first = [0.0], [0]  # for the columns before each: the least cost, and where their last row begins
    for stop in range(1, len(spans) + 1):
        least, begin, used = float("inf"), stop - 1, _lead(cuts[stop][0])
        for start in range(stop - 1, -1, -1):
            used += sum(spans[start]) + (gaps[start] if start < stop - 1 else 0.0)
            turns, torn = cuts[start]
            empty = 1 - (used + _lead(turns)) / width
            if empty >= 0 or start == stop - 1:
                cost = best[start] + 1 + 3 * max(0, turns - 1) + torn + 2 * max(0.0, empty) ** 2
                if cost < least:
                    least, begin = cost, start
            elif used > width:
                break
        best.append(least)
        first.append(begin)
    starts = [first[-1]]
    while starts[0]:
        starts.insert(0, first[starts[0]])
    return starts


def _levels(columns: list[list[Waypoint]]) -> None:
    """Give every place of a row its y: as level with its neighbours as the room allows."""
    inside = {id(place) for column in columns for place in column}
    for column in columns:
        y = 0.0
        for place in column:
            place.y = y + place.size.above
            y = place.y + place.size.below + SPACE
    for _ in range(SWEEPS):
        for order, near in ((columns, "before"), (columns[::-1], "after")):
            for column in order:
                wanted = []
                for place in column:
                    others = [p for p in getattr(place, near) if id(p) in inside]
                    weights = [_pull(place, other) for other in others]
                    total = sum(weights)
                    level = sum(w * p.y for w, p in zip(weights, others, strict=True))
                    wanted.append((level / total, total) if total else (place.y, 0.01))
                _order_preserving(column, wanted)


def _pull(place: Waypoint, other: Waypoint) -> float:
    """How much a link wants to be level; long ones most, since their bends are the ugliest."""
    return (1.0, 4.0, 16.0)[place.waypoint + other.waypoint]


def _order_preserving(column: list[Waypoint], wanted: list[tuple[float, float]]) -> None:
    """The y nearest to what is wanted (least squares) that keeps order and distances.

    Distances taken off, what is left must not fall: pools of adjacent violators are averaged.
    """
    offsets = [0.0]
    for above, below in pairwise(column):
        offsets.append(offsets[-1] + above.size.below + SPACE + below.size.above)
    pools: list[list[float]] = []  # mean, weight, how many
    for (level, weight), offset in zip(wanted, offsets, strict=True):
        pools.append([level - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight, count = pools.pop()
            before = pools[-1]
            together = before[1] + weight
            pools[-1] = [(before[0] * before[1] + mean * weight) / together, together, before[2] + count]
    flat = [mean for mean, _, count in pools for _ in range(int(count))]
    for place, mean, offset in zip(column, flat, offsets, strict=True):
        place.y = mean + offset
