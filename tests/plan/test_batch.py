"""Where a plan has its batch: not at strides that turn a cache against it, and with the same numbers."""

import pytest
from oracles.trial import Trial, agrees_with_evaluator, close

import cnnspec
from cnnspec.api import read_spec

NET = "input 2x16x8\nconv 3x3x3 pad 1 -> relu -> conv 2x1x1"  # 2 KiB an image, and as much an answer


def test_images_a_kilobyte_apart_are_put_further_apart():
    model = cnnspec.compile(text=NET, batch=4)
    for n in (4, 3):
        for array in (model.engine.plan("train", n).given["input"], model.engine.plan("infer", n).taken["conv2"]):
            assert array.shape == (n, 2, 16, 8) and array.strides[0] % 1024 == 64
            assert array[0].flags.c_contiguous


def test_others_lie_side_by_side():
    model = cnnspec.compile(text=NET.replace("16x8", "16x7"), batch=4)
    assert model.engine.plan("train", 4).given["input"].flags.c_contiguous


@pytest.mark.parametrize("shards", [1, 2])
def test_the_numbers_are_the_same_there(shards):
    spec = read_spec(text=NET)
    trial = Trial(spec.graph, *spec.train.cost, batch=5, shards=shards)
    agrees_with_evaluator(trial)
    close(trial.engine.forward(trial.inputs)[0], trial.evaluated["conv2"], "the answer")
