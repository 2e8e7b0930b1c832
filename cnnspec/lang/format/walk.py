"""The layers of a file, in the order of its text."""

from __future__ import annotations

from collections.abc import Iterator

from ..lowering.names import Module
from ..parse.tree import Block, Call, Chain, Group, Join, Layer, Net


def layers(module: Module) -> Iterator[Layer]:
    """The layers that stand in the file itself, but calls of blocks without parentheses."""
    for statement in module.file.statements:
        if isinstance(statement, Chain):
            yield from _within(statement)
        elif isinstance(statement, Block | Net):
            yield from _within(statement.chain)


def _within(chain: Chain) -> Iterator[Layer]:
    for stage in chain.stages:
        term = stage.term
        if isinstance(term, Layer):
            yield term
        elif isinstance(term, Group):
            yield from _within(term.chain)
        elif isinstance(term, Join):
            for branch in term.branches:
                yield from _within(branch)
        elif isinstance(term, Call):
            for passed in term.chains:
                yield from _within(passed)
