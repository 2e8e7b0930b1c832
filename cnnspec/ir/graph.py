"""The graph: what a spec means, and what every pass reads and returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import NamedTuple, TypedDict, Unpack

from ..diagnostics import Span
from ..lazy import lazy
from ..record import record
from .figures import Figures, figures
from .op import Node, Op
from .types import TensorType


class Circumstances(TypedDict, total=False):
    """What passes may ask of a graph besides its nodes, and hand on."""

    images: int
    shards: int
    measured: Mapping[str, Mapping[str, float]]
    frozen: frozenset[str]
    band: tuple[int, int]


class Parts(Circumstances, total=False):
    """What a graph may have besides nodes, inputs and outputs."""

    cost: str
    gradients: Mapping[str, str]
    updates: Mapping[str, str]


class GraphChanges(Parts, total=False):
    """What may be another in a graph with other nodes."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@record
class Graph:
    """Nodes in an order in which they can be computed.

    outputs    what the network gives, by the names of its values
    gradients  after differentiation: parameter -> value of its gradient (of the mean cost over the batch)
    updates    state that a training step changes: running_mean -> value it is blended with
    cost       value of the cost, after `attach_cost`
    images     how many images a shard will have, for passes whose choice depends on it
    shards     how many shards a batch has, each of which may learn from what the others see too
    measured   convolution -> method -> seconds that it took here, where it was tuned (`passes/methods`)
    frozen     layers that keep their parameters while the others are trained
    band       of which rows of every image this is the graph: band k of so many (`passes/bands.py`)
    """

    nodes: Mapping[str, Node]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cost: str = ""
    gradients: Mapping[str, str] = field(default_factory=dict)
    updates: Mapping[str, str] = field(default_factory=dict)
    images: int = 64
    shards: int = 1
    measured: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    band: tuple[int, int] = (0, 1)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "nodes": dict(self.nodes)}

    def __setstate__(self, state: dict[str, dict[str, Node]]) -> None:
        self.__dict__.update(state, nodes=MappingProxyType(state["nodes"]))

    def __getitem__(self, value: str) -> Node:
        """The node that makes a value."""
        return self.nodes[value.partition(":")[0]]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def type(self, value: str) -> TensorType:
        node = self.nodes.get(value)
        if node is not None:
            return node.type
        name, _, extra = value.partition(":")
        return self.nodes[name].extras[extra]

    def types(self, node: Node) -> tuple[TensorType, ...]:
        """Types of a node's inputs."""
        return tuple([self.type(value) for value in node.inputs])

    @lazy
    def figures(self) -> Mapping[str, Figures]:
        """What each node's word says of itself, in a graph of words."""
        known: dict[tuple[int, ...], Figures] = {}  # by identity: a network says the same layer again and again
        found: dict[str, Figures] = {}
        for node in self:
            types = self.types(node)
            key = (id(node.op), id(node.type), *map(id, types))
            if key not in known:
                known[key] = figures(node.op, types, node.type)
            found[node.name] = known[key]
        return found

    def behind(self, value: str) -> Node:
        """The node that made the numbers of a value, seen through what leaves each in its channel.

        conv 10x1x1 -> softmax -> flatten    the softmax
        """
        node = self[value]
        while node.inputs and (node.op.is_view or node.op.word == "dropout"):
            before = self.type(node.inputs[0])
            if before.shape[0] != node.type.shape[0] or before.elements != node.type.elements:
                break
            node = self[node.inputs[0]]
        return node

    def readers(self) -> dict[str, list[Node]]:
        """Who reads each value; a node that reads it twice stands there twice."""
        found: dict[str, list[Node]] = {}
        for node in self:
            for value in node.inputs:
                found.setdefault(value, []).append(node)
        return found

    @property
    def results(self) -> tuple[str, ...]:
        """Every value that must be there when the graph has run."""
        cost = (self.cost,) if self.cost else ()
        return tuple(dict.fromkeys((*self.outputs, *cost, *self.gradients.values(), *self.updates.values())))

    def _repr_svg_(self) -> str:
        """Its drawing, in a notebook."""
        from ..display import shown

        return shown("graph_svg", self)

    @property
    def circumstances(self) -> Circumstances:
        """What passes may ask besides the nodes, and hand on."""
        return {
            "images": self.images,
            "shards": self.shards,
            "measured": self.measured,
            "frozen": self.frozen,
            "band": self.band,
        }

    def with_nodes(self, nodes: Mapping[str, Node], **changes: Unpack[GraphChanges]) -> Graph:
        return replace(self, nodes=MappingProxyType(dict(nodes)), **changes)


def made(op: Op, types: tuple[TensorType, ...]) -> TensorType:
    """The type of an op's value.

    How a flattened image is folded is only passed on by an op that minds not in which order its numbers
    stand, and only where all its vectors are folded alike; the others get theirs straightened.
    """
    kind = op.type(*types)
    if not kind.folded or not kind.batched:
        return kind
    alike = all(t.folded == kind.folded for t in types if t.batched and t.kind == "vector")
    return kind if op.any_order and alike else replace(kind, folded=())


class Typed(NamedTuple):
    """An op on values of some types, and what it makes of them."""

    op: Op
    types: tuple[TensorType, ...]
    type: TensorType
    extras: Mapping[str, TensorType]


class Builder:
    """Builds a graph node by node; types are inferred as nodes are added."""

    def __init__(self, graph: Graph | None = None) -> None:
        self.nodes: dict[str, Node] = dict(graph.nodes) if graph else {}
        self._typed: dict[tuple[int, ...], Typed] = {}  # by the identity of what each has, which it keeps alive
        self._kinds: dict[TensorType, TensorType] = {}  # one of each, so that those that are equal are the same

    def type(self, value: str) -> TensorType:
        node = self.nodes.get(value)
        if node is not None:
            return node.type
        name, _, extra = value.partition(":")
        return self.nodes[name].extras[extra]

    def free_name(self, wish: str) -> str:
        """`wish`, or `wish_2`, `wish_3`, ... where it is taken."""
        name, count = wish, 1
        while name in self.nodes:
            count += 1
            name = f"{wish}_{count}"
        return name

    def add(
        self,
        op: Op,
        *inputs: str,
        name: str,
        like: Node | None = None,
        weights: str = "",
        span: Span | None = None,
        blocks: tuple[str, ...] = (),
        given: bool = False,
        why: str = "",
    ) -> str:
        """Add a node and return the name of its value.

        `like` lends its span and blocks: the line of the spec that the new node came from.
        Raises `Fault` where the op does not accept its inputs.
        """
        types = tuple([self.type(value) for value in inputs])
        if like is not None:
            span, blocks = span or like.span, blocks or like.blocks
        if name in self.nodes:
            name = self.free_name(name)
        key = (id(op), *map(id, types))
        typed = self._typed.get(key)
        if typed is None:
            kind = made(op, types)
            typed = Typed(op, types, self._kinds.setdefault(kind, kind), op.extras(*types))
            self._typed[key] = typed
        self.nodes[name] = Node(name, op, inputs, typed.type, typed.extras, weights, span, blocks, given, why)
        return name

    def copy(self, node: Node, inputs: tuple[str, ...] | None = None) -> str:
        """Add a node of another graph as it stands, reading other values where given."""
        inputs = node.inputs if inputs is None else inputs
        types = tuple(self.type(value) for value in inputs)
        self.nodes[node.name] = replace(
            node, inputs=inputs, type=made(node.op, types), extras=node.op.extras(*types)
        )
        return node.name

    def graph(self, inputs: tuple[str, ...], outputs: tuple[str, ...], **parts: Unpack[Parts]) -> Graph:
        return Graph(MappingProxyType(dict(self.nodes)), inputs, outputs, **parts)
