"""A spec with every default and automatic step written out: `cnnspec fmt --explicit`.

    conv 8x3x3 -> maxpool 2 -> dense 10

becomes, on one line each,

    conv 8x3x3 stride 1 pad valid dilate 1 groups 1 bias on init kaiming_uniform
      -> maxpool 2 stride 2 pad valid -> flatten -> dense 10 bias on init kaiming_uniform

and blocks `data` and `train` say all that they may. What is off unless it is set (`patience`) stays away.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics import Edit, Span
from ...ir.fields import Declared, is_required, settings, size_field
from ...ir.nested import Clause, Nested
from ...words import WORDS
from ..hints.fixes import edited
from ..hints.spelling import own_setting, own_word
from ..lowering.names import Module
from ..parse.tree import Attr, Layer, Name, Settings
from ..reading import Reading
from .formatter import format
from .walk import layers

OFF = (None, "")  # values of settings that are off unless they are set


def explicit(reading: Reading) -> str:
    """The text of a file that has no errors, with all that it leaves out."""
    spec = reading.spec
    assert spec is not None, "a file with errors has no defaults to show"
    # a layer that is repeated may be given an image the first time and vectors from then on
    given_vectors = {
        node.span
        for node in reading.graph
        if node.op.word == "dense" and reading.graph[node.inputs[0]].span != node.span
    }
    flattened = {node.span for node in reading.graph if node.op.word == "flatten"} - given_vectors
    edits = [edit for layer in layers(reading.module) for edit in _layer(layer, reading.module, flattened)]
    more = ""
    for block in (spec.data, spec.train):
        stated = [
            statement
            for statement in reading.file.statements
            if isinstance(statement, Settings) and statement.word.text == block.word
        ]
        known = settings(type(block))
        names = {own_setting(line.name.text, known) for statement in stated for line in statement.settings}
        missing = "".join(f"\n  {line}" for line in _lines(block, names))
        for statement in stated:
            edits += _block(statement, type(block), missing if statement is stated[0] else "")
        if not stated:
            more += f"\n\n{block.word} {{{missing}\n}}"
    text = edited(reading.source.text, edits)
    return format(text.rstrip() + more, reading.source.name)


def _layer(layer: Layer, module: Module, flattened: set[Span | None]) -> Iterator[Edit]:
    """What a layer leaves out: a flattening before it, its size, its settings."""
    cls = WORDS.get(own_word(layer.word.text, WORDS))
    if cls is None or layer.word.text in module.recipes:
        return
    start, end = layer.span.start, layer.span.end
    if cls.word == "dense" and layer.span in flattened:
        yield Edit(Span(layer.span.source, start, start), "flatten -> ")
    sized, added = size_field(cls), ""
    if sized is not None and layer.size is None:
        after = layer.word.span.end
        size = f" {sized.metadata['kind'].write(sized.default)}"
        if layer.attrs:
            yield Edit(Span(layer.span.source, after, after), size)
        else:
            added = size
    added += _defaults(cls, layer.attrs, layer.size.span.text if layer.size else "")
    if added:
        yield Edit(Span(layer.span.source, end, end), added)


def _block(statement: Settings, cls: type[Declared], missing: str) -> Iterator[Edit]:
    """A line for each setting, with the defaults of its word, and lines for those that are missing."""
    source, close = statement.span.source, statement.span.end - 1
    known = settings(cls)
    on_one_line = "\n" not in statement.span.text
    for line in statement.settings:
        if on_one_line:
            yield Edit(Span(source, line.span.start, line.span.start), "\n")
        kind = known[own_setting(line.name.text, known)].metadata["kind"]
        if isinstance(kind, Clause):
            yield Edit(Span(source, line.span.end, line.span.end), _defaults(kind.classes[0], line.attrs))
        elif isinstance(kind, Nested) and isinstance(line.value, Name):
            word = kind.by_word[own_word(line.value.text, kind.by_word)]
            yield Edit(Span(source, line.span.end, line.span.end), _defaults(word, line.attrs))
    yield Edit(Span(source, close, close), missing + "\n" * bool(missing))


def _defaults(cls: type[Declared], attrs: tuple[Attr, ...], size: str = "") -> str:
    """The settings of a word that are not stated, with their values; a pooling window moves by its size."""
    stated = {own_setting(attr.name.text, settings(cls)) for attr in attrs}
    added = ""
    for name, field in settings(cls).items():
        if name not in stated and not is_required(field) and field.default not in OFF:
            added += f" {name} {field.metadata['kind'].write(field.default)}"
        elif name == "stride" and name not in stated:
            added += f" stride {size}"
    return added


def _lines(block: Declared, stated: set[str]) -> Iterator[str]:
    """The settings of `data` or `train` that are not stated, a line each."""
    for name, field in settings(type(block)).items():
        value = getattr(block, name)
        for one in value if field.metadata.get("repeat", False) else (value,):
            if name not in stated and one not in OFF:
                yield f"{name} {_written(one) if isinstance(one, Declared) else field.metadata['kind'].write(one)}"


def _written(thing: Declared) -> str:
    """A word with all of its settings."""
    values = [
        f"{name} {field.metadata['kind'].write(getattr(thing, name))}"
        for name, field in settings(type(thing)).items()
        if getattr(thing, name) not in OFF
    ]
    return " ".join([thing.word, *values])
