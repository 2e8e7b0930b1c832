"""A fresh repository made by `cnnspec new`, and its CI step by step, from the wheel that pip installs.

Each step's text is what a runner would get; only the index is another one, a folder with the wheel, by pip's own
variables. What cnnspec depends on is there already, by links to what this interpreter has.
"""

import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

from cnnspec.checking.starters import STARTERS, WORKFLOW

pytest.importorskip("hatchling", reason="the wheel is built by hatchling")
pytest.importorskip("pip", reason="the steps ask for pip")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="steps run in a shell")

ROOT = Path(__file__).parents[2]
CI = ROOT / "grammar" / "ci"
STEPS = re.findall(r"^ *- run: (.*)$", WORKFLOW, re.M)
GITLAB = re.findall(r"^    - (.*)$", (CI / "gitlab.yml").read_text().partition("script:")[2], re.M)
ACTION = (CI / "action.yml").read_text().partition("steps:")[2]


def needed(name, found):
    """The distributions that one depends on here, by their names."""
    for line in metadata.distribution(name).requires or ():
        other = re.match(r"[\w.-]+", line)[0]
        if "extra ==" not in line and other.lower() not in found:
            try:
                found[other.lower()] = metadata.distribution(other)
            except metadata.PackageNotFoundError:  # of another system, or Python
                continue
            needed(other, found)
    return found


def linked(distribution, folder):
    """Links to the files of a distribution."""
    for file in distribution.files:
        top = file.parts[0]
        target = folder / top
        if top != ".." and not target.exists():
            target.symlink_to(Path(distribution.locate_file(top)))


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A runner: a fresh environment with pip, and the wheel where pip looks for packages."""
    folder = tmp_path_factory.mktemp("machine")
    build = "from hatchling.build import build_wheel; import sys; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, folder / "index"], cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", symlinks=True)
    packages = next((folder / "venv").glob("lib/python*/site-packages"))
    for distribution in needed("cnnspec", {"pip": metadata.distribution("pip")}).values():
        linked(distribution, packages)
    programs = folder / "venv" / "bin"
    (programs / "pip").write_text(f'#!/bin/sh\nexec "{programs}/python" -m pip "$@"\n')
    (programs / "pip").chmod(0o755)
    kept = {name: os.environ[name] for name in ("LANG", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(folder),
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder / "index"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def run(step, where, shell=("sh", "-e", "-c"), **variables):
        options = {"capture_output": True, "text": True, "timeout": 300}
        return subprocess.run([*shell, step], cwd=where, env={**environment, **variables}, **options)

    return run


def made(machine, folder, kind):
    """A repository of a kind, by the program that was installed."""
    assert machine("pip install cnnspec", folder).returncode == 0
    done = machine(f"cnnspec new mine --like {kind}", folder)
    assert done.returncode == 0, done.stderr
    return folder / "mine"


def steps_pass(machine, folder, kind):
    repository = made(machine, folder, kind)
    for step in re.findall(r"^ *- run: (.*)$", (repository / ".github/workflows/specs.yml").read_text(), re.M):
        done = machine(step, repository)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        assert step.startswith("pip ") or not done.stdout, (step, done.stdout)
    return repository


def test_the_workflow_of_a_fresh_repository_passes_as_it_stands(machine, tmp_path):
    done = machine(STEPS[0], tmp_path)
    assert done.returncode == 0 and "Successfully installed cnnspec-" in done.stdout, done.stdout + done.stderr
    where = machine("python -c 'import cnnspec; print(cnnspec.__file__)'", tmp_path).stdout
    assert "machine" in where and str(ROOT) not in where
    repository = steps_pass(machine, tmp_path, "lenet5")
    (spec,) = repository.glob("*.cnn")
    spec.write_text(spec.read_text().replace("relu", "rellu", 1))
    done = machine(STEPS[2], repository)
    assert done.returncode == 1 and f"::error file={spec.name},line=" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", STARTERS)
def test_the_workflow_of_each_kind_passes(machine, tmp_path, kind):
    steps_pass(machine, tmp_path, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", STARTERS)
def test_the_job_of_gitlab_passes(machine, tmp_path, kind):
    repository = made(machine, tmp_path, kind)
    assert len(GITLAB) == 5 and GITLAB[0].startswith("python -m pip install")
    done = machine("\n".join(GITLAB), repository, CNNSPEC_PACKAGE="cnnspec", CNNSPEC_PATHS=".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "<testsuite" in (repository / "cnnspec.xml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("kind", STARTERS)
def test_the_steps_of_the_action_pass(machine, tmp_path, kind):
    repository = made(machine, tmp_path, kind)
    install = re.search(r"run: (python -m pip .*)", ACTION)[1]
    lines = ACTION[ACTION.rindex("run: |") + len("run: |") :].splitlines()
    script = "\n".join(line[8:] for line in lines)
    for step in (install, script):
        variables = {"PACKAGE": "cnnspec", "PATHS": ".", "STRICT": "true", "FORMAT": "true"}
        done = machine(step, repository, shell=("bash", "-eo", "pipefail", "-c"), **variables)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
