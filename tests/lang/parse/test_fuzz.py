"""Whatever the text, reading it gives findings and never an exception, and rendering them neither."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from pace import took_under
from sampled import sampled

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.text import render
from cnnspec.lang import read
from cnnspec.words import WORDS

SPECS = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parents[3].glob("specs/*.cnn"))]
SHORT = [text for text in SPECS if len(text) < 1500]
PIECES = [
    *WORDS, "id", "->", "|", "(", ")", "{", "}", "as", "::", "@", "@a", "@input", "as a", "*", "*3", "=", ",", ";",
    "\n", "#", '"', "8x3x3", "3", "?x3", "{w}", "{2*w}", "{a", "1e999", "10%", "64k", "-1", "0", "9" * 30, "x", "X",
    "let w = 3", "let", "block b(c, s = 1) =", "b(4)", "b(4, s = 2)", "net n =", "n", "input 3x12x12", "input 4",
    "input 3x16 as s", "train {", "data {", "expect {", "train { epochs 3 }", "optimiser adam lr 1e-3", "cost mse",
    "pad same", "stride 2", "stride=2", "bias off", "params <= 62k", "shape @conv1 == 8x?x?", 'import "a.cnn"',
    "source digits", "\t", "\r\n", "\0", "→", "é", "\ufeff", "\u2028", "max(", "min(1,", "//", "%", "+", "--", "<=",
]  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """A text with a few of its stretches dropped, doubled, swapped, or replaced by pieces of others."""
    for _ in range(rng.randint(1, 5)):
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        j = min(j, i + rng.choice((1, 3, 20)))
        kind = rng.randrange(5)
        new = ("", text[i:j] * 2, rng.choice(PIECES), f" {rng.choice(PIECES)} ", chr(rng.randrange(256)))[kind]
        text = text[:i] + new + text[j if rng.random() < 0.7 else i :]
    return text


def assembled(rng: random.Random) -> str:
    """A text put together from pieces of the grammar."""
    return rng.choice(("", " ")).join(rng.choice(PIECES) for _ in range(rng.randint(1, 25)))


def fuzz(seed: int, count: int) -> None:
    rng = random.Random(seed)
    for number in range(count):
        text = assembled(rng) if number % 2 else mutated(rng.choice(SHORT), rng)
        start = time.thread_time()
        try:
            found = read(Source("a.cnn", text), fixes=number % 20 == 0).diagnostics
            shown = render(found)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} in case {number} of seed {seed}: {text!r}") from error
        assert took_under(3, start), text  # one on an idle machine
        assert bool(shown) == bool(found)


@pytest.mark.parametrize("seed", sampled(range(20), 3))
def test_texts_of_all_kinds(seed: int) -> None:
    fuzz(seed, 250)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_two_million(seed: int) -> None:
    fuzz(seed, 100_000)


def test_long_texts() -> None:
    """64 KB of pieces, or of a spec's lines in any order, in a second."""
    rng = random.Random(7)
    for number in range(6):
        parts = PIECES if number % 2 else "\n".join(SPECS).splitlines()
        text = ""
        while len(text) < 64 * 1024:
            text += rng.choice(parts) + rng.choice((" ", "\n"))
        start = time.thread_time()
        read(Source("a.cnn", text))
        assert took_under(4, start)  # one on an idle machine
