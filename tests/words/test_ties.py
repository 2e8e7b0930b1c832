"""Equal numbers: the first one wins, and it alone gets the gradient."""

import numpy as np
import pytest
from oracles.nets import spec
from oracles.trial import Trial, agrees_with_evaluator

from cnnspec.words.costs import CrossEntropy, Mse

COSTS = (Mse(),)
WORDS = (
    "4x6x8: maxpool 2",
    "4x7x7: maxpool 2",
    "4x6x8: maxpool 3 stride 2 pad 1",
    "4x6x8: maxpool 3 stride 1 pad same",
    "4x6x8: minpool 2",
    "4x9: maxpool 3 stride 2",
    "4x6x8: gmp",
    "4x6x8: maxout 2",
    "4x6x8: max( id | id | id )",
    "4x6x8: max( id | shuffle 2 )",
)


def tied(text: str) -> Trial:
    """A net whose numbers are 0, 1 or 2."""
    trial = Trial(spec(text), *COSTS, seed=3)
    trial.engine.parameters["input.each.weight"] = np.ones_like(trial.engine.parameters["input.each.weight"])
    trial.arrays["input"][...] = np.random.default_rng(1).integers(0, 3, trial.arrays["input"].shape)
    return trial


@pytest.mark.parametrize("text", WORDS)
def test_the_first_of_equals_gets_the_gradient(text):
    agrees_with_evaluator(tied(text))


@pytest.mark.parametrize("text", [text for text in WORDS if "max(" not in text])
def test_as_in_pytorch(text):
    pytest.importorskip("torch")
    from oracles import in_torch

    trial = tied(text)
    if "gmp" in text:
        pytest.skip("amax shares the gradient among equals")
    _, gradients = in_torch.differentiate(trial.words, COSTS, trial.arrays, trial.parameters)
    assert np.allclose(trial.learnt[1]["input.each.weight"], gradients["input.each.weight"], atol=1e-12)


def test_an_answer_is_right_where_the_first_of_equals_is():
    """A network that gives every class the same is right by chance, not always."""
    trial = Trial(spec("3: dense 4 -> softmax", everywhere=False), CrossEntropy(), batch=8)
    for name, array in trial.parameters.items():
        trial.engine.parameters[name] = np.zeros_like(array)
    classes = np.arange(8) % 4
    trial.arrays["softmax1.target"][...] = np.eye(4)[classes]
    assert trial.engine.measure(trial.arrays)[1] == (2, 0)


def test_numbers_that_are_none_win_nothing_for_ever():
    """NaN in, NaN out: a pool does not hide it."""
    trial = Trial(spec("1x4x4: maxpool 2 -> relu", everywhere=False), *COSTS, batch=1)
    trial.arrays["input"][0, 0, 1, 1] = np.nan
    shown = trial.shown["relu1"][0, 0]
    assert np.isnan(shown[0, 0]) and np.isfinite(shown[1:]).all()
