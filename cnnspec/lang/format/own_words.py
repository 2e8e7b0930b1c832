"""A spec in the language's own words: `cnnspec fmt --own-words`.

    Conv2d 8x3x3 padding 1 -> ReLU          train { loss mse ; optimizer Adam learning_rate 1e-3 }

becomes

    conv 8x3x3 pad 1 -> relu                train { cost mse ; optimiser adam lr 1e-3 }
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics import Edit
from ...ir.fields import Declared, Switch, settings
from ...ir.nested import Clause, Nested
from ...settings.data import Data
from ...settings.train import Train
from ...words import WORDS
from ..hints.fixes import edited
from ..hints.spelling import own_setting, own_switch, own_word
from ..lowering.blocks import BY_NAME
from ..parse.tree import Attr, Expect, Name, Setting, Settings
from ..reading import Reading
from .formatter import format
from .walk import layers


def in_own_words(reading: Reading) -> str:
    """The text of a file that has no errors, spelt as the language spells it."""
    edits = [
        Edit(name.span, own)
        for name, own in _spelt(reading)
        if name.text != own and name.span.source == reading.source
    ]
    return format(edited(reading.source.text, edits), reading.source.name)


def _spelt(reading: Reading) -> Iterator[tuple[Name, str]]:
    """Every name of the file that the language may spell otherwise, and how it does."""
    for layer in layers(reading.module):
        if layer.word.text in reading.module.recipes:
            continue
        own = own_word(layer.word.text, WORDS)
        yield layer.word, own
        yield from _settings(WORDS.get(own), layer.attrs)
    for statement in reading.file.statements:
        if isinstance(statement, Settings):
            block = Train if statement.word.text == Train.word else Data
            yield from _settings(block, statement.settings)
        elif isinstance(statement, Expect):
            yield from ((check.name, own_setting(check.name.text, BY_NAME)) for check in statement.checks)


def _settings(cls: type[Declared] | None, said: Iterable[Attr | Setting]) -> Iterator[tuple[Name, str]]:
    """Settings, what they are set to where that is a word, and the settings of that."""
    known = settings(cls) if cls is not None else {}
    for line in said:
        own = own_setting(line.name.text, known)
        yield line.name, own
        kind = known[own].metadata["kind"] if own in known else None
        if isinstance(kind, Clause):
            yield from _settings(kind.classes[0], getattr(line, "attrs", ()))
        if isinstance(kind, Clause) or not isinstance(line.value, Name):
            continue
        if isinstance(kind, Switch):
            yield line.value, own_switch(line.value.text)
        elif isinstance(kind, Nested):
            inner = kind.by_word
            word = own_word(line.value.text, inner)
            yield line.value, word
            yield from _settings(inner.get(word), getattr(line, "attrs", ()))
