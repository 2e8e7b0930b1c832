"""Convolutions make what a 2x2 pooling reads in four blocks, a window's pixels each, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged, mean_the_same
from oracles.nets import spec
from oracles.trial import Trial, agrees_with_differences, agrees_with_evaluator, close

from cnnspec.ir.geometry import Geometry
from cnnspec.ir.verify import verify
from cnnspec.kernels.pool import phased_maxpool2, phased_maxpool2_gradient
from cnnspec.passes import INFERENCE, TRAINING, run
from cnnspec.passes.differentiate import differentiate
from cnnspec.primitives.convolution.phases import MaxPhases, in_phases
from cnnspec.primitives.windows import MaxWindows, MaxWindowsGradient
from cnnspec.words.costs import Mse

NET = "2x9x8: conv 3x3x2 pad 1 -> relu -> maxpool 2 -> conv 5x3x3 pad 1 -> tanh -> maxpool 2 -> flatten"


def phased(text, passes=INFERENCE, images=3):
    words = spec(text, everywhere=False)
    graph = run(replace(words if passes is INFERENCE else judged(words), images=images), passes, check=verify)
    return [node for node in graph if isinstance(node.op, MaxPhases)]


def test_every_pooled_image_at_inference_and_those_of_the_input_in_training():
    assert [node.name for node in phased(NET)] == ["maxpool1.pooled", "maxpool2.pooled"]
    (first,) = phased(NET, TRAINING)
    assert first.name == "maxpool1.pooled" and first.op.save


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3x8x8: conv 4x3x3 -> maxpool 3", "other windows"),
        ("3x8x8: conv 4x3x3 -> maxpool 2 stride 1", "windows that overlap"),
        ("3x8x8: conv 4x3x3 -> avgpool 2", "no largest"),
        ("3x8x8: conv 4x1x1 -> maxpool 2", "no columns to sort"),
        ("4x8x8: conv 4x3x3 groups 2 -> maxpool 2", "groups"),
        ("3x9x9: conv 4x3x3 dilate 2 -> maxpool 2", "rows of the kernel apart"),
        ("3x12: conv 4x3 -> maxpool 2", "a sequence"),
        ("3x8x8: conv 4x3x3 bias off as c -> concat( maxpool 2 | @c -> avgpool 2 )", "two readers"),
    ],
)
def test_the_image_keeps_its_order(text, why):
    assert not phased(text), why


def test_an_output_keeps_its_order():
    words = spec("3x8x8: conv 4x3x3 bias off as c -> maxpool 2", everywhere=False)
    graph = run(replace(words, images=3, outputs=("c", *words.outputs)), INFERENCE, check=verify)
    assert not any(isinstance(node.op, MaxPhases) for node in graph)


def test_one_image_keeps_its_order():
    """Several workers may make bands of its rows."""
    assert phased(NET, images=2) and not phased(NET, images=1)


SIZES = ("3x7x9", "1x8x8", "2x4x5", "2x13x6")
CONVS = ("4x3x3 pad 1", "1x3x2 pad 1", "4x2x3 stride 2 pad 1", "6x1x2 dilate 1x2 pad 1")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("conv", CONVS)
def test_every_pass_means_the_same(size, conv):
    """Odd sizes leave a row or a column out, whose gradient is zero."""
    words = spec(f"{size}: conv {conv} -> relu -> maxpool 2 -> conv 2x2x2 pad 1 -> maxpool 2", everywhere=False)
    for graph, passes in ((judged(words, Mse()), TRAINING), (words, INFERENCE)):
        first, *rest = passes
        graph, seen = first(replace(graph, images=3)), 0
        for step in rest:
            made = verify(step(graph))
            if step is not differentiate:
                mean_the_same(graph, made)
            graph, seen = made, seen + any(isinstance(node.op, MaxPhases) for node in made)
        assert seen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("conv", CONVS[1:3])
def test_the_plan_computes_what_is_defined(size, conv):
    words = spec(f"{size}: conv {conv} -> relu -> maxpool 2 -> conv 2x2x2 pad 1 -> maxpool 2", everywhere=False)
    trial = Trial(words, Mse(), batch=5, shards=2)
    assert "phased_maxpool2_gradient" in trial.engine.plan("train", 5).source
    agrees_with_evaluator(trial)
    agrees_with_differences(trial)
    assert "phased_maxpool2" in trial.engine.plan("infer", 5).source
    (answer,) = trial.engine.forward(trial.inputs, "infer")
    close(answer, trial.shown[words.outputs[0]])


def test_equal_pixels_give_the_gradient_to_the_first():
    x = np.random.default_rng(0).integers(0, 3, size=(2, 3, 8, 6)).astype("float64")
    dy = np.random.default_rng(1).normal(size=(2, 3, 4, 3))
    geometry = Geometry((2, 2), (2, 2))
    rows = np.ascontiguousarray(in_phases(x).transpose(2, 3, 1, 4, 0))
    out, lower = np.empty((2, *rows.shape[1:]))
    argmax, dx = np.empty((3, *out.shape), bool), np.empty_like(rows)
    phased_maxpool2(rows, scratch=lower, argmax=argmax, out=out)
    phased_maxpool2_gradient(np.ascontiguousarray(dy.transpose(2, 1, 3, 0)), argmax, out=dx)
    assert (out.transpose(3, 1, 0, 2) == MaxWindows(geometry).evaluate(x)[0]).all()
    close(dx.transpose(4, 2, 0, 1, 3), in_phases(MaxWindowsGradient(geometry).evaluate(dy, x, None)))
