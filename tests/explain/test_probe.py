"""Slopes of values against central differences, and values against the plan that people use."""

import numpy as np
import pytest
from pictured import SMALL, TEXTS, batch

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.explain.probe import Probe, look


@pytest.mark.parametrize("name", SMALL)
def test_slopes_of_the_input_are_central_differences(name):
    model = cnnspec.compile(text=SMALL[name], dtype="float64")
    x, y = batch(model)
    seen = look(model, x, y)
    assert seen.cost == pytest.approx(model.cost(x, y), rel=1e-12)
    gradients = seen.gradients["input"]
    generator = np.random.default_rng(1)
    for k in generator.choice(x.size, min(x.size, 40), replace=False):
        at = np.unravel_index(k, x.shape)
        up, down = x.copy(), x.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        difference = (model.cost(up, y) - model.cost(down, y)) / 2e-6
        assert gradients[at] == pytest.approx(difference, abs=2e-8)


@pytest.mark.parametrize("name", [*SMALL, "one line", "four branches", "long skips", "a sequence", "vectors"])
def test_values_are_those_of_the_model_in_use(name):
    model = cnnspec.compile(text={**TEXTS, **SMALL}[name], dtype="float64")
    x, y = batch(model)
    values = look(model, x, y).values
    for key, wanted in model.activations(x).items():
        np.testing.assert_allclose(values[key], wanted, rtol=1e-9, atol=1e-12)


def test_the_slope_of_a_bias_is_the_sum_of_the_slopes_of_its_channel():
    model = cnnspec.compile(text=TEXTS["one line"], dtype="float64")
    x, y = batch(model)
    seen = look(model, x, y)
    np.testing.assert_allclose(
        seen.gradients["conv1"].sum(axis=(0, 2, 3)), model.gradients(x, y)["conv1.bias"], rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("count", [1, 3])
def test_the_gradient_of_a_flattened_image_is_in_its_order(count):
    """A dense layer gives it back in the order in which the image lies in memory."""
    text = "input 2x5x4\nconv 4x2x2 -> relu -> flatten -> dense 6 -> tanh -> dense 3 -> softmax"
    model = cnnspec.compile(text=text, dtype="float64")
    x, y = batch(model, count)
    gradients = look(model, x, y).gradients
    wanted = gradients["dense1"] @ model.parameters["dense1.weight"]
    np.testing.assert_allclose(gradients["flatten1"], wanted, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradients["relu1"].reshape(count, -1), wanted, rtol=1e-12, atol=1e-15)


def test_a_value_that_the_cost_does_not_see_is_flat():
    text = "input 1x6x6\nconv 2x3x3 as a -> gap -> dense 2 -> softmax\nnet other = @a -> relu -> gap"
    model = cnnspec.compile(text=text, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 1, 6, 6))
    judged = model.judged
    if len(model.graph.outputs) < 2:
        pytest.skip("the second net is no output of this spec")
    y = {name: np.eye(2) for name in judged}
    seen = look(model, x, y)
    unjudged = [name for name in model.graph.outputs if name not in judged]
    assert all((seen.gradients[name] == 0).all() for name in unjudged)


def test_a_lens_can_look_again():
    model = cnnspec.compile(text=TEXTS["one line"], dtype="float64")
    probe = Probe(model, 2)
    first, second = (batch(model, 2, seed) for seed in (0, 1))
    one = probe.look(model.arrays(*first))
    probe.look(model.arrays(*second))
    again = probe.look(model.arrays(*first))
    for name in one.values:
        assert (one.values[name] == again.values[name]).all()
        assert (one.gradients[name] == again.gradients[name]).all()


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch):
    model = cnnspec.compile(text=TEXTS["one line"])
    monkeypatch.setattr("cnnspec.explain.probe.free_memory", lambda: 1 << 20)
    with pytest.raises(SpecError) as error:
        Probe(model, 1)
    assert error.value.diagnostics[0].code == "CNN555"
