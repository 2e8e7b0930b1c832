"""Groups of ONNX operators that are one word: `x * sigmoid(x)` is `swish`.

A pattern is a tuple of the operator and what it reads: patterns, numbers, or names; a name is the same value
wherever it stands. Add and Mul are tried both ways round. `PRODUCT` and `SUM` with a number stand for any tree of
products or sums, however it is nested, with that number for what is constant in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from math import isfinite
from typing import Any

import numpy as np

from ...diagnostics import Fault
from ...ir.expression import Apply, Expression, Number, Symbol, X
from ...ir.fields import settings
from ...primitives.activation import Activation
from ...words import WORDS
from .focus import focus
from .page import PARTS
from .page import WORD as NOTE
from .steps import Step, Steps
from .words.activation import OPERATORS, in_operators


@dataclass(frozen=True)
class Free:
    """Any one number, an attribute of the operator that a pattern stands for."""

    name: str


Pattern = tuple | float | str | Free

WORD = "cnnspec:"  # the operator of a step that stands for a group
PRODUCT, SUM, ALL = "*", "+", "all"

SHIFTED = ("Clip", (SUM, 3.0, "x"), 0.0, 6.0)
ERF = (SUM, 1.0, ("Erf", (PRODUCT, 0.5**0.5, "x")))
BENT = (
    (PRODUCT, (2 / np.pi) ** 0.5, (SUM, 0.0, "x", (PRODUCT, 0.044715, "x", "x", "x"))),
    (PRODUCT, (2 / np.pi) ** 0.5, "x", (SUM, 1.0, (PRODUCT, 0.044715, "x", "x"))),
)
GROUPED = ("InstanceNormalization", ("Reshape", "x", "groups"), (ALL, 1.0), (ALL, 0.0))

PATTERNS: tuple[tuple[str, Pattern], ...] = (
    ("swish", (PRODUCT, 1.0, "x", ("Sigmoid", "x"))),
    ("mish", (PRODUCT, 1.0, "x", ("Tanh", ("Softplus", "x")))),
    ("hardswish", (PRODUCT, 1 / 6, "x", SHIFTED)),
    ("hardswish", (PRODUCT, 1.0, "x", ("HardSigmoid", "x"))),
    ("hardsigmoid", (PRODUCT, 1 / 6, SHIFTED)),
    ("gelu", (PRODUCT, 0.5, "x", ERF)),
    *(("gelu_tanh", (PRODUCT, 0.5, "x", (SUM, 1.0, ("Tanh", bent)))) for bent in BENT),
    ("softsign", ("Div", "x", (SUM, 1.0, ("Abs", "x")))),
    ("step", ("Cast", ("Greater", "x", 0.0))),
    ("minpool", ("Neg", ("MaxPool", ("Neg", "x")))),
    ("groupnorm", ("Add", ("Mul", ("Reshape", GROUPED, "shape"), "weight"), "bias")),
)


LESS = ("Less", "x", 0.0)
MORE = ("Less", 0.0, "x")


SLOPED = ("Mul", Free("alpha"), "x")
BELOW = ("Mul", Free("alpha"), ("Sub", ("Exp", "x"), 1.0))
SCALED = ("Mul", Free("gamma"), ("Sub", ("Mul", Free("alpha"), ("Exp", "x")), Free("alpha")))
SHRUNK = ("Where", ("Less", Free("lambd"), "x"), ("Sub", "x", Free("bias")), 0.0)
# the standard's operators as it defines them, and as exporters write them that have none
DEFINITIONS: tuple[tuple[str, Pattern], ...] = (
    ("LeakyRelu", ("Where", LESS, SLOPED, "x")),
    ("LeakyRelu", ("Where", MORE, "x", SLOPED)),
    ("Elu", ("Where", LESS, BELOW, "x")),
    ("Elu", ("Where", MORE, "x", BELOW)),
    ("Selu", ("Where", LESS, SCALED, ("Mul", Free("gamma"), "x"))),
    ("ThresholdedRelu", ("Where", ("Less", Free("alpha"), "x"), "x", 0.0)),
    ("Shrink", ("Where", ("Less", "x", Free("low")), ("Add", "x", Free("bias")), SHRUNK)),
    ("PRelu", ("Where", LESS, ("Mul", "slope", "x"), "x")),
    ("Max", ("Where", ("Less", "a", "b"), "b", "a")),
    ("Min", ("Where", ("Less", "a", "b"), "a", "b")),
)


@dataclass
class Match:
    """Which values the names of a pattern are, and the attributes of the operators in the group."""

    names: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


class Groups:
    """Finds the patterns in a model."""

    def __init__(self, steps: Steps, known: Mapping[str, np.ndarray]) -> None:
        self.known = known
        self.makers = {output: step for step in steps.steps for output in step.outputs if output}

    def word(self, step: Step) -> Step:
        """The step, or the word that it ends: it reads `x`, then the other names in alphabetical order."""
        if PARTS in step.notes:
            return self.made(step)
        if step.notes.get(NOTE, "").startswith("resize "):
            return self.area(step)
        apart = focus(step, self.makers, self.known)
        if apart:
            image, pieces = apart
            attributes = {**step.attributes, "pieces": pieces}
            return Step(f"{WORD}focus", step.name, [image, *step.inputs], step.outputs, attributes, step.notes)
        if len(step.outputs) == 1:
            op = noted(step.notes.get(NOTE, ""))
            found = op and next(self.matches(pattern_of(op), step.outputs[0], Match()), None)
            if found and "x" in found.names:
                return Step(f"{WORD}formula", step.name, [found.names["x"]], step.outputs, {"word": op}, step.notes)
            for word, pattern in PATTERNS:
                found = next(self.matches(pattern, step.outputs[0], Match()), None)
                if found is not None:
                    others = [found.names[name] for name in sorted(found.names) if name != "x"]
                    inputs = [found.names["x"], *others]
                    return Step(WORD + word, step.name, inputs, step.outputs, found.attributes, step.notes)
            for operator, pattern in DEFINITIONS if step.op == "Where" else ():
                found = next(self.matches(pattern, step.outputs[0], Match()), None)
                if found is not None and self.defined(operator, found):
                    inputs = [
                        found.names[name] for name in sorted(found.names, key=lambda name: (name != "x", name))
                    ]
                    return Step(operator, step.name, inputs, step.outputs, found.attributes, step.notes)
        return step

    def defined(self, operator: str, found: Match) -> bool:
        """Whether a match is one of the operator: its numbers are such as it takes, its weights are known."""
        if operator == "Shrink":
            return found.attributes.pop("low") == -found.attributes["lambd"]
        return operator != "PRelu" or found.names["slope"] in self.known

    def made(self, step: Step) -> Step:
        """A word that is made of others, reading the values that its note names."""
        inputs, _, _ = step.notes[PARTS].partition("\n")
        return Step(f"{WORD}made", step.name, inputs.split(), step.outputs, {}, step.notes)

    def area(self, step: Step) -> Step:
        """A mean of areas, which our own models write as a pool, or as a product of matrices on either side."""
        x, *rest = step.inputs
        before = self.makers.get(x)
        if step.op == "MatMul" and before is not None and before.op == "MatMul" and before.input(0) in self.known:
            x, rest = before.input(1), [before.input(0), *rest]
        return Step(
            f"{WORD}area", step.name, [x, *rest], step.outputs, {**step.attributes, "op": step.op}, step.notes
        )

    def matches(self, pattern: Pattern, value: str, found: Match) -> Iterator[Match]:
        """Each way in which a value is made as the pattern says; `found` is what is known of that so far."""
        if isinstance(pattern, str):
            if found.names.get(pattern, value) == value:
                yield replace(found, names={**found.names, pattern: value})
            return
        if isinstance(pattern, Free):
            if self.one(value):
                number = float(self.known[value].reshape(()))
                if found.attributes.get(pattern.name, number) == number:
                    yield replace(found, attributes={**found.attributes, pattern.name: number})
            return
        if not isinstance(pattern, tuple):
            if alike(self.known.get(value), pattern):
                yield found
            return
        op, *parts = pattern
        if op == ALL:
            array = self.known.get(value)
            if array is not None and array.size and (array == parts[0]).all():
                yield found
        elif op in TREES:
            number, *factors = parts
            for constant, values in self.tree(value, TREES[op], len(factors)):
                if np.isclose(constant, number, rtol=1e-3 if self.rough(value) else 1e-5):
                    for order in permutations(values):
                        yield from self.all_match(factors, order, found)
        else:
            yield from self.operator(op, parts, value, found)

    def operator(self, op: str, parts: Sequence[Pattern], value: str, found: Match) -> Iterator[Match]:
        step = self.makers.get(value)
        if step is not None and (op, step.op) == ("Less", "Greater"):
            step = replace(step, op=op, inputs=step.inputs[::-1])
        if step is None or step.op != op or not plain(step):
            return
        found = replace(found, attributes={**found.attributes, **step.attributes})
        if op == "Clip" and len(step.inputs) == 1:  # older opsets write the bounds as attributes
            if [step.get("min"), step.get("max")] == parts[1:]:
                yield from self.matches(parts[0], step.inputs[0], found)
            return
        orders = [step.inputs, step.inputs[::-1]] if op in ("Add", "Mul") else [step.inputs]
        for order in orders:
            yield from self.all_match(parts, order, found)

    def all_match(self, parts: Sequence[Pattern], values: Sequence[str], found: Match) -> Iterator[Match]:
        if len(parts) != len(values):
            return
        if not parts:
            yield found
            return
        for first in self.matches(parts[0], values[0], found):
            yield from self.all_match(parts[1:], values[1:], first)

    def tree(self, value: str, kind: ProductTree, most: int) -> Iterator[tuple[float, list[str]]]:
        """What a value is the product or sum of: a number, and as many values; each way of taking it apart."""
        open_trees: list[tuple[float, list[str], list[str]]] = [(kind.unit, [], [value])]
        while open_trees:
            constant, done, left = open_trees.pop()
            if len(done) + len(left) > most + 1:
                continue
            if not left:
                if len(done) == most:
                    yield constant, done
                continue
            first, *rest = left
            number = self.known.get(first)
            if number is not None:
                if number.size == 1:
                    open_trees.append((kind.join(constant, float(number.reshape(()))), done, rest))
                continue
            open_trees.append((constant, [*done, first], rest))
            step = self.makers.get(first)
            if step is None:
                continue
            power = self.known.get(step.input(1)) if step.op == "Pow" else None
            if step.op == kind.op:
                open_trees.append((constant, done, [*step.inputs, *rest]))
            elif step.op == kind.inverse and self.number(step.input(1)):
                by = kind.undo(constant, float(self.known[step.input(1)].reshape(())))
                open_trees.append((by, done, [step.inputs[0], *rest]))
            elif kind.op == "Mul" and power is not None and power.size == 1 and power.item() in (2, 3):
                open_trees.append((constant, done, [step.inputs[0]] * int(power.item()) + rest))

    def one(self, name: str) -> bool:
        """Whether a value is one known number."""
        array = self.known.get(name)
        return array is not None and array.size == 1 and array.dtype.kind == "f"

    def number(self, name: str) -> bool:
        """Whether a value is a known number other than zero."""
        array = self.known.get(name)
        return array is not None and array.size == 1 and bool(array.all())

    def rough(self, value: str) -> bool:
        """Whether the constants beside a value are of half precision."""
        step = self.makers.get(value)
        arrays = [self.known[name] for name in (step.inputs if step else ()) if name in self.known]
        return any(array.dtype.itemsize == 2 for array in arrays)


@dataclass(frozen=True)
class ProductTree:
    """Nested products, or sums: their operator, the one that undoes it, and both in numbers."""

    op: str
    inverse: str
    unit: float

    def join(self, a: float, b: float) -> float:
        return a * b if self.op == "Mul" else a + b

    def undo(self, a: float, b: float) -> float:
        return a / b if self.op == "Mul" else a - b


TREES = {PRODUCT: ProductTree("Mul", "Div", 1.0), SUM: ProductTree("Add", "Sub", 0.0)}


def alike(array: np.ndarray | None, number: float) -> bool:
    """Whether an array is that number, as exactly as its type holds it."""
    if array is None or array.size != 1 or array.dtype.kind not in "fiu":
        return False
    return bool(np.isclose(array.item(), number, rtol=1e-3 if array.dtype.itemsize == 2 else 1e-5))


def plain(step: Step) -> bool:
    """Whether an operator is what a pattern means by its name."""
    if step.op == "HardSigmoid":
        return bool(np.isclose(step.get("alpha", 0.2), 1 / 6)) and step.get("beta", 0.5) == 0.5
    return True


def pattern_of(op: Activation) -> Pattern:
    """The operators of an activation, as `patterns.py` looks for them."""

    def of(part: Expression) -> Pattern:
        if isinstance(part, Number):
            return part.value
        if isinstance(part, Symbol):
            return part.name
        assert isinstance(part, Apply)
        return (OPERATORS[part.function], *map(of, part.parts))

    return of(in_operators(op.formula(X)))


def noted(text: str) -> Activation | None:
    """The activation that a note names, `celu alpha 0.5`; None if it names none."""
    word, *rest = text.split() or [""]
    cls = WORDS.get(word)
    if cls is None or not issubclass(cls, Activation) or len(rest) % 2:
        return None
    known = settings(cls)
    values: dict[str, Any] = {}
    try:
        for name, value in zip(rest[::2], rest[1::2], strict=True):
            values[name] = known[name].metadata["kind"].read(as_written(value))
        return cls(**values)
    except (Fault, KeyError):
        return None


def as_written(text: str) -> str | int | float:
    """A number, if the text is one that a spec may have."""
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if isfinite(value) else text
    return text


def group(steps: Steps, known: Mapping[str, np.ndarray]) -> list[Step]:
    """The steps with those that end a group replaced by one that stands for it, reading what the group reads."""
    groups = Groups(steps, known)
    return [groups.word(step) for step in steps.steps]
