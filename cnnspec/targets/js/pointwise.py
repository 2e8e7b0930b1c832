"""Activations as functions of JavaScript: their formula of x, and for the gradient that of dy and x (or y).

A word with settings becomes a function for each choice of them: `leaky$0_2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from zlib import crc32

from ...diagnostics import Diagnostic, Span, SpecError
from ...ir.expression import Expression, X, readable, source, tree, without_repetition
from ...ir.fields import settings
from ...primitives.activation import DY, Activation, ActivationGradient, Formula

FUNCTIONS: dict[str, str | Callable[..., str]] = {
    **{name: f"Math.{name}" for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sign")},
    "absolute": "Math.abs",
    "maximum": "Math.max",
    "minimum": "Math.min",
    "power": lambda base, exponent: power(base, exponent),
    "sigmoid": "logistic",
    "softplus": "log1pExp",
    "erf": "erf",
    "where": lambda condition, this, that: chosen(condition, this, that),
}
QUICKER = {"relu": "(x + Math.abs(x)) / 2"}  # exact, and five times as quick as Math.max


def chosen(condition: str, this: str, that: str) -> str:
    """A choice; of 1 or 0 without a branch, which costs three times as much where nobody can foresee it."""
    if that == "0" and this == "1":
        return f"+({condition})"
    if that == "0" and this.startswith("+("):
        return f"({this} & ({condition}))"
    return f"({condition} ? {this} : {that})"


def power(base: str, exponent: str) -> str:
    """A power; a square root in its own way, which takes a tenth of the time of Math.pow."""
    root = f"Math.sqrt({base})"
    return {"0.5": root, "-0.5": f"(1 / {root})"}.get(exponent, f"Math.pow({base}, {exponent})")


def refused(word: str, span: Span | None = None) -> SpecError:
    """What nobody has written in JavaScript yet."""
    return SpecError((Diagnostic.of("CNN556", span, word=word),))


def name(op: Activation) -> str:
    """The function of an op; its settings belong to the name."""
    if isinstance(op, Formula):
        return f"formula${crc32(repr(tree(op.value)).encode()):08x}"
    numbers = (getattr(op, setting) for setting in settings(type(op)))
    return "$".join([op.word or "relu", *(re.sub(r"\W", "_", f"{number}") for number in numbers)])


def said(op: Activation) -> str:
    """An activation as a comment calls it."""
    if isinstance(op, Formula):
        return f"the formula {readable(op.value)}"
    return op.written() or "relu"


def functions(op: Activation) -> dict[str, str]:
    """Source of an activation and of its gradient, by their names."""
    read = ActivationGradient(op).reads
    forward = f"""\
/** {said(op)}, number by number. */
function {name(op)}(from, to) {{
  for (let i = 0; i < to.length; i++) {{
    const x = from[i];
{body(op.formula(X), QUICKER.get(name(op)))}
  }}
}}"""
    backward = f"""\
/** dx of {said(op)}, from dy and {read}. */
function {name(op)}Gradient(gradient, from, to) {{
  for (let i = 0; i < to.length; i++) {{
    const dy = gradient[i], {read} = from[i];
{body(DY * ActivationGradient(op).derivative)}
  }}
}}"""
    return {name(op): forward, f"{name(op)}Gradient": backward}


def body(formula: Expression, instead: str | None = None) -> str:
    """The lines that compute a formula, a shared part once."""
    parts, value = without_repetition(formula)
    symbols = {name: name for name in ("x", "y", "dy", *(part.name for part, _ in parts))}
    lines = [f"    const {part.name} = {source(made, symbols, FUNCTIONS, number)};" for part, made in parts]
    if instead:
        lines = []
    return "\n".join([*lines, f"    to[i] = {instead or source(value, symbols, FUNCTIONS, number)};"])


def number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
