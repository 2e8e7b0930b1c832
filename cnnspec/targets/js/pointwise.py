"""Activations as expressions of JavaScript: of x, and for the gradient of dy and x (or y, the value made).

A word with settings becomes a function for each choice of them: `leaky_0_2`.
"""

from __future__ import annotations

import re
from math import sqrt, tau

from ...diagnostics import Diagnostic, Span, SpecError
from ...primitives.activation import Activation

LOGISTIC = "1 / (1 + Math.exp(-x))"

# word -> its expression, the gradient's; $0, $1, ... are the op's numbers
EXPRESSIONS: dict[str, tuple[str, str]] = {
    "relu": ("(x + Math.abs(x)) / 2", "y > 0 ? dy : 0"),  # exact, and five times as quick as Math.max
    "relu6": ("Math.min((x + Math.abs(x)) / 2, 6)", "y > 0 && y < 6 ? dy : 0"),
    "leaky": ("x > 0 ? x : $0 * x", "y > 0 ? dy : $0 * dy"),
    "elu": ("x > 0 ? $1 * x : $0 * Math.expm1(x)", "dy * (y > 0 ? $1 : y + $0)"),
    "selu": ("x > 0 ? $1 * x : $0 * Math.expm1(x)", "dy * (y > 0 ? $1 : y + $0)"),
    "celu": ("x > 0 ? x : $0 * Math.expm1(x / $0)", "dy * (Math.min(y, 0) / $0 + 1)"),
    "gelu": ("x * normal(x)", f"dy * (normal(x) + x * Math.exp(-0.5 * x * x) / {sqrt(tau)!r})"),
    "gelu_tanh": ("0.5 * x * (1 + bent(x))", "dy * geluTanhSlope(x)"),
    "swish": ("x / (1 + Math.exp(-x))", f"dy * ({LOGISTIC}) * (1 + x / (1 + Math.exp(x)))"),
    "hardswish": (
        "x * Math.min(Math.max(x / 6 + 0.5, 0), 1)",
        "dy * (x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1)",
    ),
    "mish": ("x * Math.tanh(log1pExp(x))", "dy * mishSlope(x)"),
    "sigmoid": (LOGISTIC, "dy * y * (1 - y)"),
    "hardsigmoid": ("Math.min(Math.max(x / 6 + 0.5, 0), 1)", "y > 0 && y < 1 ? dy / 6 : 0"),
    "tanh": ("Math.tanh(x)", "dy * (1 - y * y)"),
    "softplus": ("log1pExp(x)", "-dy * Math.expm1(-y)"),
    "softsign": ("x / (1 + Math.abs(x))", "dy * (1 - Math.abs(y)) ** 2"),
    "step": ("x > 0 ? 1 : 0", "0"),
}


def refused(word: str, span: Span | None = None) -> SpecError:
    """What nobody has written in JavaScript yet."""
    message = f"`{word}` cannot be written as JavaScript"
    return SpecError((Diagnostic("CNN556", message, span, help="`--emit python` knows every word"),))


def key(op: Activation) -> str:
    return op.kernel if op.kernel in EXPRESSIONS else op.word


def name(op: Activation) -> str:
    """The function of an op; its settings belong to the name."""
    return "$".join([key(op), *(re.sub(r"\W", "_", f"{number!r}") for number in settings(op))])


def settings(op: Activation) -> tuple[float, ...]:
    """The numbers that its expression reads."""
    if key(op) not in EXPRESSIONS:
        raise refused(op.word)
    return op.numbers if "$" in "".join(EXPRESSIONS[key(op)]) else ()


def functions(op: Activation) -> str:
    """Source of an activation and of its gradient."""
    forward, gradient = (filled(expression, op) for expression in EXPRESSIONS[key(op)])
    value = op.needs
    return f"""\
/** {op.written()}, number by number. */
function {name(op)}(from, to) {{
  for (let i = 0; i < to.length; i++) {{
    const x = from[i];
    to[i] = {forward};
  }}
}}

/** Its gradient, from that of its value and from {"its value" if value == "y" else "what it was made of"}. */
function {name(op)}Gradient(gradient, from, to) {{
  for (let i = 0; i < to.length; i++) {{
    const dy = gradient[i], {value} = from[i];
    to[i] = {gradient};
  }}
}}"""


def filled(expression: str, op: Activation) -> str:
    for k, number in enumerate(op.numbers):
        expression = expression.replace(f"${k}", f"{number!r}")
    return expression
