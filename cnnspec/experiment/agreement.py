"""Whether a network can be trained on its data: one rule for `check`, which knows what headers tell, and for a run.

    known = describe(spec.data, root)                 # or the data themselves: dataset.known
    disagreements(spec, known)                        # diagnostics, each at its place in the spec

Nothing here reads data or needs NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

from ..data.sources.by_name import Wanted
from ..diagnostics import Diagnostic, Fault, Label, Span, SpecError
from ..ir import TensorType
from ..lang import Spec
from ..lang.hints.warnings import maker
from ..lang.lowering.budgets import ill_suited, measured, never_measured
from ..words.costs import PROBABILITIES, BinaryCrossEntropy, Cost, judged, of_classes

if TYPE_CHECKING:
    from ..data.facts import Known


def disagreements(spec: Spec, known: Known | Mapping[tuple[str, str], Known]) -> tuple[Diagnostic, ...]:
    """What a run of the spec on such data would be refused for before its first step.

    Of a network with several inputs or outputs: what is known of pairs (see `data.sources.by_name`).
    """
    if isinstance(known, Mapping):
        found = (one for (x, y), of in known.items() for one in _of_pair(spec, of, x, y))
        return (*_unlike(spec, known), *dict.fromkeys((*found, *_of_augmentations(spec))))
    return tuple(_found(spec, known))


def wanted(spec: Spec) -> Wanted:
    """The inputs of the network, and the outputs that its costs judge."""
    return Wanted(tuple(spec.graph.inputs), judged(tuple(spec.graph.outputs), spec.train.cost))


@contextmanager
def resizing(spec: Spec) -> Iterator[None]:
    """While data are read: pictures of unequal sizes are brought to the size that the network takes."""
    try:
        yield
    except SpecError as error:
        sides = spec.graph.type(spec.graph.inputs[0]).spatial
        if spec.symbolic or len(sides) != 2:
            raise
        size = f"{sides[0]}x{sides[1]}"
        told = (d.advised("network", size=size) if d.code == "CNN416" else d for d in error.diagnostics)
        raise SpecError(tuple(told)) from error


def _unlike(spec: Spec, known: Mapping[tuple[str, str], Known]) -> Iterator[Diagnostic]:
    """Nothing says which layer of several inputs an input without a size is of."""
    if spec.symbolic and len(spec.graph.inputs) > 1:
        yield Diagnostic.of("CNN306", spec.place("source"), case="sizes")


def _of_augmentations(spec: Spec) -> Iterator[Diagnostic]:
    for count, augmentation in enumerate(spec.data.augment):
        yield Diagnostic.of(
            "CNN430",
            spec.place("augment", count),
            case="several",
            word=augmentation.word,
            augmentation=augmentation.written(),
        )


def unmeasured(spec: Spec, known: Known) -> tuple[Diagnostic, ...]:
    """The budgets that a run on such data has to leave open; it trains all the same, and fails at the end."""
    output = measured(spec.graph, spec.train)
    yes_or_no = spec.graph.type(output)["c"] == 1 and spec.graph.behind(output).op.word in PROBABILITIES
    is_regression = known.numbers and spec.train.cost[0].of_numbers and not yes_or_no
    numbers = True if is_regression else False if known.numbers is False else None
    found = []
    for budget in spec.expect:
        if not budget.quantity.trained:
            continue
        if not known.test:
            found.append(never_measured(budget, "no test", {"data": known.name}))
        elif unfit := ill_suited(budget.quantity.name, spec.graph.type(output), numbers):
            found.append(never_measured(budget, *unfit))
        elif budget.of and known.classes and budget.of not in known.classes:
            few = ", ".join(known.classes[:8]) + (", ..." if len(known.classes) > 8 else "")
            found.append(never_measured(budget, "class", {"data": known.name, "classes": few}))
    return tuple(found)


def _found(spec: Spec, known: Known) -> Iterator[Diagnostic]:
    (name,), (output,) = spec.graph.inputs, spec.graph.outputs
    taken = spec.graph.type(name)
    for count, augmentation in enumerate(spec.data.augment):
        try:
            augmentation.fits((known.input or taken).shape)
            augmentation.suits(spec.data.augment[:count], spec.train.cost[0].word)
        except Fault as refused:
            yield refused.diagnostic(spec.place("augment", count))
    yield from _of_pair(spec, known, name, output)


def _of_pair(spec: Spec, known: Known, name: str, output: str) -> Iterator[Diagnostic]:
    """What one input and one output say against the arrays that they are given."""
    graph, source = spec.graph, spec.data.source
    taken = graph.type(name)
    if known.input is not None and taken.shape != known.input.shape:
        from ..data.formats.axes import other_input

        fault = other_input(source, known.name, known.input, taken)
        yield _placed(spec, fault, graph[name].span, f"{known.name} has {known.input}")
    by_output = dict(zip(wanted(spec).outputs, spec.train.cost, strict=True))
    word, costs = graph.behind(output).op.word, (by_output[output],) if output in by_output else ()
    answers = of_answers(graph.type(output), word, costs, known)
    if answers is not None:
        yield _placed(spec, answers, maker(graph, graph[output]).span, f"{known.name} has {told(known)}")
        return
    if known.numbers is not False or not costs:
        return
    unsuited = of_classes(costs[0], spec.implied, word, graph.type(output)["c"], told(known))
    if unsuited is not None:
        yield _placed(spec, unsuited, graph[output].span, f"{known.name} has {told(known)}")


def of_answers(kind: TensorType, word: str, costs: tuple[Cost, ...], known: Known) -> Fault | None:
    """What is wrong where outputs, made by a word and judged by the first cost, meet the answers of a source.

    answers                    outputs that meet them
    one of k classes           k, of a vector or of one place; of two classes also one, for yes or no
    k numbers for each image   k, of a vector or of one place
    the same at each of h x w  k x h x w
    """
    spatial = kind.spatial if prod(kind.spatial) > 1 else ()
    places = known.places if prod(known.places) > 1 else ()
    if spatial != places:
        if known.numbers is None or (known.outputs is None and not places and known.numbers):
            return None
        if not places:
            return Fault.of("CNN410", case="one place", gives=kind, name=known.name, has=told(known))
        count, sizes = known.outputs or "N", "x".join(map(str, places))
        return Fault.of(
            "CNN410", case="places", gives=kind, name=known.name, has=told(known), count=count, places=sizes
        )
    if known.numbers is False and known.outputs == 1:
        return Fault.of("CNN410", case="one class", name=known.name)
    if known.outputs in (None, kind["c"]):
        return None
    binary = isinstance(next(iter(costs), None), BinaryCrossEntropy) or word in PROBABILITIES
    if known.numbers is False and known.outputs == 2 and kind["c"] == 1 and binary:
        return None
    outputs = "one output" if kind["c"] == 1 else f"{kind['c']} outputs"
    case = "dense"
    if places:
        case = "conv"
    elif known.numbers is False and known.outputs == 2:
        case = "two classes"
    elif known.numbers and known.outputs == 1:
        case = "one number"
    return Fault.of("CNN410", case=case, outputs=outputs, name=known.name, has=told(known), wanted=known.outputs)


def told(known: Known) -> str:
    """The answers of a source, in words."""
    where = f" at each of {'x'.join(map(str, known.places))} places" if prod(known.places) > 1 else ""
    if known.numbers:
        some = "one regression target" if known.outputs == 1 else f"{known.outputs or 'some'} regression targets"
        return f"{some}{where}"
    return f"{known.outputs or 'some'} classes{where}"


def _placed(spec: Spec, fault: Fault, span: Span | None, label: str) -> Diagnostic:
    """A fault at a layer, and what the source says against it; at the source where the layer is not written."""
    source = spec.place("source")
    if span is None:
        return fault.diagnostic(source)
    return fault.diagnostic(span, related=(Label(source, label),) if source else ())
