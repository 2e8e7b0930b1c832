"""Completions at the cursor.

Found out from the text before the cursor, so that it works in a line that cannot be read yet; only names
that the file defines come from the last reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..ir.fields import Declared, settings
from ..lang.hints.spelling import own_setting, own_word
from ..reference import words as reference
from ..settings.expect import QUANTITIES
from ..words import WORDS
from .document import Document
from .words import BLOCKS, choices, recipes

HOLE = re.compile(r"\{[^{}\n;]*\}")
HIDDEN = re.compile(r'#[^\n]*|"[^"\n]*"?')  # comments and quotes, in which nothing is completed
OPEN_BLOCK = re.compile(r"\b(train|data|expect)\s*\{([^{}]*)\Z")
OPEN_HOLE = re.compile(r"\{[^{}\n;]*\Z")
IN_CALL = re.compile(r"([A-Za-z_][\w.]*)\(([^()]*)\Z")
NEAR = 4000  # characters before the cursor that tell where it stands
SEPARATOR = re.compile(r"->|[|(=;\n]|::")
JOINS = tuple(word for word, cls in WORDS.items() if cls.join)
STATEMENTS = ("input", "let", "block", "net", "import", "train", "data", "expect")


class Item(NamedTuple):
    """Something that may be written: its kind is word, setting, value, name, keyword or block."""

    text: str
    kind: str
    detail: str = ""


def complete(document: Document, offset: int) -> list[Item]:
    """What may stand at an offset; the editor keeps what begins as the word there does."""
    before = document.text[max(0, offset - NEAR) : offset]
    line = before[before.rfind("\n") + 1 :]
    hidden = [match for match in HIDDEN.finditer(line) if match.end() == len(line)]
    if hidden and not (hidden[-1][0].endswith('"') and len(hidden[-1][0]) > 1):
        return []
    before = HIDDEN.sub(lambda match: "_" * len(match[0]), before)
    typed = re.search(r"[\w.]*\Z", before)
    assert typed
    head = before[: typed.start()]
    return list(dict.fromkeys(_items(document, head, typed[0])))


def _items(document: Document, head: str, typed: str) -> Iterator[Item]:
    if head.endswith("@"):
        yield from _values(document)
        return
    statement = head[_statement_start(head) :]
    if OPEN_HOLE.search(HOLE.sub("0", head)) and not OPEN_BLOCK.search(HOLE.sub("0", head)):
        yield from _numbers(document)
        return
    block = OPEN_BLOCK.search(HOLE.sub("0", head))
    if block:
        yield from _in_block(block[1], re.split(r"[;\n]", block[2])[-1])
        return
    if re.match(r"\s*let\b", statement):
        yield from _numbers(document)
        return
    call = IN_CALL.search(HOLE.sub("0", statement))
    if call and call[1] not in JOINS:
        recipe = recipes(document).get(call[1])
        params = recipe.params if recipe else ()
        yield from (Item(f"{param.name.text} = ", "setting", call[1]) for param in params)
        yield from _numbers(document)
        return
    yield from _in_chain(document, head, statement)


def _statement_start(head: str) -> int:
    """Where the statement begins in which the cursor stands: a line may go on from the one before."""
    start = head.rfind("\n") + 1
    while start > 0:
        above = head[:start].rstrip()
        here = head[start:].lstrip()
        if not (above.endswith(("->", "|", "(", "=", ",")) or here.startswith(("->", "|", ")"))):
            break
        start = head.rfind("\n", 0, len(above)) + 1
    return start


def _in_chain(document: Document, head: str, statement: str) -> Iterator[Item]:
    """At the start of a stage its words; behind a word its settings, or the values of one."""
    parts = SEPARATOR.split(HOLE.sub("0", statement))
    stage = parts[-1].split()
    if statement.rstrip().endswith("::") or (stage and stage[-1] == "as"):
        return
    if not stage:
        yield from _words(document)
        if not statement.strip():
            yield from (Item(word, "keyword") for word in STATEMENTS)
        return
    cls = WORDS.get(own_word(stage[0], WORDS))
    if cls is None:
        if stage[0] in ("input", "import"):
            yield Item("as", "keyword")
        return
    if stage[-1] in settings(cls) and not _is_value(cls, stage):
        yield from _setting_values(cls, stage[-1])
        return
    yield from _settings(cls, stage)
    yield Item("as", "keyword", "name the value")


def _is_value(cls: type[Declared], stage: list[str]) -> bool:
    """Whether the last word of a stage is the value of the setting before it (`init orthogonal`)."""
    return len(stage) > 1 and stage[-2] in settings(cls) and not _is_value(cls, stage[:-1])


def _in_block(word: str, line: str) -> Iterator[Item]:
    """Within `train`, `data` or `expect`: settings, their values, and the settings of those."""
    said = line.split()
    if word == "expect":
        if not said:
            yield from (Item(quantity.name, "setting", quantity.doc) for quantity in QUANTITIES)
        return
    cls = BLOCKS[word]
    if not said:
        yield from _settings(cls, [])
        return
    name, rest = own_setting(said[0], settings(cls)), said[1:]
    if name not in settings(cls):
        return
    if not rest:
        yield from _setting_values(cls, name)
        return
    words = choices(cls, name)
    inner = words.get(own_word(rest[0], words))
    if inner is None:
        return
    if len(rest) > 1 and rest[-1] in settings(inner) and not _is_value(inner, rest):
        yield from _setting_values(inner, rest[-1])
    else:
        yield from _settings(inner, rest)


def _settings(cls: type[Declared], said: list[str]) -> Iterator[Item]:
    """The settings of a word that have not been said."""
    for row in reference.rows(cls):
        if row.name in settings(cls) and row.name not in said:
            yield Item(row.name, "setting", row.doc)


def _setting_values(cls: type[Declared], setting: str) -> Iterator[Item]:
    described = choices(cls, setting)
    for value in reference.values(cls, own_setting(setting, settings(cls))):
        yield Item(value, "value", reference.summary(described[value]) if value in described else "")


def _words(document: Document) -> Iterator[Item]:
    """Everything that a stage may begin with."""
    for word, cls in WORDS.items():
        yield Item(word, "word", reference.summary(cls))
    yield Item("id", "word", "the branch that changes nothing")
    for name, recipe in recipes(document).items():
        yield Item(name, "block", "net" if recipe.shared else "block")
    yield from (Item(f"@{item.text}", item.kind, item.detail) for item in _values(document))


def _values(document: Document) -> Iterator[Item]:
    """Values with names, and their shapes."""
    reading = document.latest.reading
    if reading:
        for name, node in reading.names.items():
            known = node in reading.graph.nodes
            yield Item(name, "name", str(reading.graph[node].type) if known else "")


def _numbers(document: Document) -> Iterator[Item]:
    """Names of numbers: `let`, and the parameters of blocks."""
    reading = document.latest.reading
    if reading:
        for name in reading.module.numbers:
            yield Item(name, "name", "let")
        for recipe in reading.module.recipes.values():
            yield from (Item(param.name.text, "name", "parameter") for param in recipe.params)
    yield from (Item(f"{name}(", "keyword") for name in ("min", "max", "round", "ceil", "floor"))
