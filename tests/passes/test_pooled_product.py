"""One image of a small layer: convolution and pooling as one product, and nothing comes out otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import mean_the_same
from oracles.nets import spec
from oracles.trial import Trial, close

from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, run
from cnnspec.primitives.convolution.pooled import PooledConvolve
from cnnspec.words.costs import Mse

SIZES = ("1x28x28", "3x7x9", "2x4x5", "2x13x6")
CONVS = ("6x5x5 pad 2", "4x3x3", "1x3x2 pad 0x1", "4x2x3 stride 2 pad 1", "3x3x3 stride 1x2 pad 1")


def pooled(text, images=1):
    graph = run(replace(spec(text, everywhere=False), images=images), INFERENCE, check=verify)
    return [node.name for node in graph if isinstance(node.op, PooledConvolve)]


def test_small_layers_of_one_image():
    net = "1x28x28: conv 6x5x5 pad 2 -> relu -> maxpool 2 -> conv 16x5x5 -> tanh -> maxpool 2"
    assert pooled(net) == ["maxpool1", "conv2"]
    assert not pooled(net, images=2)


@pytest.mark.parametrize(
    ("text", "bias", "relu"),
    [
        ("3x8x8: conv 4x3x3 -> relu -> maxpool 2", True, True),
        ("3x8x8: conv 4x3x3 -> maxpool 2 -> relu", True, True),
        ("3x8x8: conv 4x3x3 bias off -> relu -> maxpool 2", False, True),
        ("3x8x8: conv 4x3x3 -> bn -> maxpool 2", True, False),
        ("3x8x8: conv 4x3x3 -> maxpool 2 -> tanh", True, False),
        ("3x8x8: conv 4x3x3 -> maxpool 2 as p -> concat( relu | @p )", True, False),
        ("3x8x8: conv 4x3x3 bias off -> maxpool 2 as p -> concat( relu | @p )", False, False),
    ],
)
def test_what_follows_comes_along_unless_others_read_what_is_between(text, bias, relu):
    graph = replace(spec(text, everywhere=False), images=1)
    made = run(graph, INFERENCE, check=verify)
    (op,) = [node.op for node in made if isinstance(node.op, PooledConvolve)]
    assert (op.bias, op.relu) == (bias, relu)
    mean_the_same(run(graph, INFERENCE, after="eliminate_dead_code"), made)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("32x24x24: conv 64x3x3 -> maxpool 2", "products with zeros take longer than the calls"),
        ("3x8x8: conv 4x3x3 -> maxpool 3", "other windows"),
        ("3x9x9: conv 4x3x3 dilate 2 -> maxpool 2", "pixels apart"),
        ("3x9x9: conv 4x3x3 dilate 1x2 -> maxpool 2", "pixels apart in a row"),
        ("4x8x8: conv 4x3x3 groups 2 -> maxpool 2", "groups"),
        ("3x8x8: conv 4x3x3 bias off as c -> concat( maxpool 2 | @c -> avgpool 2 )", "two readers"),
    ],
)
def test_others_stay(text, why):
    assert not pooled(text), why


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("conv", CONVS)
def test_it_means_the_same(size, conv):
    graph = replace(spec(f"{size}: conv {conv} -> relu -> maxpool 2", everywhere=False), images=1)
    first, *rest = INFERENCE
    graph, seen = first(graph), 0
    for step in rest:
        made = verify(step(graph))
        mean_the_same(graph, made)
        graph, seen = made, seen + any(isinstance(node.op, PooledConvolve) for node in made)
    assert seen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("conv", CONVS)
def test_the_plan_answers_as_that_of_every_value_does(size, conv):
    words = spec(f"{size}: conv {conv} -> relu -> maxpool 2", everywhere=False)
    trial = Trial(words, Mse(), batch=1)
    assert "corner_filters" in trial.engine.plan("infer", 1).source
    for _ in range(2):  # with other parameters the filters' corners are made anew
        (answer,) = trial.engine.forward(trial.inputs, "infer")
        (shown,) = trial.engine.forward(trial.inputs, "show")[-1:]
        close(answer, shown)
        name = next(iter(trial.parameters))
        trial.engine.parameters[name] = np.flip(trial.parameters[name]).copy()


LEFT = (
    "40x15x17: conv 32x3x3 -> maxpool 2 -> gap",
    "4x6x7: maxpool 2",
    "4x7x9: maxpool 1 stride 2x3 -> gap",
    "4x9: gap",
)


@pytest.mark.parametrize("text", LEFT)
def test_other_poolings_of_one_image_give_what_those_of_several_do(text):
    words = spec(text, everywhere=False)
    graph = run(replace(words, images=1), INFERENCE, check=verify)
    assert not any(node.extras for node in graph)  # nothing is saved for a gradient
    trial = Trial(words, Mse(), batch=1, dtype="float64")
    (one,) = (array.copy() for array in trial.engine.forward(trial.inputs))
    (several,) = trial.engine.forward({name: np.repeat(x, 3, axis=0) for name, x in trial.inputs.items()})
    np.testing.assert_allclose(several, np.repeat(one, 3, axis=0), rtol=1e-12, atol=1e-12)


def test_a_vector_of_one_image_is_made_where_it_is_fetched():
    plans = {}
    for last in ("dense 2 -> softmax", "conv 3x3x3", "flatten", "gap -> relu"):
        trial = Trial(spec(f"4x6x6: conv 4x3x3 -> {last}", everywhere=False), Mse(), batch=1)
        (made,) = (array.copy() for array in trial.engine.forward(trial.inputs))
        plans[last] = "_fetch" not in trial.engine.plan("infer", 1).source
        (shown,) = trial.engine.forward(trial.inputs, "show")[-1:]
        np.testing.assert_array_equal(made, shown)
    assert [last for last, at_once in plans.items() if at_once] == ["dense 2 -> softmax", "gap -> relu"]
