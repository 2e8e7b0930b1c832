"""The nearest known word."""

from __future__ import annotations

import pytest

from cnnspec.lang.hints.suggest import nearest
from cnnspec.words import WORDS


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("maxpol", "maxpool"), ("rellu", "relu"), ("sofmax", "softmax"), ("dens", "dense"), ("cnov", "conv"),
     ("Softmax", "softmax"), ("drop_out", "dropout"), ("flaten", "flatten")],
)  # fmt: skip
def test_slips(slip: str, meant: str) -> None:
    assert nearest(slip, WORDS) == meant


@pytest.mark.parametrize("word", ["x", "zebra", "transmogrify", "", "qqqq", "a" * 100_000])
def test_nothing_is_near(word: str) -> None:
    assert nearest(word, WORDS) == ""


def test_every_word_is_nearest_to_itself() -> None:
    assert [nearest(word, WORDS) for word in WORDS] == list(WORDS)
