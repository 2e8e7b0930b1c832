"""`cnnspec fmt` from the outside."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from cnnspec.cli import program

UGLY, PRETTY = "conv 8x3x3->relu # a\n", "conv 8x3x3 -> relu  # a\n"
BROKEN = "conv 8x3x3 -> -> relu\n"


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Calls the command in a folder with an ugly, a pretty and a broken spec."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("ugly", UGLY), ("pretty", PRETTY), ("broken", BROKEN)):
        (tmp_path / f"{name}.cnn").write_text(text)

    def run(*arguments, input=None):
        result = CliRunner().invoke(program, ["fmt", *arguments], input=input, standalone_mode=False)
        assert result.exception is None, result.exception
        return result.return_value, result.stdout

    return run


def test_files_are_written_anew(call, tmp_path):
    assert call("ugly.cnn", "pretty.cnn") == (0, "ugly.cnn formatted\n")
    assert (tmp_path / "ugly.cnn").read_text() == PRETTY
    assert call("ugly.cnn") == (0, "")


def test_a_broken_file_is_left_alone(call, tmp_path):
    code, output = call(".")
    assert code == 1 and "ugly.cnn formatted" in output
    assert (tmp_path / "broken.cnn").read_text() == BROKEN
    assert (tmp_path / "ugly.cnn").read_text() == PRETTY


def test_check_and_diff_change_nothing(call, tmp_path):
    assert call("--check", "ugly.cnn", "pretty.cnn") == (1, "ugly.cnn would change\n")
    code, output = call("--diff", "ugly.cnn")
    assert code == 1 and f"-{UGLY}+{PRETTY}" in output
    assert (tmp_path / "ugly.cnn").read_text() == UGLY
    assert call("--check", "pretty.cnn") == call("--diff", "pretty.cnn") == (0, "")


def test_standard_input(call):
    assert call("-", input=UGLY) == (0, PRETTY)
    assert call("-", input=BROKEN) == (1, BROKEN)  # passed on, so that a pipe loses nothing
    assert call("--check", "-", input=UGLY) == (1, "<stdin> would change\n")


def test_explicit_prints_and_changes_nothing(call, tmp_path):
    code, output = call("--explicit", "ugly.cnn")
    assert code == 0 and "conv 8x3x3 stride 1 pad valid" in output and "optimiser adam" in output
    assert (tmp_path / "ugly.cnn").read_text() == UGLY
