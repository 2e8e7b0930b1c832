"""Every code has a page, whose example raises exactly that code and whose cure compiles."""

from __future__ import annotations

import re

import pytest

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.codes import CODES, Code
from cnnspec.lang import read

SHOWN = [code for code in CODES.values() if code.wrong]
ELSEWHERE: tuple[str, ...] = ()


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_page_is_whole(code: Code) -> None:
    assert re.fullmatch(r"CNN[0-9]{3}", code.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code.name)
    assert code.severity in ("error", "warning")
    assert code.explanation.strip()
    assert bool(code.wrong) == bool(code.right), "an example has its cure"
    assert code.wrong or code.how, "what a spec cannot show is told in words"


def test_names_are_unique() -> None:
    assert len({code.name for code in CODES.values()}) == len(CODES)


@pytest.mark.parametrize("code", [c for c in SHOWN if c.code not in ELSEWHERE], ids=lambda code: code.code)
def test_example_raises_exactly_its_code(code: Code) -> None:
    found = read(Source("wrong.cnn", code.wrong)).diagnostics
    assert {diagnostic.code for diagnostic in found} == {code.code}


@pytest.mark.parametrize("code", SHOWN, ids=lambda code: code.code)
def test_cure_compiles(code: Code) -> None:
    reading = read(Source("right.cnn", code.right))
    assert reading.diagnostics == ()
    assert reading.spec is not None
