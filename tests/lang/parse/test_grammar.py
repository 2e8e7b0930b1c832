"""Texts that the grammar itself makes, by hypothesis: whatever its rules allow is read without an exception."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.text import render
from cnnspec.lang import Reading, read
from cnnspec.lang.format.formatter import formatted
from cnnspec.lang.parse.syntax import build, grammar_text
from cnnspec.words import WORDS

NAMES = (*WORDS, "id", "a", "b", "c", "w", "stride", "pad", "same", "bias", "off", "lr", "cost")
SIZES = ("8x3x3", "?x8x8", "3x3", "{w}x3x3", "1x12x12", "4x5")
NUMBERS = ("0", "1", "2", "3", "10", "0.5", "10%", "64k", "8MiB", "1e-3", "9999999999999999999")
# what the layout puts in, and terminals that mean something: a name at random is hardly ever a layer
WORDED = {
    "__IGNORE_0": st.sampled_from((" ", "\t", "\ufeff")),  # what lark calls the spaces that the grammar ignores
    "_SEP": st.sampled_from(("\n", " ; ", "  # a remark\n")),
    "_LIST": st.just(", "),
    "NAME": st.sampled_from(NAMES).map(lambda name: f" {name} "),
    "PATH": st.sampled_from((" b.c ", " a.conv1 ")),
    "SIZES": st.sampled_from(SIZES).map(lambda size: f" {size} "),
    "NUMBER": st.sampled_from(NUMBERS).map(lambda number: f" {number} "),
    "HOLE": st.sampled_from((" {w} ", " {2*w + 1} ", " {min(a, 3) // 0} ", " {( } ")),
    "TAP": st.sampled_from((" @a ", " @conv1 ", " @b.c ")),
    "STRING": st.sampled_from((' "a.cnn" ', ' "" ')),
    "JOIN": st.sampled_from((" add", " concat", " mul", " max", " mean")),
    "OPEN": st.sampled_from(("train { ", "data { ")),
    "OPEN_EXPECT": st.just("expect { "),
    **{word.upper(): st.just(f" {word} ") for word in ("import", "let", "block", "net", "input")},
}


FILES = from_lark(build(grammar_text()), start="file", explicit=WORDED)
HOW = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@given(FILES)
@settings(max_examples=60, **HOW)
def test_whatever_the_grammar_allows(text: str) -> None:
    reads(text)


@pytest.mark.slow
@given(FILES)
@settings(max_examples=2000, **HOW)
def test_much_of_what_the_grammar_allows(text: str) -> None:
    reads(text)


def reads(text: str) -> None:
    """What is read is rendered, and written so that it reads the same."""
    reading = read(Source("a.cnn", text))
    assert bool(render(reading.diagnostics)) == bool(reading.diagnostics)
    if reading.file.whole:
        once = formatted(reading.file)
        again = read(Source("a.cnn", once))
        assert codes(again) == codes(reading)
        assert formatted(again.file) == once


def codes(reading: Reading) -> list[str]:
    return sorted(found.code for found in reading.diagnostics)
