"""A bias as the numbers of a row, and nothing comes out otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import mean_the_same
from oracles.nets import spec
from oracles.trial import Trial, close

import cnnspec
from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, run
from cnnspec.primitives.convolution.bias import BroadcastBias
from cnnspec.words.costs import Mse

NETS = (
    "3x9x7: conv 4x3x3 -> relu -> conv 5x3x2",
    "3x8x8: conv 4x3x3 pad 1 -> bn -> relu -> conv 5x3x3 stride 2 -> leaky_relu",
    "2x8x8: conv 4x3x3 pad 1 -> add( id | conv 4x3x3 pad 1 -> bn ) -> relu",
    "4x8x8: conv 8x3x3 groups 2 pad 1 -> tanh -> avgpool 2",
    "4x1x9: conv 6x1x3 -> relu",
)


def broadcast(text, images=1):
    graph = run(replace(spec(text, everywhere=False), images=images), INFERENCE, check=verify)
    return [node.name for node in graph if isinstance(node.op, BroadcastBias)]


@pytest.mark.parametrize(("text", "images"), [*((text, 1) for text in NETS), *((text, 3) for text in NETS[1:4])])
def test_the_plan_answers_as_that_of_every_value_does(text, images):
    assert broadcast(text, images)
    graph = replace(spec(text, everywhere=False), images=images)
    mean_the_same(run(graph, INFERENCE, after="eliminate_dead_code"), run(graph, INFERENCE))
    trial = Trial(spec(text, everywhere=False), Mse(), batch=images)
    for _ in range(2):  # with other parameters the rows are made anew
        (answer,) = trial.engine.forward(trial.inputs, "infer")
        (shown,) = trial.engine.forward(trial.inputs, "show")[-1:]
        close(answer, shown)
        name = next(iter(trial.parameters))
        trial.engine.parameters[name] = np.flip(trial.parameters[name]).copy()


@pytest.mark.parametrize(
    ("text", "images", "why"),
    [
        ("3x96x96: conv 16x3x3 pad 1 -> tanh", 64, "long rows are long runs of a channel"),
        ("3x40x40: conv 16x3x3 pad 1 -> relu", 8, "large images are gone over in blocks with what follows"),
        (NETS[4], 2, "a row of several images is the whole image"),
        ("3x96x96: conv 16x3x3 pad 1 -> relu", 1, "large images are gone over in blocks"),
        ("7: dense 5 -> relu", 1, "a vector has no rows"),
        ("4x30: conv 6x3 -> relu", 1, "a sequence is one row"),
        ("3x8x8: conv 4x3x3 bias off -> relu", 1, "there is none"),
    ],
)
def test_others_stay(text, images, why):
    assert not broadcast(text, images), why


def test_a_shard_of_fewer_images_takes_some_of_a_rows_numbers():
    """And so does a shard of one image beside one of two."""
    text = "input 3x6x5\nconv 4x3x3 pad 1 -> bn -> relu6 -> conv 5x3x2 -> relu\n"
    model = cnnspec.compile(text=text, batch=5, shards=2, workers=1, dtype="float64", seed=1)
    for name in ("bn1.bias", "conv2.bias"):
        model.parameters[name] = np.random.default_rng(0).normal(size=model.parameters[name].shape)
    x = np.random.default_rng(1).normal(size=(5, 3, 6, 5))
    for count in (5, 3):
        alone = np.concatenate([model.predict(image[None]) for image in x[:count]])
        np.testing.assert_allclose(model.predict(x[:count]), alone, rtol=0, atol=1e-14)
    sizes = [program.n for program in model.engine.parts("infer", 5, 1, 0)]
    assert sizes == [3, 2]
