"""`cnnspec new`: each spec is right, written as fmt writes it, and trains on such data; its workflow passes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnspec.checking.starters import STARTERS, WORKFLOW
from cnnspec.cli import COMMANDS

ROOT = Path(__file__).parents[2]
STEPS = [step.partition("  #")[0].strip() for step in re.findall(r"^ *- run: (.*)$", WORKFLOW, re.M)]


def data_for(kind, folder):
    """Small data of the kind that the spec names."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    if kind == "unet":
        masks = rng.integers(0, 2, (20, 64, 64))
        np.savez(folder / "cells.npz", x=rng.integers(0, 256, (20, 1, 64, 64), np.uint8), y=masks)
    elif kind == "sequence":
        y = np.arange(60) % 6
        np.savez(folder / "movements.npz", x=rng.normal(size=(60, 3, 128)).astype("f4"), y=y)
    elif kind == "tabular":
        rows = [f"{k},{k % 2},{k % 5},{k % 7},{'abc'[k % 3]}" for k in range(60)]
        (folder / "table.csv").write_text("a,b,c,d,kind\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize("kind", STARTERS)
def test_it_passes_its_own_workflow_and_trains(cnnspec, here, kind):
    made = cnnspec("new", "mine", "--like", kind)
    assert made.code == 0 and "next: cd mine && cnnspec check . && cnnspec run mine.cnn" in made.out
    assert cnnspec("fmt", "--check", "mine").code == 0
    said = cnnspec("check", "--strict", "--format", "github", "mine")
    assert (said.code, said.out) == (0, "")
    if kind not in ("lenet5", "resnet"):
        data_for(kind, here / "mine" / "data")
    small = ("--set", "data.limit=60") if kind in ("lenet5", "resnet") else ()
    said = cnnspec("run", "mine/mine.cnn", "--epochs", 1, "--workers", 1, *small)
    assert "test accuracy" in said.out or "weights)" in said.out, said.err
    assert said.code in (0, 1) and (said.code == 0 or "CNN6" in said.err)  # one epoch misses its budget


@pytest.mark.skipif(sys.platform == "win32", reason="steps run in a shell")
def test_the_steps_of_its_workflow_run_in_a_shell_as_they_stand(cnnspec, here, monkeypatch):
    cnnspec("new", "mine")
    program = here / "bin" / "cnnspec"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m cnnspec "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert STEPS[0].startswith("pip install") and len(STEPS) == 3
    for step in STEPS[1:]:
        done = subprocess.run(["sh", "-e", "-c", step], cwd=here / "mine", capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), (step, done)


def test_the_workflow_is_the_one_of_the_page():
    page = (ROOT / "grammar" / "checking.md").read_text(encoding="utf-8")
    assert WORKFLOW in page
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("cnnspec new ") == 1


def test_nothing_that_is_there_is_overwritten(cnnspec, here):
    (here / "mine").mkdir()
    assert cnnspec("new", "mine").code == 0  # an empty folder will do
    before = (here / "mine" / "mine.cnn").read_text()
    said = cnnspec("new", "mine", "--like", "unet")
    assert said.code == 2 and "is not empty" in said.err
    assert (here / "mine" / "mine.cnn").read_text() == before


def test_within_a_repository_it_says_where_workflows_are_read(cnnspec, here):
    assert "note:" not in cnnspec("new", "alone").out
    (here / ".git").mkdir()
    assert f"note: {here} is a repository" in cnnspec("new", "nets/mine").out


@pytest.mark.skipif(sys.platform == "win32", reason="what is told is for a shell")
@pytest.mark.parametrize("name", ["my net", "-x", "a'b", 'c"$(touch ran)', ".", "é;ls"])
def test_what_it_says_to_do_next_is_right_in_a_shell(cnnspec, here, name):
    said = cnnspec("new", "--", name).out.splitlines()[-1]
    place = f'cnnspec() {{ (PYTHONPATH={ROOT} {sys.executable} -m cnnspec --version); echo $# "$2"; }}'
    told = subprocess.run(["sh", "-ec", f"{place}; {said.removeprefix('next: ')}"], capture_output=True, text=True)
    assert told.returncode == 0, (said, told)
    *_, last = told.stdout.splitlines()
    assert (here / name / last.removeprefix("2 ")).is_file() and not (here / "ran").exists()


NAMES = [("my net", "my-net.cnn"), ("a/b/c", "c.cnn"), ("-x", "x.cnn"), ("…", "net.cnn")]


@pytest.mark.parametrize(("name", "file"), NAMES)
def test_any_name_will_do(cnnspec, here, name, file):
    assert cnnspec("new", "--", name).code == 0
    assert (here / name / file).is_file() and cnnspec("check", str(here / name)).code == 0


def test_a_folder_that_cannot_be_made_is_told_of(cnnspec, here):
    (here / "file").write_text("")
    said = cnnspec("new", "file/inside")
    assert said.code == 1 and "CNN305" in said.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples_and_fits_a_terminal(cnnspec, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = cnnspec(name, "--help").out
    assert re.search(rf"^ +cnnspec {name}\b", said, re.M)
    assert max(map(len, said.splitlines())) <= 80, max(said.splitlines(), key=len)
