"""Folders of tests: nothing in them is taken for a package that is not installed."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PYTHON = sorted(TESTS.rglob("*.py"))


def test_no_folder_has_the_name_of_a_package_that_tests_ask_for():
    """A folder on `sys.path`, or the current one, would be found in place of the package that is missing."""
    wanted = {
        name.partition(".")[0]
        for path in PYTHON
        for name in re.findall(r"importorskip\(\s*\"([\w.]+)\"", path.read_text(encoding="utf-8"))
    }
    assert {"jax", "torch", "onnx"} <= wanted
    folders = {path.parent.name for path in PYTHON}
    assert not wanted & folders


def test_no_conftest_skips():
    """Where a folder or a file of it is named on the command line, a skip in its conftest is a crash."""
    for path in TESTS.rglob("conftest.py"):
        assert not re.search(r"\b(importorskip|skip)\(", path.read_text(encoding="utf-8")), path
