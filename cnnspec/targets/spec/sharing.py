"""Layers that share their weights, as a `net` that is called several times.

@left -> conv 4x3x3 -> relu;  @right -> conv 4x3x3 (the same weights) -> relu
net shared = conv 4x3x3 -> relu;  @left -> shared;  @right -> shared
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from ...ir import Graph
from .chains import Chain, Item


@dataclass
class Shared:
    """A net: its name, and the items of its first call."""

    name: str
    chain: Chain


@dataclass
class Stretch:
    """Items start..stop of a chain."""

    chain: Chain
    start: int
    stop: int

    @property
    def items(self) -> Chain:
        return self.chain[self.start : self.stop]

    def grown(self, left: int, right: int) -> Stretch:
        return Stretch(self.chain, self.start - left, self.stop + right)

    @property
    def fits(self) -> bool:
        return self.start >= 0 and self.stop <= len(self.chain)

    def meets(self, other: Stretch) -> bool:
        return self.chain is other.chain and self.start < other.stop and other.start < self.stop


def share(graph: Graph, chains: list[Chain], tapped: Collection[str]) -> list[Shared]:
    """Replace runs that share their weights by calls of nets, and return the nets.

    A run grows as long as all of its places have equal layers, and none but its last is one that others go on
    from by name. What cannot be said so shows when the text is read again.
    """
    nets: list[Shared] = []
    while True:
        runs = first_shared(graph, chains)
        if not runs:
            return nets
        while True:
            longer = next((grown for grown in growths(runs) if agree(graph, grown, tapped)), None)
            if longer is None:
                break
            runs = longer
        name = "shared" if not nets else f"shared{len(nets) + 1}"
        *first, last = runs[0].items
        nets.append(Shared(name, [*first, replace(last, value="")]))
        for run in sorted(runs, key=lambda run: -run.start):
            run.chain[run.start : run.stop] = [Item(net=name, value=run.items[-1].value)]


def growths(runs: list[Stretch]) -> list[list[Stretch]]:
    return [[run.grown(left, right) for run in runs] for left, right in ((0, 1), (1, 0))]


def first_shared(graph: Graph, chains: list[Chain]) -> list[Stretch]:
    """The places of the first layer whose weights are used several times."""
    places: dict[str, list[Stretch]] = {}
    open_chains = list(chains)
    while open_chains:
        chain = open_chains.pop(0)
        for k, item in enumerate(chain):
            open_chains += item.branches
            if item.node is not None and item.node.op.parameters(*graph.types(item.node)):
                places.setdefault(item.node.owner, []).append(Stretch(chain, k, k + 1))
    return next((runs for runs in places.values() if len(runs) > 1), [])


def agree(graph: Graph, runs: list[Stretch], tapped: Collection[str]) -> bool:
    """Whether runs stand apart and are equal, layer by layer, weights included."""
    if not all(run.fits for run in runs):
        return False
    if any(item.value in tapped for run in runs for item in run.items[:-1]):
        return False
    if any(a.meets(b) for k, a in enumerate(runs) for b in runs[:k]):
        return False
    return all(alike(graph, a, b) for run in runs[1:] for a, b in zip(runs[0].items, run.items, strict=True))


def alike(graph: Graph, a: Item, b: Item) -> bool:
    """Whether two items are one layer (or join) with the same weights."""
    if a.node is None or b.node is None or a.node.op != b.node.op or len(a.branches) != len(b.branches):
        return False
    learnt = a.node.op.parameters(*graph.types(a.node))
    if learnt and a.node.owner != b.node.owner:
        return False
    return all(
        len(left) == len(right) and all(alike(graph, x, y) for x, y in zip(left, right, strict=True))
        for left, right in zip(a.branches, b.branches, strict=True)
    )
