"""Warnings of habits: layers that undo one another, rates and shares counted as another system counts them.

Each is a function over what was read, as in `warnings`.
"""

from __future__ import annotations

import re

from ...diagnostics import Diagnostic, Label, Span
from ...ir import Graph, Node
from ...primitives.activation import Activation
from ...words.costs import BinaryCrossEntropy, CrossEntropy, Hinge
from ..findings import replace
from ..parse.tree import Input, Number, Sizes
from .checked import CheckedFile, Warned

LAST = frozenset(("softmax", "logsoftmax", "sigmoid"))  # what turns scores into probabilities
LINEAR = frozenset(("dense",))
IN_OTHER_AXES = frozenset(("flatten", "reshape"))
TRANSPARENT = IN_OTHER_AXES | {"dropout"}  # what leaves a line of linear layers linear
OFF = 10  # times that a rate is above or below what is usual until it is told
MANY_IMAGES = 256  # in a batch; beyond, rates are raised with it
KERAS = 0.5  # of `bn`: shares above are counted as Keras counts them


def softmax_twice(c: CheckedFile) -> Warned:
    """softmax -> softmax, sigmoid -> softmax"""
    for node in c.named(*LAST):
        if not node.inputs or node.span is None:
            continue
        before = _behind(c.graph, node.inputs[0], TRANSPARENT)
        if before.op.word in LAST and before.span and {before.op.word, node.op.word} != {"sigmoid"}:
            there = (Label(before.span, "these are shares already"),)
            found = Diagnostic.of("CNN242", node.span, related=there, word=node.op.word, before=before.op.word)
            yield found, ()


def softmax_before_hinge(c: CheckedFile) -> Warned:
    """softmax with cost hinge"""
    for cost in c.train.cost:
        output = cost.of or (c.graph.outputs[0] if len(c.graph.outputs) == 1 else "")
        value = c.network.names.get(output, output)
        if not isinstance(cost, Hinge) or value not in c.graph.nodes:
            continue
        last = c.graph.behind(value)
        if last.op.word in LAST and last.span:
            yield Diagnostic.of("CNN243", last.span, last=last.op.word), ()


def dense_twice(c: CheckedFile) -> Warned:
    """dense 64 -> dense 10"""
    readers: dict[str, list[Node]] = {}
    for node in c.named(*LINEAR):
        if node.span is None:
            continue
        before = _behind(c.graph, node.inputs[0], TRANSPARENT)
        if before.op.word not in LINEAR or before.span is None:
            continue
        readers = readers or c.graph.readers()
        if len(readers[before.name]) > 1:
            continue
        inside = c.graph.type(before.inputs[0]).elements
        narrow = before.type.elements < min(inside, node.type.elements)
        if not narrow:  # fewer numbers between than on both sides are a factorisation, which saves weights
            there = (Label(before.span, "this is the other one"),)
            yield Diagnostic.of("CNN244", node.span, related=there), ()


def rate_off(c: CheckedFile) -> Warned:
    """optimiser adam lr 0.1"""
    optimiser, span = c.train.optimiser, c.rate
    judged = all(isinstance(cost, CrossEntropy | BinaryCrossEntropy | Hinge) for cost in c.train.cost)
    if span is None or not judged:  # numbers may be large, and so may be the steps to them
        return
    low, high = optimiser.usual
    rate, most = optimiser.lr, high * max(1, c.train.batch / MANY_IMAGES)
    tuned = c.train.weights is not None or bool(c.train.freeze)  # what is tuned is moved gently
    if rate > OFF * most:
        case, usual = "high", high
    elif rate < low / OFF and not tuned:
        case, usual = "low", low
    else:
        return
    yield Diagnostic.of("CNN245", span, case, rate=rate, optimiser=optimiser.word, usual=usual), ()


def dropout_before_bn(c: CheckedFile) -> Warned:
    """dropout 50% -> bn"""
    for node in c.named("bn"):
        if node.span is None:
            continue
        before = _behind(c.graph, node.inputs[0], IN_OTHER_AXES, pointwise=True)
        if before.op.word == "dropout" and before.span:
            there = (Label(before.span, "only in training"),)
            yield Diagnostic.of("CNN246", node.span, related=there), ()


def channels_last(c: CheckedFile) -> Warned:
    """input 28x28x1"""
    for statement in c.module.file.statements:
        sizes = statement.size if isinstance(statement, Input) else None
        if not isinstance(sizes, Sizes) or len(sizes.items) != 3:
            continue
        h, w, channels = (item.value if isinstance(item, Number) else None for item in sizes.items)
        if channels in (1, 3, 4) and isinstance(h, int) and isinstance(w, int) and min(h, w) >= 8:
            meant = f"{channels}x{h}x{w}"
            fix = replace(sizes.span, meant, help=f"write `{meant}`", sure=False)
            yield Diagnostic.of("CNN248", sizes.span, h=h, w=w, c=channels), (fix,)


def momentum_of_keras(c: CheckedFile) -> Warned:
    """bn momentum 0.99"""
    told: set[Span] = set()
    for node in c.named("bn"):
        momentum = getattr(node.op, "momentum", 0.0)
        stated = re.search(r"momentum\s+([\d.]+%?)", node.span.text) if node.span and momentum > KERAS else None
        if stated and node.span and momentum < 1 and node.span not in told:
            told.add(node.span)
            start = node.span.start
            at = Span(node.span.source, start + stated.start(1), start + stated.end(1))
            other = f"{1 - momentum:.6g}"
            fix = replace(at, other, help=f"Keras counts what is kept; write `momentum {other}`", sure=False)
            yield Diagnostic.of("CNN249", at, written=stated[1], momentum=momentum, kept=other), (fix,)


def _behind(graph: Graph, value: str, passed: frozenset[str], pointwise: bool = False) -> Node:
    """The node that a value comes from; words that are passed over aside, and if `pointwise` activations."""
    node = graph[value]
    while node.op.word in passed or (pointwise and isinstance(node.op, Activation)):
        node = graph[node.inputs[0]]
    return node


OF_LAYERS = (softmax_twice, dropout_before_bn, channels_last, momentum_of_keras)
OF_WHOLE_FILES = (dense_twice, softmax_before_hinge, rate_off)
