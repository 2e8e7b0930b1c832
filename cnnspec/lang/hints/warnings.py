"""Warnings: what is allowed and probably not meant.

Each is a function over what was read. To add one: a function here, its page among the codes, its name in
one of the two tuples at the end.
"""

from __future__ import annotations

import re

from ...diagnostics import Diagnostic, Edit, Span
from ...ir import Graph, Node
from ...words.costs import Hinge
from ...words.upconv import UpConv
from ..findings import Findings, Proposal, insert, replace
from ..lowering.inputs import KNOWN
from ..parse.tree import Block, Import, Let
from . import habits
from .checked import CheckedFile, Warned, Warning
from .reach import Lost, unreached

HEAVY_FRACTION = 0.9
HEAVY_COUNT = 1_000_000  # below, a heavy layer harms nobody


def relu_before_softmax(c: CheckedFile) -> Warned:
    """relu -> softmax"""
    for node in c.named("softmax"):
        before = c.graph[node.inputs[0]] if node.inputs else None
        if before is not None and before.op.word in ("relu", "relu6") and before.span and node.span:
            found = Diagnostic.of("CNN230", before.span, word=before.op.word)
            yield found, _without(before.span, node.span)


def bias_before_bn(c: CheckedFile) -> Warned:
    """conv 8x3x3 -> bn"""
    readers: dict[str, list[Node]] = {}
    for node in c.named("bn"):
        before = c.graph[node.inputs[0]] if node.inputs else None
        if before is None or before.span is None or not getattr(before.op, "bias", False):
            continue
        readers = readers or c.graph.readers()
        if all(reader.op.word == "bn" for reader in readers[before.name]):
            yield Diagnostic.of("CNN231", before.span, word=before.op.word), (_without_bias(before.span),)


def classes_differ(c: CheckedFile) -> Warned:
    """dense 12 -> softmax, with data { source digits }"""
    word = getattr(c.data.source, "word", "")
    classes = getattr(c.data.source, "classes", None) or (KNOWN[word][1] if word in KNOWN else None)
    if not c.source_stated or classes is None or len(c.graph.outputs) != 1:
        return
    last = c.graph[c.graph.outputs[0]]
    judges = last.op.word in ("softmax", "logsoftmax") or any(isinstance(cost, Hinge) for cost in c.train.cost)
    judges = judges and last.type.kind == "vector"
    if judges and last.type["c"] != classes and last.span:
        made = maker(c.graph, last)
        yield Diagnostic.of("CNN233", made.span, outputs=last.type["c"], source=word, classes=classes), ()


def pixels_unused(c: CheckedFile) -> Warned:
    """maxpool 5 on 28 pixels"""
    for name in c.graph.inputs:
        at: dict[str, list[Lost]] = {}
        for lost in unreached(c.graph, name):
            at.setdefault(lost.node.name, []).append(lost)
        for node_name, all_lost in at.items():
            node, parts = c.graph[node_name], [_edge(lost) for lost in all_lost]
            if node.span is not None:
                lost_parts, given = " and ".join(parts), c.graph.type(name)
                yield Diagnostic.of("CNN234", node.span, lost=lost_parts, input=given), _padded(node)


def _edge(lost: Lost) -> str:
    """The pixels at an end of an axis, in words."""
    what, where = {"h": ("row", "bottom"), "w": ("column", "right")}[lost.axis]
    return f"the last {what}" if lost.pixels == 1 else f"{lost.pixels} {what}s at the {where}"


def stride_over_kernel(c: CheckedFile) -> Warned:
    """conv 8x2x2 stride 3"""
    figures = c.graph.figures
    over = {}
    for steps in {known.steps for known in figures.values()}:
        for kernel, stride, _, dilate, _ in steps:
            if kernel > 1 and dilate * (kernel - 1) + 1 < stride:
                over[steps] = stride, kernel
                break
    for node in c.graph if over else ():
        if node.span and figures[node.name].steps in over:
            stride, kernel = over[figures[node.name].steps]
            yield Diagnostic.of("CNN235", node.span, stride=stride, kernel=kernel), ()


def holes_between_windows(c: CheckedFile) -> Warned:
    """upconv 8x2x2 stride 3"""
    for node in c.graph:
        if not isinstance(node.op, UpConv) or not node.span:
            continue
        window = node.op.geometry(c.graph.type(node.inputs[0]))
        for stride, extent in zip(window.stride, window.extent, strict=True):
            if 1 < extent < stride:
                yield Diagnostic.of("CNN235", node.span, "upconv", stride=stride, kernel=extent), ()
                break


def top_heavy(c: CheckedFile) -> Warned:
    """One layer with nearly all of the parameters."""
    counts: dict[str, int] = {}
    for name, found in c.graph.figures.items():
        if found.parameters + found.state and c.graph[name].owner == name:
            counts[name] = found.parameters + found.state
    total = sum(counts.values())
    if total <= HEAVY_COUNT:
        return
    for name, count in counts.items():
        node = c.graph[name]
        if len(counts) > 1 and count > HEAVY_FRACTION * total and node.span:
            share = f"{count:,} of {total:,}".replace(",", " ")
            percent = 100 * count // total
            yield Diagnostic.of("CNN236", node.span, name=name, percent=percent, share=share), ()


def unused_names(c: CheckedFile) -> Warned:
    """let w = 64, and no {w}"""
    module, used = c.module, c.network.parameters_used
    for statement in module.file.statements:
        if isinstance(statement, Let):
            name, unused = statement.name, statement.name.text not in module.numbers.used
        elif isinstance(statement, Block):
            name, unused = statement.name, statement.name.text not in module.called
        elif isinstance(statement, Import) and statement.name is not None:
            name = statement.name
            unused = not any(called.partition(".")[0] == name.text for called in module.called)
        else:
            continue
        if unused and c.library:  # used by those that import it
            continue
        if unused:
            yield Diagnostic.of("CNN237", name.span, name=name.text), ()
        elif isinstance(statement, Block):
            asked = used.get(id(module.recipes[name.text]), set())
            for given in (*(param.name for param in statement.params), *statement.chains):
                if given.text not in asked:
                    yield Diagnostic.of("CNN237", given.span, "parameter", name=given.text), ()


def warn(checked: CheckedFile, findings: Findings) -> None:
    """Add every warning; those about the whole file only where it has no errors."""
    whole = () if findings.errors else OF_WHOLE_FILES
    for warning in (*OF_LAYERS, *whole):
        for diagnostic, proposals in warning(checked):
            findings.add(diagnostic, *proposals)
            if findings.full:
                return


def _without(first: Span, after: Span) -> tuple[Proposal, ...]:
    """Propose to drop a layer, with the arrow behind it."""
    text = first.source.text[first.start : after.start]
    if first.source != after.source or not re.fullmatch(r"[\w. ]+\s*->\s*", text):
        return ()
    return (Proposal(f"leave `{first.text}` out", (Edit(Span(first.source, first.start, after.start), ""),)),)


def _without_bias(span: Span) -> Proposal:
    stated = re.search(r"\bbias\s+on\b", span.text)
    if stated:
        at = Span(span.source, span.start + stated.start(), span.start + stated.end())
        return replace(at, "bias off", help="write `bias off`")
    return insert(span, " bias off", help="write `bias off`")


def _padded(node: Node) -> tuple[Proposal, ...]:
    if getattr(node.op, "pad", None) != "valid" or node.span is None:
        return ()
    return (insert(node.span, " pad include", help=f"use `{node.span.text} pad include`"),)


def maker(graph: Graph, node: Node) -> Node:
    """The layer that gave a value its channels."""
    while len(node.inputs) == 1 and graph.type(node.inputs[0])["c"] == node.type["c"]:
        if node.op.macs(*graph.types(node)):  # a layer with weights, which might have made others
            break
        node = graph[node.inputs[0]]
    return node


OF_LAYERS: tuple[Warning, ...] = (
    relu_before_softmax,
    bias_before_bn,
    stride_over_kernel,
    holes_between_windows,
    *habits.OF_LAYERS,
)
OF_WHOLE_FILES: tuple[Warning, ...] = (
    classes_differ,
    pixels_unused,
    top_heavy,
    unused_names,
    *habits.OF_WHOLE_FILES,
)
