"""Curves on one picture: in characters for a terminal, or as SVG.

cost
 2.31 |a
      |b  a
0.412 |     b  b  a
      +------------
       1          4
       epoch            a lenet-001   b lenet-002
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, log10
from string import ascii_lowercase

from ..quoting import line, markup
from ..record import record

WIDTH, HEIGHT = 64, 14  # characters of the plotted area
COLORS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#db2777", "#0891b2", "#64748b")
SIZE, MARGIN = (640, 320), (70, 24, 44, 16)  # pixels of the SVG; left, top, bottom, right of its area


@record
class Series:
    """Points by a name; those that are not finite, or None, are left out."""

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]


@record
class Chart:
    """Curves over one axis; `logarithmic` is of x, whose values are above 0 then. `mark` is a place on x."""

    title: str
    axis: str
    curves: tuple[Series, ...]
    logarithmic: bool = False
    mark: float | None = None

    def points(self) -> Iterator[tuple[int, float, float]]:
        """(curve, x, y) of every point that can be drawn."""
        for number, curve in enumerate(self.curves):
            for x, y in zip(curve.x, curve.y, strict=True):
                if y is not None and isfinite(x) and isfinite(y) and (x > 0 or not self.logarithmic):
                    yield number, x, y

    def bounds(self) -> tuple[float, float, float, float] | None:
        """Lowest and highest x and y; None where there is nothing to draw."""
        found = [(x, y) for _, x, y in self.points()]
        if not found:
            return None
        xs, ys = zip(*found, strict=True)
        return min(xs), max(xs), min(ys), max(ys)

    def fraction(self, x: float, low: float, high: float) -> float:
        """Where x lies between its bounds, from 0 to 1."""
        if self.logarithmic:
            x, low, high = log10(x), log10(low), log10(high)
        return (x - low) / (high - low) if high > low else 0.0


def text(chart: Chart) -> str:
    """The chart in lines of characters, a letter for each curve; where curves meet, the later one is seen."""
    bounds = chart.bounds()
    if bounds is None:
        return f"{line(chart.title)}: nothing to draw\n"
    left, right, low, high = bounds
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    if chart.mark is not None and left <= chart.mark <= right:
        column = round(chart.fraction(chart.mark, left, right) * (WIDTH - 1))
        for line_of in grid:
            line_of[column] = "|"
    letters = ascii_lowercase if len(chart.curves) > 1 else "*"
    for number, x, y in chart.points():
        level = (y - low) / (high - low) if high > low else 0.0
        row = grid[HEIGHT - 1 - round(level * (HEIGHT - 1))]
        row[round(chart.fraction(x, left, right) * (WIDTH - 1))] = letters[number % len(letters)]
    labels = [f"{high:.4g}", *[""] * (HEIGHT - 2), f"{low:.4g}"]
    wide = max(map(len, labels))
    ends = f"{left:.4g}", f"{right:.4g}"
    lines = [line(chart.title)]
    lines += [f"{label:>{wide}} |{''.join(row).rstrip()}" for label, row in zip(labels, grid, strict=True)]
    lines.append(f"{'':{wide}} +{'-' * WIDTH}")
    lines.append(f"{'':{wide}}  {ends[0]}{ends[1]:>{max(1, WIDTH - len(ends[0]))}}")
    legend = [f"{letters[k % len(letters)]} {line(curve.name)}" for k, curve in enumerate(chart.curves)]
    lines.append(f"{'':{wide}}  {'   '.join([line(chart.axis), *(legend if len(legend) > 1 else ())])}")
    return "\n".join(one.rstrip() for one in lines) + "\n"


def svg(charts: Sequence[Chart]) -> str:
    """The charts one below the other, as a document of SVG."""
    width, height = SIZE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height * len(charts)}" '
        f'viewBox="0 0 {width} {height * len(charts)}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, chart in enumerate(charts):
        parts += [f'<g transform="translate(0 {number * height})">', *_drawn(chart), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawn(chart: Chart) -> Iterator[str]:
    (width, height), (left, top, bottom, right) = SIZE, MARGIN
    yield f'<text x="{left}" y="{top - 8}" font-weight="bold">{markup(chart.title)}</text>'
    bounds = chart.bounds()
    if bounds is None:
        yield f'<text x="{left}" y="{height / 2:g}">nothing to draw</text>'
        return
    first, last, low, high = bounds
    base, across, up = height - bottom, width - left - right, height - top - bottom
    yield f'<path d="M{left} {top}V{base}H{width - right}" fill="none" stroke="#64748b"/>'
    for value, at in ((high, top + 4), (low, base)):
        yield f'<text x="{left - 6}" y="{at}" text-anchor="end">{value:.4g}</text>'
    for value, at, anchor in ((first, left, "start"), (last, width - right, "end")):
        yield f'<text x="{at}" y="{base + 16}" text-anchor="{anchor}">{value:.4g}</text>'
    yield f'<text x="{left + across / 2:g}" y="{base + 16}" text-anchor="middle">{markup(chart.axis)}</text>'
    if chart.mark is not None and first <= chart.mark <= last:
        x = left + chart.fraction(chart.mark, first, last) * across
        yield f'<path d="M{x:.1f} {top}V{base}" stroke="#64748b" stroke-dasharray="4 3"/>'
    places: dict[int, list[str]] = {}
    for number, x, y in chart.points():
        level = (y - low) / (high - low) if high > low else 0.0
        place = f"{left + chart.fraction(x, first, last) * across:.1f},{base - level * up:.1f}"
        places.setdefault(number, []).append(place)
    for number, points in places.items():
        color = COLORS[number % len(COLORS)]
        yield f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        if len(points) == 1:  # which a line of no length does not show
            cx, _, cy = points[0].partition(",")
            yield f'<circle cx="{cx}" cy="{cy}" r="3" fill="{color}"/>'
        if len(chart.curves) > 1:
            name = markup(chart.curves[number].name)
            yield f'<text x="{left + 8 + 180 * number}" y="{base + 34}" fill="{color}">{name}</text>'
