"""`cnnspec gradcheck`: right gradients pass, and one that is made wrong is named with its place."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from pictured import TEXTS

import cnnspec
from cnnspec.cli import program
from cnnspec.explain.gradcheck import gradcheck, random_batch, stored_index
from cnnspec.words.activation.sigmoids import Tanh

NETS = {
    "everything": """
        input 2x8x7
        conv 4x3x2 stride 2 pad 1 bias off -> bn -> leaky -> dropout 30%
          -> add( conv 4x3x3 pad same groups 2 | dwconv 3x3 pad same ) -> tanh
          -> maxpool 2 stride 1 -> dense 5 -> softmax""",
    "numbers": "input 3\ndense 4 -> tanh -> dense 1\ntrain { cost mse }",
}


def compiled(text):
    return cnnspec.compile(text=text, dtype="float64", shards=1)


@pytest.mark.parametrize("name", [*NETS, "long skips", "a sequence"])
def test_gradients_of_the_plan_are_differences(name):
    model = compiled({**NETS, **TEXTS}[name])
    checked = gradcheck(model, random_batch(model, 3), entries=6)
    assert {c.parameter for c in checked} == {key for key in model.parameters if "running" not in key}
    assert checked[0].error < 1e-6
    assert checked == sorted(checked, key=lambda c: -c.error)


def test_every_number_of_a_small_parameter_is_looked_at():
    model = compiled(NETS["numbers"])
    checked = gradcheck(model, random_batch(model, 2))
    assert all(c.entries == c.type.elements for c in checked)


def test_the_parameters_are_left_as_they_were():
    model = compiled(NETS["numbers"])
    before = {name: model.parameters[name] for name in model.parameters}
    gradcheck(model, random_batch(model, 2), entries=3)
    assert all((model.parameters[name] == array).all() for name, array in before.items())


def test_a_number_is_found_where_pytorch_has_it():
    model = compiled("input 3x5x4\nconv 2x3x2 -> dense 3 -> softmax")
    for name in ("conv1.weight", "dense1.weight"):
        array = np.arange(model.parameters[name].size, dtype=float).reshape(model.parameters[name].shape)
        model.parameters[name] = array
        for k in range(0, array.size, 5):
            assert model.engine.arrays[name][stored_index(model.engine.trained[name], k)] == k


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(NETS["numbers"])
    return str(path)


def test_a_wrong_gradient_is_named_and_fails(spec, monkeypatch):
    """The check must not be blind: with a slope of tanh that is half of what it should be, it fails."""
    right = Tanh.gradient

    def wrong(self, node, dy, b):
        from cnnspec.primitives.merge import Scale

        (dx,) = right(self, node, dy, b)
        return (b.add(Scale(0.5), dx, name=f"{node.name}.half", like=node),)

    monkeypatch.setattr(Tanh, "gradient", wrong)
    result = CliRunner().invoke(program, ["gradcheck", spec], standalone_mode=False)
    assert result.return_value == 1
    assert "CNN554" in result.stderr and "dense1." in result.stderr


def test_the_command_says_the_worst_and_where(spec):
    result = CliRunner().invoke(program, ["gradcheck", spec, "--batch", "2"], standalone_mode=False)
    assert result.return_value == 0
    assert "worst error" in result.stdout and "dense2.bias" in result.stdout


def test_as_json_it_fails_above_the_limit(spec):
    result = CliRunner().invoke(program, ["gradcheck", spec, "--json", "--limit", "0"], standalone_mode=False)
    found = json.loads(result.stdout)
    assert result.return_value == 1
    assert found["worst"] == max(p["error"] for p in found["parameters"]) > 0
