"""Lists and tables of Markdown: a layer in each line, behind a bullet or a number, or in the cells of a row.

- conv 8x3x3        | conv | 8x3x3 |        conv 8x3x3
- relu              | relu |       |          -> relu
- fc 10             | fc   | 10    |          -> fc 10
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ....diagnostics import Source, Span
from ....words import WORDS
from ..spelling import own_word
from .papers import layers_of

ITEM = re.compile(r"[ \t]*(?:[-*+•‣·▪◦–—]|\(?\d{1,3}[.):]|\(\d{1,3}\))[ \t]+(?=\w)(?P<said>[^\n]*)")
ROW = re.compile(r"[ \t]*\|(?P<said>[^\n]*)\|[ \t]*")
RULE = re.compile(r"[-: |]+")
DEFINES = re.compile(r"\s*(?:input|let|block|net|import|data|train|expect|\})")
LIST, TABLE = "a list", "a table of Markdown"


def listed(source: Source) -> Iterator[tuple[Span, str, str]]:
    """The lists and tables of a text, each with what it is and the lines that say the same; empty where none do."""
    lines = source.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    while at < len(lines):
        for pattern, what in ((ITEM, LIST), (ROW, TABLE)):
            end = at
            while end < len(lines) and (found := pattern.fullmatch(lines[end])) and _begins(found["said"], what):
                end += 1
            if end == at:
                continue
            said = [found["said"] for line in lines[at:end] if (found := pattern.fullmatch(line))]
            first = lines[at : at + 1] != [""] and _goes_on(lines[:at])
            texts = [*map(_item, said)] if what == LIST else [*_rows(said)]
            if what == LIST or len(said) > 1 or texts:
                yield Span(source, starts[at], starts[end] - 1), what, "\n".join(_chained(texts, first))
            at = end - 1
            break
        at += 1


def _begins(said: str, what: str) -> bool:
    """Whether a line of a list begins with a layer, or with a line of ours; rows of a table may say anything."""
    word = re.match(r"[A-Za-z_]\w*", said)
    ours = word and (own_word(word[0], WORDS) in WORDS or word[0] in ("input", "id"))
    return what == TABLE or bool(ours or layers_of(_code(said)))


def _code(said: str) -> str:
    """What a line says without its comment."""
    return said.partition("#")[0].strip()


def _item(said: str) -> str:
    """A line of a list as the language writes it."""
    code = _code(said)
    comment = said[len(said.partition("#")[0]) :]
    code = " -> ".join(layers_of(piece) or piece for piece in map(str.strip, code.split("->")))
    return f"{code}  {comment}" if comment else code


def _rows(said: list[str]) -> Iterator[str]:
    """The rows of a table that say layers, as the language writes them; none where one of them cannot be told."""
    head = next((number + 1 for number, row in enumerate(said) if RULE.fullmatch(row) and "-" in row), 0)
    found = [_row([cell.strip(" `*") for cell in row.split("|")]) for row in said[head:]]
    yield from found if all(found) else ()


def _row(cells: list[str]) -> str:
    """A row of a table as a chain; empty where it is none: each cell a layer, or all of them one."""
    told = [cell for cell in cells if cell and not RULE.fullmatch(cell)]
    told = told[1:] if told and re.fullmatch(r"#?\d+", told[0]) and len(told) > 1 else told
    each = [_layer(cell) for cell in told]
    return " -> ".join(each) if all(each) and each else _layer(" ".join(told)) or layers_of(", ".join(told))


def _layer(text: str) -> str:
    """A text as a layer of the language; empty for what is none."""
    word, *rest = text.split() or [""]
    ours = own_word(word, WORDS)
    plain = ours in WORDS and all(re.fullmatch(r"[\w.%]+", part) for part in rest)
    return layers_of(text) or (" ".join([ours, *rest]) if plain else "")


def _goes_on(before: list[str]) -> bool:
    """Whether lines end with a chain, which what follows goes on with."""
    last = next((line for line in reversed(before) if _code(line)), "")
    return bool(last) and not DEFINES.match(last)


def _chained(texts: Iterable[str], goes_on: bool) -> Iterator[str]:
    """Lines of a chain, an arrow before each that goes on from another."""
    for text in texts:
        yield f"  -> {text}" if goes_on else text
        goes_on = not DEFINES.match(text)
