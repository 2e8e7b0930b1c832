"""`cnnspec.check` for programs: the same findings, and nothing else happens."""

import os
import sys
import warnings

import pytest

import cnnspec
from cnnspec.checking import Configuration

GOOD = "input 1x28x28\nconv 8x3x3 -> relu -> dense 10 -> softmax\n"
BAD = "input 1x28x28\nconv 8x3x3 -> bn -> rellu -> dense 10 -> softmax\n"


def codes(report):
    return [diagnostic.code for diagnostic in report.diagnostics]


def test_a_file_and_a_text_give_the_same_findings(tmp_path):
    (tmp_path / "a.cnn").write_text(BAD)
    report = cnnspec.check(tmp_path / "a.cnn")
    assert not report.ok and codes(report) == codes(cnnspec.check(text=BAD)) == ["CNN231", "CNN201"]
    assert [d.code for d in report.errors] == ["CNN201"] and [d.code for d in report.warnings] == ["CNN231"]
    assert report.errors[0].span.line == 2 and report.errors[0].fix[0].text == "relu"


def test_a_right_text_has_a_summary():
    report = cnnspec.check(text=GOOD)
    assert report.ok and report.diagnostics == ()
    assert report.summary.parameters == 80 + 10 * (8 * 26 * 26 + 1)
    assert str(report) == "<text>: no findings\n"
    assert cnnspec.check(text=BAD).summary is None


def test_both_are_an_editors_buffer(tmp_path):
    (tmp_path / "blocks.cnn").write_text("block b = conv 8x3x3 -> relu\n")
    text = 'import "blocks.cnn"\ninput 1x28x28\nb() -> dense 10 -> softmax\n'
    assert cnnspec.check(tmp_path / "unsaved.cnn", text=text).ok
    with pytest.raises(TypeError):
        cnnspec.check()


def test_the_configuration_of_the_folder_holds_unless_one_is_given(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.cnnspec]\nignore = ["CNN231"]\n')
    (tmp_path / "a.cnn").write_text(BAD)
    assert codes(cnnspec.check(tmp_path / "a.cnn")) == ["CNN201"]
    given = Configuration(ignore=("CNN201",))
    assert codes(cnnspec.check(tmp_path / "a.cnn", configuration=given)) == ["CNN231"]
    (tmp_path / "pyproject.toml").write_text("[tool.cnnspec]\nbogus = 1\n")
    assert codes(cnnspec.check(tmp_path / "a.cnn")) == ["CNN905"]


def test_what_cannot_be_read_is_a_finding(tmp_path):
    assert codes(cnnspec.check(tmp_path / "missing.cnn")) == ["CNN009"]
    (tmp_path / "bytes.cnn").write_bytes(b"\xff")
    assert codes(cnnspec.check(tmp_path / "bytes.cnn")) == ["CNN010"]


def test_nothing_is_printed_and_nothing_outside_changes(tmp_path, capfd, monkeypatch):
    (tmp_path / "a.cnn").write_text(BAD)
    monkeypatch.chdir(tmp_path)

    def state():
        return os.getcwd(), dict(os.environ), sys.getrecursionlimit(), list(warnings.filters), sys.excepthook

    before = state()
    cnnspec.check("a.cnn")
    cnnspec.check(text="((((")
    assert state() == before
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == ["a.cnn"]


@pytest.mark.parametrize(
    ("select", "ignore", "wanted", "unwanted"),
    [
        ((), (), {"CNN231", "CNN103"}, set()),
        (("CNN1",), (), {"CNN103"}, {"CNN231"}),
        ((), ("CNN2",), {"CNN103"}, {"CNN231"}),
        (("CNN231",), ("CNN2",), {"CNN231"}, {"CNN230", "CNN103"}),
        (("CNN2",), ("CNN231",), {"CNN230"}, {"CNN231"}),
        (("CNN231",), ("CNN231",), set(), {"CNN231"}),
        (("CNN1",), (), {"CNN001", "CNN901"}, set()),
        ((), ("CNN",), {"CNN001", "CNN901"}, {"CNN103"}),
    ],
)
def test_the_longer_of_select_and_ignore_decides(select, ignore, wanted, unwanted):
    configuration = Configuration(select, ignore)
    assert all(map(configuration.wants, wanted)) and not any(map(configuration.wants, unwanted))
