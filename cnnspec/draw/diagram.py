"""The diagram of a graph: a vertex for each value worth a volume, and the links between them.

Activations, normalisations and the like give the shape that they got, so they are named under the volume
of the layer before them. A block is one vertex unless it is opened; equal blocks in a row are one vertex
and a count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..ir import Graph, Node, TensorType
from ..ir.fields import settings, size_field
from ..ir.op import Op, Window
from ..words.regularise import Dropout, DropPath

SHOWN = (
    "stride",
    "pad",
    "dilate",
    "groups",
    "output_pad",
    "slope",
    "to",
    "channels",
)  # settings that a picture has room for


@dataclass(frozen=True)
class Vertex:
    """A volume of the drawing and what made it.

    name     of the value; of a block its path
    title    what stands under it: the name of the layer, or of the blocks
    family   of the word that made it: `convolution`, `pooling`, ..., `input`, `block`
    words    what happened, in order: ("conv 6x5x5", "tanh")
    window   the window over its input
    whole    whether each of its numbers reads the whole input
    symbol   of a join: the sign in its circle
    members  the values that it stands for
    count    how many equal blocks it stands for
    growth   channels that each of them adds, where they are equal but for that
    """

    name: str
    title: str
    family: str
    words: tuple[str, ...]
    type: TensorType
    inputs: tuple[str, ...]
    members: tuple[str, ...]
    blocks: tuple[str, ...]
    window: Window | None = None
    whole: bool = False
    channels_seen: int = 0  # channels that a filter reads
    symbol: str = ""
    count: int = 1
    growth: int = 0


SYMBOLS = {"add": "+", "mul": "×", "concat": "‖", "max": "max", "mean": "avg"}


@dataclass(frozen=True)
class Diagram:
    """The vertices in an order in which they can be computed; `outputs` names those that the network gives."""

    vertices: dict[str, Vertex]
    outputs: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Vertex]:
        return iter(self.vertices.values())

    def readers(self) -> dict[str, list[Vertex]]:
        found: dict[str, list[Vertex]] = {name: [] for name in self.vertices}
        for vertex in self:
            for name in vertex.inputs:
                found[name].append(vertex)
        return found


def diagram(graph: Graph, depth: int = 0) -> Diagram:
    """The vertices of a graph, with blocks deeper than `depth` folded."""
    while True:
        groups = _grouped(graph, depth)
        found = _stations(graph, groups, depth)
        if found is not None:
            return _counted(graph, found)
        depth += 1  # folding it would make a ring: the block is left and entered again


def _grouped(graph: Graph, depth: int) -> dict[str, str]:
    """For every value the vertex that it belongs to, named by the last value (or the block's path)."""
    readers = graph.readers()
    leader: dict[str, str] = {}  # value -> first value of its vertex
    for node in graph:
        if len(node.blocks) > depth:
            leader[node.name] = ".".join(node.blocks[: depth + 1]) + "/"
            continue
        before = graph[node.inputs[0]] if node.inputs else None
        leader[node.name] = node.name
        if before is None or len(before.blocks) > depth or before.blocks != node.blocks:
            continue
        only = len(readers[before.name]) == 1 and before.name not in graph.outputs
        if only and (_unseen(graph, before) or (before.inputs and _passing(graph, node))):
            leader[node.name] = leader[before.name]
    return leader


def _passing(graph: Graph, node: Node) -> bool:
    """Whether a word gives what it got in the same shape, number by number: no volume of its own."""
    types = graph.types(node)
    return (
        len(node.inputs) == 1
        and node.type.axes == types[0].axes
        and node.op.window(*types) is None
        and not node.op.macs(*types)
    )


def _unseen(graph: Graph, node: Node) -> bool:
    """A flattening, which a picture need not show before a dense layer."""
    return node.op.is_view and len(node.type.axes) == 1 and bool(node.inputs)


def _stations(graph: Graph, leader: dict[str, str], depth: int) -> Diagram | None:
    """The vertices of a grouping, or None where they would read one another in a ring."""
    members: dict[str, list[Node]] = {}
    for node in graph:
        members.setdefault(leader[node.name], []).append(node)
    readers = graph.readers()
    last = {lead: _leaving(nodes, readers, graph) for lead, nodes in members.items()}
    names = {lead: lead.rstrip("/") if lead.endswith("/") else last[lead].name for lead in members}
    vertices: dict[str, Vertex] = {}
    for lead, nodes in members.items():
        inside = {node.name for node in nodes}
        inputs = dict.fromkeys(
            names[leader[graph[value].name]]
            for node in nodes
            for value in node.inputs
            if graph[value].name not in inside
        )
        made = _block if lead.endswith("/") else _vertex
        vertices[names[lead]] = made(graph, nodes, last[lead], names[lead], tuple(inputs), depth)
    outputs = tuple(dict.fromkeys(names[leader[graph[value].name]] for value in graph.outputs))
    return _in_order(vertices, outputs)


def _leaving(nodes: list[Node], readers: dict[str, list[Node]], graph: Graph) -> Node:
    """The last value of a vertex that somebody outside reads."""
    inside = {node.name for node in nodes}
    for node in reversed(nodes):
        if node.name in graph.outputs or any(reader.name not in inside for reader in readers.get(node.name, ())):
            return node
    return nodes[-1]


def _in_order(vertices: dict[str, Vertex], outputs: tuple[str, ...]) -> Diagram | None:
    ordered: dict[str, Vertex] = {}
    waiting = dict(vertices)
    while waiting:
        ready = [s for s in waiting.values() if all(name in ordered for name in s.inputs)]
        if not ready:
            return None
        for vertex in ready:
            ordered[vertex.name] = waiting.pop(vertex.name)
    return Diagram({name: ordered[name] for name in _first_come(ordered)}, outputs)


def _first_come(vertices: dict[str, Vertex]) -> list[str]:
    """A computable order that follows one branch to its end before the next begins."""
    done: dict[str, None] = {}
    readers: dict[str, list[str]] = {}
    for vertex in vertices.values():
        for name in vertex.inputs:
            readers.setdefault(name, []).append(vertex.name)
    stack = [name for name in reversed(vertices) if not vertices[name].inputs]
    while stack:
        name = stack.pop()
        if name in done or not all(value in done for value in vertices[name].inputs):
            continue
        done[name] = None
        stack += reversed(readers.get(name, []))
    return list(done)


def _vertex(graph: Graph, nodes: list[Node], last: Node, name: str, inputs: tuple[str, ...], depth: int) -> Vertex:
    """A vertex of a layer and what follows it in the same shape."""
    shown = [node for node in nodes if not _unseen(graph, node)] or nodes
    head = shown[0]
    types = graph.types(head)
    weights = [p.type for p in head.op.parameters(*types) if p.name == "weight"]
    return Vertex(
        name=name,
        title=head.name.removeprefix("".join(f"{block}." for block in head.blocks)),
        family=head.op.family if head.inputs else "input",
        words=tuple(short(node) for node in shown),
        type=last.type,
        inputs=inputs,
        members=tuple(node.name for node in nodes),
        blocks=last.blocks,
        window=head.op.window(*types) if head.inputs else None,
        whole=bool(head.inputs) and graph.figures[head.name].everywhere,
        channels_seen=weights[0]["c"] if weights and "c" in weights[0] else 1,
        symbol=SYMBOLS.get(head.op.word, "") if head.op.join else "",
    )


def _block(graph: Graph, nodes: list[Node], last: Node, name: str, inputs: tuple[str, ...], depth: int) -> Vertex:
    """A folded block."""
    return Vertex(
        name=name,
        title=last.blocks[depth],
        family="block",
        words=(kind(last.blocks[depth]), *_content(nodes)),
        type=last.type,
        inputs=inputs,
        members=tuple(node.name for node in nodes),
        blocks=last.blocks[:depth],
    )


def _content(nodes: Iterable[Node]) -> tuple[str, ...]:
    """What a block holds, counted: ("3 conv", "1 maxpool")."""
    counts: dict[str, int] = {}
    for node in nodes:
        if node.op.family in ("convolution", "pooling") or node.op.word == "dense":
            counts[node.op.word] = counts.get(node.op.word, 0) + 1
    return tuple(f"{count} {word}" for word, count in counts.items())


def kind(block: str) -> str:
    """The name of a block without its number: `basic3` is a `basic`."""
    return re.sub(r"_?\d+$", "", block) or block


def number(block: str) -> str:
    """The number of a block: `basic3` is number `3`."""
    return block[len(kind(block)) :].lstrip("_")


def short(node: Node) -> str:
    """A word as a picture has room for it: its size and how its window moves."""
    if not node.inputs:
        return "input"
    op = node.op
    parts = [op.word]
    sized = size_field(type(op))
    if sized is not None and getattr(op, sized.name) != sized.default:
        parts.append(sized.metadata["kind"].write(getattr(op, sized.name)).replace("x", "×"))
    for name, setting in settings(type(op)).items():
        value = getattr(op, name)
        if name in SHOWN and value is not None and value != setting.default:
            written = setting.metadata["kind"].write(value).replace("x", "×")
            parts.append(f"{name}\N{NO-BREAK SPACE}{written}")
    return " ".join(parts)


def _counted(graph: Graph, found: Diagram) -> Diagram:
    """Equal folded blocks in a row become one vertex that counts them.

    So do blocks that differ only in the channels they are given, each adding as many (a densely connected
    network).
    """
    readers = found.readers()
    vertices: dict[str, Vertex] = {}
    now: dict[str, str] = {}
    for vertex in found:
        inputs = tuple(dict.fromkeys(now.get(name, name) for name in vertex.inputs))
        before = vertices.get(inputs[0]) if len(inputs) == 1 else None
        last = found.vertices.get(vertex.inputs[0]) if vertex.inputs else None
        if before is not None and last is not None and last.name not in found.outputs:
            growth = _growth(graph, last, vertex) if len(readers[last.name]) == 1 else None
            if growth is not None and (before.count == 1 or before.growth == growth):
                now[vertex.name] = before.name
                vertices[before.name] = replace(
                    before,
                    title=f"{before.title.partition('–')[0]}–{number(vertex.title)}",
                    type=vertex.type,
                    members=before.members + vertex.members,
                    count=before.count + 1,
                    growth=growth,
                )
                continue
        vertices[vertex.name] = replace(vertex, inputs=inputs)
    outputs = tuple(now.get(name, name) for name in found.outputs)
    return Diagram(vertices, outputs)


def _growth(graph: Graph, one: Vertex, other: Vertex) -> int | None:
    """Channels that each of two blocks in a row adds; None where they are not of one kind."""
    if one.family != "block" or other.family != "block" or kind(one.title) != kind(other.title):
        return None
    first = graph.type(graph[one.members[0]].inputs[0])
    growths = {one.type["c"] - first["c"], other.type["c"] - one.type["c"]}
    alike = _words(graph, one) == _words(graph, other) and one.type.spatial == other.type.spatial == first.spatial
    if not alike or len(growths) > 1:
        return None
    (growth,) = growths
    return growth


def _words(graph: Graph, vertex: Vertex) -> tuple:
    """The words of a block and how they are joined; how much noise is made in training may differ."""
    place = {name: k for k, name in enumerate(vertex.members)}
    return tuple(
        (_noiseless(graph[name].op), tuple(place.get(graph[value].name, -1) for value in graph[name].inputs))
        for name in vertex.members
    )


def _noiseless(op: Op) -> Op:
    """A word, whose rate of noise, that often grows from block to block, is none."""
    return replace(op, rate=0.0) if isinstance(op, Dropout | DropPath) else op
