"""kill -9 at random moments of a run: every file is whole, at most one interval is lost, the bits are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children are forked")


def kill(folder, count, seed):
    script = ROOT / "tests" / "support" / "killing.py"
    command = [sys.executable, str(script), str(folder), str(count), str(seed)]
    paths = os.pathsep.join([str(script.parent), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] == count and found["lost"] <= 2
    assert found["early"] < count / 2, "most kills must hit a training, not its start"


def test_twenty_kills(tmp_path):
    kill(tmp_path, 20, seed=1)


@pytest.mark.slow
def test_a_thousand_kills(tmp_path):
    kill(tmp_path, 1000, seed=2)
