"""The extension for VS Code, in Node: its own tests with the editor's module in memory and the server as it is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the extra [lsp] is not installed")

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_its_own_tests():
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    major = int(subprocess.run([node, "--version"], capture_output=True, text=True).stdout[1:].split(".")[0])
    if major < 20:
        pytest.skip("node before 20 runs no tests itself")
    environment = {
        **os.environ,
        "EXTENSION": str(ROOT / "grammar" / "editors" / "vscode" / "extension.js"),
        "SERVER": json.dumps([sys.executable, "-m", "cnnspec"]),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(HERE / "extension" / "extension.test.js")],
        capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 8" in done.stdout and "# fail 0" in done.stdout
