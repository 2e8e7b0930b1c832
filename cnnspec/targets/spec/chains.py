"""A graph of words taken apart into chains, as an author would lay them out.

    y = relu x;  z = conv y;  a = add z y          ->     relu -> add( conv | id )

The spine of a chain goes from its end back through the nearest value that every way to a join passes (the
join's dominator); what lies between becomes the join's branches. A branch too long to read inside parentheses
becomes part of the spine, and the others start from a name: `... as e1 -> ... -> concat( @e1 | id )`.
Every node is written once, in the order in which the text would make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...ir import Graph, Node

LONGEST_BRANCH = 16  # layers inside a branch
DEEPEST = 2  # joins within joins inside it
ENOUGH = 200  # layers are counted up to here


@dataclass
class Item:
    """One stage: a layer, a join with its branches, or (without a node) the value `tap` again, or a `net`.

    `value` is what others may go on from by a name.
    """

    node: Node | None = None
    tap: str = ""
    net: str = ""
    branches: list[Chain] = field(default_factory=list)
    value: str = ""


Chain = list[Item]


class Chains:
    """The chains of a graph, one for each output, and which values need a name."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.written: list[str] = []  # nodes in the order of the text
        self.done: set[str] = set(graph.inputs)
        self.above = dominators(graph)
        self.chains: list[Chain] = []
        start = graph.inputs[0] if len(graph.inputs) == 1 else ""
        for output in graph.outputs:
            self.chains.append(self.chain(output, "" if self.chains else start))
        self.tapped = list(dict.fromkeys(value for chain in self.chains for value in taps(chain)))

    def chain(self, value: str, base: str) -> Chain:
        """The items that lead from `base` (empty: from nothing) to a value."""
        spine: list[str] = []
        start = ""
        while value != base:
            if value in self.done:
                start = value
                break
            spine.append(value)
            node = self.graph.nodes[value]
            value = node.inputs[0] if len(node.inputs) == 1 else self.above[value]
            if not value:
                break
        items: Chain = [Item(tap=start)] if start else []
        for name in reversed(spine):
            node = self.graph.nodes[name]
            if len(node.inputs) == 1:
                items.append(Item(node, value=name))
            else:
                items += self.join(node, self.above[name])
            self.done.add(name)
            self.written.append(name)
        if len(items) > 1 and items[0].tap and begins_with_tap(items[1:]):
            return items[1:]
        return items

    def leads_on(self, value: str, base: str) -> bool:
        """Whether the way to a value begins at `base`, and not at one that has been written since."""
        while value != base:
            if value in self.done:
                return False
            node = self.graph.nodes[value]
            value = node.inputs[0] if len(node.inputs) == 1 else self.above[value]
        return True

    def join(self, node: Node, base: str) -> Chain:
        """A join and its branches from `base`; before it the branch that is too long to be one."""
        trunk: Chain = []
        sizes = {value: self.size(value, base) for value in node.inputs}
        unwieldy = [v for v, (layers, depth) in sizes.items() if layers > LONGEST_BRANCH or depth >= DEEPEST]
        unwieldy = [value for value in unwieldy if base and self.leads_on(value, base)]
        if unwieldy:
            longest = max(unwieldy, key=lambda value: sizes[value])
            trunk = self.chain(longest, base)
            base = longest
        branches = [self.chain(value, base) for value in node.inputs]
        return [*trunk, Item(node, branches=branches, value=node.name)]

    def size(self, value: str, base: str) -> tuple[int, int]:
        """How many layers lie between a value and `base`, and how deep joins nest there."""
        depths: dict[str, int] = {}
        open_values = [value]
        while open_values:
            if len(depths) + len(open_values) > ENOUGH:
                return ENOUGH, 0
            name = open_values[-1]
            inputs = [] if name == base or name in self.done else self.graph.nodes[name].inputs
            missing = [below for below in inputs if below not in depths]
            if missing:
                open_values += missing
                continue
            depths[name] = max((depths[below] for below in inputs), default=0) + (len(inputs) > 1)
            open_values.pop()
        return len(depths) - 1, depths[value]


def begins_with_tap(chain: Chain) -> bool:
    """Whether a chain says itself which value it begins with, in every branch."""
    if not chain or chain[0].tap:
        return bool(chain)
    return bool(chain[0].branches) and all(map(begins_with_tap, chain[0].branches))


def taps(chain: Chain) -> Iterator[str]:
    """The values that a chain goes on from by name, in the order of the text."""
    for item in chain:
        if item.tap:
            yield item.tap
        for branch in item.branches:
            yield from taps(branch)


def dominators(graph: Graph) -> dict[str, str]:
    """For every value the nearest other one that each way to it passes; empty where there is none.

    In a graph without cycles that is the nearest common ancestor, in the tree of dominators, of its inputs
    (Cooper, Harvey and Kennedy 2001).
    """
    above: dict[str, str] = {}
    depth = {"": 0}
    for node in graph:
        found = node.inputs[0] if node.inputs else ""
        for value in node.inputs[1:]:
            while found != value:
                if depth[found] < depth[value]:
                    value = above[value]
                else:
                    found = above[found]
        above[node.name] = found
        depth[node.name] = depth[found] + 1
    return above
