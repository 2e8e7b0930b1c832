"""Arithmetic in holes, `let` and arguments: + - * / // %, parentheses, and a few functions.

Whole numbers stay exact; what leaves the bounds of `numbers` is a finding and not a result, so no file can
make a number grow until memory ends. Nothing is ever evaluated by Python itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ...diagnostics import Span
from ..findings import Findings, replace
from ..parse.numbers import LARGEST
from ..parse.tree import Expr, Function, Negative, Number, Operation, Variable

Numeric = int | float
Names = Mapping[str, Numeric | None]  # None: a name whose value could not be computed, reported already


def _divided(a: Numeric, b: Numeric) -> Numeric:
    exact = isinstance(a, int) and isinstance(b, int) and a % b == 0
    return a // b if exact else a / b


OPERATORS: dict[str, Callable[[Numeric, Numeric], Numeric]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
FUNCTIONS: dict[str, tuple[Callable[..., Numeric], int | None]] = {  # and how many arguments they take
    "min": (min, None),
    "max": (max, None),
    "round": (lambda x: math.floor(x + 0.5), 1),  # halves go up, as people round channels
    "ceil": (math.ceil, 1),
    "floor": (math.floor, 1),
}


def evaluate(expr: Expr | None, names: Names, findings: Findings) -> Numeric | None:
    """The value of an expression; None where it has none, which has then been reported."""
    findings.work.add(1)
    if expr is None:
        return None
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Variable):
        return _variable(expr, names, findings)
    if isinstance(expr, Negative):
        value = evaluate(expr.operand, names, findings)
        return value if value is None or expr.signs % 2 == 0 else -value
    if isinstance(expr, Function):
        return _function(expr, names, findings)
    return _operation(expr, names, findings)


def _variable(expr: Variable, names: Names, findings: Findings) -> Numeric | None:
    if expr.name in names:
        return names[expr.name]
    close = findings.work.nearest(expr.name, names)
    if close:
        findings.tell("CNN016", expr.span, replace(expr.span, close), case="near", name=expr.name)
    else:
        findings.tell("CNN016", expr.span, name=expr.name)
    return None


def _operation(expr: Operation, names: Names, findings: Findings) -> Numeric | None:
    value = evaluate(expr.first, names, findings)
    for sign, operand in expr.rest:
        other = evaluate(operand, names, findings)
        if other is None or value is None:
            value = None  # go on all the same: the other operands may have mistakes of their own
        elif other == 0 and sign in ("/", "//", "%"):
            findings.tell("CNN017", operand.span)
            value = None
        else:
            value = _bounded(OPERATORS[sign](value, other), expr.span, findings)
    return value


def _function(expr: Function, names: Names, findings: Findings) -> Numeric | None:
    values = [evaluate(argument, names, findings) for argument in expr.arguments]
    if expr.name.text not in FUNCTIONS:
        close = findings.work.nearest(expr.name.text, FUNCTIONS)
        fixes = [replace(expr.name.span, close)] if close else []
        there = ", ".join(FUNCTIONS)
        findings.tell("CNN016", expr.name.span, *fixes, case="function", name=expr.name.text, functions=there)
        return None
    function, arity = FUNCTIONS[expr.name.text]
    if arity is not None and len(values) != arity:
        findings.tell("CNN017", expr.span, case="function", name=expr.name.text, count=len(values))
        return None
    known = [value for value in values if value is not None]
    return function(*known) if len(known) == len(values) else None


def _bounded(value: Numeric, span: Span, findings: Findings) -> Numeric | None:
    if not abs(value) <= LARGEST:  # also where it is not a number
        findings.tell("CNN006", span, largest=f"{LARGEST:.0e}".replace("e+", "e"))
        return None
    return value
