"""A short check is quick to start, because of what it does not load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RATIO = 4.7  # of a check of one file to `import lark`, in calls of functions


@pytest.fixture
def environment(tmp_path):
    """As users have it: with compiled modules kept, which this checkout need not have."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}


COUNTED = """
import sys
count = 0
def profile(frame, event, argument):
    global count
    count += event in ("call", "c_call")
sys.setprofile(profile)
{}
sys.setprofile(None)
print(count)
"""
SPEC = str(ROOT / "specs" / "lenet5.cnn")
CHECK = f"from cnnspec.cli import run\nassert run(['check', {SPEC!r}, '--quiet']) == 0"


def calls(environment, statements):
    """How many functions are called in a fresh process, imports included: on any machine, busy or not, as many."""
    for _ in range(2):  # first what is imported is compiled
        program = COUNTED.format(statements)
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_check_does_little_more_than_importing_the_parser(environment):
    ours, theirs = calls(environment, CHECK), calls(environment, "import lark")
    assert ours <= RATIO * theirs, f"{ours / theirs:.2f} times"


def test_a_check_imports_nothing_heavy(environment):
    program = (
        "import sys\nstart_up = set(sys.modules)\nfrom cnnspec.cli import run\n"
        f"code = run(['check', {SPEC!r}, '--quiet'])\n"
        "print(code, *sorted(set(sys.modules) - start_up))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    code, *modules = done.stdout.split()
    assert code == "0", done.stderr
    heavy = {"numpy", "rich", "jsonschema", "pygls", "torch", "importlib.metadata", "multiprocessing", "difflib"}
    of_files = {"csv", "gzip", "zipfile", "json", "mmap", "cnnspec.data.looks", "cnnspec.data.checks"}
    of_mistakes = {"cnnspec.lang.hints.syntax", "cnnspec.lang.hints.unknown", "cnnspec.lang.hints.fixes"}
    of_mistakes |= {"cnnspec.diagnostics.codes"}  # what every code says
    assert not (heavy | of_files | of_mistakes) & set(modules)


def test_the_list_of_commands_imports_none_of_them(environment):
    program = (
        "import sys\nfrom cnnspec.cli import run\nrun(['--help'])\n"
        "print([name for name in sys.modules if name.startswith('cnnspec.cli.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stderr.strip() == "['cnnspec.cli.outcome']"


def test_words_are_declared_as_records():
    """`@dataclass` compiles six methods for each of some two hundred classes; `@record` shares them."""
    slow = [
        path.relative_to(ROOT).as_posix()
        for folder in ("words", "primitives", "settings")
        for path in (ROOT / "cnnspec" / folder).rglob("*.py")
        if "\n@dataclass" in path.read_text()
    ]
    assert not slow, "declare these with cnnspec.record.record"
