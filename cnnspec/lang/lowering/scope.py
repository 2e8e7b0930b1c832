"""Where a chain is read: which names it sees, and how its values are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...diagnostics import Span
from .names import Module, Numbers


class Missing:
    """Stands for the value before the first stage of a chain that has no input."""


MISSING = Missing()
Value = str | None | Missing  # a node's name; None where a mistake, already reported, left none


@dataclass(eq=False, repr=False)
class Scope:
    """The names of one chain: a file's own, or those of one call of a block.

    path     what names of values begin with: "basic3."
    owner    the same for the values whose weights are used: another path in later calls of a net
    blocks   the calls it stands in, outermost first
    values   values that `as` names, and the results of nets
    outer    the scope whose values it sees as well; a block sees none but its own
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
