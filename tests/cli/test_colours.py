"""Findings in colours, of every command that has some: on a terminal, by FORCE_COLOR; never by NO_COLOR."""

import io

import pytest

from cnnspec.cli.outcome import coloured

BAD = "input 1x8x8\nconv 2x3x3 -> rellu -> dense 2 -> softmax\n"
CALLS = {
    "check": (), "summary": (), "plan": (), "draw": (), "run": (), "lr": (), "compile": ("--emit", "json"),
    "gradcheck": (), "bench": (), "report": (), "data": (), "sweep": ("--set", "train.seed=1,2"),
    "diff": ("bad.cnn",), "trace": ("--at", "conv1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_command_colours_its_findings_by_the_conventions(cnnspec, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.cnn").write_text(BAD)
    for environment, wanted in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),  # an empty one is none, by its convention
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1"}, False),
    ):
        with monkeypatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            found = cnnspec(name, "bad.cnn", *CALLS[name])
        said = found.out + found.err
        assert found.code == 1 and "CNN201" in said, said
        assert ("\x1b[" in said) is wanted, (environment, said)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, True), ({"CLICOLOR": "0"}, False), ({"CLICOLOR": "1"}, True), ({"TERM": "dumb"}, False),
     ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"CLICOLOR": "0", "FORCE_COLOR": "1"}, True)],
)  # fmt: skip
def test_a_terminal_has_colours_unless_it_or_its_user_has_none(monkeypatch, environment, wanted):
    monkeypatch.setenv("TERM", "xterm")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert coloured(Terminal()) is wanted
