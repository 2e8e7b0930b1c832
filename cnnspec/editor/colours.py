"""The colour of each piece of a text, by what it means (the protocol's semantic tokens)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..lang.parse.tokens import lex
from ..lang.parse.tree import Attr, Call, Check, Join, Layer, Name, Setting, Settings
from .document import Document
from .occurrences import occurrences

KINDS = ("comment", "string", "keyword", "number", "operator", "function", "class", "namespace", "parameter",
         "variable", "property", "enumMember")  # fmt: skip
TOKENS = {
    "COMMENT": "comment", "STRING": "string", "IMPORT": "keyword", "LET": "keyword", "BLOCK": "keyword",
    "NET": "keyword", "INPUT": "keyword", "AS": "keyword", "JOIN": "keyword", "NUMBER": "number",
    "COMPARE": "operator", "ARROW": "operator", "BAR": "operator", "COLONS": "operator",
    "PLUS": "operator", "MINUS": "operator", "TIMES": "operator", "OVER": "operator",
}  # fmt: skip
NAMES = {
    "number": "variable", "parameter": "parameter", "block": "class", "net": "class", "file": "namespace",
    "value": "variable", "input": "variable",
}  # fmt: skip


WORDED = frozenset((Layer, Join, Call, Attr, Setting, Check, Settings))


class Coloured(NamedTuple):
    """A piece of one line, from offset to offset. `readonly` is what `let` names."""

    start: int
    end: int
    kind: str
    defines: bool = False
    readonly: bool = False


def colours(document: Document, start: int = 0, end: int | None = None) -> list[Coloured]:
    """The pieces between two offsets, in order, none within another one."""
    stop = len(document.text) if end is None else end
    return [piece for piece in document.once(_all) if start <= piece.start < stop]


def _all(document: Document) -> list[Coloured]:
    meaning = {
        one.span.start: Coloured(
            one.span.start, one.span.end, NAMES[one.kind], one.defines, one.kind in ("number", "parameter")
        )
        for one in occurrences(document)
    }
    for piece in _words(document):
        meaning.setdefault(piece.start, piece)
    for piece in _tokens(document):
        meaning.setdefault(piece.start, piece)
    found, last = [], 0
    for at in sorted(meaning):
        if at >= last:
            found.append(meaning[at])
            last = meaning[at].end
    return found


def _words(document: Document) -> Iterator[Coloured]:
    """Words, settings, and words that are the values of settings."""
    for _, parts in document.parts:
        for part, _ in parts:
            if part.__class__ not in WORDED:
                continue
            if isinstance(part, Layer | Join):
                yield _name(part.word, "function")
            elif isinstance(part, Call):
                yield _name(part.name, "class")
            elif isinstance(part, Attr | Setting):
                yield _name(part.name, "property")
                if isinstance(part.value, Name):
                    yield _name(part.value, "enumMember")
            elif isinstance(part, Check):
                yield _name(part.name, "property")
            elif isinstance(part, Settings):
                yield _name(part.word, "keyword")


def _name(name: Name, kind: str) -> Coloured:
    return Coloured(name.span.start, name.span.end, kind)


def _tokens(document: Document) -> Iterator[Coloured]:
    for comment in document.file.comments:
        yield Coloured(comment.start, comment.end, "comment")
    for token in lex(document.text):
        if token.type in TOKENS:
            yield Coloured(token.start_pos, token.end_pos, TOKENS[token.type])
        elif token.type == "OPEN_EXPECT":
            yield Coloured(token.start_pos, token.start_pos + len("expect"), "keyword")
        elif token.type == "SIZES":
            yield from _sizes(token, token.start_pos)


def _sizes(text: str, at: int) -> Iterator[Coloured]:
    """The numbers of `{w}x3x3`, with what is in its holes left to what the names there mean."""
    inside, start = False, 0
    for k, character in enumerate(text + "{"):
        if character == "{" and not inside:
            if k > start:
                yield Coloured(at + start, at + k, "number")
            inside = True
        elif character == "}":
            inside, start = False, k + 1
