"""From a name to where it is defined: blocks, nets, values, numbers, imported files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..diagnostics import Source, Span
from ..lang.parse.tree import Block, Call, Import, Input, Layer, Let, Name, Net, Stage, Tap, Variable
from .document import Document, spanned
from .words import recipes


def definition(document: Document, offset: int) -> Span | None:
    """Where the name at an offset is defined, in this text or in another file."""
    path = document.path_to(offset)
    if not path:
        return None
    part = path[-1]
    if isinstance(part, Tap):
        return _value(document, path[0], part.name)
    if isinstance(part, Variable):
        return _number(document, path[0], part.name)
    owner = path[-2] if len(path) > 1 else part
    if isinstance(part, Name) and isinstance(owner, Call | Layer):
        named = owner.name if isinstance(owner, Call) else owner.word
        recipe = recipes(document).get(part.text)
        return recipe.name.span if recipe and part == named else None
    if isinstance(owner, Import) and part == owner.path:
        return _imported(document, part.text)
    return part.span if isinstance(part, Name) else None


def _value(document: Document, statement: Any, name: str) -> Span | None:
    """Where `as`, `net` or `input` gives a name; within a block, its own names come first."""
    inside = [statement] if isinstance(statement, Block) else []
    for scope in (inside, document.file.statements):
        for part in _all_parts(tuple(scope)):
            given = part.label if isinstance(part, Stage) else part.name if isinstance(part, Net | Input) else None
            if given is not None and given.text == name:
                return given.span
    return None


def _number(document: Document, statement: Any, name: str) -> Span | None:
    """Where a parameter of the block around, or a `let`, gives a name."""
    if isinstance(statement, Block):
        for param in statement.params:
            if param.name.text == name:
                return param.name.span
    for other in document.file.statements:
        if isinstance(other, Let) and other.name.text == name:
            return other.name.span
    return None


def _imported(document: Document, path: str) -> Span | None:
    """The head of an imported file, if there is one."""
    if document.path is None:
        return None
    file = document.path.parent / path
    return Span(Source(str(file), ""), 0, 0) if file.is_file() else None


def _all_parts(parts: tuple[Any, ...]) -> Iterator[Any]:
    for part in spanned(parts):
        yield part
        yield from _all_parts(tuple(part))
