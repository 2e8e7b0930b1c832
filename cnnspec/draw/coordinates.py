"""Parallel coordinates: each trial a line through an axis for each of its settings, to the figure it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import isfinite, log10

from ..quoting import markup
from ..record import record

Value = float | str | None
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
WIDE = 30  # a ratio of the largest to the smallest number from which an axis is logarithmic
BETWEEN, HEIGHT, EDGE = 140, 300, (90, 48, 90, 30)  # pixels: axis to axis, of an axis, left, top, right, bottom
BEST, OTHERS = "#d97706", ("#cbd5e1", "#2563eb")


@record
class TrialAxis:
    """A setting: its value in every trial, numbers or words; None where a trial has no such setting."""

    name: str
    values: tuple[Value, ...]

    def places(self) -> list[float | None]:
        """Where each value stands, 0 at the foot of the axis and 1 at its head."""
        numbers = [value for value in self.values if isinstance(value, float)]
        if numbers:
            logarithmic = min(numbers) > 0 and max(numbers) / min(numbers) >= WIDE
            scaled = [(log10(v) if logarithmic else v) if isinstance(v, float) else None for v in self.values]
        else:
            known = sorted({value for value in self.values if isinstance(value, str)})
            scaled = [float(known.index(v)) if isinstance(v, str) else None for v in self.values]
        there = [value for value in scaled if value is not None]
        low, high = min(there, default=0.0), max(there, default=0.0)
        return [None if v is None else (v - low) / (high - low) if high > low else 0.5 for v in scaled]


def axes_of(settings: Sequence[Sequence[str]]) -> list[TrialAxis]:
    """The axes of what trials were set to: `w=16` has one of numbers, `optimiser=adam lr 0.01` one of words and one
    for each number that is named in it.
    """
    columns: dict[str, list[Value]] = {}
    for number, texts in enumerate(settings):
        for text in texts:
            key, _, value = text.partition("=")
            short = key.rpartition(".")[2]
            words = NUMBER.sub("", value).split()
            matches = list(NUMBER.finditer(value)) if words else []
            named = {short: words[0] if matches else value}
            for match in matches:
                before = value[: match.start()].split()
                named[f"{short} {before[-1]}" if before else short] = match[0]
            for name, found in named.items():
                column = columns.setdefault(name, [None] * len(settings))
                column[number] = float(found) if NUMBER.fullmatch(found) else found
    for name, column in columns.items():
        if len({type(value) for value in column if value is not None}) < 2:
            continue
        columns[name] = [f"{v:g}" if isinstance(v, float) else v for v in column]  # numbers among words are words
    return [TrialAxis(name, tuple(column)) for name, column in columns.items() if len(set(column)) > 1]


def svg(axes: Sequence[TrialAxis], scores: TrialAxis, names: Sequence[str], least: bool = False) -> str:
    """The trials as SVG; the best, of the largest score or with `least` of the smallest, is marked."""
    left, top, right, bottom = EDGE
    columns = [*axes, scores]
    width, height = left + BETWEEN * (len(columns) - 1) + right, top + HEIGHT + bottom
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_lines(columns, names, least),
    ]
    for number, axis in enumerate(columns):
        x = left + BETWEEN * number
        parts.append(
            f'<text x="{x}" y="{top - 26}" text-anchor="middle" font-weight="bold">{markup(axis.name)}</text>'
        )
        parts.append(f'<path d="M{x} {top}V{top + HEIGHT}" stroke="#64748b"/>')
        for value, place in _marks(axis):
            y = top + (1 - place) * HEIGHT
            parts.append(f'<text x="{x + 6}" y="{y + 4:.1f}">{markup(value)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _marks(axis: TrialAxis) -> Iterator[tuple[str, float]]:
    """Words, or the ends of the numbers, with their places."""
    pairs = [(v, p) for v, p in zip(axis.values, axis.places(), strict=True) if v is not None and p is not None]
    if any(isinstance(value, str) for value, _ in pairs):
        yield from {str(value): place for value, place in pairs}.items()
        return
    numbers = sorted((float(value), place) for value, place in pairs)
    for value, place in dict(numbers[:1] + numbers[-1:]).items():
        yield f"{value:.4g}", place


def _lines(columns: Sequence[TrialAxis], names: Sequence[str], least: bool) -> Iterator[str]:
    """A line for each trial that has a score, the worst first and so below the others."""
    left, top, *_ = EDGE
    places = [axis.places() for axis in columns]
    scores = [v if isinstance(v, float) and isfinite(v) else None for v in columns[-1].values]
    there = [k for k, score in enumerate(scores) if score is not None]
    ranked = sorted(there, key=lambda k: (scores[k] or 0.0) * (-1 if least else 1))
    for rank, k in enumerate(ranked):
        points = [
            f"{left + BETWEEN * number},{top + (1 - place) * HEIGHT:.1f}"
            for number, column in enumerate(places)
            if (place := column[k]) is not None
        ]
        best = rank == len(ranked) - 1
        colour = BEST if best else OTHERS[2 * rank >= len(ranked)]
        yield (
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
            f'stroke-width="{3 if best else 1.5}"><title>{markup(names[k])}</title></polyline>'
        )
