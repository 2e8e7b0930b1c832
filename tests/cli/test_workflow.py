"""The GitHub workflow of grammar/checking.md, step by step, over a repository of specs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "grammar" / "checking.md").read_text(encoding="utf-8")
WORKFLOW = next(text for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S) if "runs-on:" in text)
STEPS = [step.partition("  #")[0].strip() for step in re.findall(r"^ *- run: (.*)$", WORKFLOW, re.M)]

GOOD = "input 1x28x28\nconv 8x3x3 -> relu -> dense 10 -> softmax\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="steps run in a shell")


@pytest.fixture
def steps(tmp_path):
    """Run the steps as a runner does, each in a shell that stops at the first failure; the first is pip's."""
    assert STEPS[0].startswith("pip install") and len(STEPS) == 3
    command = tmp_path / "bin" / "cnnspec"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cnnspec "$@"\n')
    command.chmod(0o755)
    (tmp_path / "repository" / "nets").mkdir(parents=True)
    environment = {**os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}

    def run():
        done = [
            subprocess.run(
                ["sh", "-e", "-c", step],
                cwd=tmp_path / "repository",
                env=environment,
                capture_output=True,
                text=True,
            )
            for step in STEPS[1:]
        ]
        return [each.returncode for each in done], done[-1].stdout

    return tmp_path / "repository" / "nets", run


def test_a_right_repository_passes(steps):
    nets, run = steps
    (nets / "a.cnn").write_text(GOOD)
    assert run() == ([0, 0], "")


def test_findings_fail_it_and_annotate_the_lines(steps):
    nets, run = steps
    (nets / "a.cnn").write_text(GOOD.replace("relu", "rellu"))
    (nets / "b.cnn").write_text(GOOD.replace("relu", "bn -> relu"))
    codes, out = run()
    assert codes == [0, 1]
    errors = [line for line in out.splitlines() if line.startswith("::error ")]
    warnings = [line for line in out.splitlines() if line.startswith("::warning ")]
    assert "file=nets/a.cnn,line=2," in errors[0] and "title=CNN201" in errors[0]
    assert "file=nets/b.cnn,line=2," in warnings[0] and "title=CNN231" in warnings[0]


def test_a_file_in_another_form_fails_it(steps):
    nets, run = steps
    (nets / "a.cnn").write_text(GOOD.replace(" -> ", "->"))
    assert run()[0] == [1, 0]
