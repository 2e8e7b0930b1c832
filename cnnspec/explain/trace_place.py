"""Which number is traced: `conv1[3,10,12]` or `conv1.weight[3,0,1,2]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph, Node
from ..ir.owned import owner_of
from ..lang.hints.suggest import nearest
from .probe import Seen

SHOWN = 4  # channels, and contributions, that are written out
AT = re.compile(r"\s*(?P<name>[^\[\]]+?)\s*(\[(?P<at>[\d,\s]*)\])?\s*")


@dataclass(frozen=True)
class Selection:
    """A number of a value or of a parameter; `weight` is the parameter's own name in the latter case."""

    node: Node
    index: tuple[int, ...]
    weight: str = ""

    @property
    def name(self) -> str:
        return f"{self.node.name}.{self.weight}" if self.weight else self.node.name

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(str, self.index))}]"


def find_place(text: str, graph: Graph, seen: Seen, parameters: dict[str, np.ndarray]) -> Selection:
    """Read `conv1[3,10,12]` or `conv1.weight[3,0,1,2]`; without an index, the largest number is meant."""
    match = AT.fullmatch(text)
    name = match["name"] if match else text
    owner = owner_of(name, graph.nodes)
    weight = name.removeprefix(f"{owner}.")
    if name in graph.nodes:
        node, array, weight = graph[name], seen.values[name][0], ""
    elif name in parameters and owner in graph.nodes:
        node, array = graph[owner], parameters[name]
    else:
        near = nearest(name, [*graph.nodes, *parameters])
        if near:
            raise SpecError((Diagnostic.of("CNN552", case="near", name=name, near=near),))
        known = ", ".join(list(graph.nodes)[:12]) + (", ..." if len(graph) > 12 else "")
        raise SpecError((Diagnostic.of("CNN552", name=name, known=known),))
    if match is None or match["at"] is None:
        where = np.unravel_index(int(np.abs(array).argmax()), array.shape)
        return Selection(node, tuple(int(i) for i in where), weight)
    numbers = [part.strip() for part in match["at"].split(",")]
    index = tuple(int(part) for part in numbers if part)
    if len(index) != array.ndim or any(i >= size for i, size in zip(index, array.shape, strict=True)):
        shape = "x".join(map(str, array.shape))
        last = ",".join(str(size - 1) for size in array.shape)
        raise SpecError((Diagnostic.of("CNN553", place=text, name=name, shape=shape, last=last),))
    return Selection(node, index, weight)
