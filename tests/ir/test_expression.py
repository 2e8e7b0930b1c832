"""Formulas: what they mean, how they are written, and their derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnnspec.ir.expression import (
    CONDITIONS,
    DERIVATIVES,
    FUNCTIONS,
    ONE,
    ZERO,
    Apply,
    Number,
    Symbol,
    X,
    absolute,
    differentiate,
    evaluate,
    exp,
    in_order,
    maximum,
    minimum,
    power,
    sigmoid,
    softplus,
    source,
    sqrt,
    tanh,
    tree,
    walk,
    where,
)

PYTHON = {
    **{name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "erf")},
    "absolute": abs, "sign": lambda x: (x > 0) - (x < 0), "maximum": max, "minimum": min,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "softplus": lambda x: math.log(1 + math.exp(x)),
    "power": pow, "where": lambda condition, this, that: this if condition else that,
}  # fmt: skip
FORMULAS = [
    *(Apply(name, (X * X + 0.3,)) for name in DERIVATIVES),
    X * tanh(softplus(X)),
    3 - (X - (1 - X)) / 2,
    (X - 1) * (X + 2) / (3 * (X / (4 + X * X))),
    -(X + 1) * -X,
    2 / (1 + exp(-X)) - 1,
    maximum(X, 0.1 * X) * minimum(X, 0.5),
    where(X > 0.4, X**3, where(X <= -0.4, 2 * X, -0.5)),
    absolute(X) / (1 + absolute(X)),
    sigmoid(1.7 * X) * X + sqrt(1 + X * X),
    power(absolute(X), 2.5) - 3 * power(1 + absolute(X), 1 / 3) + power(absolute(X), 2),
]
POINTS = (-1.3, -0.41, 0.17, 0.9, 2.2)
IDS = [str(k) for k in range(len(FORMULAS))]


def value(formula, x):
    return float(evaluate(formula, x=np.array(x)))


def test_every_function_has_its_case():
    used = {part.function for formula in FORMULAS for part in in_order(formula)}
    assert set(FUNCTIONS) - used == {"less", "greater_equal"}  # as the other two


@pytest.mark.parametrize("formula", FORMULAS, ids=IDS)
def test_the_source_means_the_formula(formula):
    text = source(formula, {"x": "x"}, {name: name for name in PYTHON})
    for x in POINTS:
        assert eval(text, {**PYTHON, "x": x}) == pytest.approx(value(formula, x), rel=1e-12), text


@pytest.mark.parametrize("formula", FORMULAS, ids=IDS)
def test_the_derivative_is_the_slope(formula):
    derivative = differentiate(formula)
    for x in POINTS:
        h = 1e-6
        slope = (value(formula, x + h) - value(formula, x - h)) / (2 * h)
        assert value(derivative, x) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_at_a_tie_the_second_decides():
    relu, capped = differentiate(maximum(X, 0)), differentiate(minimum(X, 6))
    assert value(relu, 0.0) == 0 and value(capped, 6.0) == 0 and value(differentiate(absolute(X)), 0.0) == 0


def test_what_has_no_slope_is_zero():
    assert differentiate(where(X > 0, 1, 0)) == ZERO
    assert differentiate(Symbol("y") * 2) == ZERO
    assert differentiate(X) == ONE


def test_written_as_a_person_would():
    functions = {"tanh": "tanh"}
    assert source(X * tanh(X), {"x": "b.x"}, functions) == "b.x * tanh(b.x)"
    assert source((X - (X - 1)) * 2, {"x": "x"}, {}) == "(x - (x - 1.0)) * 2.0"
    assert source(X * (X * X), {"x": "x"}, {}) == "x * (x * x)"  # in that order
    assert source(X - Number(-1.0), {"x": "x"}, {}) == "x - -1.0"
    assert source(-(X + 1), {"x": "x"}, {}) == "-(x + 1.0)"


def test_a_shared_part_is_asked_for_once():
    asked = []
    shared = tanh(X)
    walk(
        shared * shared, {"x": 2.0}, {"tanh": lambda x: asked.append(x) or x, "multiply": lambda a, b: a * b}, float
    )
    assert asked == [2.0]


def test_powers_end_where_nothing_is_raised():
    assert power(X, 1) == X and power(X, 0) == ONE
    assert differentiate(power(X, 2)) == 2 * X
    assert value(differentiate(power(absolute(X), 3)), 0.0) == 0


def test_as_data():
    assert tree(X * tanh(2 * X)) == ["multiply", "x", ["tanh", ["multiply", 2.0, "x"]]]


def test_a_formula_is_no_truth_and_no_text():
    with pytest.raises(TypeError, match="use `where`"):
        bool(X > 0)
    with pytest.raises(TypeError, match="numbers in it"):
        X + "1"
    with pytest.raises(TypeError, match="whole powers"):
        X**0.5


def test_no_overflow_at_the_ends():
    far = np.array([-1e4, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        assert evaluate(sigmoid(X), x=far).tolist() == [0, 1]
        assert evaluate(differentiate(softplus(X)), x=far).tolist() == [0, 1]
    assert set(CONDITIONS) < set(FUNCTIONS)
