"""The finding for an impossible layer: its place, the layer that causes it, the word that was meant."""

from __future__ import annotations

from collections.abc import Mapping

from ...diagnostics import Diagnostic, Fault, Label, Span
from ...ir import Builder
from ...ir.op import Op
from ...words import WORDS
from ..findings import Findings
from ..parse.tree import Layer
from .declared import diagnosed
from .scope import Missing, Scope, Value

STATEMENTS = ("input", "let", "block", "net", "import")  # for who writes `Input 3x32x32`


def explained(
    fault: Fault, op: Op, inputs: tuple[str, ...], spans: dict[str, Span], builder: Builder
) -> Diagnostic:
    """A fault with its place, and the earlier layer that made it so."""
    found: Diagnostic = diagnosed(fault, spans)
    if op.join or found.span is None:
        return found
    made = origin(inputs[0], builder)
    return found if made is None else fault.diagnostic(found.span, related=(*found.related, made))


def origin(value: str, builder: Builder) -> Label | None:
    """The layer that gave a value its shape."""
    node = builder.nodes[value]
    while len(node.inputs) == 1 and builder.type(node.inputs[0]).shape == node.type.shape:
        node = builder.nodes[node.inputs[0]]
    if node.span is None:
        return None
    return Label(node.span, f"makes it {node.type}" if node.inputs else f"the input is {node.type}")


def unknown_layer(layer: Layer, scope: Scope, layers: Mapping[str, type[Op]], findings: Findings) -> None:
    """Tell of a word in a layer's place that is none."""
    word = layer.word
    if scope.module.may_define(word.text):
        return
    from ..hints.placed import block_of, report_outside
    from ..hints.unknown import block_of_settings, unknown_word, untapped

    if block_of_settings(word, findings) or unread_layer(layer, findings):
        return
    block = block_of(word.text)
    if block:
        report_outside(block, word.span, layer.span, findings)
        return
    if word.text in WORDS:
        findings.tell("CNN207", word.span, word=word.text)
        return
    values = {name for around in scope for name in around.values} | set(scope.module.labels)
    where = scope.places.get(word.text) or scope.module.labels.get(word.text)
    if layer.size is None and not layer.attrs and untapped(word, values, where, findings):
        return
    unknown_word(word, layers, "layer", findings, (*scope.module.recipes, *STATEMENTS))


def unread_layer(layer: Layer, findings: Findings) -> bool:
    """Tell of a layer as papers write it, in the place of what was found there."""
    from ..hints.foreign.papers import layer_as_in_papers

    return layer_as_in_papers(layer.span, findings)


def without_settings(layer: Layer, findings: Findings) -> None:
    """`id` takes neither size nor settings."""
    extra = layer.size or (layer.attrs[0] if layer.attrs else None)
    if extra is not None:
        findings.tell("CNN203", extra.span, case="id")


def present(value: Value, span: Span, findings: Findings) -> str | None:
    """The value that a layer reads; a finding where the chain has no input."""
    if isinstance(value, Missing):
        findings.tell("CNN022", span)
        return None
    return value
