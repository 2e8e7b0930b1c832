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


def test_an_onnx_model_wants_a_file(there):
    assert call("compile", "net.cnn", "--emit", "onnx").exit_code == 2


def test_a_file_that_is_no_model_is_a_finding(there):
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    (there / "no.onnx").write_bytes(b"no model")
    result = call("import", "no.onnx", "-o", "x.cnn")
    assert isinstance(result.exception, cnnspec.SpecError)
    assert not (there / "x.cnn").exists()
