"""`compile` and `import`: there and back, and what is refused."""

import pytest
from click.testing import CliRunner

import cnnspec
from cnnspec.cli import program

SPEC = "input 1x12x12\nconv 4x3x3 pad same -> bn -> relu -> maxpool 2 -> dense 3 -> softmax\n"


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(SPEC)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(program, list(arguments))


def test_a_pytorch_module_is_python(there):
    result = call("compile", "net.cnn", "--emit", "torch")
    assert result.exit_code == 0, result.output
    compile(result.stdout, "net.py", "exec")
    assert "nn.Conv2d(1, 4, 3" in result.stdout
    assert call("compile", "net.cnn", "--emit", "torch", "-o", "net.py").exit_code == 0
    assert (there / "net.py").read_text() == result.stdout


def test_an_onnx_model_comes_back_as_the_same_network_with_the_same_weights(there):
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    import numpy as np

    model = cnnspec.compile("net.cnn", seed=3)
    model.save("w.safetensors")
    result = call("compile", "net.cnn", "--emit", "onnx", "-o", "net.onnx", "--weights", "w.safetensors")
    assert result.exit_code == 0, result.output
    result = call("import", "net.onnx", "-o", "back.cnn")
    assert result.exit_code == 0, result.output
    back = cnnspec.compile("back.cnn", seed=9)
    back.load("back.safetensors")
    x = np.random.default_rng(0).normal(size=(5, 1, 12, 12))
    np.testing.assert_allclose(back.predict(x), model.predict(x), rtol=1e-5, atol=1e-7)


def test_an_onnx_model_is_of_the_opset_asked_for_or_the_lowest(there):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    for options, opset in (((), 13), (("--opset", "17"), 17)):
        result = call("compile", "net.cnn", "--emit", "onnx", "-o", "net.onnx", *options)
        assert result.exit_code == 0, result.output
        assert onnx.load("net.onnx").opset_import[0].version == opset
    refused = call("compile", "net.cnn", "--emit", "onnx", "-o", "net.onnx", "--opset", "12")
    assert refused.exception.diagnostics[0].code == "CNN508"
    assert call("compile", "net.cnn", "--emit", "torch", "--opset", "13").exit_code == 2


def test_an_onnx_model_wants_a_file(there):
    assert call("compile", "net.cnn", "--emit", "onnx").exit_code == 2


def test_a_file_that_is_no_model_is_a_finding(there):
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    (there / "no.onnx").write_bytes(b"no model")
    result = call("import", "no.onnx", "-o", "x.cnn")
    assert isinstance(result.exception, cnnspec.SpecError)
    assert not (there / "x.cnn").exists()


def test_what_is_there_is_not_written_over(there):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    assert onnx
    call("compile", "net.cnn", "--emit", "onnx", "-o", "net.onnx")
    result = call("import", "net.onnx", "-o", "net.cnn")
    assert result.exception.diagnostics[0].code == "CNN507"
    assert (there / "net.cnn").read_text() == SPEC
    assert call("import", "net.onnx", "-o", "net.cnn", "--force").exit_code == 0
    assert "from net.onnx" in (there / "net.cnn").read_text()


def test_a_stand_alone_module_with_its_weights_beside_it_or_in_it(there):
    import runpy

    import numpy as np

    model = cnnspec.compile("net.cnn", seed=5)
    model.save("w.safetensors")
    x = np.random.default_rng(0).random((3, 1, 12, 12), "f4")
    arguments = ("compile", "net.cnn", "--emit", "python", "--weights", "w.safetensors")
    assert call(*arguments, "-o", "alone.py").exit_code == 0
    assert (there / "alone.npz").exists()
    assert call(*arguments, "-o", "whole.py", "--embed", "--train", "--batch", "3").exit_code == 0
    assert not (there / "whole.npz").exists()
    for name in ("alone.py", "whole.py"):
        network = runpy.run_path(name)["load"]()
        np.testing.assert_allclose(network(x), model.predict(x), rtol=1e-5, atol=1e-6)
    y = np.array([0, 2, 1])
    assert abs(network.learn(x, y) - model.train_step(x, y)) < 1e-5
    assert call(*arguments).exit_code == 2  # weights beside what?
    assert call("compile", "net.cnn", "--emit", "torch", "--train").exit_code == 2
