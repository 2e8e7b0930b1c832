"""The kinds of inputs and outputs, for display: an image, a mask, classes, numbers."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, TypedDict

from ..ir import Graph
from ..words.costs import PROBABILITIES, Cost, tells_pixels_apart

if TYPE_CHECKING:
    from ..validation import Json

COLOURS = (1, 3)  # channels of what is a picture


# What a value is (`as`), what its classes or numbers are called, and the cost that judges it.
#
#     image      a picture, of one or three channels; as an input of other depths `channels`, as an output `maps`
#     sequence   numbers along a line, in channels
#     numbers    each has its name
#     classes    one of them is right: each has a share or a score
#     labels     each may be right or not: each has a share from 0 to 1
#     mask       the class of every pixel
Kind = TypedDict("Kind", {"as": str, "names": list[str], "cost": str, "weight": float}, total=False)


def kinds(graph: Graph, costs: Iterable[Cost] = ()) -> dict[str, Kind]:
    """The kinds of inputs and outputs by their names; classes are called by their numbers."""
    judged = judged_by(graph, costs)
    found = {name: _input(graph, name) for name in graph.inputs}
    for name in graph.outputs:
        found[name] = _output(graph, name, judged.get(name))
    return found


def as_json(kind: Kind) -> dict[str, Json]:
    return {name: value for name, value in kind.items() if isinstance(value, str | float | list)}


def judged_by(graph: Graph, costs: Iterable[Cost]) -> dict[str, Cost]:
    """The cost of each output: one that names none judges the first that no other names."""
    known = tuple(costs)
    free = [name for name in graph.outputs if name not in {cost.of for cost in known}]
    return {cost.of or free.pop(0): cost for cost in known}


def _input(graph: Graph, name: str) -> Kind:
    kind = graph.type(name)
    if kind.kind == "image":
        return {"as": "image" if kind["c"] in COLOURS else "channels"}
    return {"as": "sequence"} if kind.spatial else {"as": "numbers"}


def _output(graph: Graph, name: str, cost: Cost | None) -> Kind:
    found: Kind = {"as": output_kind(graph, name, cost), **_judged(cost)}
    kind = graph.type(name)
    if found["as"] in ("classes", "mask"):
        found["names"] = [str(k) for k in range(max(2, kind["c"]))]
    elif found["as"] in ("labels", "numbers"):
        found["names"] = [name] if kind["c"] == 1 else [f"{name}[{k}]" for k in range(kind["c"])]
    return found


def _judged(cost: Cost | None) -> Kind:
    return {} if cost is None else {"cost": cost.word, "weight": cost.weight}


def output_kind(graph: Graph, name: str, cost: Cost | None, classes: int = 0) -> str:
    """What an output is, where the data have so many classes (0: nobody knows)."""
    kind, word = graph.type(name), graph.behind(name).op.word
    pixels = prod(kind.spatial)
    if len(kind.shape) == 3 and pixels > 1:
        if tells_pixels_apart(word, kind["c"], classes):
            return "mask"
        return "image" if kind["c"] in COLOURS else "maps"
    if kind.spatial and pixels > 1:
        return "sequence"
    if word in PROBABILITIES:
        return "labels"
    of_classes = cost is not None and cost.word in ("cross_entropy", "hinge")
    told_apart = classes > 0 or of_classes or word in ("softmax", "logsoftmax")
    return "classes" if told_apart and kind["c"] > 1 else "numbers"
