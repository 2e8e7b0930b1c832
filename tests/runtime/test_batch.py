"""Where a plan has its batch: not at strides that turn a cache against it, and with the same numbers."""

import pytest
from oracles.trial import Trial, agrees_with_evaluator, close

import cnnspec
from cnnspec.api import read_spec

NET = "input 2x16x8\nconv 3x3x3 pad 1 -> relu -> conv 2x1x1"  # 2 KiB an image, and as much an answer


def test_images_a_kilobyte_apart_are_put_further_apart():
    model = cnnspec.compile(text=NET, batch=4)
    for n in (4, 3):
        for array in (model.engine.plan("train", n).feeds["input"], model.engine.plan("infer", n).fetches["conv2"]):
            assert array.shape == (n, 2, 16, 8) and array.strides[0] % 1024 == 64
            assert array[0].flags.c_contiguous


def test_others_lie_side_by_side():
    model = cnnspec.compile(text=NET.replace("16x8", "16x7"), batch=4)
    assert model.engine.plan("train", 4).feeds["input"].flags.c_contiguous


@pytest.mark.parametrize("shards", [1, 2])
def test_the_numbers_are_the_same_there(shards):
    spec = read_spec(text=NET)
    trial = Trial(spec.graph, *spec.train.cost, batch=5, shards=shards)
    agrees_with_evaluator(trial)
    close(trial.engine.forward(trial.inputs)[0], trial.evaluated["conv2"], "the answer")


def test_a_mask_is_moved_by_no_other_layer():
    """It depends on the seed, the step, the shard and its own name: a comparison of two nets stays one."""

    def masks(text, **settings):
        net = f"input 16x16x16\n{text} -> dropout 50% -> dense 3 -> softmax"
        source = cnnspec.compile(text=net, **settings).plan.source
        return [line.split(", out=")[0].strip() for line in source.splitlines() if "random_mask(" in line]

    (mask,) = masks("conv 8x3x3 pad 1 -> gap", batch=2)
    assert masks("conv 8x3x3 pad 1 -> relu -> maxpool 2 -> conv 8x3x3 pad 1 -> gap", batch=64) == [mask]
    first, second = masks("conv 8x3x3 -> dropout 50% -> gap", batch=2)
    assert first == mask != second
