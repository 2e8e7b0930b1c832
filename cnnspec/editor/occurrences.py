"""Every name of a text with what defines it: for references, renaming, highlights and the colours of names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..diagnostics import Span
from ..lang.lowering.names import RESERVED, labels_of
from ..lang.parse.tree import (
    Arg,
    Block,
    Call,
    Chain,
    Check,
    Import,
    Input,
    Layer,
    Let,
    Listed,
    Name,
    Net,
    Param,
    Setting,
    Settings,
    Stage,
    Statement,
    Tap,
    Variable,
)
from .document import Document, Piece
from .words import recipes

OF_LAYERS = ("freeze",)  # settings of `train` whose values are names of layers
NAMED = frozenset((Let, Block, Net, Param, Import, Input, Stage, Variable, Tap, Layer, Call, Arg, Settings))
NAME = re.compile(r"[A-Za-z_]\w*")


class Occurrence(NamedTuple):
    """A name as it stands in a text. `kind` is number, parameter, block, net, value, input or file."""

    span: Span
    definition: Span
    kind: str

    @property
    def defines(self) -> bool:
        return self.span == self.definition


class Scope(NamedTuple):
    """What names mean in a statement: the values, the numbers, and the chains of a block, with their kinds."""

    values: dict[str, tuple[Span, str]]
    numbers: dict[str, tuple[Span, str]]
    chains: Mapping[str, tuple[Span, str]] = {}


def occurrences(document: Document) -> list[Occurrence]:
    """Every name that something defines, in the order of the text."""
    return document.once(_occurrences)


def _occurrences(document: Document) -> list[Occurrence]:
    outer = Scope({}, {})
    for statement in document.file.statements:
        _define(statement, outer)
    found: list[Occurrence] = []
    for statement, parts in document.parts:
        scope = _within(statement, outer) if isinstance(statement, Block) else outer
        for part, owner in parts:
            if part.__class__ in NAMED:
                found.extend(_of(document, part, owner, scope))
    return sorted(dict.fromkeys(found), key=lambda each: each.span.start)


def at(document: Document, offset: int) -> Occurrence | None:
    """The name around an offset."""
    return next((one for one in occurrences(document) if one.span.start <= offset <= one.span.end), None)


def same(document: Document, definition: Span) -> list[Occurrence]:
    """Where a text has what a span, of this text or of another one, defines."""
    wanted, start = place(definition), definition.start
    return [
        one for one in occurrences(document) if one.definition.start == start and place(one.definition) == wanted
    ]


def place(span: Span) -> tuple[str, int]:
    """A place by its resolved file."""
    return os.path.realpath(span.source.name), span.start


def refused(document: Document, old: Occurrence, new: str) -> str:
    """Why a name cannot become another one; nothing where it can."""
    if not NAME.fullmatch(new):
        return f"a name is letters, digits and _, and does not begin with a digit: {new!r:.40} is none"
    if new in RESERVED:
        return f"`{new}` is a word of the language"
    if any(document.text[one.span.start : one.span.end] == new and one.defines for one in occurrences(document)):
        return f"`{new}` is defined already"
    return ""


def _define(statement: Statement, scope: Scope) -> None:
    """Note what a statement defines for the whole text."""
    if isinstance(statement, Let):
        scope.numbers.setdefault(statement.name.text, (statement.name.span, "number"))
    elif isinstance(statement, Input) and statement.name is not None:
        scope.values.setdefault(statement.name.text, (statement.name.span, "input"))
    elif isinstance(statement, Net | Chain):
        chain = statement.chain if isinstance(statement, Net) else statement
        if isinstance(statement, Net):
            scope.values.setdefault(statement.name.text, (statement.name.span, "net"))
        for label in labels_of(chain):
            scope.values.setdefault(label.text, (label.span, "value"))


def _within(block: Block, outer: Scope) -> Scope:
    """What names mean in a block: its own values alone, and its parameters before other numbers."""
    values = {label.text: (label.span, "value") for label in labels_of(block.chain)}
    params = {param.name.text: (param.name.span, "parameter") for param in block.params}
    chains = {name.text: (name.span, "parameter") for name in block.chains}
    return Scope(values, outer.numbers | params, chains)


def _of(document: Document, part: Piece, owner: Piece, scope: Scope) -> Iterator[Occurrence]:
    """The names that a part of the tree has itself."""
    if isinstance(part, Let):
        yield Occurrence(part.name.span, part.name.span, "number")
    elif isinstance(part, Block | Net):
        yield Occurrence(part.name.span, part.name.span, "block" if isinstance(part, Block) else "net")
        for name in part.chains if isinstance(part, Block) else ():
            yield Occurrence(name.span, name.span, "parameter")
    elif isinstance(part, Param):
        yield Occurrence(part.name.span, part.name.span, "parameter")
    elif isinstance(part, Import) and part.name is not None:
        yield Occurrence(part.name.span, part.name.span, "file")
    elif isinstance(part, Input) and part.name is not None:
        yield Occurrence(part.name.span, part.name.span, "input")
    elif isinstance(part, Stage) and part.label is not None:
        yield Occurrence(part.label.span, part.label.span, "value")
    elif isinstance(part, Variable):
        if part.name in scope.numbers:
            yield Occurrence(part.span, *scope.numbers[part.name])
    elif isinstance(part, Tap):
        yield from _value(part.name, part.span.start + 1, part.span, scope)
    elif (
        isinstance(part, Layer | Call)
        and (part.word if isinstance(part, Layer) else part.name).text in scope.chains
    ):
        name = part.word if isinstance(part, Layer) else part.name
        yield Occurrence(name.span, *scope.chains[name.text])
    elif isinstance(part, Layer | Call):
        yield from _recipe(document, part.word if isinstance(part, Layer) else part.name)
    elif isinstance(part, Arg) and part.name is not None and isinstance(owner, Call):
        recipe = recipes(document).get(owner.name.text)
        for param in recipe.params if recipe else ():
            if param.name.text == part.name.text:
                yield Occurrence(part.name.span, param.name.span, "parameter")
    elif isinstance(part, Settings) and part.word.text == "train":
        for setting in part.settings:
            for name in _layers(setting):
                yield from _value(name.text, name.span.start, name.span, scope)


def _layers(setting: Setting | Check) -> Iterator[Name]:
    """The names of layers in a setting of `train`: `freeze stem, stage1`, `rate 0.1 of trunk`."""
    if isinstance(setting, Check):
        return
    values = [setting.value] if setting.name.text in OF_LAYERS else []
    values += [attr.value for attr in setting.attrs if attr.name.text == "of"]
    for value in values:
        for one in value.items if isinstance(value, Listed) else (value,):
            if isinstance(one, Name):
                yield one


def _value(name: str, start: int, span: Span, scope: Scope) -> Iterator[Occurrence]:
    """`@e1`, or the part before the dot of `@stage1.conv2`."""
    first = name if name in scope.values else name.partition(".")[0]
    if first in scope.values:
        yield Occurrence(Span(span.source, start, start + len(first)), *scope.values[first])


def _recipe(document: Document, name: Name) -> Iterator[Occurrence]:
    """`basic`, or both parts of `blocks.basic`."""
    known = recipes(document)
    recipe = known.get(name.text)
    file, dot, own = name.text.rpartition(".")
    aliases = document.once(_aliases)
    for alias in aliases if dot else ():
        if alias.text == file:
            place = Span(name.span.source, name.span.start, name.span.start + len(file))
            yield Occurrence(place, alias.span, "file")
    if recipe is not None:
        place = Span(name.span.source, name.span.end - len(own), name.span.end)
        aliased = any(recipe.name.span == alias.span for alias in aliases)
        kind = "file" if aliased else "net" if recipe.shared else "block"
        yield Occurrence(place, recipe.name.span, kind)


def _aliases(document: Document) -> list[Name]:
    """The names that imports give."""
    return [one.name for one in document.file.statements if isinstance(one, Import) and one.name is not None]
