"""Every name of a text with what defines it: for references, renaming, highlights and the colours of names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, cast

from ..diagnostics import Span
from ..lang.lowering.names import RESERVED, Recipe, labels_of
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
from .document import Document, Piece, parts_of
from .words import recipes

OF_LAYERS = ("freeze",)  # settings of `train` whose values are names of layers
NAMED = frozenset((Let, Block, Net, Param, Import, Input, Stage, Variable, Tap, Call, Arg, Settings))
MOST_NAMES = 4096
NAMES: dict[str, Counter[str]] = {}  # what the texts of statements may call
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


class Callees(NamedTuple):
    """What a layer or a call may name: blocks and nets, and the files that imports give a name."""

    recipes: Mapping[str, Recipe]
    aliases: Mapping[str, Name]


def occurrences(document: Document) -> list[Occurrence]:
    """Every name that something defines, in the order of the text."""
    return document.once(_occurrences)


def _occurrences(document: Document) -> list[Occurrence]:
    found = [one for statement, parts in document.parts for one in _stated(document, statement, parts)]
    return sorted(dict.fromkeys(found), key=lambda each: each.span.start)


def _some(document: Document, wanted: Callable[[Statement], object]) -> list[Occurrence]:
    """The names of some statements: after a key nobody waits for those of the others."""
    known = document.once(_known)
    for number, statement in enumerate(document.file.statements):
        if number not in known and wanted(statement):
            known[number] = _stated(document, statement, parts_of(statement))
    found = [one for number in sorted(known) for one in known[number]]
    return sorted(dict.fromkeys(found), key=lambda each: each.span.start)


def calls(document: Document) -> Counter[int]:
    """How often each block of a text is called in it, by where its name is defined.

    A statement names the same blocks wherever it stands, so one that was looked through in an earlier version is
    not again: the names that stand in it are counted, and what they mean is asked here.
    """
    found: Counter[int] = Counter()
    _, called = document.once(_meanings)
    for statement in document.file.statements:
        if not isinstance(statement, Chain | Net | Block):
            continue
        text = document.text[statement.span.start : statement.span.end]
        names = NAMES.get(text)
        if names is None:
            names = Counter(_names(statement))
            if len(NAMES) >= MOST_NAMES:
                NAMES.clear()
            NAMES[text] = names
        for name, count in names.items():
            recipe = called.recipes.get(name)
            if recipe is not None and document.owns(recipe.name.span):
                found[recipe.name.span.start] += count
    return found


def _names(statement: Block | Net | Chain) -> Iterator[str]:
    """What a statement may call: the words of its layers and calls, without the chains that it was given."""
    given = {name.text for name in statement.chains} if isinstance(statement, Block) else set()
    for part, _ in parts_of(statement):
        name = part.word if isinstance(part, Layer) else part.name if isinstance(part, Call) else None
        if name is not None and name.text not in given:
            yield name.text


def _known(document: Document) -> dict[int, list[Occurrence]]:
    """The names of each statement that was looked through, by its number."""
    return {}


def _meanings(document: Document) -> tuple[Scope, Callees]:
    """What names mean outside of blocks."""
    outer = Scope({}, {})
    for statement in document.file.statements:
        _define(statement, outer)
    return outer, Callees(recipes(document), {alias.text: alias for alias in reversed(_aliases(document))})


def _stated(document: Document, statement: Statement, parts: list[tuple[Piece, Piece]]) -> list[Occurrence]:
    """The names of a statement."""
    outer, called = document.once(_meanings)
    found: list[Occurrence] = []
    scope = _within(statement, outer) if isinstance(statement, Block) else outer
    for part, owner in parts:
        kind = part.__class__
        if kind is Layer:  # most of all, and few of them are names
            word = cast(Layer, part).word
            if word.text in called.recipes or word.text in scope.chains or "." in word.text:
                found.extend(_called(word, scope, called))
        elif kind in NAMED:
            found.extend(_of(part, owner, scope, called))
    return found


def at(document: Document, offset: int) -> Occurrence | None:
    """The name around an offset."""
    around = _some(document, lambda statement: statement.span.start <= offset <= statement.span.end)
    return next((one for one in around if one.span.start <= offset <= one.span.end), None)


def same(document: Document, definition: Span, name: str) -> list[Occurrence]:
    """Where a text has what a span, of this text or of another one, defines as a name."""
    wanted, start = place(definition), definition.start
    stands = re.compile(rf"\b{re.escape(name)}\b").search
    among = _some(document, lambda statement: stands(document.text, statement.span.start, statement.span.end))
    return [one for one in among if one.definition.start == start and place(one.definition) == wanted]


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


def _of(part: Piece, owner: Piece, scope: Scope, called: Callees) -> Iterator[Occurrence]:
    """The names that a part of the tree has itself."""
    if isinstance(part, Stage):
        if part.label is not None:
            yield Occurrence(part.label.span, part.label.span, "value")
    elif isinstance(part, Variable):
        if part.name in scope.numbers:
            yield Occurrence(part.span, *scope.numbers[part.name])
    elif isinstance(part, Call):
        yield from _called(part.name, scope, called)
    elif isinstance(part, Tap):
        yield from _value(part.name, part.span.start + 1, part.span, scope)
    elif isinstance(part, Let):
        yield Occurrence(part.name.span, part.name.span, "number")
    elif isinstance(part, Block | Net):
        yield Occurrence(part.name.span, part.name.span, "block" if isinstance(part, Block) else "net")
        for name in part.chains if isinstance(part, Block) else ():
            yield Occurrence(name.span, name.span, "parameter")
    elif isinstance(part, Param):
        yield Occurrence(part.name.span, part.name.span, "parameter")
    elif isinstance(part, Import | Input):
        if part.name is not None:
            yield Occurrence(part.name.span, part.name.span, "file" if isinstance(part, Import) else "input")
    elif isinstance(part, Arg) and part.name is not None and isinstance(owner, Call):
        recipe = called.recipes.get(owner.name.text)
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


def _called(name: Name, scope: Scope, called: Callees) -> Iterator[Occurrence]:
    """A chain of a call, `basic`, or both parts of `blocks.basic`."""
    if name.text in scope.chains:
        yield Occurrence(name.span, *scope.chains[name.text])
        return
    recipe = called.recipes.get(name.text)
    file, dot, own = name.text.rpartition(".")
    if dot and file in called.aliases:
        place = Span(name.span.source, name.span.start, name.span.start + len(file))
        yield Occurrence(place, called.aliases[file].span, "file")
    if recipe is not None:
        place = Span(name.span.source, name.span.end - len(own), name.span.end)
        alias = called.aliases.get(recipe.name.text)
        aliased = alias is not None and recipe.name.span == alias.span
        kind = "file" if aliased else "net" if recipe.shared else "block"
        yield Occurrence(place, recipe.name.span, kind)


def _aliases(document: Document) -> list[Name]:
    """The names that imports give."""
    return [one.name for one in document.file.statements if isinstance(one, Import) and one.name is not None]
