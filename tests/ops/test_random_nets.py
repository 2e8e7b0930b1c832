"""200 nets from a seeded generator, branches included, against PyTorch in float64."""

import pytest
from oracles.random_nets import random_net
from oracles.trial import Trial, agrees_with_evaluator, close

NETS = range(200)


@pytest.mark.parametrize("seed", NETS)
def test_agrees_with_pytorch(seed):
    pytest.importorskip("torch")
    from oracles import in_torch

    graph, costs = random_net(seed)
    trial = Trial(graph, *costs, seed=seed, shards=1 + seed % 2)
    cost, gradients = trial.learnt
    wanted, slopes = in_torch.differentiate(graph, costs, trial.arrays, trial.parameters, trial.masks)
    close(cost, wanted, "cost")
    for parameter, slope in slopes.items():
        close(gradients[parameter], slope, parameter)
    values = in_torch.shown(graph, trial.arrays, trial.parameters)
    for value, array in trial.shown.items():
        close(array, values[value], value)


@pytest.mark.parametrize("seed", range(200, 230))
def test_agrees_with_the_definitions(seed):
    graph, costs = random_net(seed)
    agrees_with_evaluator(Trial(graph, *costs, seed=seed, shards=1 + seed % 2))
