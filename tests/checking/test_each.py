"""Work on many files at once: in order, whatever happens to a worker."""

import os
import subprocess
import sys
from pathlib import Path

import crowd
import pytest

from cnnspec.checking import many

ROOT = Path(__file__).parents[2]


def test_a_few_jobs_are_done_here(monkeypatch):
    monkeypatch.setattr(many, "processors", lambda: 2)
    assert {pid for pid, _ in many.each(range(many.FEW - 1), crowd.double, crowd.lost)} == {os.getpid()}


@pytest.mark.skipif(sys.platform == "win32", reason="workers are forked from a process here")
@pytest.mark.parametrize("name", ["in_order", "one_dies", "nobody_listens", "beside_a_thread"])
def test_in_a_program_of_its_own(name):
    """Results come in order from several processes; one that dies costs its own job alone; who stops listening
    leaves no worker behind; and beside threads nothing is forked."""
    done = subprocess.run(
        [sys.executable, crowd.__file__, name], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
