"""No pass changes a number: every pipeline, pass by pass, by the definitions alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oracles.graphs import judged, mean_the_same
from oracles.nets import spec
from oracles.random_nets import random_net

from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, MEASURE, TRAINING
from cnnspec.passes.dead_code import drop_outputs
from cnnspec.passes.differentiate import differentiate

SPECS = (
    "3x8x8: conv 4x3x3 pad 1 -> relu -> maxpool 2 -> dense 3 -> softmax",
    "4x8x8: conv 4x3x3 pad 1 bias off -> bn -> relu -> dropout 50% -> conv 4x3x3 groups 2 -> bn -> gap -> sigmoid",
    "16x6x8: add( conv 16x3x3 pad 1 -> bn | id ) -> relu -> conv 16x3x3 pad 1 -> relu -> maxpool 2 -> softmax",
    "16x7x8: conv 16x3x3 pad 1 -> bn -> maxpool 2 -> relu -> conv 16x3x3 pad 1 -> bn -> maxpool 2 -> softmax",
    "3x4x4: concat( flatten | gap ) -> bn -> dense 4 -> logsoftmax",
    "4x9: conv 6x3 stride 2 -> tanh -> maxpool 2 -> dense 2 -> sigmoid",
)
PIPELINES = {"training": TRAINING, "measure": MEASURE, "inference": INFERENCE}


def step_by_step(words, passes) -> None:
    """Every pass of a pipeline against the graph before it, but for those that add or forget on purpose."""
    graph = verify(passes[0](words))
    for step in passes[1:]:
        made = verify(step(graph))
        assert made.images == graph.images
        if step is drop_outputs:
            mean_the_same(replace(graph, outputs=()), made)
        elif step is differentiate:
            assert made.gradients
            mean_the_same(replace(graph, outputs=()), replace(made, gradients={}))
        else:
            mean_the_same(graph, made)
        graph = made


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("text", SPECS)
def test_of_specs(text, pipeline):
    words = spec(text)
    step_by_step(words if pipeline == "inference" else judged(words), PIPELINES[pipeline])


@pytest.mark.parametrize("seed", range(400, 430))
def test_of_random_nets(seed):
    words, costs = random_net(seed)
    step_by_step(judged(words, *costs), TRAINING)
    step_by_step(words, INFERENCE)
