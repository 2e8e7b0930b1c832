"""A program that uses the whole API checks under mypy's strict rules, and its mistakes of types are found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnspec

PROGRAM = """\
import numpy as np
from numpy.typing import NDArray

import cnnspec


def names(model: cnnspec.Model, photos: NDArray[np.uint8]) -> list[str]:
    return [max(best, key=lambda name: best[name]) for best in model.classify(photos, top=1, fit=True)]


def learn(x: NDArray[np.uint8], y: NDArray[np.int64]) -> cnnspec.History:
    report: cnnspec.Report = cnnspec.check(text="input 3x32x32\\ndense 2 -> softmax")
    if not report.ok:
        raise cnnspec.SpecError(report.diagnostics)
    with cnnspec.compile(text="input 3x32x32\\ndense 2 -> softmax", seed=0) as model:

        def slower(step: object) -> bool | None:
            model.rate = model.rate / 2 if model.rate is not None else None
            return None

        history = model.fit(x, y, validation=0.1, batch_size=32, patience=3, prepare=True, on_batch=slower,
                            on_epoch=lambda row: row.cost > 0.1)
        scores: dict[str, float | None] = model.evaluate(x, y, metrics=["f1"])
        model.save("weights.safetensors")
    best: int = history.best_epoch
    print(history["cost"][best - 1], scores["f1"])
    return history


def again(folder: str) -> cnnspec.Run:
    run = cnnspec.run("net.cnn", overrides=["train.epochs=1"], on_event=print)
    missed: tuple[cnnspec.Diagnostic, ...] = run.missed
    print(missed, run.summary["status"], run.folder.name, cnnspec.open(folder).classify(["a.png"]))
    return cnnspec.resume(run.folder)
"""
WRONG = """\
import cnnspec

cnnspec.compile("net.cnn", batches=3)
cnnspec.open("run").classify("a.png", top="3")
run: int = cnnspec.run("net.cnn")
"""


def checked(tmp_path, text):
    """What mypy says; the package is read as users have it, whose own bodies are nobody's business there."""
    pytest.importorskip("mypy", reason="checks types by mypy")
    (tmp_path / "program.py").write_text(text)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-cnnspec.*]\nfollow_imports = silent\n")
    package = Path(cnnspec.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "program.py"], cwd=tmp_path, text=True,
        capture_output=True, env={**os.environ, "MYPYPATH": str(package)},
    )  # fmt: skip


@pytest.mark.slow
def test_a_program_checks_under_mypy_strict(tmp_path):
    done = checked(tmp_path, PROGRAM)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mistakes_of_types_are_found(tmp_path):
    said = checked(tmp_path, WRONG).stdout
    assert all(f"program.py:{line}: error" in said for line in (3, 4, 5)), said


def test_the_package_says_that_it_is_typed_and_shows_its_api():
    assert (Path(cnnspec.__file__).parent / "py.typed").is_file()
    assert set(cnnspec.__all__) | {"__version__"} == set(dir(cnnspec))
    assert {"check", "compile", "run", "resume", "open", "Model", "History", "Report", "Run"} <= set(dir(cnnspec))
    for name in cnnspec.__all__:
        assert getattr(cnnspec, name).__doc__, name
