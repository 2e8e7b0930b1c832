"""Facts of a network before it runs: shapes, parameters, work, memory and receptive fields.

Words are asked, one after the other; nothing here knows any of them. No NumPy.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from ..lazy import lazy
from ..record import record
from .figures import Figures
from .graph import Graph
from .types import TensorType

if TYPE_CHECKING:
    from fractions import Fraction

FLOAT_BYTES = 4


class FieldAxis(NamedTuple):
    """The receptive field of one number of a value, along one axis of the input.

    size   pixels from the first to the last that it depends on, as if the image had no border
    jump   pixels from what one number sees to what the next one does; a fraction only after an upsampling
    start  where number 0 begins to see; negative in the padding
    whole  pixels of the input
    """

    size: int
    jump: int | Fraction
    start: int | Fraction
    whole: int

    @property
    def seen(self) -> int:
        """Pixels that there are to see: a field may be larger than the image."""
        return min(self.size, self.whole)

    def through(self, kernel: int, stride: int, pad: int, dilate: int, grow: int) -> FieldAxis:
        """After a window: it meets ceil(extent / grow) pixels, each `jump` after the one before."""
        extent = dilate * (kernel - 1) + 1
        return FieldAxis(
            self.size + ceil(self.jump * (-(-extent // grow) - 1)),
            self.jump * stride if grow == 1 else _fraction(self.jump * stride, grow),
            self.start - pad // grow * self.jump,
            self.whole,
        )

    def everywhere(self) -> FieldAxis:
        return FieldAxis(self.whole, 0, 0, self.whole)

    def join(self, other: FieldAxis) -> FieldAxis:
        """What two branches see together, from the first pixel of either to the last."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return FieldAxis(ceil(end - start), max(self.jump, other.jump), start, max(self.whole, other.whole))


Field = tuple[FieldAxis, ...]
"""The receptive field of a value: an axis for height and width, for a sequence's width, or none."""


def _fraction(pixels: int | Fraction, parts: int) -> Fraction:
    """After an upsampling; most networks have none, and need no fractions."""
    from fractions import Fraction

    return Fraction(pixels, parts)


class LayerFacts(NamedTuple):
    """The facts of one value, or of a block."""

    name: str
    word: str  # `conv`, `input`; of a block its name in the text
    written: str  # `conv 8x3x3 stride 2`
    type: TensorType
    blocks: tuple[str, ...]
    parameters: int  # trained numbers; 0 where another row owns them
    state: int  # numbers kept and saved but not trained: running means
    macs: int  # multiply-adds of one image
    flops: int
    activation_bytes: int  # of one image, in float32; 0 if the value is a view of another
    field: Field
    depth: int  # layers with weights on the longest way here, this one included
    shares: str = ""  # the value whose parameters it uses, where they are not its own
    nodes: int = 1


@record
class Facts:
    """A row for each value in the order of the graph, and what they come to together."""

    rows: tuple[LayerFacts, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> LayerFacts:
        return self.by_name[name]

    @lazy
    def by_name(self) -> dict[str, LayerFacts]:
        return {row.name: row for row in self.rows}

    @property
    def parameters(self) -> int:
        """Trained numbers, shared ones counted once."""
        return sum(row.parameters for row in self.rows)

    @property
    def state(self) -> int:
        return sum(row.state for row in self.rows)

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def flops(self) -> int:
        return sum(row.flops for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        return sum(row.activation_bytes for row in self.rows)

    @property
    def depth(self) -> int:
        return max((row.depth for row in self.rows), default=0)

    @property
    def field(self) -> Field:
        """The largest receptive field of the outputs."""
        return max((self[name].field for name in self.outputs), key=lambda f: [a.size for a in f], default=())

    def _repr_html_(self) -> str:
        """The table of layers, in a notebook."""
        from ..display import shown

        return shown("facts_html", self)

    def folded(self, depth: int) -> Facts:
        """The same with every block deeper than `depth` as one row, which ends as its last value does.

        basic1.conv1  basic1.bn1  basic1.add1        (depth 0)
        basic1
        """
        rows: list[LayerFacts] = []
        for row in self.rows:
            if len(row.blocks) <= depth:
                rows.append(row)
                continue
            name = ".".join(row.blocks[: depth + 1])
            if rows and rows[-1].name == name:
                rows[-1] = _together(rows[-1], row)
            else:
                block = row.blocks[depth]
                rows.append(row._replace(name=name, word="block", written=block, blocks=row.blocks[:depth]))
        return Facts(tuple(rows), self.outputs)


def _together(block: LayerFacts, row: LayerFacts) -> LayerFacts:
    """A block's row with one more of its values."""
    return row._replace(
        name=block.name,
        word=block.word,
        written=block.written,
        blocks=block.blocks,
        parameters=block.parameters + row.parameters,
        state=block.state + row.state,
        macs=block.macs + row.macs,
        flops=block.flops + row.flops,
        activation_bytes=block.activation_bytes + row.activation_bytes,
        shares="",
        nodes=block.nodes + row.nodes,
    )


def facts(graph: Graph) -> Facts:
    """What is known of every value of a graph of words.

    Parameters are counted where their owner stands; values that share them count none.
    """
    rows: dict[str, LayerFacts] = {}
    owners: set[str] = set()
    for node in graph:
        known = graph.figures[node.name]
        own = node.owner not in owners
        owners.add(node.owner)
        before = [rows[value.partition(":")[0]] for value in node.inputs]
        rows[node.name] = LayerFacts(
            name=node.name,
            word=node.op.word or "input",
            written=known.written or f"input {node.type}",
            type=node.type,
            blocks=node.blocks,
            parameters=known.parameters if own else 0,
            state=known.state if own else 0,
            macs=known.macs,
            flops=known.flops,
            activation_bytes=0 if node.op.is_view else known.elements * FLOAT_BYTES,
            field=_field(known, [row.field for row in before]) if before else _pixel(node.type),
            depth=max([row.depth for row in before], default=0) + bool(known.macs and known.parameters),
            shares="" if own else node.owner,
        )
    return Facts(tuple(rows.values()), graph.outputs)


def _pixel(kind: TensorType) -> Field:
    """The receptive field of an input: each pixel sees itself."""
    return tuple([FieldAxis(1, 1, 0, size) for size in kind.spatial])


def _field(known: Figures, before: list[Field]) -> Field:
    """The receptive field of a value, from those of the inputs."""
    rank = max(map(len, before))
    joined, *others = [field for field in before if len(field) == rank]
    for other in others:
        if other != joined:
            joined = tuple([a.join(b) for a, b in zip(joined, other, strict=True)])
    if known.everywhere:
        return tuple([axis.everywhere() for axis in joined])
    if len(known.steps) != rank:
        return joined
    return tuple([axis.through(*step) for axis, step in zip(joined, known.steps, strict=True)])
