"""The settings of a run by dotted names, as they are listed, compared and logged.

{"train": {"optimiser": {"word": "sgd", "lr": 0.1}}}    {"train.optimiser": "sgd", "train.optimiser.lr": 0.1}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..ir.fields import settings as settings_of
from ..ir.fields import size_field
from ..ir.nested import Nested
from ..settings.data import Data
from ..settings.train import Train
from ..train.documents import Settings
from ..validation import Json

OTHERS: tuple[Literal["input", "shards", "engine", "dtype"], ...] = ("input", "shards", "engine", "dtype")
DEEPEST = 8  # fields within fields; ours have three, and another's file may have any number
SIZED = {  # the words of settings that may be said several times, or are lines of their own
    cls.word: cls
    for block in (Train, Data)
    for setting in settings_of(block).values()
    if isinstance(setting.metadata["kind"], Nested)
    for cls in setting.metadata["kind"].classes
}


def by_name(settings: Settings) -> dict[str, Json]:
    """What settings.json says of the network, its training and its data."""
    lets, train, data = settings.get("let", {}), settings.get("train"), settings.get("data")
    told = flat({**lets, "train": train, "data": data})
    told |= {name: settings[name] for name in OTHERS if name in settings}
    told.pop("train.shards", None)  # what they are is told by `shards`
    return told


def flat(fields: Mapping[str, Json], within: str = "", depth: int = 0) -> dict[str, Json]:
    """Fields of fields by dotted names: {"optimiser": {"word": "sgd", "lr": 0.1}} -> optimiser, optimiser.lr.

    What may be said several times, or is a line of its own, is one text: {"freeze": "stem ; body until 5"}.
    """
    found: dict[str, Json] = {}
    for name, value in fields.items():
        key = f"{within}.{name}" if within else name
        if isinstance(value, Mapping) and depth < DEEPEST and value.get("word") != name:
            inner = dict(value)
            if isinstance(inner.get("word"), str):
                found[key] = inner.pop("word")
            found |= flat(inner, key, depth + 1)
        elif isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            found[key] = " ; ".join(words(one, name) for one in value) or None
        else:
            found[key] = words(value, name) if isinstance(value, (list, Mapping)) else value
    return found


def words(value: Json, name: str = "", depth: int = 0) -> str:
    """A value as the setting of that name has it in a spec, or nearly so."""
    if depth > DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        word = value.get("word", "")
        declared = size_field(SIZED[word]) if isinstance(word, str) and word in SIZED else None
        parts = [str(word) if word != name else ""]
        for key, one in value.items():
            if key != "word" and one is not None and one != "":
                sized = declared is not None and declared.name == key
                parts.append(f"{'' if sized else f'{key} '}{words(one, key, depth + 1)}")
        return " ".join(filter(None, parts))
    if isinstance(value, list):
        between = ", " if any(isinstance(one, str) for one in value) else "x"
        return between.join(words(one, "", depth + 1) for one in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
