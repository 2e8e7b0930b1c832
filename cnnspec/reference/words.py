"""The reference of the words, out of the dataclasses that declare them: for `cnnspec ops` and editors."""

from __future__ import annotations

import dataclasses
import inspect
from typing import NamedTuple

from ..ir.fields import Choice, Declared, Kind, Switch, settings, size_field
from ..ir.nested import Nested
from ..ir.op import Op


class SettingRow(NamedTuple):
    """A size or setting of a word, as a table shows it."""

    name: str  # the pattern of a size, such as FxKxK
    default: str  # empty where it must be written; `-` where it is off unless set
    accepts: str
    doc: str


def vocabulary() -> dict[str, tuple[type[Declared], ...]]:
    """Every word by family, in the order of the reference: layers, then what `train` and `data` may say."""
    from ..settings.augment import AUGMENTATIONS
    from ..settings.data import SOURCES, Data
    from ..settings.optimisers import OPTIMISERS
    from ..settings.schedules import SCHEDULES
    from ..settings.train import Train
    from ..words import OPS
    from ..words.costs import COSTS

    families: dict[str, tuple[type[Declared], ...]] = {}
    for op in OPS:
        families[op.family] = (*families.get(op.family, ()), op)
    families["cost (in train)"] = tuple(COSTS)
    families["optimiser (in train)"] = tuple(OPTIMISERS)
    families["schedule (in train)"] = tuple(SCHEDULES)
    families["source (in data)"] = tuple(SOURCES)
    families["augment (in data)"] = tuple(AUGMENTATIONS)
    families["block"] = (Data, Train)
    return families


def find(word: str) -> list[type[Declared]]:
    """The classes of a word; two where a layer and a schedule share it (`step`)."""
    return [cls for classes in vocabulary().values() for cls in classes if cls.word == word]


def synopsis(cls: type[Declared]) -> str:
    """How a word is written: `conv FxKxK`, `dropout [P]`, `add( a | b | ... )`."""
    if issubclass(cls, Op) and cls.join:
        return f"{cls.word}( a | b | ... )"
    sized = size_field(cls)
    if sized is None:
        return cls.word
    pattern = sized.metadata["pattern"]
    return f"{cls.word} {pattern}" if sized.default is dataclasses.MISSING else f"{cls.word} [{pattern}]"


def rows(cls: type[Declared]) -> list[SettingRow]:
    """The size and the settings of a word."""
    sized = size_field(cls)
    fields = [sized] if sized else []
    return [_row(field, sized) for field in (*fields, *settings(cls).values())]


def _row(field: dataclasses.Field, sized: dataclasses.Field | None) -> SettingRow:
    kind: Kind = field.metadata["kind"]
    name = field.metadata["pattern"] if field is sized else field.name
    if field.default is dataclasses.MISSING:
        default = ""
    else:
        default = "-" if field.default in (None, ()) else kind.write(field.default)
    return SettingRow(name, default, kind.wanted, field.metadata["doc"])


def values(cls: type[Declared], setting: str) -> tuple[str, ...]:
    """The names that a setting takes, for completion: `valid same include`, `on off`, `adam sgd ...`."""
    field = settings(cls).get(setting)
    kind = field.metadata["kind"] if field else None
    if isinstance(kind, Switch):
        return ("on", "off")
    if isinstance(kind, Choice):
        return kind.names
    if isinstance(kind, Nested):
        return tuple(kind.by_word)
    return ()


def description(cls: type[Declared]) -> str:
    """The docstring of a word, with its line breaks."""
    return inspect.cleandoc(cls.__doc__ or "")


def summary(cls: type[Declared]) -> str:
    """The first paragraph of the docstring, on one line."""
    return description(cls).split("\n\n")[0].replace("\n", " ")


def page(cls: type[Declared]) -> str:
    """The reference of a word as plain text."""
    parts = [synopsis(cls), description(cls)]
    table = rows(cls)
    if table:
        names = max(len(row.name) for row in table)
        defaults = max(len(row.default) for row in table)
        indent = " " * (names + defaults + 6)
        lines = [
            f"  {row.name:{names}}  {row.default:{defaults}}  {row.doc}\n{indent}{row.accepts}" for row in table
        ]
        parts.append("Settings, their defaults, and what they take:\n\n" + "\n".join(lines))
    aliases = getattr(cls, "aliases", ())
    if aliases:
        parts.append("Elsewhere: " + ", ".join(aliases))
    if issubclass(cls, Op) and cls.example:
        parts.append(f"Example, on {cls.on}:\n\n  {cls.example}")
    return "\n\n".join(parts)
