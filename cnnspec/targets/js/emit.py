"""From a graph of primitives to the JavaScript of a plan: `forward`, `backward`, one kernel a line, and its memory.

Values lie as x[c][h][w][n], so what flattens, reshapes or straightens moves nothing, and parameters lie as
PyTorch keeps them. What grows with the batch lies in one arena that is laid out by liveness, in numbers of one
image: a plan serves any number of images.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ...codegen.liveness import FOREVER, of_parameters_alone, share_memory
from ...codegen.memory import Buffer, place
from ...codegen.names import Names
from ...ir import Graph, Node, TensorType
from ...ir.geometry import Geometry, size_2d
from ...ir.leaves import Input, Target, Weight
from ...ir.op import Op
from ...primitives.norm import BatchNormGradient
from ...primitives.shape import Contiguous, Fold
from ...quoting import script_comment

SLOT = 4  # bytes that a number takes while the arena is laid out; float64 takes twice as many, at twice the offset


@dataclass
class Lines:
    """The lines of one node."""

    node: Node
    code: list[tuple[str, str]] = field(default_factory=list)  # source, margin


class Allocation(NamedTuple):
    """Where an array lies: in the arena (`floats`, `bytes`) or beside it (`fixed`, `wide`), and how long it is."""

    kind: str
    offset: int
    size: int
    shape: str


def moves_nothing(op: Op) -> bool:
    """Whether a value is its input in other axes; here what an image has in other axes lies in the same order."""
    return op.is_view or isinstance(op, (Contiguous, Fold))


def overwritten(op: Op) -> tuple[int, ...]:
    """Inputs in whose memory the value may be made: kernels go number by number, that of this gradient as well."""
    return (0,) if isinstance(op, BatchNormGradient) else op.can_alias


class Emitter:
    """Writes an op's lines. `keep`: every value keeps its memory, to be inspected afterwards."""

    def __init__(self, graph: Graph, parameters: Names, keep: bool = False) -> None:
        self.graph, self.parameters, self.keep = graph, parameters, keep
        self.node: Node = next(iter(graph))
        self.parts: list[Lines] = []
        self.statistics_updates: list[str] = []
        self.names = Names()
        for node in graph:
            for value in (node.name, *(f"{node.name}:{extra}" for extra in node.extras)):
                _ = self.parameters[value] if isinstance(node.op, Weight) else self.names[value]
        self.known = of_parameters_alone(graph)
        self.external = self._external()
        self.roots, self.last = share_memory(graph, self.external, self.shape, moves_nothing, overwritten)
        if keep:
            self.roots = {value: self._viewed(value) for value in self.roots}
        self.buffers: dict[str, Buffer] = {}
        self.beside: dict[str, Allocation] = {}
        self.scratch = 0  # numbers of an image
        self.flipped = 0  # numbers of the kernels that are flipped
        self.deepest = 0  # numbers of the longest sum in a product of matrices
        self.costs = 0

    # ---- what lines are made of ----------------------------------------------------------------------

    def __getitem__(self, value: str) -> str:
        """Source of a value: `b.conv1`, `p.conv1_weight`."""
        value = self._viewed(value)
        return self.external.get(value) or f"b.{self.names[value]}"

    def type(self, value: str) -> TensorType:
        return self.graph.type(value)

    def shape(self, value: str) -> tuple[int, ...]:
        return (self.type(value).elements,)

    def channels(self, value: str) -> int:
        return self.type(value)["c"]

    def pixels(self, value: str) -> int:
        kind = self.type(value)
        return kind.elements // kind["c"]

    def rows(self, value: str) -> str:
        """Channels and the numbers of each, as arguments: `16, 784 * n`."""
        pixels = self.pixels(value)
        return f"{self.channels(value)}, {f'{pixels} * n' if pixels > 1 else 'n'}"

    def mean_factor(self, value: str, weight: float, each: bool = False) -> str:
        """weight / (images · pixels), and where `each` / channels: what a cost's sum is multiplied by."""
        count = self.type(value).elements if each else self.pixels(value)
        return f"{weight!r} / ({count} * n)" if count > 1 else f"{weight!r} / n"

    def line(self, code: str, margin: bool = True) -> None:
        self.parts[-1].code.append((code, str(self.node.type) if margin else ""))

    def update_statistics(self, code: str) -> None:
        """A line that runs once a step, when the gradients are there."""
        self.statistics_updates.append(code)

    def cost(self, code: str, p: str, t: str, labels: bool = False) -> None:
        """A line that adds to the cost; of the first also how many answers are correct, by class and by label."""
        self.line(f"cost += {code}", margin=False)
        self.costs += 1
        if self.costs > 1:
            return
        if labels or self.channels(p) == 1:
            self.line(f"correct[1] = countByThreshold({self[p]}, {self[t]})", margin=False)
        if self.channels(p) > 1:
            self.line(f"correct[0] = countCorrect({self[p]}, {self[t]}, {self.rows(p)})", margin=False)

    # ---- memory ----------------------------------------------------------------------------------------

    def _viewed(self, value: str) -> str:
        """The value whose array it is, seen through what moves nothing."""
        while ":" not in value and moves_nothing(self.graph[value].op):
            value = self.graph[value].inputs[0]
        return value

    def _external(self) -> dict[str, str]:
        """Values that live elsewhere: parameters, and their gradients."""
        found = {node.name: f"p.{self.parameters[node.name]}" for node in self.graph if isinstance(node.op, Weight)}
        for parameter, value in self.graph.gradients.items():
            if value not in found and not moves_nothing(self.graph[value].op):
                found[value] = f"g.{self.parameters[parameter]}"
        return found

    def _reserve(self, value: str, step: int) -> None:
        kind = self.type(value)
        if value in self.external or kind.kind == "scalar" or kind.dtype == "partial":
            return
        name = self.names[value]
        if not kind.batched:
            wide = "wide" if kind.dtype == "float64" else "fixed"
            offset = sum(place.size for place in self.beside.values())
            self.beside[name] = Allocation(wide, offset, kind.elements, str(kind))
            return
        size = -(-kind.elements // SLOT) if kind.dtype == "bool" else kind.elements
        first = 0 if isinstance(self.node.op, (Input, Target)) else step  # what is given is there before all lines
        last = FOREVER if self.keep else max(self.last.get(value, 0), step)
        self.buffers[name] = Buffer(name, (size,), kind.dtype, first, last, SLOT)

    def run(self, lines: Callable[[Emitter, Node], None], unmade: Callable[[Op], bool]) -> None:
        """Let every node write its lines; `unmade` says of which op the by-products are not made here."""
        for step, node in enumerate(self.graph):
            self.node = node
            self.parts.append(Lines(node))
            if isinstance(node.op, Weight) or moves_nothing(node.op):
                continue
            for value in (node.name, *(f"{node.name}:{extra}" for extra in node.extras if not unmade(node.op))):
                if self.roots[value] == value:
                    self._reserve(value, step)
            if not isinstance(node.op, (Input, Target)):
                lines(self, node)
        for parameter, value in self.graph.gradients.items():
            sink = f"g.{self.parameters[parameter]}"
            if self[value] != sink:
                self.line(f"{sink}.set({self[value]})", margin=False)
        for buffer in self.buffers.values():
            buffer.last = min(buffer.last, len(self.graph))
        self.size = place(self.buffers.values()) // SLOT

    def places(self) -> dict[str, Allocation]:
        """Where each array lies, by its name; several names where one is made in the memory of another."""
        found: dict[str, Allocation] = {}
        for node in self.graph:
            for value in (node.name, *(f"{node.name}:{extra}" for extra in node.extras)):
                root = self.names[self.roots[value]] if self.roots[value] not in self.external else ""
                name, kind = self.names[value], self.type(value)
                if isinstance(node.op, Weight) or moves_nothing(node.op):
                    continue
                if root in self.buffers:
                    which = "bytes" if kind.dtype == "bool" else "floats"
                    found[name] = Allocation(which, self.buffers[root].offset // SLOT, kind.elements, str(kind))
                elif root in self.beside:
                    found[name] = self.beside[root]._replace(shape=str(kind))
        return found

    @property
    def beside_size(self) -> int:
        """Slots of what does not grow with the batch."""
        return sum(place.size for place in self.beside.values())


# ---- source ------------------------------------------------------------------------------------------------


def sizes(kind: TensorType) -> str:
    """`[c, h, w]`: of a sequence h is 1, of a vector w too."""
    spatial = size_2d(kind) if kind.spatial else (1, 1)
    return str([kind["c"], *spatial])


def sliding(geometry: Geometry, image: TensorType, made: TensorType, groups: int = 1) -> str:
    """How a window slides, as an argument of kernels; what is as usual is left out."""
    parts = [f"from: {sizes(image)}", f"to: {sizes(made)}", f"kernel: {list(geometry.kernel)}"]
    before = [pair[0] for pair in geometry.pad]
    for name, value, usual in (("stride", list(geometry.stride), [1, 1]), ("pad", before, [0, 0]),
                               ("dilate", list(geometry.dilate), [1, 1])):  # fmt: skip
        if value != usual:
            parts.append(f"{name}: {value}")
    return "{ " + ", ".join(parts + [f"groups: {groups}"] * (groups > 1)) + " }"


MARGIN = 110


def function(signature: str, parts: list[Lines], after: str = "", before: str = "") -> list[str]:
    """A function of a plan: a heading for every layer of the spec, then its lines, shapes at the margin."""
    lines = [f"  {signature} {{"] + [f"    {before}"] * bool(before)
    heading = None
    for part in parts:
        title = headline(part.node)
        if part.code and title != heading:
            heading = title
            lines.append("    " + script_comment(f"{title[0]:<{MARGIN - 6}}{title[1]}"))
        for code, margin in part.code:
            line = f"    {code};"
            lines.append(f"{line:<{MARGIN}} {script_comment(margin)}" if margin else line)
    return [*lines, *[f"    {after}"] * bool(after), "  },"]


def headline(node: Node) -> tuple[str, str]:
    """The piece of the spec that a node came from, and its place."""
    span = node.span
    return (node.name, "") if span is None else (re.sub(r"\s+", " ", span.text), str(span))
