"""The network of a file: its inputs, its chains and nets in the order of the text, its outputs.

An output is the end of the main chain or of a net that nobody calls, unless another chain goes on from it.
`net out = @name` makes an output of a value all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...diagnostics import Span
from ...ir import Graph, TensorType, data
from ...ir.leaves import Input as InputOp
from ...words import WORDS
from ..findings import Findings, replace
from ..parse.tree import Call, Chain, Group, Input, Join, Layer, Net, Tap
from .declared import BAD, evaluated
from .lower import Assertion, Lowering, TooMuch
from .names import RESERVED, Module, Numbers, Recipe
from .refused import present
from .scope import MISSING, Missing, Scope, Value

LARGEST_SIDE = 65_536
Pattern = tuple[int | None, ...]  # sizes of an input; None where the file leaves one open


class Network(NamedTuple):
    """The network that the chains of a file describe.

    names            the node behind each name that `as`, `net` and `input` give
    parts            by the name that `as` gives to a stage, the nodes that were made in it
    assertions       the shapes that `::` expects
    parameters_used  by the identity of a recipe, the parameters that some call asked for
    steps            how much was done to read it
    """

    graph: Graph
    names: dict[str, str]
    parts: dict[str, tuple[str, ...]]
    assertions: tuple[Assertion, ...]
    parameters_used: dict[int, set[str]]
    steps: int


class Chained(NamedTuple):
    """A chain that is read on its own, with the net's name where it has one."""

    chain: Chain
    net: Recipe | None


def build(module: Module, findings: Findings, inputs: dict[str, TensorType | None]) -> Network:
    """Lower every chain of a file, its inputs being given by name (None where theirs could not be read)."""
    lowering = Lowering(findings)
    scope = Scope(module, module.numbers, places=dict(module.places))
    spans = {statement.name.text if statement.name else "input": statement.span for statement in stated(module)}
    for name, kind in inputs.items():
        if kind is not None:
            lowering.builder.add(InputOp(kind), name=name, span=spans.get(name), given=name != "input")
        scope.values[name] = name if kind is not None else None
        scope.places.setdefault(name, spans[name]) if name in spans else None
    start = next(iter(scope.values.values())) if len(inputs) == 1 else MISSING
    alone = list(read_alone(module))
    ends: list[tuple[int, Value]] = []
    names: dict[str, str] = {}
    first = True  # no chain has begun with the input yet
    try:
        for index, (chain, net) in enumerate(alone):
            lowering.reading = index
            if net is not None:
                inner = _inside(scope, net.name.text)
                value = lowering.chain(chain, start, inner)
                scope.values[net.name.text] = value
            else:
                value = lowering.chain(chain, _start(chain, module, first, start, findings), scope)
                first = first and not _is_known(chain, module)
            value = present(value, chain.span, lowering.findings)
            ends.append((index, value))
            if net is not None and isinstance(value, str):
                names[net.name.text] = value
        _read_uncalled(module, lowering)
    except TooMuch:
        pass
    tapped: dict[str, set[int]] = {}
    for index, value in lowering.taps:
        tapped.setdefault(value, set()).add(index)
    outputs = [
        value
        for index, value in ends
        if isinstance(value, str) and (lowering.made.get(value) != index or tapped.get(value, {index}) == {index})
    ]
    names |= {name: value for name, value in scope.values.items() if isinstance(value, str)}
    graph = lowering.builder.graph(tuple(n for n, k in inputs.items() if k), tuple(dict.fromkeys(outputs)))
    return Network(
        graph, names, lowering.parts, tuple(lowering.assertions), lowering.parameters_used, lowering.steps
    )


def _inside(scope: Scope, net: str) -> Scope:
    """The scope of a net that is read on its own: it sees the file's values."""
    return Scope(scope.module, scope.numbers, f"{net}.", f"{net}.", (net,), outer=scope)


def stated(module: Module) -> list[Input]:
    """The `input` statements of a file."""
    return [statement for statement in module.file.statements if isinstance(statement, Input)]


def read_inputs(module: Module, findings: Findings) -> dict[str, Pattern | None]:
    """What the file says of its inputs, by name; empty where it says nothing."""
    found: dict[str, Pattern | None] = {}
    for statement in stated(module):
        name = statement.name.text if statement.name else "input"
        if name in found:
            where = statement.name.span if statement.name else statement.span
            findings.tell("CNN019", where, case="input", name=name)
            continue
        found[name] = _pattern(statement, module.numbers, findings)
    return found


def _pattern(statement: Input, numbers: Numbers, findings: Findings) -> Pattern | None:
    size = evaluated(statement.size, numbers, findings)
    if size is BAD:
        return None
    pattern = size if isinstance(size, tuple) else (size,)
    if len(pattern) > 3:
        findings.tell("CNN203", statement.size.span, case="sizes", count=len(pattern))
        return None
    for side in pattern:
        if side is not None and (not isinstance(side, int) or not 1 <= side <= LARGEST_SIDE):
            findings.tell("CNN203", statement.size.span, case="side", largest=LARGEST_SIDE)
            return None
    return pattern


def typed(pattern: tuple[int, ...]) -> TensorType:
    """The type of an input of these sizes."""
    return data(*pattern)


def read_alone(module: Module) -> Iterator[Chained]:
    """The chains that are read on their own: the file's, and those of nets that nobody calls."""
    called = module.mentioned
    for statement in module.file.statements:
        if isinstance(statement, Chain):
            yield Chained(statement, None)
        elif isinstance(statement, Net) and statement.name.text not in called:
            recipe = module.recipes.get(statement.name.text)
            if recipe is not None and recipe.chain is statement.chain:
                yield Chained(statement.chain, recipe)


def begins_with_tap(chain: Chain) -> bool:
    """Whether a chain says itself which value it begins with, in every branch."""
    term = chain.stages[0].term
    if isinstance(term, Group):
        return begins_with_tap(term.chain)
    if isinstance(term, Join):
        return all(begins_with_tap(branch) for branch in term.branches)
    return isinstance(term, Tap)


def _is_known(chain: Chain, module: Module) -> bool:
    """Whether a chain begins with a known word; an unknown one was perhaps never meant to begin a chain."""
    term = chain.stages[0].term
    if isinstance(term, Call):
        return term.name.text in WORDS or term.name.text in module.recipes
    return not isinstance(term, Layer) or term.word.text in RESERVED or term.word.text in module.recipes


def _begins_unknown(chain: Chain, module: Module) -> bool:
    """Whether a chain begins with a word that nobody knows, or joins such words and taps."""
    term = chain.stages[0].term
    if isinstance(term, Group):
        return _begins_unknown(term.chain, module)
    if isinstance(term, Join):
        return all(begins_with_tap(branch) or _begins_unknown(branch, module) for branch in term.branches)
    return not _is_known(chain, module)


def _start(chain: Chain, module: Module, first: bool, start: Value, findings: Findings) -> Value:
    """What a chain of the file reads; a second one must say it itself."""
    if first or begins_with_tap(chain) or isinstance(start, Missing):
        return start
    if _begins_unknown(chain, module):
        return None
    span = chain.stages[0].term.span
    before = Span(span.source, span.start, span.start)
    arrow = replace(before, "-> ", help="write `->` before it if it goes on from the line above", sure=False)
    findings.tell("CNN023", span, arrow)
    return None


def _read_uncalled(module: Module, lowering: Lowering) -> None:
    """Read the blocks that nobody calls for the mistakes in them; there is nothing to type."""
    for name, recipe in list(module.recipes.items()):
        if recipe.module is module and not recipe.shared and name not in module.called:
            lowering.read_only(recipe)
