"""The hooks, run by pre-commit itself over a repository made for it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = "input 1x28x28\nconv 8x3x3 -> relu -> dense 10 -> softmax\n"
BAD = "input 1x28x28\nconv 8x3x3 -> rellu -> dense 10 -> softmax\n"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed"),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for the command is a shell script"),
]


def call(*arguments, cwd, environment):
    return subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True)


def commit_all(folder, environment):
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a state", "--no-verify"]):
        done = call("git", *arguments, cwd=folder, environment=environment)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def environment(tmp_path):
    """A home of its own for git and pre-commit, and `cnnspec` on the path."""
    shim = tmp_path / "bin" / "cnnspec"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cnnspec "$@"\n')
    shim.chmod(0o755)
    who = {f"GIT_{role}_{part}": "someone" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {
        **kept,
        **who,
        "HOME": str(tmp_path),
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_COUNT": "1",  # pre-commit clones the hooks from a folder
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }


def project(tmp_path, hooks, environment, *, language):
    """A repository of specs whose hooks come from `hooks`; `language` as pre-commit calls it."""
    folder = tmp_path / "project"
    (folder / "nets").mkdir(parents=True)
    revision = call("git", "rev-parse", "HEAD", cwd=hooks, environment=environment).stdout.strip()
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: cnnspec-check\n    language: {language}\n"
    )
    (folder / "nets" / "good.cnn").write_text(GOOD)
    (folder / "nets" / "bad.cnn").write_text(BAD)
    (folder / "readme.md").write_text("rellu\n")
    commit_all(folder, environment)
    return folder


def run_hooks(folder, environment):
    command = (sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never")
    return call(*command, cwd=folder, environment=environment)


def try_out(folder, environment):
    failed = run_hooks(folder, environment)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "nets/bad.cnn:2:15" in failed.stdout and "good.cnn" not in failed.stdout
    (folder / "pyproject.toml").write_text('[tool.cnnspec]\nexclude = ["nets/bad.cnn"]\n')
    excluded = run_hooks(folder, environment)
    assert excluded.returncode == 0, excluded.stdout + excluded.stderr
    (folder / "pyproject.toml").unlink()
    (folder / "nets" / "bad.cnn").write_text(BAD.replace("rellu", "relu"))
    passed = run_hooks(folder, environment)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "cnnspec check" in passed.stdout and "Passed" in passed.stdout


def test_the_check_hook_fails_and_passes_as_it_should(tmp_path, environment):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    commit_all(hooks, environment)
    try_out(project(tmp_path, hooks, environment, language="system"), environment)


@pytest.mark.slow
def test_the_hooks_install_themselves_from_the_repository(tmp_path, environment):
    """As users get it: pre-commit builds a virtual environment and installs the repository into it."""
    hooks = tmp_path / "hooks"
    ignore = shutil.ignore_patterns(".git", "runs", "__pycache__", ".venv", "*.egg-info", "tests")
    shutil.copytree(ROOT, hooks, ignore=ignore)
    commit_all(hooks, environment)
    (tmp_path / "bin" / "cnnspec").unlink()
    environment.pop("PYTHONPATH", None)
    try_out(project(tmp_path, hooks, environment, language="python"), environment)


def test_every_hook_is_a_command_that_exists():
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entries = [line.split()[1:] for line in text.splitlines() if line.strip().startswith("entry:")]
    assert [words[:2] for words in entries] == [["cnnspec", "check"], ["cnnspec", "fmt"]]
