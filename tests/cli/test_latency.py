"""A short check is quick to start, because of what it does not load."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RATIO = 2.5  # of a check of one file to `import lark`, each in a fresh process
ROUNDS = 25  # at most: the quickest of each decides, and a machine that is busy for long gets its chance


@pytest.fixture
def environment(tmp_path):
    """As users have it: with compiled modules kept, which this checkout need not have."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}


def seconds(environment, *arguments):
    """Processor time of a Python process, which other processes disturb less than the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.skipif(sys.platform == "win32", reason="needs the times of child processes")
def test_a_check_takes_little_longer_than_importing_the_parser(environment):
    def check():
        return seconds(environment, "-m", "cnnspec", "check", str(ROOT / "specs" / "lenet5.cnn"))

    def bare():
        return seconds(environment, "-c", "import lark")

    check(), bare()  # compile what is imported
    ours, theirs = check(), bare()
    for i in range(ROUNDS):
        ours, theirs = min(ours, check()), min(theirs, bare())
        if ours <= RATIO * theirs and i > 3:
            return
    # a machine that others use too has shown a fifth more than the same machine alone (2.3 times)
    assert ours <= 1.2 * RATIO * theirs, f"{ours / theirs:.2f} times"


def test_a_check_imports_nothing_heavy(environment):
    program = (
        "import sys\nstart_up = set(sys.modules)\nfrom cnnspec.cli import run\n"
        f"code = run(['check', {str(ROOT / 'specs' / 'lenet5.cnn')!r}, '--quiet'])\n"
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
