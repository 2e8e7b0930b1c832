"""A cost and the activation that it is made for become one; others stay two."""

import pytest
from oracles.graphs import after, ops
from oracles.nets import spec

from cnnspec.passes import MEASURE
from cnnspec.words.costs import BinaryCrossEntropy, CrossEntropy, Mse


def merged(text, cost, passes=None):
    words = spec(text, everywhere=False)
    return after(words, "fuse_softmax_cross_entropy", cost, **({"passes": passes} if passes else {}))


@pytest.mark.parametrize(
    ("last", "cost", "made"),
    [
        ("softmax", CrossEntropy(), "SoftmaxCrossEntropy"),
        ("softmax", CrossEntropy(smoothing=0.1), "SoftmaxCrossEntropy"),
        ("logsoftmax", CrossEntropy(), "SoftmaxCrossEntropy"),
        ("sigmoid", BinaryCrossEntropy(weight=0.5), "SigmoidCrossEntropy"),
    ],
)
def test_pairs_become_one(last, cost, made):
    graph = merged(f"3: dense 4 -> {last}", cost)
    assert made in ops(graph)
    node = next(node for node in graph if type(node.op).__name__ == made)
    assert node.inputs == ("dense1", f"{last}1.target")
    assert node.op.weight == cost.weight and getattr(node.op, "smoothing", 0) == getattr(cost, "smoothing", 0)


@pytest.mark.parametrize(
    ("last", "cost", "kept"),
    [
        ("sigmoid", CrossEntropy(), "CrossEntropyLoss"),
        ("softmax", BinaryCrossEntropy(), "BinaryCrossEntropyLoss"),
        ("softmax", Mse(), "SquaredError"),
        ("softmax -> dropout 0.5", CrossEntropy(), "CrossEntropyLoss"),
    ],
)
def test_a_cost_of_another_activation_stays_as_it_is(last, cost, kept):
    assert kept in ops(merged(f"3: dense 4 -> {last}", cost))


def test_the_activation_stays_for_others_who_read_it():
    """An output is still the probabilities; only the cost reads what is before them."""
    graph = merged("3: dense 4 -> softmax", CrossEntropy(), MEASURE)
    assert graph.outputs == ("softmax1",)
    assert "Softmax" in ops(graph)
