"""Arithmetic against Python's own, and its bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Source
from cnnspec.lang.findings import Findings
from cnnspec.lang.lowering.arithmetic import evaluate
from cnnspec.lang.parse.numbers import LARGEST, UNITS, read_number
from cnnspec.lang.parse.parser import parse


def value(text: str, **names: float) -> tuple[float | None, list[str]]:
    findings = Findings()
    file = parse(Source("a.cnn", f"let x = {text}"), findings)
    expr = file.statements[0].value if file.statements else None  # type: ignore[union-attr]
    return evaluate(expr, names, findings), [found.code for found in findings.diagnostics]


EXPRESSIONS = st.recursive(
    st.integers(0, 50).map(str) | st.sampled_from(["a", "b"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-({})".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        inner.map("floor({})".format),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.integers(-9, 9), st.integers(-9, 9))
def test_agrees_with_python(text: str, a: int, b: int) -> None:
    try:
        expected = eval(text, {"min": min, "max": max, "floor": math.floor}, {"a": a, "b": b})  # the oracle
    except ZeroDivisionError:
        assert value(text, a=a, b=b) == (None, ["CNN017"]) or value(text, a=a, b=b)[0] is None
        return
    found, codes = value(text, a=a, b=b)
    assert (found, codes) == (expected, []) or "CNN006" in codes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 / 2", 3.5),
        ("8 / 2", 4),
        ("round(2.5)", 3),
        ("round(3.5)", 4),
        ("round(-0.5)", 0),
        ("ceil(7 / 2)", 4),
        ("-7 // 2", -4),
        ("--3", 3),
        ("2 - -3", 5),
        ("60k + 1", 60001),
        ("10% * 50", 5.0),
        ("10 %3", 1),
        ("(((4)))", 4),
    ],
)
def test_cases(text: str, expected: float) -> None:
    found, codes = value(text)
    assert found == pytest.approx(expected) and not codes
    assert isinstance(found, type(expected))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 / 0", "CNN017"),
        ("1 // (2 - 2)", "CNN017"),
        ("1 % 0.0", "CNN017"),
        ("c + 1", "CNN016"),
        ("sqrt(2)", "CNN016"),
        ("round(1, 2)", "CNN017"),
        ("9" * 5000, "CNN006"),
        ("1e999", "CNN006"),
        ("10000000 * 10000000 * 10000000", "CNN006"),
        ("(" * 40 + "1" + ")" * 40, "CNN007"),
    ],
)
def test_mistakes_are_findings(text: str, code: str) -> None:
    found, codes = value(text)
    assert found is None and code in codes


def test_every_operand_is_looked_at() -> None:
    assert value("u + v * w")[1] == ["CNN016"] * 3


@given(st.integers(0, 10**12), st.sampled_from(sorted(UNITS)))
def test_units_scale_whole_numbers_exactly(number: int, unit: str) -> None:
    expected = number * UNITS[unit]
    assert read_number(f"{number}{unit}") == (expected if expected <= LARGEST else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60k", 60_000), ("4M", 4_000_000), ("8MiB", 8 * 2**20), ("10%", 0.1), ("5e-4", 5e-4), ("1.5G", 15 * 10**8),
     ("98.5%", 0.985), ("0.1k", 100), (".5", 0.5), ("3.", 3.0)],
)  # fmt: skip
def test_numbers_with_units(text: str, expected: float) -> None:
    assert read_number(text) == expected
