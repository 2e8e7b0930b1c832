"""200 nets from a seeded generator, branches included, against PyTorch in float64."""

from hashlib import blake2b

import pytest
from oracles.random_nets import LATER, random_net
from oracles.trial import Trial, agrees_with_evaluator, close

NETS = range(200)


def test_a_seed_names_its_net_whatever_words_there_are():
    told = [[(n.name, n.op.word, n.inputs) for n in graph] for graph, _ in map(random_net, NETS)]
    costs = [[(cost.word, cost.of) for cost in random_net(seed)[1]] for seed in NETS]
    assert blake2b(repr((told, costs)).encode(), digest_size=8).hexdigest() == "ed7f9a229395e569"


@pytest.mark.parametrize("own", LATER)
def test_a_later_word_stands_in_nets_of_its_own(own):
    assert sum(any(node.op.word == own for node in random_net(seed, own)[0]) for seed in range(20)) >= 5


@pytest.mark.parametrize(
    ("seed", "own"), [*((seed, "") for seed in NETS), *((k, w) for w in LATER for k in range(10))]
)
def test_agrees_with_pytorch(seed, own):
    pytest.importorskip("torch")
    from oracles import in_torch

    graph, costs = random_net(seed, own)
    trial = Trial(graph, *costs, seed=seed, shards=1 + seed % 2)
    cost, gradients = trial.learnt
    wanted, gradients = in_torch.differentiate(graph, costs, trial.arrays, trial.parameters, trial.masks)
    close(cost, wanted, "cost")
    for parameter, slope in gradients.items():
        close(gradients[parameter], slope, parameter)
    values = in_torch.shown(graph, trial.arrays, trial.parameters)
    for value, array in trial.shown.items():
        close(array, values[value], value)


@pytest.mark.parametrize("seed", range(200, 230))
def test_agrees_with_the_definitions(seed):
    graph, costs = random_net(seed)
    agrees_with_evaluator(Trial(graph, *costs, seed=seed, shards=1 + seed % 2))
