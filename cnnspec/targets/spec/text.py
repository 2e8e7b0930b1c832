"""A graph of words written as a spec.

    written = spec_text(graph)      # .text, and .names: what each node is called when the text is read

Chains, branches and names come from `chains`; here they become text: layers that repeat are written once
(`(conv 64x3x3 pad 1 -> relu)*2`), layers that share their weights become a `net` that is called several
times, and lines end where a page does. The text is read again and held against the graph before anyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from ...diagnostics import Diagnostic, Source, SpecError
from ...ir import Builder, Graph
from ...ir.leaves import Input
from ...lang import read
from ...lang.lowering.names import RESERVED
from ...quoting import comment
from ...words.regularise import Dropout
from .chains import DEEPEST, Chain, Chains, Item, taps
from .sharing import Shared, share

WIDTH = 100
LONGEST_RUN = 64  # stages that are looked at as one repetition
KEYWORDS = RESERVED | {"import", "let", "block", "net", "input", "as", "train", "data", "expect"}


@dataclass(frozen=True)
class WrittenSpec:
    """A spec's text, and by which name each node of the graph, and each owner of weights, is known in it."""

    text: str
    names: dict[str, str]
    owners: dict[str, str]


class Stage(NamedTuple):
    """The text of a stage, and whether it may be repeated: not where it is named, or names something in it."""

    text: str
    repeats: bool


def spec_text(graph: Graph, wishes: Mapping[str, str] | None = None, heading: str = "") -> WrittenSpec:
    """The graph as a spec; `wishes` are names for values, which are heeded where a name is needed and free."""
    graph = with_ends(graph)
    try:
        chains = Chains(graph)
    except RecursionError:
        raise SpecError((Diagnostic.of("CNN506", case="deep"),)) from None
    nets = share(graph, chains.chains, chains.tapped)
    page = TextPage(graph, chains, nets, wishes or {})
    text = page.text(heading)
    reading = read(Source("<text>", text), fixes=False)
    if reading.spec is None:
        raise SpecError((Diagnostic.of("CNN506", reason=reading.diagnostics[0]),))
    made = [node.name for node in reading.graph if not isinstance(node.op, Input)]
    names = dict(zip(chains.written, made, strict=False))
    names |= {name: page.inputs[name] for name in graph.inputs}
    owners = same(graph, reading.graph, names)
    if owners is None:
        raise SpecError((Diagnostic.of("CNN506", case="other"),))
    return WrittenSpec(text, names, owners)


def same(graph: Graph, other: Graph, names: Mapping[str, str]) -> dict[str, str] | None:
    """Who owns which weights in the other graph, if the two are one but for the names of their nodes; else None.

    The owner of shared weights is the first in the order of the text, which may be another than in the graph.
    """
    owners: dict[str, str] = {}
    if len(graph) != len(other) or [names.get(v) for v in graph.outputs] != list(other.outputs):
        return None
    for node in graph:
        counterpart = other.nodes.get(names.get(node.name, ""))
        if counterpart is None or (node.op, node.type.axes) != (counterpart.op, counterpart.type.axes):
            return None
        if tuple(names.get(value) for value in node.inputs) != counterpart.inputs:
            return None
        if (
            node.op.parameters(*graph.types(node))
            and owners.setdefault(node.owner, counterpart.owner) != counterpart.owner
        ):
            return None
    return owners if len(set(owners.values())) == len(owners) else None


def with_ends(graph: Graph) -> Graph:
    """The graph with outputs that can be stated: none given twice, none that another chain goes on from.

    Such an output gets a `dropout 0` of its own, which does nothing.
    """
    ends: list[str] = []
    b = Builder(graph)
    chains = Chains(graph).chains
    for count, value in enumerate(graph.outputs):
        elsewhere = any(value in taps(chain) for k, chain in enumerate(chains) if k != count)
        if elsewhere or value in ends:
            value = b.add(Dropout(0.0), value, name=f"{value}.end")
        ends.append(value)
    return b.graph(graph.inputs, tuple(ends))


class TextPage:
    """Writes the chains of a graph."""

    def __init__(self, graph: Graph, chains: Chains, nets: list[Shared], wishes: Mapping[str, str]) -> None:
        self.graph, self.chains, self.nets, self.wishes = graph, chains, nets, wishes
        self.taken = {net.name for net in nets} | set(KEYWORDS)
        plain = len(graph.inputs) == 1
        self.inputs = {name: "input" if plain else self.name(name) for name in graph.inputs}
        self.names = dict(self.inputs)
        for value in chains.tapped:
            if value not in self.names:
                self.names[value] = self.name(value)

    def name(self, value: str) -> str:
        """A name for a value that needs one: the one wished for, where an author could have given it."""
        wish = self.wishes.get(value, "")
        numbered = re.fullmatch(r"([A-Za-z_]+)\d+", wish)  # as values are called that have no name
        free = re.fullmatch(r"[A-Za-z_]\w*", wish, re.ASCII) and wish not in self.taken
        if not free or (numbered and numbered[1] in RESERVED):
            count = 1
            while f"v{count}" in self.taken:
                count += 1
            wish = f"v{count}"
        self.taken.add(wish)
        return wish

    def text(self, heading: str) -> str:
        lines = [comment(heading)] if heading else []
        for name in self.graph.inputs:
            label = "" if self.inputs[name] == "input" else f" as {self.inputs[name]}"
            lines.append(f"input {self.graph.type(name)}{label}")
        lines.append("")
        for net in self.nets:
            lines += wrapped(f"net {net.name} = {self.chain(net.chain).text}")
        for chain in self.chains.chains:
            lines += wrapped(self.chain(chain).text)
        return "\n".join(lines) + "\n"

    def chain(self, chain: Chain) -> Stage:
        """The text of a chain; the one that changes nothing is `id`."""
        stages = []
        for item, following in zip_longest(chain, chain[1:]):
            implied = is_word(item, "flatten") and is_word(following, "dense") and item.value not in self.names
            if not implied:
                stages.append(self.stage(item))
        text = " -> ".join(folded(stages)) or "id"
        return Stage(text, all(stage.repeats for stage in stages))

    def stage(self, item: Item) -> Stage:
        if item.tap:
            return Stage(f"@{self.names[item.tap]}", False)
        branches = [self.chain(branch) for branch in item.branches]
        if item.node is None:
            text = item.net
        elif branches:
            text = f"{item.node.op.word}( {' | '.join(branch.text for branch in branches)} )"
        else:
            text = item.node.op.written()
        if item.value in self.names:
            return Stage(f"{text} as {self.names[item.value]}", False)
        return Stage(text, all(branch.repeats for branch in branches))


def is_word(item: Item | None, word: str) -> bool:
    return item is not None and item.node is not None and item.node.op.word == word


def folded(stages: list[Stage]) -> list[str]:
    """The texts of stages, runs that repeat written once: `a, b, a, b` is `(a -> b)*2`."""
    made: list[str] = []
    start = 0
    while start < len(stages):
        saved, length, count = longest_run(stages, start)
        if saved < 2 or saved <= longest_run(stages, start + 1)[0]:  # rather (add -> relu)*2 than (relu -> add)*2
            made.append(stages[start].text)
            start += 1
            continue
        inside = [stage.text for stage in stages[start : start + length]]
        join = length == 1 and inside[0].endswith(")")
        made.append(f"{inside[0]}*{count}" if join else f"({' -> '.join(inside)})*{count}")
        start += length * count
    return made


def longest_run(stages: list[Stage], start: int) -> tuple[int, int, int]:
    """The run from here that saves most stages when written once: stages saved, its length, how often it is."""
    best = (0, 1, 1)
    for length in range(1, min(LONGEST_RUN, (len(stages) - start) // 2) + 1):
        run = stages[start : start + length]
        if not run[-1].repeats:
            break
        count = 1
        while stages[start + count * length : start + (count + 1) * length] == run:
            count += 1
        best = max(best, (length * (count - 1), -length, count), key=lambda found: found[:2])
    saved, length, count = best
    return saved, abs(length), count


def wrapped(text: str, indent: str = "", depth: int = 0) -> list[str]:
    """Lines of a statement, broken before `->`, and inside parentheses only where one of them is too long."""
    lines: list[str] = []
    for part in parts(text, depth):
        lead = "  " if lines else ""
        if lines and len(indent) + len(lines[-1]) + len(part) < WIDTH:
            lines[-1] += f" {part}"
        elif len(indent) + len(lead) + len(part) <= WIDTH or depth > DEEPEST:
            lines.append(lead + part)
        else:
            lines += [lead + line for line in wrapped(part, indent + lead, depth + 1)]
    return lines


def parts(text: str, depth: int) -> list[str]:
    """Pieces of a text that begin at an `->` or `|` within so many parentheses."""
    found, start, level = [], 0, 0
    for at, character in enumerate(text):
        level += {"(": 1, ")": -1}.get(character, 0)
        if level == depth and text.startswith((" -> ", " | "), at):
            found.append(text[start:at])
            start = at + 1
    return [*found, text[start:]]
