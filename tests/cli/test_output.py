"""Standard output that takes nothing: told as what it is, in one line, with exit code 1."""

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from cnnspec.cli import run

ROOT = Path(__file__).parents[2]
SPEC = "input 1x28x28\nconv 4x3x3 -> relu -> dense 10 -> softmax\ndata { limit 60 }\ntrain { epochs 2 }\n"
COMMANDS = (
    "--help", "--version", "run --help", "summary net.cnn", "check wrong.cnn", "check . --format json",
    "plan net.cnn", "compile net.cnn --emit json", "compile net.cnn --emit torch", "fmt --diff wide.cnn", "ops",
    "ops conv", "explain CNN103", "schema", "draw net.cnn", "diff net.cnn wide.cnn", "why net.cnn conv1",
    "completion bash", "run net.cnn --workers 1", "run net.cnn --workers 1 --json",
)  # fmt: skip


@pytest.fixture
def there(tmp_path, monkeypatch):
    (tmp_path / "net.cnn").write_text(SPEC, encoding="utf-8")
    (tmp_path / "wrong.cnn").write_text("input 3x8x8\nconv 4x9x9\n", encoding="utf-8")
    (tmp_path / "wide.cnn").write_text("input   3x8x8\nconv 4x3x3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk(there, monkeypatch, capsys, command):
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code = run(command.split())
    assert code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "error[CNN907]: standard output cannot be written to: no space left on device"


@pytest.mark.parametrize("command", [c for c in COMMANDS if "help" not in c and "version" not in c])
def test_a_closed_one(there, monkeypatch, capsys, command):
    monkeypatch.setattr(sys, "stdout", None)
    assert run(command.split()) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "error[CNN907]: standard output cannot be written to: it is closed"


@pytest.mark.parametrize(
    "command", ["check nothing.cnn", "summary net.cnn --nope", "explain CNN000", "predict a b"]
)
@pytest.mark.parametrize("stream", [None, "/dev/full"])
def test_where_nothing_can_be_said_the_exit_code_is(there, monkeypatch, command, stream):
    """Standard error that refuses brings no second fault."""
    expected = run(command.split())
    full = open(stream, "w", encoding="utf-8") if stream else None  # noqa: SIM115  what it holds cannot be written
    monkeypatch.setattr(sys, "stderr", full)
    assert run(command.split()) == expected > 0
    with suppress(OSError):
        full and full.close()


def test_what_says_nothing_needs_no_output(there, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert run(["check", "net.cnn"]) == 0


def test_as_processes_see_it(there):
    """From a shell: nothing is said at exit either, and a reader that leaves is no fault."""
    command = f"{sys.executable} -m cnnspec"
    lines = {
        f"{command} summary net.cnn > /dev/full": (1, 1),
        f"{command} summary net.cnn >&-": (1, 1),
        f"{command} --version > /dev/full": (1, 1),
        f"{command} summary net.cnn >&- 2>&-": (1, 0),
        f"{command} plan net.cnn | head -n 1 > /dev/null; exit ${{PIPESTATUS[0]}}": (None, 0),
    }
    for line, (code, said) in lines.items():
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert done.stderr.count("\n") == said, (line, done.stderr)
        assert code is None or done.returncode == code, line


class Refusing(io.TextIOWrapper):
    """A stream that takes some lines first."""

    def __init__(self, lines):
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.lines = lines

    def flush(self):
        super().flush()
        self.lines -= 1
        if self.lines < 0:
            raise OSError(5, "Input/output error")


def test_a_run_goes_on_without_its_lines(there, monkeypatch, capsys):
    """What it could not say is told at the end; what it made is there."""
    monkeypatch.setattr(sys, "stdout", Refusing(2))  # the lines before the training, and an epoch
    assert run(["run", "net.cnn", "--workers", "1"]) == 1
    assert capsys.readouterr().err == "error[CNN907]: standard output cannot be written to: input/output error\n"
    assert '"status": "finished"' in (there / "runs/net-001/summary.json").read_text(encoding="utf-8")
    assert len((there / "runs/net-001/results.csv").read_text(encoding="utf-8").splitlines()) == 3
