"""The input of warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...diagnostics import Diagnostic, Span
from ...ir import Graph, Node
from ...settings.data import Data
from ...settings.train import Train
from ..findings import Proposal
from ..lowering.names import Module
from ..lowering.network import Network


class CheckedFile(NamedTuple):
    """A file that was read; `rate` is where it states its learning rate, if it does."""

    network: Network
    module: Module
    data: Data
    train: Train
    source_stated: bool
    rate: Span | None
    library: bool

    @property
    def graph(self) -> Graph:
        return self.network.graph

    def named(self, *words: str) -> Iterator[Node]:
        """The nodes of some words, in the order of the graph."""
        return (node for node in self.network.graph if node.op.word in words)


Warned = Iterator[tuple[Diagnostic, tuple[Proposal, ...]]]
Warning = Callable[[CheckedFile], Warned]
