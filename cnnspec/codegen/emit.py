"""From a graph of primitives to the source of a plan.

Every op writes its own lines; here is what they write with, and the decisions that are not an op's: which
values share memory, what lives where, how the source is laid out on the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING
from zlib import crc32

from .. import kernels
from ..ir import Graph, Node, TensorType
from ..ir.leaves import Input, Target, Weight
from ..ir.op import Op
from ..primitives.bands import AllGather
from ..quoting import literal
from ..words.merge import Add
from .calls import written
from .liveness import FOREVER, of_parameters_alone, share_memory
from .memory import ALIGN, Buffer, physical, place
from .names import Names

if TYPE_CHECKING:
    import numpy as np

OWN = ("costs", "correct", "clock", "shard")  # what a plan calls arrays of its own
MARGIN = 92  # where the shapes stand


@dataclass
class Lines:
    """The lines of one node, in the function that they belong to."""

    node: Node
    code: list[tuple[str, str]] = field(default_factory=list)  # source, margin


class Emitter:
    """Writes the lines of ops; see `Op.emit`."""

    def __init__(self, graph: Graph, n: int, batch: int, dtype: str = "float32") -> None:
        self.graph, self.n, self.batch, self.seen = graph, n, batch, dict[tuple[str, str], str]()
        self.shards = graph.shards if graph.gradients and n < batch else 1
        self.dtype, self.itemsize = dtype, 8 if dtype == "float64" else 4
        self.node: Node = next(iter(graph))
        self.step = 0
        self.parts: list[Lines] = []
        self.settled: list[str] = []
        self.names = Names(OWN)
        self.parameters = Names()
        for node in graph:  # values come first, so that a view never takes the name of one
            for value in (node.name, *(f"{node.name}:{extra}" for extra in node.extras)):
                _ = self.parameters[value] if isinstance(node.op, Weight) else self.names[value]
        self.views: dict[str, str] = {}
        self.known_views: dict[tuple[str, str, str], str] = {}
        self.buffers: dict[str, Buffer] = {}
        self.prepared: dict[str, Buffer] = {}
        self.known = of_parameters_alone(graph)
        self.partials: dict[str, tuple[int, ...]] = {}
        self.together, self.joint = dict[str, tuple[int, ...]](), set[str]()
        self.constants: dict[str, np.ndarray] = {}
        self.costs: list[str] = []
        self.stored = self._stored()
        self.external = self._external()
        self.roots, self._last = share_memory(graph, self.external, self.shape)

    # ---- what ops ask ------------------------------------------------------------------------------

    def __getitem__(self, value: str) -> str:
        """Source of a value: `b.conv1`, `p.conv1_weight`."""
        return self.external.get(value) or f"b.{self.names[value]}"

    def type(self, value: str) -> TensorType:
        return self.graph.type(value)

    def op(self, value: str) -> Op:
        """The op that makes a value."""
        return self.graph[value].op

    def shape(self, value: str) -> tuple[int, ...]:
        """The shape of a value's array in this shard's plan."""
        kind = self.graph.type(value)
        op = self.graph[value].op
        if isinstance(op, Weight):
            return op.parameter.stored_shape
        return self.stored.get(value) or physical(kind, self.n)

    def line(self, code: str) -> None:
        """A line of plan; the shape of what it makes stands at the margin."""
        self.parts[-1].code.append((code, self._margin(code)))

    def call(self, function: Callable[..., object], *arguments: object, **named: object) -> None:
        """A line that calls a function of NumPy or of `kernels/`."""
        self.line(self.source(function, *arguments, **named))

    def call_to(self, place: str, function: Callable[..., object], *arguments: object, **named: object) -> None:
        """A line that calls a function and keeps its value at a place: `b.costs[0]`."""
        self.line(f"{place} = {self.source(function, *arguments, **named)}")

    def source(self, function: Callable[..., object], *arguments: object, **named: object) -> str:
        """Source of a call, whose arguments the function's signature is held to.

        Arguments are source (`e[x]`, a view, scratch), or numbers and tuples of them as they are.
        """
        return written(function, arguments, named)

    def zero(self, value: str) -> None:
        """A line that makes all of a value zero."""
        self.line(f"{self[value]}[...] = 0")

    def call_last(self, function: Callable[..., object], *arguments: object, **named: object) -> None:
        """A line that runs once a step, when the gradients of all shards are there."""
        self.settled.append(self.source(function, *arguments, **named))

    def view(self, suffix: str, code: str) -> str:
        """A view that is made once, when the plan is loaded: `b.conv1_rows`."""
        return self.view_of(self.node.name, suffix, code)

    def view_of(self, value: str, suffix: str, code: str) -> str:
        """The same for another value, shared by all that ask for it."""
        key = value, suffix, code
        if key not in self.known_views:
            of = f"{self[value][2:]}_gradient" if self[value].startswith("g.") else self.names[value]
            name = self.known_views[key] = f"b.{self.names.free(f'{of}_{suffix}')}"
            self.views[name] = code
        return self.known_views[key]

    def scratch(self, suffix: str, shape: tuple[int, ...], dtype: str = "float", until_read: bool = False) -> str:
        """Memory that is this node's for the time of its lines, or until its value was read where `until_read`."""
        name = self.names.free(f"{self.names[self.node.name]}_{suffix}")
        until = self._last.get(self.node.name, self.step) if until_read else self.step
        self._reserve(name, shape, dtype, self.step, until)
        return f"b.{name}"

    def filled(self, suffix: str, shape: tuple[int, ...], number: float) -> str:
        """Memory beside the arena, filled with a number when the plan is loaded: nobody else writes there.

        For small arrays of one image, of which a node's lines write the same part every time.
        """
        name = self.names.free(f"{self.names[self.node.name]}_{suffix}")
        self.views[f"b.{name}"] = f"np.full({shape}, {self.number(number)})"
        return f"b.{name}"

    def pixels(self, value: str) -> str:
        """The value as [h,c,l], rows of channels of pixels (a vector has one row)."""
        if len(self.shape(value)) == 2:
            return self.view_of(value, "pixels", f"{self[value]}[None]")
        return self.view_of(value, "pixels", self.source(kernels.conv.pixels, self[value]))

    rows = pixels

    def rows_shape(self, value: str) -> tuple[int, ...]:
        shape = self.shape(value)
        if len(shape) == 2:
            return (1, *shape)
        *rows, channels, width, n = shape
        return (prod(rows), channels, width * n)

    def blocks(self, value: str) -> str:
        """polyphase rows as [h,4,c,l]: four blocks of a row's pixels."""
        return self.view_of(value, "blocks", self.source(kernels.polyphase.merged, self[value]))

    def pixel_count(self, value: str) -> int:
        """Pixels of a channel in the whole batch, all shards together."""
        kind = self.graph.type(value)
        return self.batch * (kind.elements // kind["c"])

    def matrix(self, value: str) -> str:
        """A parameter (or its gradient) as a matrix, outputs by inputs."""
        rows = self.graph.type(value).shape[0]
        return self.view_of(value, "matrix", f"{self[value]}.reshape({rows}, -1)")

    def unfolded(self, value: str) -> str:
        """A value as it lies there: a flattened image as the image [h,c,w,n]."""
        kind = self.graph.type(value)
        if not kind.folded:
            return self[value]
        shape = physical(replace(kind, axes=kind.folded, folded=()), self.n)
        return self.view_of(value, "image", f"{self[value]}.reshape{shape}")

    def number(self, value: float) -> str:
        """A number of the plan's type: NumPy is slow where types have to be made to agree."""
        return f"f({value!r})"

    def constant(self, suffix: str, array: np.ndarray) -> str:
        """An array of numbers known now."""
        name = self.names.free(f"{self.names[self.node.name]}_{suffix}")
        self.constants[name] = array.astype(self.dtype)
        self.views[f"b.{name}"] = f'c["{name}"]'
        return f"b.{name}"

    def cost(self, node: Node) -> str:
        """The place of a cost's value."""
        self.costs.append(node.name)
        return f"b.costs[{len(self.costs) - 1}]"

    def count_correct(self, node: Node, p: str, t: str, labels: bool = False) -> None:
        """Count the correct answers, for the first cost: by class in b.correct[0], by label in b.correct[1].

        Classes are told apart by several outputs, labels by each of them where `labels`; see `model/targets.py`.
        """
        if len(self.costs) > 1:
            return
        shape, classes = self.shape(p), self.graph.type(p)["c"]
        if labels or classes == 1:
            sides = {name: self.scratch(name, shape, "bool") for name in "ab"}
            kernel = kernels.cost.count_correct_by_threshold
            self.call_to("b.correct[1]", kernel, self[p], self[t], self.number(0.5), **sides)
        if classes == 1:
            return
        axis = 0 if len(shape) == 2 else 1
        pixels = (*shape[:axis], *shape[axis + 1 :])
        places = {"transposed": ((*pixels, classes), "float"), "z_at": (pixels, "int64")}
        places |= {"t_at": (pixels, "int64"), "correct": (pixels, "bool")}
        scratch = {name: self.scratch(name, *place) for name, place in places.items()}
        by_pixel = (
            self.view_of(value, "pixels_first", self[value] + (".T" if axis == 0 else ".transpose(0, 2, 3, 1)"))
            for value in (p, t)
        )
        self.call_to("b.correct[0]", kernels.cost.count_correct, *by_pixel, **scratch)

    def place(self, value: str, code: str) -> None:
        """Say what stands for a value that has no memory in the arena."""
        self.external[value] = code

    def partial_sums(self, value: str, suffix: str, shape: tuple[int, ...]) -> str:
        """An array that every shard fills its part of: this shard's part; the value is the whole, [shards, ...]."""
        name = self.names.free(f"{self.names[self.node.name]}_{suffix}")
        self.partials[name] = shape
        self.views[f"b.{name}"] = f'm["{name}"][b.shard]'
        everyone = self.names.free(f"{name}_of_all")
        self.views[f"b.{everyone}"] = f'm["{name}"]'
        self.place(value, f"b.{everyone}")
        return f"b.{name}"

    def shown(self, suffix: str, shape: tuple[int, ...]) -> str:
        """An array [shards, ...] that each shard shows a part of to all, or some of it: the rest is zero."""
        self.together[name := self.names.free(f"{self.names[self.node.name]}_{suffix}")] = shape
        return f'm["{name}"]'

    def made_together(self, value: str) -> bool:
        """Whether several shards make an update's gradient: of this one, some rows each in one memory, if so."""
        if several := self.shards > 1 and self[value].startswith("g."):
            self.joint.add(self[value][2:])
        return several

    def barrier(self, why: str = "every shard has its sums") -> None:
        """Wait until every shard has come to this line."""
        self.parts[-1].code.append(("yield", why))

    def random_key(self, node: Node) -> str:
        """What the random numbers of a node depend on: seed, step, shard, and the node's name.

        So no other layer moves them, and no pass that adds nodes.
        """
        return f"(b.clock[0], b.clock[1], b.shard, {crc32(node.name.encode())})"

    # ---- memory ------------------------------------------------------------------------------------

    def _stored(self) -> dict[str, tuple[int, ...]]:
        """Gradients of parameters are kept in their parameters' order, the parts of a sum too (shared weights)."""
        found: dict[str, tuple[int, ...]] = {}
        for parameter, value in self.graph.gradients.items():
            weight = self.graph[parameter].op
            assert isinstance(weight, Weight)
            node = self.graph[value]
            parts = node.inputs if isinstance(node.op, Add) else ()
            found |= dict.fromkeys((value, *parts), weight.parameter.stored_shape)
        return found

    def _external(self) -> dict[str, str]:
        """Values that live outside the arena: parameters, their gradients, and images that shards make together."""
        found = {}
        for node in self.graph:
            if isinstance(node.op, Weight):
                found[node.name] = f"p.{self.parameters[node.name]}"
            if isinstance(node.op, AllGather):
                (band,) = node.inputs
                name, whole = self.names[band], self.names[node.name]
                self.together[name] = self.shape(band)
                self.views[f"b.{whole}"] = node.op.whole(f'm["{name}"]', self.shape(node.name))
                self.views[f"b.{name}"] = node.op.own(f"b.{whole}", node.type)
                found |= {band: f"b.{name}", node.name: f"b.{whole}"}
            elif node.name in self.graph.outputs and self._leaves_as_it_lies(node):
                name = f"b.{self.names[node.name]}"
                self.views[name] = turned(f"fetches[{literal(node.name)}]", node.type)
                found[node.name] = name
        for parameter, value in self.graph.gradients.items():
            if value not in found and not self.graph[value].op.is_view:
                found[value] = f"g.{self.parameters[parameter]}"
        return found

    def _reserve(self, name: str, shape: tuple[int, ...], dtype: str, first: int, last: int) -> None:
        size = {"float": self.itemsize, "bool": 1, "int64": 8, "float64": 8}[dtype]
        assert name not in self.buffers, f"{name} is reserved twice"
        if self.node.name in self.known:
            self.prepared[name] = Buffer(name, shape, dtype, 0, FOREVER, size)
        else:
            self.buffers[name] = Buffer(name, shape, dtype, first, last, size)

    def _value(self, value: str, kind: TensorType) -> None:
        """Memory for a value of this node, or a view of the memory that it shares."""
        if (
            value in self.external
            or kind.kind == "scalar"
            or kind.dtype == "partial"
            or self.graph[value].op.fused_into_reader
        ):
            return
        source = self.roots[value]
        if self.node.op.is_view:
            (x,) = self.node.inputs
            self.views[f"b.{self.names[value]}"] = self.node.op.renamed(self[x], self.shape(x), self.shape(value))
        elif source == value:
            last = max(self._last.get(value, 0), self.step)
            self._reserve(self.names[value], self.shape(value), kind.dtype, self.step, last)
        else:
            shape = self.shape(value)
            same = self.shape(source) == shape
            self.views[f"b.{self.names[value]}"] = self[source] + ("" if same else f".reshape{shape}")

    # ---- the page ----------------------------------------------------------------------------------

    def _margin(self, code: str) -> str:
        """The shape of what a line makes, or of what it makes a view of."""
        made = re.findall(r"out=b\.(\w+)", code)
        name = made[-1] if made else ""
        while name:
            buffer = self.buffers.get(name) or self.prepared.get(name)
            if buffer or name in self.together:
                return str(buffer.shape if buffer else self.together[name])
            name = name.rpartition("_")[0]
        return ""

    def run(self) -> tuple[int, int]:
        """Let every node write its lines, and place the memory: bytes of the arena and of prepared constants."""
        for step, node in enumerate(self.graph):
            self.step, self.node = step, node
            self.parts.append(Lines(node))
            if isinstance(self.node.op, Weight):
                continue
            if self._lies_as_given(node):
                self.views[self[node.name]] = turned(f"feeds[{literal(node.name)}]", node.type)
                continue
            self._value(self.node.name, self.node.type)
            for extra, kind in self.node.extras.items():
                self._value(f"{self.node.name}:{extra}", kind)
            if isinstance(self.node.op, (Input, Target)):
                self._given(self.node)
            elif not self.node.op.is_view:
                self.node.op.emit(self.node, self)
        for parameter, value in self.graph.gradients.items():
            sink = f"g.{self.parameters[parameter]}"
            if self[value] != sink:
                self.line(f"np.copyto({sink}, {self[value]}.reshape({sink}.shape))")
        for value in dict.fromkeys(self.graph.outputs):
            self._taken(value)
        for buffer in self.buffers.values():
            buffer.last = min(buffer.last, len(self.graph))
        size = place(self.buffers.values(), between=ALIGN if self.n == 1 else 0)
        prepared = place(self.prepared.values())
        return size, prepared

    def _lies_as_given(self, node: Node) -> bool:
        """An image of one channel that is alone in its batch has the plan's order as it comes."""
        image = isinstance(node.op, Input) and node.type.kind == "image" and not node.type.folded
        return image and self.n == 1 and node.type["c"] == 1

    def _leaves_as_it_lies(self, node: Node) -> bool:
        """A vector that is alone in its batch, and a node's own, is made where it is fetched."""
        own = not (node.op.is_view or node.op.fused_into_reader or isinstance(node.op, Input))
        plain = node.type.kind == "vector" and node.type.dtype == "float" and not node.type.folded
        return own and plain and self.n == 1

    def _given(self, node: Node) -> None:
        """The batch comes as (n, c, h, w) and is turned so that images are innermost."""
        feeds = self.view("feed", turned(f"feeds[{literal(node.name)}]", node.type))
        self.line(f"np.copyto({self.unfolded(node.name)}, {feeds})")

    def _taken(self, value: str) -> None:
        """An output is transposed back to (n, c, h, w), where it was not made in its place."""
        if value in self.external and "fetches[" in self.views[self.external[value]]:
            return
        self.parts.append(Lines(self.graph[value]))
        fetches = self.view_of(value, "fetch", turned(f"fetches[{literal(value)}]", self.graph.type(value)))
        self.line(f"np.copyto({fetches}, {self.unfolded(value)})")


def turned(array: str, kind: TensorType) -> str:
    """Source of an array (n, c, h, w) seen in the plan's order."""
    kind = replace(kind, axes=kind.folded, folded=()) if kind.folded else kind
    shape = f"{array}.reshape(-1, {', '.join(map(str, kind.shape))})" if kind.kind != "vector" else array
    order = {"image": "(2, 1, 3, 0)", "sequence": "(1, 2, 0)", "vector": "(1, 0)"}[kind.kind]
    lead = "[None]" if kind.kind == "sequence" else ""
    return f"{shape}.transpose{order}{lead}"
