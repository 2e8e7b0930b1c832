"""The files of grammar/ci/: what their steps say, said to a shell as it stands."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CI = Path(__file__).parents[2] / "grammar" / "ci"
BASH = shutil.which("bash")
GOOD = "input 1x8x8\nconv 4x3x3 -> relu -> dense 3 -> softmax\n"
WRONG = "input 1x8x8\nconv 4x3x3 -> rellu -> dense 3 -> softmax\n"
UNTIDY = GOOD.replace(" ->", "   ->")
WARNS = "input 1x8x8\nconv 4x3x3 -> bn -> relu -> dense 3 -> softmax\n"


def last_step():
    text = (CI / "action.yml").read_text()
    return textwrap.dedent(text[text.rindex("run: |") + len("run: |") :])


def said(script, folder, **variables):
    if BASH is None:
        pytest.skip("there is no bash here")
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    program = place / "cnnspec"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnspec "$@"\n')
    program.chmod(0o755)
    package = str(Path(__file__).parents[2])
    environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "PYTHONPATH": package, **variables}
    options = {"capture_output": True, "text": True, "timeout": 120}
    return subprocess.run([BASH, "-ec", script], cwd=folder, env=environment, **options)


@pytest.mark.parametrize(
    ("text", "strict", "format", "code"),
    [(GOOD, "true", "true", 0), (WRONG, "false", "false", 1), (WARNS, "false", "true", 0),
     (WARNS, "true", "true", 1), (UNTIDY, "false", "true", 1), (UNTIDY, "false", "false", 0)],
)  # fmt: skip
def test_the_action_fails_where_it_should(text, strict, format, code, tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a b.cnn").write_text(text)
    done = said(last_step(), tmp_path, PATHS="specs", STRICT=strict, FORMAT=format)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("::error file=" in done.stdout) == (text == WRONG)


def test_what_a_caller_writes_is_no_piece_of_the_script(tmp_path):
    (tmp_path / "a.cnn").write_text(GOOD)
    paths = "a.cnn $(touch${IFS}ran) --fix *"
    done = said(last_step(), tmp_path, PATHS=paths, STRICT="false; touch ran", FORMAT="x")
    assert not (tmp_path / "ran").exists() and done.returncode
    assert (tmp_path / "a.cnn").read_text() == GOOD
    for line in (CI / "action.yml").read_text().partition("steps:")[2].splitlines():
        assert "${{" not in line or re.match(r"\s+([A-Z]+|python-version): \$\{\{ inputs\.\w+ \}\}$", line), line


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (UNTIDY, 1), (WRONG.replace(" ->", "   ->"), 1)])
def test_the_job_of_gitlab_reports_findings_of_untidy_files_too(text, code, tmp_path):
    lines = re.findall(r"^    - (.*)$", (CI / "gitlab.yml").read_text().partition("script:")[2], flags=re.M)[1:]
    assert len(lines) == 4
    (tmp_path / "a.cnn").write_text(text)
    done = said("\n".join(lines), tmp_path, CNNSPEC_PATHS="a.cnn")
    assert done.returncode == code
    assert ("CNN201" in (tmp_path / "cnnspec.xml").read_text()) == ("rellu" in text)
