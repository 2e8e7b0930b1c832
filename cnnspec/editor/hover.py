"""Hover texts, a few lines of Markdown."""

from __future__ import annotations

from ..diagnostics import Span
from ..ir import Node
from ..ir.facts import LayerFacts
from ..ir.fields import Declared, settings
from ..lang.hints.spelling import own_setting, own_word
from ..lang.parse.tree import Attr, Call, Join, Layer, Name, Setting, Settings, Tap
from ..quoting import markdown
from ..reference import words as reference
from ..words import WORDS
from .document import Document, SyntaxNode, around
from .words import BLOCKS, nested, recipe_page


def hover(document: Document, offset: int) -> tuple[str, Span] | None:
    """Markdown, and the piece of text that it is about."""
    path = document.path_to(offset)
    for i in range(len(path) - 1, -1, -1):
        part, outer = path[i], path[:i]
        if isinstance(part, Name):
            told = _name(document, part, outer)
        elif isinstance(part, Tap):
            told = _value(document, part.name, part.span)
        elif isinstance(part, Layer | Join) and around(part.word.span, offset):
            told = _layer(document, part)
        else:
            told = None
        if told:
            return told
    return None


def _name(document: Document, name: Name, outer: list[SyntaxNode]) -> tuple[str, Span] | None:
    """A name by what it is a part of."""
    owner = outer[-1] if outer else None
    if isinstance(owner, Layer | Join) and name == owner.word:
        return _layer(document, owner)
    if isinstance(owner, Call) and name == owner.name:
        page = recipe_page(document, name.text)
        return (page, name.span) if page else None
    if isinstance(owner, Attr | Setting):
        return _setting(name, owner, outer[:-1])
    if isinstance(owner, Settings) and name == owner.word and name.text in BLOCKS:
        return _word_page(BLOCKS[name.text]), name.span
    return _value(document, name.text, name.span)


def _layer(document: Document, layer: Layer | Join) -> tuple[str, Span] | None:
    """A word with what is known of the values it makes."""
    span = layer.word.span
    cls = WORDS.get(own_word(layer.word.text, WORDS))
    about = _word_page(cls, short=True) if cls else recipe_page(document, layer.word.text)
    nodes = [node for node in document.nodes if node.span and node.span.start == span.start]
    values = "\n".join(f"- {_figures(document, node)}" for node in nodes[:6])
    more = f"\n- and {len(nodes) - 6} more" if len(nodes) > 6 else ""
    text = "\n\n".join(part for part in (values + more, about) if part)
    return (text, span) if text else None


def _figures(document: Document, node: Node) -> str:
    """`conv1` 1x28x28 → **8x26x26**, 80 parameters, 48,672 multiply-adds, sees 3x3"""
    row: LayerFacts = document.facts[node.name]
    types = document.report.reading.graph.types(node) if document.report.reading else ()
    before = " and ".join(dict.fromkeys(map(str, types)))
    said = [f"{markdown(node.name)} {before + ' → ' if before else ''}**{row.type}**"]
    if row.parameters:
        said.append(f"{row.parameters:,} parameters")
    elif row.shares:
        said.append(f"the parameters of {markdown(row.shares)}")
    if row.macs:
        said.append(f"{row.macs:,} multiply-adds")
    if row.field:
        said.append("sees " + "x".join(str(axis.seen) for axis in row.field))
    return ", ".join(said)


def _setting(name: Name, owner: Attr | Setting, outer: list[SyntaxNode]) -> tuple[str, Span] | None:
    """A setting, or the word that is its value."""
    cls = nested([*outer, owner] if name != owner.name else outer)
    if name != owner.name:
        if cls is None or own_word(name.text, {cls.word: cls}) != cls.word:
            return None
        return _word_page(cls, short=True), name.span
    rows = {row.name: row for row in reference.rows(cls)} if cls else {}
    row = rows.get(own_setting(name.text, rows))
    if row is None:
        return None
    default = f"; default `{row.default}`" if row.default not in ("", "-") else ""
    return f"`{row.name}`: {row.doc}\n\n{row.accepts}{default}", name.span


def _value(document: Document, name: str, span: Span) -> tuple[str, Span] | None:
    """A named value: where `as`, `net` or `input` gave the name."""
    reading = document.report.reading
    node = reading.names.get(name) if reading else None
    if node is None or reading is None or node not in reading.graph.nodes:
        return None
    return _figures(document, reading.graph[node]), span


def _word_page(cls: type[Declared], short: bool = False) -> str:
    """What a word does, and its settings: by name alone where `short`."""
    parts = [f"**`{reference.synopsis(cls)}`**", reference.summary(cls)]
    rows = [row for row in reference.rows(cls) if row.name in settings(cls)]
    if short and rows:
        parts.append("settings: " + ", ".join(f"`{row.name}`" for row in rows))
    elif rows:
        parts.append("\n".join(f"- `{row.name}` {row.doc}" for row in rows))
    return "\n\n".join(parts)
