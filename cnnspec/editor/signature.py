"""Signature help while a word or block is written: `conv FxKxK stride S pad P ...` with the part at hand."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..ir.fields import Declared, settings
from ..lang.hints.spelling import own_setting, own_word
from ..reference import words as reference
from ..words import WORDS
from .completion import HIDDEN, HOLE, IN_CALL, NEAR, SEPARATOR
from .document import Document
from .words import recipes

SIZE = re.compile(r"[\d?{]")


class Signature(NamedTuple):
    """A word as it is written; `parts` are pieces of `label` with what each is, `active` the one at hand."""

    label: str
    about: str
    parts: tuple[tuple[str, str], ...]
    active: int | None


def signature(document: Document, offset: int) -> Signature | None:
    """What is being written at an offset."""
    before = document.text[max(0, offset - NEAR) : offset]
    before = HIDDEN.sub(lambda match: "_" * len(match[0]), before)
    before = HOLE.sub(lambda match: "0" * len(match[0]), before)
    line = before[before.rfind("\n") + 1 :]
    call = IN_CALL.search(line)
    if call and call[1] in recipes(document):
        return _call(document, call[1], call[2])
    stage = SEPARATOR.split(line)[-1]
    said = stage.split()
    if not said or (len(said) == 1 and not stage.endswith(" ")):
        return None
    cls = WORDS.get(own_word(said[0], WORDS))
    return None if cls is None else _word(cls, said[1:], stage.endswith(" "))


def _call(document: Document, name: str, said: str) -> Signature:
    """`basic(c, s = 1)`: the argument that is named, or the one at this place."""
    params = recipes(document)[name].params
    written = [param.name.text + (f" = {param.default.span.text}" if param.default else "") for param in params]
    last = said.split(",")[-1]
    named = re.match(r"\s*([A-Za-z_]\w*)\s*=", last)
    names = [param.name.text for param in params]
    active = names.index(named[1]) if named and named[1] in names else said.count(",")
    kind = "net" if recipes(document)[name].shared else "block"
    parts = tuple((text, "") for text in written)
    return Signature(f"{name}({', '.join(written)})", kind, parts, active if active < len(params) else None)


def _word(cls: type[Declared], said: list[str], ended: bool) -> Signature:
    """`conv FxKxK stride S ...`: the setting whose value is being written, or its size."""
    rows = reference.rows(cls)
    known = settings(cls)
    parts = [(row.name, f"{row.doc}: {row.accepts}" if row.accepts else row.doc) for row in rows]
    names = [name for name, _ in parts]
    words = said if ended else said[:-1]
    setting = own_setting(words[-1], known) if words else ""
    if setting in names:
        active: int | None = names.index(setting)
    elif not words and names and names[0] not in known and (not said or SIZE.match(said[-1])):
        active = 0
    else:
        active = None
    return Signature(" ".join([cls.word, *names]), reference.summary(cls), tuple(parts), active)
