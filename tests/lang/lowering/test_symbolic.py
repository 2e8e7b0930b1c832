"""Inputs that would do, against reading the file with each of them."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.ir import data
from cnnspec.lang import read
from cnnspec.lang.lowering.symbolic import CHANNELS, series

CHAINS = [
    "conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax",
    "conv 6x5x5 stride 3 groups 3 -> maxpool 3 -> dense 4",
    "conv 8x3x3 pad same as a -> maxpool 2 -> conv 8x1x1 -> concat( id | @a -> maxpool 2 ) -> dense 2",
    "conv 4x3x3 :: 4x12x? -> dense 2",
    "add( conv 4x3x3 stride 2 pad same | conv 4x2x2 stride 2 ) -> dense 2",
]


@pytest.mark.parametrize("chain", CHAINS)
def test_agrees_with_reading_each(chain: str) -> None:
    reading = read(Source("a.cnn", chain), fixes=False)
    answer = reading.inputs()
    assert answer is not None and answer.kind == "image"
    channels = reading.graph.type(reading.graph.inputs[0])["c"]
    for side in range(1, 40):
        alone = read(Source("a.cnn", chain), input=data(channels, side, side), fixes=False)
        assert (side in answer.sizes) == (not alone.errors), side
    side = answer.sizes[-1] if answer.sizes[-1] < 64 else next(s for s in answer.sizes if s >= 24)
    for count in CHANNELS[:8]:
        alone = read(Source("a.cnn", chain), input=data(count, side, side), fixes=False)
        assert (count in answer.channels) == (not alone.errors), count


def test_the_layer_that_forbids_is_named() -> None:
    answer = read(Source("a.cnn", "add( maxpool 2 | conv 1x2x2 stride 2 pad same ) -> dense 2")).inputs()
    assert answer is not None
    assert str(answer).startswith("an image: height and width 2, 4, 6, ... (every 2); channels 1")
    assert answer.gap is not None and "`add` needs branches of equal shape" in answer.gap[1]


def test_sequences_and_stated_parts() -> None:
    answer = read(Source("a.cnn", "conv 8x5 -> relu -> dense 3")).inputs()
    assert answer is not None and answer.kind == "sequence" and answer.sizes[0] == 5
    answer = read(Source("a.cnn", "input 3x?x20\nconv 8x5x5 -> relu -> dense 3")).inputs()
    assert answer is not None and (answer.channels, answer.sizes[0]) == ((3,), 5)


def test_no_answer_where_the_file_says_it() -> None:
    assert read(Source("a.cnn", "input 3x9x9\nconv 8x5x5 -> dense 3")).inputs() is None
    assert read(Source("a.cnn", "conv 8x5x5 -> dense 3"), input=data(1, 9, 9)).inputs() is None


def test_the_data_tell_the_likely_input() -> None:
    for source, shape in (("digits", (1, 28, 28)), ("cifar10", (3, 32, 32))):
        reading = read(Source("a.cnn", f"conv 8x3x3 -> dense 10 -> softmax\ndata {{ source {source} }}"))
        assert reading.spec is not None and reading.spec.symbolic
        assert reading.graph.type("input").shape == shape


@pytest.mark.parametrize(
    ("sizes", "said"),
    [((5, 6, 7, 8), "from 5"), ((20, 24, 28, 32), "20, 24, 28, ... (every 4)"), ((28,), "28"),
     ((30, 31), "30 or 31"), ((2, 3, 5, 8, 9, 10, 11, 12), "2, 3, 5, 8, 9, 10, 11, 12")],
)  # fmt: skip
def test_series(sizes: tuple[int, ...], said: str) -> None:
    assert series(sizes, sizes[-1]) == said
