"""Files that leave their input open: which inputs would do.

Nothing is solved: the shape rules of the ops are asked again and again, for likely sizes first and then for
all of a range.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from ...diagnostics import Fault, Span
from ...ir import Graph, Node, TensorType, data
from .network import Assertion, Pattern

LIKELY: tuple[tuple[int, ...], ...] = (
    (1, 28, 28),
    (3, 32, 32),
    (3, 64, 64),
    (3, 224, 224),
    (1, 572, 572),
    (3, 128),
    (1, 1024),
    (16,),
    (784,),
)
CHANNELS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
LARGEST = 256
FEWEST = 16  # sizes that are tried at least
MOST_TYPED = 40_000  # nodes that are typed at most for an answer


class PossibleInputs(NamedTuple):
    """Which inputs would do: `sizes` of height and width (of the one side of a sequence), and `channels`.

    `limit` tells for the sizes below, and `gap` for those between, which layer refuses them and why.
    """

    kind: str
    sizes: tuple[int, ...]
    channels: tuple[int, ...]
    tried: int
    limit: tuple[Span | None, str] | None
    gap: tuple[Span | None, str] | None

    def __str__(self) -> str:
        channels = "any" if len(self.channels) == len(CHANNELS) else listed(self.channels)
        if self.kind == "vector":
            return f"a vector of {listed(self.channels)} numbers" if channels != "any" else "a vector of any size"
        sides = "height and width" if self.kind == "image" else "width"
        parts = [f"{'an' if self.kind == 'image' else 'a'} {self.kind}: {sides} {series(self.sizes, self.tried)}"]
        parts.append(f"channels {channels}")
        for what, reason in (("smaller", self.limit), ("others", self.gap)):
            if reason is not None:
                place = f" ({reason[0].line}:{reason[0].column})" if reason[0] is not None else ""
                parts.append(f"{what} refused{place}: {reason[1]}")
        return "; ".join(parts)


def likely(pattern: Pattern | None, known: tuple[int, ...] | None) -> Iterator[tuple[int, ...]]:
    """Inputs to try, the likeliest first: `known` is that of the data, `pattern` what the file fixes."""
    candidates = ((known,) if known else ()) + LIKELY
    if pattern is None:
        yield from candidates
        yield from ((channels, 64, 64) for channels in CHANNELS)
        yield from ((channels, 64) for channels in CHANNELS)
        yield from ((channels, side, side) for side in range(1, LARGEST) for channels in (1, 3))
        return
    seen = set()
    sides = ((c, side, side) for side in range(1, LARGEST) for c in (1, 3))
    for shape in (*candidates, *((c, 64, 64) for c in CHANNELS), *sides):
        if len(shape) == len(pattern):
            filled = tuple(side if want is None else want for want, side in zip(pattern, shape, strict=True))
            if filled not in seen:
                seen.add(filled)
                yield filled


def answer(
    graph: Graph, assertions: tuple[Assertion, ...], pattern: Pattern | None = None
) -> PossibleInputs | None:
    """Which inputs would do for a graph with one input, and which layers refuse the others.

    None for a graph of so many layers that few inputs could be tried.
    """
    sides = MOST_TYPED // max(1, len(graph)) - len(CHANNELS)
    if sides < FEWEST:
        return None
    (name,) = graph.inputs
    shape = graph.type(name).shape
    open_axes = [i for i in range(1, len(shape)) if pattern is None or pattern[i] is None]
    most = min(LARGEST, sides)
    sizes: list[int] = []
    limit = gap = None
    for side in range(1, most + 1) if open_axes else ():
        tried = tuple(side if i in open_axes else size for i, size in enumerate(shape))
        refused = refusal(graph, assertions, name, data(*tried))
        if refused is None:
            sizes.append(side)
        elif sizes:
            gap = gap or refused
        else:
            limit = refused
    fits = [c for c in CHANNELS if refusal(graph, assertions, name, data(c, *shape[1:])) is None]
    channels = tuple(fits) if pattern is None or pattern[0] is None else (shape[0],)
    kind = graph.type(name).kind
    return PossibleInputs(kind, tuple(sizes) or shape[1:2], channels, most, limit, gap)


def refusal(
    graph: Graph, assertions: tuple[Assertion, ...], name: str, kind: TensorType
) -> tuple[Span | None, str] | None:
    """The first layer that an input does not suit, and why; None where every layer takes it."""
    types: dict[str, TensorType] = {}
    node: Node
    for node in graph:
        try:
            types[node.name] = kind if node.name == name else node.op.type(*(types[v] for v in node.inputs))
        except Fault as fault:
            return node.span, fault.message
    for value, wanted, span in assertions:
        found = types[value].shape
        if len(found) != len(wanted) or any(w not in (None, s) for w, s in zip(wanted, found, strict=True)):
            return span, f"the shape here would be {types[value]}"
    return None


def series(sizes: tuple[int, ...], most: int) -> str:
    """Sizes as people say them.

    >>> series((20, 24, 28, 32), 32), series((5, 6, 7, 8), 8), series((28,), 256)
    ('20, 24, 28, ... (every 4)', 'from 5', '28')
    """
    if len(sizes) < 3:
        return " or ".join(map(str, sizes))
    steps = {b - a for a, b in pairwise(sizes)}
    step = steps.pop()
    if steps or sizes[-1] + step <= most:
        shown = ", ".join(map(str, sizes[:8]))
        return shown + (", ..." if len(sizes) > 8 else "")
    if step == 1:
        return f"from {sizes[0]}"
    return f"{sizes[0]}, {sizes[1]}, {sizes[2]}, ... (every {step})"


def listed(numbers: tuple[int, ...]) -> str:
    """Numbers with commas between; every multiple of the first where they are that."""
    return ", ".join(map(str, numbers))
