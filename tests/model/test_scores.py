"""What outputs say of each class, by what the network ends in."""

import numpy as np
import pytest

import cnnspec
from cnnspec.model.scores import scores

X = np.random.default_rng(0).normal(size=(7, 2, 5, 5))


def told(end, classes):
    model = cnnspec.compile(text=f"input 2x5x5\n{end}", seed=1)
    outputs = model.predict(X)
    return outputs, scores(model.graph, outputs, classes)


@pytest.mark.parametrize(
    "end, classes, wanted, shares",
    [
        ("dense 3 -> softmax", 3, lambda p: p, True),
        ("dense 3 -> sigmoid", 3, lambda p: p, True),
        ("dense 3 -> logsoftmax", 3, np.exp, True),
        ("dense 3\ntrain { cost hinge }", 3, lambda p: p, False),
        ("dense 3 -> tanh", 3, lambda p: p, False),
        ("dense 1 -> sigmoid", 2, lambda p: np.hstack([1 - p, p]), True),
        ("conv 1x5x5 -> sigmoid", 2, lambda p: np.hstack([1 - p[:, :, 0, 0], p[:, :, 0, 0]]), True),
        ("conv 3x5x5 -> softmax", 3, lambda p: p[:, :, 0, 0], True),
        ("conv 3x5x5 -> softmax -> flatten", 3, lambda p: p, True),
    ],
)
def test_heads_that_tell_classes_apart(end, classes, wanted, shares):
    outputs, found = told(end, classes)
    np.testing.assert_array_equal(found.values, wanted(outputs))
    assert found.shares == shares
    assert not shares or ((found.values >= 0).all() and (found.values <= 1).all())


@pytest.mark.parametrize(
    "end, classes",
    [
        ("dense 1", 2),
        ("dense 1 -> sigmoid", 3),
        ("dense 1 -> sigmoid", 0),
        ("dense 1 -> softplus", 1),
        ("dense 3 -> softmax", 4),
        ("conv 3x3x3 -> softmax", 3),
    ],
)
def test_heads_that_do_not(end, classes):
    assert told(end, classes)[1] is None


def test_no_images_have_no_scores_and_are_no_mistake():
    model = cnnspec.compile(text="input 2x5x5\nconv 3x5x5 -> softmax")
    assert scores(model.graph, model.predict(X[:0]), 3).values.shape == (0, 3)
