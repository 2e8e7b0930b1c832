"""Every cost on vectors, sequences and images, alone and merged with the activation that it is made for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from oracles.nets import spec
from oracles.trial import Trial, agrees_with_differences, agrees_with_evaluator, close

from cnnspec.words.costs import BinaryCrossEntropy, CrossEntropy, Hinge, Huber, Mae, Mse

ENDS = {
    "cross_entropy of softmax": ("softmax", CrossEntropy()),
    "cross_entropy of logsoftmax": ("logsoftmax", CrossEntropy(weight=0.5)),
    "cross_entropy with smoothing": ("softmax", CrossEntropy(smoothing=0.1)),
    "cross_entropy of logsoftmax with smoothing": ("logsoftmax", CrossEntropy(smoothing=0.2)),
    "cross_entropy of sigmoid": ("sigmoid", CrossEntropy(smoothing=0.1)),
    "cross_entropy of a softmax that another reads": ("add( softmax | softmax )", CrossEntropy()),
    "binary_cross_entropy of sigmoid": ("sigmoid", BinaryCrossEntropy()),
    "binary_cross_entropy of softmax": ("softmax", BinaryCrossEntropy(weight=2.0)),
    "mse": ("tanh", Mse(weight=3.0)),
    "mae": ("id", Mae()),
    "huber": ("id", Huber()),
    "huber of delta 0.3": ("id", Huber(delta=0.3, weight=2.0)),
    "hinge": ("id", Hinge()),
    "hinge with margin 2": ("id", Hinge(margin=2.0, weight=0.5)),
}
HEADS = {
    "vector": "5: dense 4",
    "sequence": "3x5: conv 4x3",
    "image": "3x4x5: conv 4x3x2",
    "flattened image": "3x2x2: relu -> flatten",
}


@cache
def case(end: str, head: str) -> tuple[Trial, object]:
    last, cost = ENDS[end]
    return Trial(spec(f"{HEADS[head]} -> {last}"), cost), cost


each_case = pytest.mark.parametrize(("end", "head"), [(end, head) for end in ENDS for head in HEADS])


@each_case
def test_agrees_with_definitions_and_differences(end, head):
    trial, _ = case(end, head)
    agrees_with_evaluator(trial)
    agrees_with_differences(trial)


@each_case
def test_agrees_with_pytorch(end, head):
    pytest.importorskip("torch")
    from oracles import in_torch

    trial, cost = case(end, head)
    found, gradients = trial.learnt
    wanted, gradients = in_torch.differentiate(trial.words, (cost,), trial.arrays, trial.parameters)
    close(found, wanted, "cost")
    for name, slope in gradients.items():
        close(gradients[name], slope, name)


@each_case
def test_shards_agree_and_right_answers_are_counted(end, head):
    trial, cost = case(end, head)
    other = Trial(trial.words, cost, shards=2)
    close(other.learnt[0], trial.learnt[0], end, 1e-12)
    found, right = trial.engine.measure(trial.arrays)
    close(found, trial.learnt[0], end)
    assert right == other.engine.measure(other.arrays)[1]
    (output,) = trial.words.outputs
    shown, wanted = trial.shown[output], trial.arrays[f"{output}.target"]
    by_label = np.sum((shown > 0.5) == (wanted > 0.5)) if cost.word == "binary_cross_entropy" else 0
    assert right == (np.sum(shown.argmax(1) == wanted.argmax(1)), by_label)


@pytest.mark.parametrize("last", ["softmax", "logsoftmax"])
def test_logits_of_any_size_do_no_harm(last):
    """Cross-entropy of logits of 1e4 is 1e4, not infinity."""
    graph = spec(f"2: dense 2 bias off -> {last}", everywhere=False)
    for dtype in ("float32", "float64"):
        trial = Trial(graph, CrossEntropy(), batch=2, dtype=dtype)
        trial.engine.parameters["dense1.weight"] = np.array([[1e4, 0], [0, 1e4]])
        trial.arrays["input"][...] = [[1, 0], [0, 1]]
        trial.arrays[f"{last}1.target"][...] = [[0, 1], [0, 1]]
        cost, gradients = trial.learnt
        assert cost == pytest.approx(5e3)
        assert np.allclose(gradients["dense1.weight"], [[0.5, 0], [-0.5, 0]])
