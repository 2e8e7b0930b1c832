"""An activation as ONNX operators, one for each function of its formula, and the word read back from them."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ...diagnostics import Fault
from ...ir.expression import Apply, Expression, Number, Symbol, X, in_order
from ...ir.fields import settings
from ...ir.op import Node
from ...primitives.activation import Activation
from ...words import WORDS
from .page import WORD, OnnxPage

Pattern = tuple | float | str

OPERATORS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "maximum": "Max",
    "minimum": "Min",
    "where": "Where",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "erf": "Erf",
    "absolute": "Abs",
    "sign": "Sign",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
}


def in_operators(formula: Expression) -> Expression:
    """The formula without the functions that ONNX lacks."""
    if not isinstance(formula, Apply):
        return formula
    parts = tuple(map(in_operators, formula.parts))
    if formula.function == "expm1":
        return Apply("subtract", (Apply("exp", parts), Number(1.0)))
    if formula.function == "log1p":
        return Apply("log", (Apply("add", (parts[0], Number(1.0))),))
    return Apply(formula.function, parts)


def pointwise(page: OnnxPage, node: Node, x: str) -> None:
    """The formula of the node's word, which a note tells the way back."""
    assert isinstance(node.op, Activation)
    formula = in_operators(node.op.formula(X))
    names: dict[Expression, str] = {X: x}

    def name(part: Expression) -> str:
        if part not in names:
            assert isinstance(part, Number)
            names[part] = page.number(f"{node.name}.number{len(names)}", part.value)
        return names[part]

    steps = in_order(formula)
    if not steps:
        page.add("Identity", node, name(formula))
    for step in steps:
        part = "" if step is steps[-1] else f"{step.function}{len(names)}"
        names[step] = page.add(OPERATORS[step.function], node, *map(name, step.parts), part=part)
    page.note(WORD, node.op.written())


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
