"""Max pooling before what commutes with it, and not before anything else."""

import numpy as np
import pytest
from oracles.graphs import after, ops
from oracles.nets import spec

from cnnspec.ir.expression import X, evaluate
from cnnspec.words.activation import ACTIVATIONS


def pooled(text):
    return after(spec(text, everywhere=False), "hoist_pooling")


def order(text):
    return [name for name in ops(pooled(text)) if name not in ("Total", "SquaredError", "Flatten")]


def test_bias_and_activation_come_after_the_pool():
    assert order("3x8x8: conv 4x3x3 -> relu -> maxpool 2") == ["Convolve", "MaxWindows", "AddBias", "Relu"]


def test_values_keep_their_names_where_they_still_mean_the_same():
    graph = pooled("3x8x8: conv 4x3x3 -> relu -> maxpool 2")
    assert graph["maxpool1"].type.shape == (4, 3, 3)
    assert graph.outputs == ("maxpool1",)


RISING = [cls.word for cls in ACTIVATIONS if cls.monotone]


@pytest.mark.parametrize("word", [cls for cls in ACTIVATIONS if cls.monotone])
def test_what_is_called_monotone_rises(word):
    x = np.concatenate([np.linspace(-30, 30, 6001), np.linspace(-1e-3, 1e-3, 2001)])
    x.sort()
    assert (np.diff(evaluate(word().formula(X), x=x)) >= 0).all()


@pytest.mark.parametrize("rising", RISING)
def test_every_rising_activation_commutes(rising):
    assert order(f"3x8x8: conv 4x3x3 bias off -> {rising} -> maxpool 2")[:2] == ["Convolve", "MaxWindows"]


@pytest.mark.parametrize("other", ["gelu", "swish", "mish", "hardswish", "prelu", "softmax", "dropout 50%", "bn"])
def test_what_falls_somewhere_or_looks_around_does_not(other):
    assert order(f"3x8x8: conv 4x3x3 bias off -> {other} -> maxpool 2")[1] != "MaxWindows"


def test_an_activation_that_another_reads_stays_where_it_is():
    """It would have to be computed at full size as well."""
    text = "3x8x8: conv 4x3x3 -> relu as r -> concat( maxpool 2 | @r -> avgpool 2 )"
    assert order(text)[:4] == ["Convolve", "AddBias", "Relu", "MaxWindows"]


def test_an_output_stays_where_it_is():
    words = spec("3x8x8: conv 4x3x3 -> relu as r -> maxpool 2", everywhere=False)
    words = type(words)(words.nodes, words.inputs, ("r", "maxpool1"))
    assert ops(after(words, "hoist_pooling"))[:3] == ["Convolve", "AddBias", "Relu"]


def test_mean_and_min_pooling_stay():
    assert order("3x8x8: relu -> avgpool 2")[0] == "Relu"
    assert order("3x8x8: relu -> minpool 2")[0] == "Relu"


def test_a_second_pool_moves_up_to_what_the_first_left():
    made = order("3x12x12: conv 4x3x3 -> relu -> maxpool 2 -> tanh -> maxpool 2")
    assert made == ["Convolve", "MaxWindows", "AddBias", "Relu", "MaxWindows", "Tanh"]
