"""Batch normalisation goes into the convolution before it where nothing is learnt any more."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import mean_the_same, ops
from oracles.nets import spec

import cnnspec
from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, run
from cnnspec.passes.decompose import decompose_inference
from cnnspec.passes.fold_norm import fold_norm


def folded(text, outputs=()):
    words = spec(text, everywhere=False)
    before = decompose_inference(replace(words, outputs=outputs or words.outputs))
    after = verify(fold_norm(before))
    mean_the_same(before, after)
    return ops(after)


def test_the_scale_goes_into_the_filters_and_a_bias_is_left():
    assert folded("3x6x6: conv 4x3x3 bias off -> bn") == ["FoldFilters", "FoldBias", "Convolve", "AddBias"]


@pytest.mark.parametrize("layer", ["conv 4x3x3", "dwconv 3x3", "conv 6x3x3 groups 3 stride 2 bias off"])
def test_whatever_the_convolution(layer):
    assert folded(f"3x6x6: {layer} -> bn -> relu")[:3] == ["FoldFilters", "FoldBias", "Convolve"]


@pytest.mark.parametrize(
    "why, text, outputs",
    [
        ("another reads what is normalised", "3x6x6: conv 4x3x3 as c -> concat( bn | @c )", ()),
        ("the convolution is an output", "3x6x6: conv 4x3x3 as c -> bn", ("c", "bn1")),
        ("something stands between", "3x6x6: conv 4x3x3 -> relu -> bn", ()),
        ("there is no convolution", "3x6x6: bn", ()),
    ],
    ids=lambda v: v if isinstance(v, str) and " " in v and ":" not in v else "",
)
def test_left_alone_where(why, text, outputs):
    assert "Normalise" in folded(text, outputs) and "FoldFilters" not in folded(text, outputs)


NET = """input 3x8x8
conv 6x3x3 pad 1 bias off -> bn -> relu -> maxpool 2 -> conv 4x3x3 -> bn -> gap -> dense 3 -> softmax
"""


def test_bias_and_relu_go_behind_the_pool_once_bn_is_gone():
    names = ops(run(cnnspec.compile(text=NET, batch=4).graph, INFERENCE))
    assert names.index("MaxPhases") < names.index("AddBias")


@pytest.mark.parametrize("change", ["set", "learn", "begin"])
def test_what_was_folded_is_folded_again_when_parameters_change(change):
    model = cnnspec.compile(text=NET, batch=4, dtype="float64")
    fresh = cnnspec.compile(text=NET, batch=4, dtype="float64")
    x = np.random.default_rng(0).normal(size=(4, 3, 8, 8))
    before = model.predict(x)
    if change == "set":
        model.parameters["bn1.running_var"] = np.full(6, 3.0)
    elif change == "learn":
        model.train_step(x, np.array([0, 1, 2, 0]))
    else:
        model.engine.begin(7)
    after = model.predict(x)
    assert np.abs(after - before).max() > 1e-6
    for name in model.parameters:
        fresh.parameters[name] = model.parameters[name]
    assert np.array_equal(fresh.predict(x), after)


def test_it_is_done_once_and_not_at_every_call():
    model = cnnspec.compile(text=NET, batch=4)
    x = np.zeros((4, 3, 8, 8), "float32")
    model.predict(x)
    (shard,) = model.engine.plan("infer", 4).shards.values()
    assert "def prepare(b, p):" in shard.program.source and "fold_filters" not in "".join(
        shard.program.source.partition("def forward")[2].partition("def buffers")[0]
    )
    calls = []
    prepare, shard.prepare = shard.prepare, lambda b, p: (calls.append(1), prepare(b, p))
    model.predict(x)
    model.predict(x)
    assert not calls
    model.parameters["bn1.bias"] = np.ones(6)
    model.predict(x)
    assert len(calls) == 1
