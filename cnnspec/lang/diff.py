"""Two specs compared by what they mean: layers, shapes, figures and settings, whatever their texts look like.

    conv 8x3x3 -> relu -> dense 10      against      (conv 8x5x5 -> relu) -> tanh -> dense 10

is one layer changed and one added. Names do not count, nor how a network is cut into blocks and lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from ..ir import Graph, Node
from ..ir.facts import Facts, LayerFacts, facts
from ..ir.fields import Kind, settings
from .lowering.budgets import shown
from .reading import Spec

if TYPE_CHECKING:
    from ..validation import Json

FIGURES = ("parameters", "macs", "flops", "activation_bytes", "depth")


@dataclass(frozen=True)
class Change:
    """A layer that is in one network only (`before` or `after` is None), or another in the second.

    `rewired` where the layer is the same and reads other values.
    """

    before: LayerFacts | None
    after: LayerFacts | None
    rewired: bool = False

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        if self.rewired:
            return "rewired"
        return "changed" if self.before.written != self.after.written else "reshaped"


@dataclass(frozen=True)
class Setting:
    """Something that `data`, `train` or `expect` says otherwise; empty where one of them does not say it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """What differs; `figures` holds, by name, those of both networks where they differ."""

    changes: tuple[Change, ...]
    figures: dict[str, tuple[int, int]]
    settings: tuple[Setting, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.figures or self.settings)

    def as_json(self) -> dict[str, Json]:
        return {
            "same": not self,
            "layers": [
                {"kind": change.kind, "before": _row(change.before), "after": _row(change.after)}
                for change in self.changes
            ],
            "figures": {name: {"before": a, "after": b} for name, (a, b) in self.figures.items()},
            "settings": [
                {"name": setting.name, "before": setting.before, "after": setting.after}
                for setting in self.settings
            ],
        }


def compare(before: Spec, after: Spec) -> Difference:
    """What differs between two specs."""
    known = facts(before.graph), facts(after.graph)
    pairs = list(_pairs(before.graph, after.graph))
    changes = tuple(_changes(pairs, before.graph, after.graph, *known))
    figures = {
        name: (getattr(known[0], name), getattr(known[1], name))
        for name in FIGURES
        if getattr(known[0], name) != getattr(known[1], name)
    }
    sees = [max((axis.size for row in one.rows for axis in row.field), default=0) for one in known]
    if sees[0] != sees[1]:
        figures["receptive_field"] = (sees[0], sees[1])
    return Difference(changes, figures, tuple(_settings(before, after)))


def _pairs(before: Graph, after: Graph) -> Iterator[tuple[Node | None, Node | None]]:
    """The nodes of both graphs side by side; None where one has no counterpart."""
    first, second = list(before), list(after)
    matcher = SequenceMatcher(None, [_key(node) for node in first], [_key(node) for node in second], False)
    for _, i, j, k, m in matcher.get_opcodes():
        left, right = first[i:j], second[k:m]
        words = SequenceMatcher(None, [node.op.word for node in left], [node.op.word for node in right], False)
        for tag, a, b, c, d in words.get_opcodes():
            if tag == "equal":
                yield from zip(left[a:b], right[c:d], strict=True)
            else:
                yield from ((node, None) for node in left[a:b])
                yield from ((None, node) for node in right[c:d])


def _key(node: Node) -> str:
    return node.op.written(explicit=True) if node.op.word else "input"


def _changes(
    pairs: list[tuple[Node | None, Node | None]], before: Graph, after: Graph, old: Facts, new: Facts
) -> Iterator[Change]:
    rows = {row.name: row for row in old.rows}, {row.name: row for row in new.rows}
    match = {a.name: b.name for a, b in pairs if a and b}
    gone = {a.name for a, b in pairs if a and not b}
    for a, b in pairs:
        row, other = rows[0][a.name] if a else None, rows[1][b.name] if b else None
        if (
            row is None
            or other is None
            or a is None
            or b is None
            or row.written != other.written
            or row.type.axes != other.type.axes
        ):
            yield Change(row, other)
        elif match.get(a.owner) != b.owner:
            yield Change(row, other, rewired=True)
        else:
            reads = [match.get(value) for value in a.inputs]
            known = all(value not in gone for value in a.inputs) and all(
                value in match.values() for value in b.inputs
            )
            if known and reads != list(b.inputs):
                yield Change(row, other, rewired=True)


def _settings(before: Spec, after: Spec) -> Iterator[Setting]:
    for mine, other in ((before.data, after.data), (before.train, after.train)):
        cls = type(mine)
        for name, field in settings(cls).items():
            said = [_said(getattr(block, name), field.metadata["kind"]) for block in (mine, other)]
            if said[0] != said[1]:
                yield Setting(f"{cls.word}.{name}", *said)
    budgets = [
        {
            f"{b.quantity.name}{f' @{b.at}' if b.at else f' of {b.of}' if b.of else ''} {b.relation}": shown(
                b.bound, b.quantity.unit
            )
            for b in spec.expect
        }
        for spec in (before, after)
    ]
    for name in dict.fromkeys((*budgets[0], *budgets[1])):
        if budgets[0].get(name) != budgets[1].get(name):
            yield Setting(f"expect.{name}", budgets[0].get(name, ""), budgets[1].get(name, ""))


def _said(value: object, kind: Kind[object]) -> str:
    if value is None:
        return ""
    return " ; ".join(map(kind.write, value)) if isinstance(value, tuple) else str(kind.write(value))


def _row(row: LayerFacts | None) -> dict[str, Json] | None:
    if row is None:
        return None
    return {
        "name": row.name,
        "written": row.written,
        "output": list(row.type.shape),
        "parameters": row.parameters,
        "macs": row.macs,
        "receptive_field": [axis.seen for axis in row.field],
    }


def page(difference: Difference) -> str:
    """What differs, for people: a line for each layer, setting and figure."""
    lines = [_line(change) for change in difference.changes]
    for setting in difference.settings:
        lines.append(f"  {setting.name}: {setting.before or 'nothing'} -> {setting.after or 'nothing'}")
    for name, (a, b) in difference.figures.items():
        lines.append(f"  {name.replace('_', ' ')}: {a:,} -> {b:,} ({b - a:+,})")
    return "\n".join(lines or ["the same network, trained the same way"]) + "\n"


def _line(change: Change) -> str:
    a, b = change.before, change.after
    if a is None:
        assert b is not None
        return f"+ {b.name}: {b.written}  {b.type}"
    if b is None:
        return f"- {a.name}: {a.written}  {a.type}"
    name = a.name if a.name == b.name else f"{a.name}, {b.name}"
    if change.rewired:
        return f"~ {name}: {a.written}, reads other values"
    written = a.written if a.written == b.written else f"{a.written} -> {b.written}"
    shape = "" if a.type.axes == b.type.axes else f"  {a.type} -> {b.type}"
    return f"~ {name}: {written}{shape}"
