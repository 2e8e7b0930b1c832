"""Where a chain is read: which names it sees, and how its values are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ...diagnostics import Span
from ..parse.tree import Chain
from .names import Module, Numbers


class Missing:
    """Stands for the value before the first stage of a chain that has no input."""


MISSING = Missing()


class Passed(NamedTuple):
    """A chain that a call hands to a block: it means what it means where it is written.

    chain   None where it could not be read, or nobody calls the block
    scope   that of the call
    calls   the recipes that the call itself stands in
    """

    chain: Chain | None
    scope: Scope | None
    calls: frozenset[int]


Value = str | None | Missing  # a node's name; None where a mistake, already reported, left none


@dataclass(eq=False, repr=False)
class Scope:
    """The names of one chain: a file's own, or those of one call of a block.

    path     what names of values begin with: "basic3."
    owner    the same for the values whose weights are used: another path in later calls of a net
    blocks   the calls it stands in, outermost first
    values   values that `as` names, and the results of nets
    outer    the scope whose values it sees as well; a block sees none but its own
    chains   the chains that a block was called with, by the names of its parameters
    """

    module: Module
    numbers: Numbers
    path: str = ""
    owner: str = ""
    blocks: tuple[str, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    outer: Scope | None = None
    chains: dict[str, Passed] = field(default_factory=dict)

    def numbered(self, word: str) -> str:
        """The name of the next value of a word: `conv1`, `conv2`, ..., behind the path."""
        count = self.counts[word] = self.counts.get(word, 0) + 1
        return f"{self.path}{word}{count}"

    def __iter__(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer
