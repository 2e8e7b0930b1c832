"""The colour of each piece of a text, by what it means (the protocol's semantic tokens)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..lang.parse.tokens import SHORT, lex, stretches
from ..lang.parse.tree import Attr, Call, Check, Join, Layer, Name, Setting, Settings
from .document import Document
from .occurrences import occurrences
from .positions import END, WIDTHS

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
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
FLAGS = ("declaration", "readonly")


class Coloured(NamedTuple):
    """A piece of one line, from offset to offset. `readonly` is what `let` names."""

    start: int
    end: int
    kind: str
    defines: bool = False
    readonly: bool = False


class Line:
    """The colours of a line, or of several where a token may stand on more than one.

    `pieces` have places from its start; `packed` tells the same as the protocol does, five numbers a piece: line
    and column from the piece before, of the first one from the start; length, kind and flags. A line as the
    protocol counts may be less than one of ours; it has no pieces of several lines.
    """

    def __init__(self, text: str, meanings: tuple[Coloured, ...]) -> None:
        found = {piece.start: piece for piece in _tokens(text)} | {piece.start: piece for piece in meanings}
        pieces, end = [], 0
        for at in sorted(found):
            if at >= end:
                pieces.append(found[at])
                end = found[at].end
        self.text = text
        self.pieces = tuple(pieces)
        self.told: dict[str, tuple[list[int], int]] = {}

    def packed(self, encoding: str) -> tuple[list[int], int]:
        """The numbers, and how many lines are behind the last piece."""
        if encoding not in self.told:
            self.told[encoding] = _packed(self.text, self.pieces, encoding)
        return self.told[encoding]


def _packed(text: str, pieces: Sequence[Coloured], encoding: str) -> tuple[list[int], int]:
    width = WIDTHS["utf-32" if text.isascii() else encoding]
    data: list[int] = []
    lines = begun = column = at = 0  # lines since the last piece, its column, and those of where we are
    for start, end, kind, defines, readonly in pieces:
        ends = list(END.finditer(text, at, start))
        if ends:
            lines, column, at = lines + len(ends), 0, ends[-1].end()
        column, at = column + width(text[at:start]), start
        said = text[start:end].rstrip("\r")  # the end of a comment's line may be CRLF
        if "\r" not in said:
            flags = defines | readonly << 1
            data += (lines, column - (0 if lines else begun), width(said), NUMBERS[kind], flags)
            lines, begun = 0, column
    return data, lines + len(END.findall(text, at))


@lru_cache(4096)
def _kept(text: str, meanings: tuple[Coloured, ...]) -> Line:
    return Line(text, meanings)


def colours(document: Document, start: int = 0, end: int | None = None) -> list[Coloured]:
    """The pieces between two offsets, in order, none within another one."""
    stop = len(document.text) if end is None else end
    return [
        piece._replace(start=at + piece.start, end=at + piece.end)
        for at, line in document.once(_lines)
        if at < stop and at + len(line.text) > start
        for piece in line.pieces
        if start <= at + piece.start < stop
    ]


def packed(document: Document, start: int = 0, end: int | None = None) -> list[int]:
    """The same, as the protocol tells it."""
    stop = len(document.text) if end is None else end
    data: list[int] = []
    behind = 0  # lines since the last piece
    for at, line in document.once(_lines):
        if start <= at and at + len(line.text) <= stop:
            told, rest = line.packed(document.encoding)
        else:
            some = [piece for piece in line.pieces if start <= at + piece.start < stop]
            told, rest = _packed(line.text, some, document.encoding)
        first = len(data)
        data += told
        if told:
            data[first] += behind
            behind = 0
        behind += rest
    return data


def _lines(document: Document) -> list[tuple[int, Line]]:
    """The lines of a text, each with its offset."""
    meanings = _meanings(document)
    found, at, k = [], 0, 0
    for text in stretches(document.text):
        end, mine = at + len(text), []
        while k < len(meanings) and meanings[k].start < end:
            start, stop, kind, defines, readonly = meanings[k]
            mine.append(Coloured(start - at, stop - at, kind, defines, readonly))
            k += 1
        make = _kept if len(text) <= SHORT else Line
        found.append((at, make(text, tuple(mine))))
        at = end
    return found


def _meanings(document: Document) -> list[Coloured]:
    """What the names and the words of a text mean, in its order; a name counts more than a word, and the first."""
    meaning: dict[int, Coloured] = {}
    for piece in _words(document):
        meaning.setdefault(piece.start, piece)
    for (_, start, end), definition, kind in occurrences(document):
        defines = definition.start == start and definition.end == end and document.owns(definition)
        meaning[start] = Coloured(start, end, NAMES[kind], defines, kind in ("number", "parameter"))
    # what stands in no place of its own was put there to read a statement on
    return [meaning[start] for start in sorted(meaning) if meaning[start].end > start]


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


def _tokens(text: str) -> Iterator[Coloured]:
    """What can be told without the tree."""
    for token in lex(text):
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
