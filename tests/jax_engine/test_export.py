"""A network as one file for JAX: any batch, images as they are stored, and the answers of `predict`."""

import json
import runpy

import numpy as np
import pytest
from networks import STRUCTURES

import cnnspec as package
from cnnspec.cli import run as command
from cnnspec.data.dataset import Scaling
from cnnspec.data.preparation import Preparation
from cnnspec.data.sources.by_name import called

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

WORDS = """
input 4x9x8
conv 6x3x3 stride 2 pad same bias off -> bn -> maxout 2 -> resize 7x6 -> gn 3 -> shuffle 3 -> dropout 0.5
  -> droppath 0.2 -> maxpool 3 stride 2 pad 1 -> flatten -> reshape 4x3x3 -> avgpool 2 -> dense 3 -> softmax
"""


def compiled(folder, text, preparation=None, *how, seed=3):
    """The file's names, and the model that it was made of."""
    (folder / "net.cnn").write_text(text)
    model = package.compile(folder / "net.cnn", seed=seed)
    generator = np.random.default_rng(1)
    for name, values in model.parameters.items():
        noise = 0.1 * generator.normal(size=values.shape)
        model.parameters[name] = values + (abs(noise) if "var" in name else noise)
    model.preparation = preparation
    model.save(folder / "w.safetensors")
    arguments = ["compile", folder / "net.cnn", "--emit", "jax", "--weights", folder / "w.safetensors", "-o"]
    assert command([str(argument) for argument in (*arguments, folder / "alone.py", *how)]) == 0
    return runpy.run_path(str(folder / "alone.py")), model


def test_batches_of_any_size_give_what_predict_gives(tmp_path):
    names, model = compiled(tmp_path, WORDS)
    x = np.random.default_rng(0).normal(size=(5, 4, 9, 8)).astype(np.float32)
    network = names["load"]()
    for some in (x, x[:1], x[:3].astype(np.float64)):
        np.testing.assert_allclose(network(some), model.predict(some), atol=1e-5)
    assert network.prepares is False and network.classes is None


@pytest.mark.parametrize("structure", ["two inputs", "two outputs", "sequence"])
def test_inputs_and_outputs_by_name(tmp_path, structure):
    names, model = compiled(tmp_path, "\n".join(line.strip() for line in STRUCTURES[structure].splitlines()))
    generator = np.random.default_rng(0)
    x = {name: generator.normal(size=(2, *model.graph.type(name).shape)) for name in model.graph.inputs}
    found, expected = names["load"]()(x), model.predict(x)
    if isinstance(expected, dict):
        assert found.keys() == set(called(tuple(expected)).values())
        found = {name: found[net] for name, net in called(tuple(expected)).items()}
    else:
        found, expected = {"": found}, {"": expected}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5)


KEPT = {
    "bytes nhwc": Preparation(
        (3, 5, 4),
        Scaling((0.02, 0.01, 0.03), (-1.0, 0.5, 0.0)),
        "bytes",
        (0, 255),
        ('a"\n', "é"),
        "npz",
        axes="nhwc",
    ),
    "floats nhw, far from zero": Preparation(
        (1, 5, 4), Scaling((3.0,), (-15000.0,)), "floats", (4990.0, 5010.0), ("a", "b"), "npz", axes="nhw"
    ),
}


@pytest.mark.parametrize("embed", [False, True])
@pytest.mark.parametrize("kept", KEPT)
def test_images_are_prepared_by_the_first_steps_unless_raw(tmp_path, kept, embed):
    preparation = KEPT[kept]
    text = f"input {'x'.join(map(str, preparation.input))}\nconv 4x2x2 -> relu -> dense 2 -> softmax\n"
    names, model = compiled(tmp_path, text, preparation, *["--embed"] * embed)
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (3, *preparation.stored_shape)).astype(np.uint8)
    if preparation.stored == "floats":
        x = generator.normal(5000, 1, (3, *preparation.stored_shape)).astype(np.float32)
    answers = model.predict(model.prepare(x))
    network = names["load"]()
    assert network.prepares is True and network.classes == preparation.classes
    np.testing.assert_allclose(network(x), answers, atol=1e-5)
    if x.dtype == np.uint8:
        for same in (x / 255, x.astype(np.int64), x.astype(np.float64)):
            np.testing.assert_allclose(network(same), answers, atol=1e-5)
        with pytest.raises(ValueError, match="trained on bytes"):
            network(x - 1000.0)
    else:
        with pytest.raises(ValueError, match="trained on floats"):
            network(np.zeros(x.shape, np.uint8))
    raw, _ = compiled(tmp_path, text, preparation, "--raw")
    np.testing.assert_allclose(raw["load"]()(model.prepare(x)), answers, atol=1e-5)
    assert raw["CLASSES"] == preparation.classes and "prepares nothing" in raw["__doc__"]


def test_the_file_classifies_from_the_command_line(tmp_path, monkeypatch, capsys):
    preparation = KEPT["bytes nhwc"]
    compiled(tmp_path, "input 3x5x4\ndense 2 -> softmax\n", preparation, "--embed")
    np.save(tmp_path / "x.npy", np.zeros((2, 5, 4, 3), np.uint8))
    (tmp_path / "alone.npz").unlink(missing_ok=True)
    monkeypatch.setattr("sys.argv", ["alone.py", str(tmp_path / "x.npy")])
    capsys.readouterr()
    runpy.run_path(str(tmp_path / "alone.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1].startswith("1  class '") and json.dumps(lines[0]).isascii()
