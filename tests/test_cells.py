"""`%%cnn`: a cell of a notebook that holds a spec."""

import numpy as np
import pytest

import cnnspec
from cnnspec.cells import asked, completions, read
from cnnspec.diagnostics import SpecError

TEXT = "input 1x8x8\nconv 4x3x3 -> relu -> dense 3 -> softmax\n"
WRONG = "input 1x8x8\nconv 4x3x3 -> rellu -> dense 3 -> softmax\n"


def test_the_first_line_names_the_variable():
    assert asked("net --batch 32 --seed 7") == ("net", 32, 7)
    assert asked("") == ("", None, None)
    for line in ("a b", "--batch x", "--other 1", "1a", "import", "--batch"):
        with pytest.raises(ValueError, match="%%cnn takes"):
            asked(line)


def test_a_cell_is_checked_and_compiled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, _, report = read("", TEXT)
    assert "<svg" in report._repr_html_()
    _, _, model = read("net --batch 5 --seed 3", TEXT)
    assert (model.batch, model.seed) == (5, 3)
    assert model.predict(np.zeros((2, 1, 8, 8))).shape == (2, 3)
    with pytest.raises(SpecError, match="rellu"):
        read("net", WRONG)
    (tmp_path / "blocks.cnn").write_text("block b(c) = conv {c}x3x3 -> relu\n")
    _, _, model = read("net", 'import "blocks.cnn"\ninput 1x8x8\nb(4) -> dense 3 -> softmax\n')
    assert "b1.conv1" in model.graph.nodes or len(model.parameters) == 4


def test_a_finding_is_shown_without_a_traceback():
    with pytest.raises(SpecError) as caught:
        read("net", WRONG)
    lines = caught.value._render_traceback_()
    assert lines[0].startswith("error[CNN201]") and not any("Traceback" in line for line in lines)


def test_cells_are_completed():
    text = "input 1x8x8\nconv 4x3x3 str"
    fragment, found = completions(text, 1, len("conv 4x3x3 str"))
    assert fragment == "str" and ("stride", "param") in found
    assert {whole for whole, _ in completions("input 1x8x8\nconv 4x3x3 -> max", 1, 17)[1]} >= {"maxpool", "max"}


def test_in_a_notebook(tmp_path, monkeypatch):
    pytest.importorskip("IPython", reason="IPython is not installed")
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell()
    assert shell.run_cell("%load_ext cnnspec").success
    done = shell.run_cell(f"%%cnn net --batch 4\n{TEXT}")
    assert done.success and isinstance(shell.user_ns["net"], cnnspec.Model) and done.result is shell.user_ns["net"]
    assert "<svg" in shell.display_formatter.format(done.result)[0]["text/html"]
    shell.display_pub = CapturingDisplayPublisher()
    assert shell.run_cell("%%cnn net\n" + TEXT.replace("conv 4x3x3", "conv 4x3x3 -> bn"), silent=True).success
    (warned,) = shell.display_pub.outputs
    assert all("CNN231" in warned["data"][kind] for kind in ("text/plain", "text/html"))
    assert not shell.run_cell(f"%%cnn net\n{WRONG}", silent=True).success
    assert not shell.run_cell("%%cnn a b\ninput 1", silent=True).success
    cell = "%%cnn net\ninput 1x8x8\nconv 4x3x3 str"
    result = shell.Completer._complete(cursor_line=2, cursor_pos=len("conv 4x3x3 str"), full_text=cell)
    offered = [one.text for matched in result.values() for one in matched["completions"]]
    assert "stride" in offered
    assert [
        one.text
        for one in shell.Completer._complete(
            cursor_line=0, cursor_pos=len("%%cnn net --b"), full_text="%%cnn net --b"
        )["cnnspec.cells"]["completions"]
    ] == ["--batch"]
    shell.run_cell("%reload_ext cnnspec")
    assert len(shell.Completer.custom_matchers) == 1
    shell.run_cell("%unload_ext cnnspec")
    assert not shell.Completer.custom_matchers
