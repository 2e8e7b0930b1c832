"""Formulas of one number, as trees: what a pointwise word computes, written once.

    x * tanh(x)    Apply("multiply", (X, Apply("tanh", (X,))))

A word writes its formula with Python's operators and the functions below; every form of a network walks the tree
with a table of its own (`walk`), and `differentiate` makes the tree of the derivative. The functions are

    add, subtract, multiply, divide, negative      written + - * /
    maximum, minimum                               the derivative at a tie is that of the second
    exp, expm1, log, log1p, sqrt, tanh, erf, absolute, sign
    sigmoid, softplus                              1 / (1 + exp(-x)) and log(1 + exp(x)), without overflow
    less, less_equal, greater, greater_equal       a condition, for `where`; written < <= > >=
    where                                          where(condition, this, that)
    power                                          power(x, p) of what is not negative, for a number p
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from ..record import record

if TYPE_CHECKING:
    import numpy as np

    from ..validation import Json

T = TypeVar("T")


class Expression:
    """A formula; each is one of the three below."""

    def __add__(self, other: Expression | float) -> Expression:
        return add(self, as_expression(other))

    def __radd__(self, other: float) -> Expression:
        return add(as_expression(other), self)

    def __sub__(self, other: Expression | float) -> Expression:
        return subtract(self, as_expression(other))

    def __rsub__(self, other: float) -> Expression:
        return subtract(as_expression(other), self)

    def __mul__(self, other: Expression | float) -> Expression:
        return multiply(self, as_expression(other))

    def __rmul__(self, other: float) -> Expression:
        return multiply(as_expression(other), self)

    def __truediv__(self, other: Expression | float) -> Expression:
        return divide(self, as_expression(other))

    def __rtruediv__(self, other: float) -> Expression:
        return divide(as_expression(other), self)

    def __neg__(self) -> Expression:
        return negative(self)

    def __pow__(self, exponent: int) -> Expression:
        """x * x * ...: whole powers alone, which have no bad places."""
        if not isinstance(exponent, int) or exponent < 1:
            raise TypeError(f"a formula is raised to whole powers from 1 up, not to {exponent!r}")
        result: Expression = self
        for _ in range(exponent - 1):
            result = multiply(result, self)
        return result

    def __lt__(self, other: Expression | float) -> Expression:
        return Apply("less", (self, as_expression(other)))

    def __le__(self, other: Expression | float) -> Expression:
        return Apply("less_equal", (self, as_expression(other)))

    def __gt__(self, other: Expression | float) -> Expression:
        return Apply("greater", (self, as_expression(other)))

    def __ge__(self, other: Expression | float) -> Expression:
        return Apply("greater_equal", (self, as_expression(other)))

    def __bool__(self) -> bool:
        raise TypeError("a formula is neither true nor false: use `where`")


@record
class Number(Expression):
    """A number that is known."""

    value: float


@record
class Symbol(Expression):
    """A number that is given: `x`."""

    name: str


@record
class Apply(Expression):
    """A function of the table above, and what it is applied to."""

    function: str
    parts: tuple[Expression, ...]


X = Symbol("x")  # the input of a word
Y = Symbol("y")  # its output
ZERO, ONE = Number(0.0), Number(1.0)


def as_expression(value: Expression | float) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"a formula has numbers in it, not {value!r}")
    return Number(float(value))


# ---- the functions; a sum with 0 and a product with 0 or 1 are not written down ----------------------------


def add(a: Expression, b: Expression) -> Expression:
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value + b.value)
    if a == ZERO:
        return b
    return a if b == ZERO else Apply("add", (a, b))


def subtract(a: Expression, b: Expression) -> Expression:
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value - b.value)
    if a == ZERO:
        return negative(b)
    return a if b == ZERO else Apply("subtract", (a, b))


def multiply(a: Expression, b: Expression) -> Expression:
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value * b.value)
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    return a if b == ONE else Apply("multiply", (a, b))


def divide(a: Expression, b: Expression) -> Expression:
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value / b.value)
    if a == ZERO:
        return ZERO
    return a if b == ONE else Apply("divide", (a, b))


def negative(a: Expression) -> Expression:
    return Number(-a.value) if isinstance(a, Number) else Apply("negative", (a,))


def where(condition: Expression, this: Expression | float, that: Expression | float) -> Expression:
    this, that = as_expression(this), as_expression(that)
    return this if this == that else Apply("where", (condition, this, that))


def power(a: Expression, exponent: float) -> Expression:
    """a to the power of a number, for a that is nowhere negative."""
    if exponent in (0, 1):
        return a if exponent == 1 else ONE
    return Apply("power", (a, Number(float(exponent))))


def function(name: str) -> Callable[..., Expression]:
    """The function of that name, to write formulas with."""

    def apply(*parts: Expression | float) -> Expression:
        return Apply(name, tuple(map(as_expression, parts)))

    return apply


maximum, minimum = function("maximum"), function("minimum")
exp, expm1, log, log1p, sqrt = map(function, ("exp", "expm1", "log", "log1p", "sqrt"))
tanh, erf, absolute, sign = map(function, ("tanh", "erf", "absolute", "sign"))
sigmoid, softplus = function("sigmoid"), function("softplus")


def in_order(formula: Expression) -> list[Apply]:
    """The functions of a formula, each after what it is applied to, a shared one once."""
    found: dict[Apply, None] = {}

    def visit(part: Expression) -> None:
        if isinstance(part, Apply) and part not in found:
            for each in part.parts:
                visit(each)
            found[part] = None

    visit(formula)
    return list(found)


def without_repetition(formula: Expression) -> tuple[list[tuple[Symbol, Expression]], Expression]:
    """A formula whose shared parts have names of their own, and those parts in the order in which they are made.

    tanh(x) * (1 - tanh(x))    [(part0, tanh(x))], part0 * (1 - part0)
    """
    readers = Counter(part for step in in_order(formula) for part in step.parts)
    parts: list[tuple[Symbol, Expression]] = []
    made: dict[Expression, Expression] = {}
    for step in in_order(formula):
        value = Apply(step.function, tuple(made.get(part, part) for part in step.parts))
        made[step] = value
        if readers[step] > 1:
            made[step] = name = Symbol(f"part{len(parts)}")
            parts.append((name, value))
    return parts, made.get(formula, formula)


# ---- walking ----------------------------------------------------------------------------------------------


def walk(
    expression: Expression,
    symbols: Mapping[str, T],
    functions: Mapping[str, Callable[..., T]],
    number: Callable[[float], T],
) -> T:
    """What a formula means: symbols, numbers and functions by the caller's tables, a shared part once.

    walk(X * 2, {"x": 3.0}, {"multiply": operator.mul}, float)    6.0
    """
    known: dict[Expression, T] = {}

    def meant(e: Expression) -> T:
        if e not in known:
            if isinstance(e, Number):
                known[e] = number(e.value)
            elif isinstance(e, Symbol):
                known[e] = symbols[e.name]
            else:
                assert isinstance(e, Apply)
                known[e] = functions[e.function](*map(meant, e.parts))
        return known[e]

    return meant(expression)


def tree(expression: Expression) -> Json:
    """A formula as data that JSON can say: ["multiply", "x", ["tanh", "x"]]."""

    def applied(name: str) -> Callable[..., Json]:
        return lambda *parts: [name, *parts]

    symbols: dict[str, Json] = {name: name for name in ("x", "y", "m", "s")}
    return walk(expression, symbols, {name: applied(name) for name in FUNCTIONS}, float)


INFIX = {  # function -> its sign, and how tightly it binds
    "add": ("+", 1),
    "subtract": ("-", 1),
    "multiply": ("*", 2),
    "divide": ("/", 2),
    "less": ("<", 0),
    "less_equal": ("<=", 0),
    "greater": (">", 0),
    "greater_equal": (">=", 0),
}
SIGN, CALL = 3, 4  # how tightly a minus in front and a call bind


def source(
    expression: Expression,
    symbols: Mapping[str, str],
    functions: Mapping[str, str | Callable[..., str]],
    number: Callable[[float], str] = repr,
) -> str:
    """A formula as source of a language with infix operators.

    The functions that are not infix are called by a name, `torch.tanh`, or written by a function of the source of
    their parts.
    """

    def signed(value: float) -> tuple[str, int]:
        return number(value), SIGN if value < 0 else CALL

    def infix(name: str) -> Callable[..., tuple[str, int]]:
        symbol, binds = INFIX[name]

        def write(a: tuple[str, int], b: tuple[str, int]) -> tuple[str, int]:
            return f"{within(a, max(binds, 1))} {symbol} {within(b, binds + 1)}", binds

        return write

    def called(by: str | Callable[..., str]) -> Callable[..., tuple[str, int]]:
        write = by if callable(by) else lambda *parts: f"{by}({', '.join(parts)})"
        return lambda *parts: (write(*(text for text, _ in parts)), CALL)

    def minus(a: tuple[str, int]) -> tuple[str, int]:
        return f"-{within(a, SIGN + 1)}", SIGN

    table = {name: infix(name) for name in INFIX} | {"negative": minus}
    table |= {name: called(by) for name, by in functions.items()}
    text, _ = walk(expression, {name: (of, CALL) for name, of in symbols.items()}, table, signed)
    return text


def readable(formula: Expression, x: str = "x") -> str:
    """A formula as a person reads it: `x * tanh(0.7 * x)`."""
    return source(formula, {"x": x}, {name: name for name in FUNCTIONS if name not in INFIX}, "{:g}".format)


def within(part: tuple[str, int], binds: int) -> str:
    """A part of a formula, in brackets if it binds less tightly than what stands around it."""
    text, own = part
    return text if own >= binds else f"({text})"


# ---- the derivative -----------------------------------------------------------------------------------------


def differentiate(expression: Expression, by: Symbol = X) -> Expression:
    """The derivative; at a tie of `maximum` and `minimum` that of the second, at 0 of `absolute` 0."""
    known: dict[Expression, Expression] = {}

    def derivative(e: Expression) -> Expression:
        if e not in known:
            known[e] = ONE if e == by else ZERO
            if isinstance(e, Apply):
                known[e] = chain(e)
        return known[e]

    def chain(e: Apply) -> Expression:
        match e.function, e.parts:
            case "add", (a, b):
                return derivative(a) + derivative(b)
            case "subtract", (a, b):
                return derivative(a) - derivative(b)
            case "multiply", (a, b):
                return derivative(a) * b + a * derivative(b)
            case "divide", (a, b):
                return derivative(a) / b - derivative(b) * (a / (b * b))
            case "power", (a, Number(exponent)):
                return derivative(a) * (exponent * power(a, exponent - 1))
            case "maximum", (a, b):
                return where(a > b, derivative(a), derivative(b))
            case "minimum", (a, b):
                return where(a < b, derivative(a), derivative(b))
            case "where", (condition, this, that):
                return where(condition, derivative(this), derivative(that))
            case name, (a,):
                return derivative(a) * DERIVATIVES[name](a, e)
        raise AssertionError(f"{e.function} has no derivative")

    return derivative(expression)


# the derivatives of functions of one number, given that number and the value
DERIVATIVES: dict[str, Callable[[Expression, Expression], Expression]] = {
    "negative": lambda x, y: Number(-1.0),
    "exp": lambda x, y: y,
    "expm1": lambda x, y: y + 1,
    "log": lambda x, y: 1 / x,
    "log1p": lambda x, y: 1 / (1 + x),
    "sqrt": lambda x, y: 0.5 / y,
    "tanh": lambda x, y: 1 - y * y,
    "erf": lambda x, y: 2 / math.sqrt(math.pi) * exp(-(x * x)),
    "absolute": lambda x, y: sign(x),
    "sign": lambda x, y: ZERO,
    "sigmoid": lambda x, y: y * sigmoid(-x),
    "softplus": lambda x, y: sigmoid(x),
}
CONDITIONS = ("less", "less_equal", "greater", "greater_equal")
FUNCTIONS = (*INFIX, *DERIVATIVES, "maximum", "minimum", "where", "power")


# ---- numbers ------------------------------------------------------------------------------------------------


def evaluate(expression: Expression, **symbols: np.ndarray) -> np.ndarray:
    """The value by the definitions, for arrays of NumPy: slow and obvious, an oracle for plans."""
    import numpy as np

    functions: dict[str, Callable[..., np.ndarray]] = {
        name: getattr(np, name) for name in FUNCTIONS if name not in ("sigmoid", "softplus", "erf")
    }
    functions |= {
        "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
        "softplus": lambda x: np.logaddexp(0, x),
        "erf": np.vectorize(math.erf, otypes=[float]),
    }
    return walk(expression, symbols, functions, np.asarray)
