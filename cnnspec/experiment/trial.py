"""One trial of a sweep: a run in a folder of its own, begun, gone on with, or done already."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ..diagnostics import SpecError
from ..train import documents, files
from ..train.folder import RunFolder
from .experiment import Execution, Experiment, Stopped

FAILED = "failed.json"  # why a trial cannot be trained
PASSING = (
    "CNN304",
    "CNN305",
    "CNN322",
    "CNN465",
)  # memory, disk, another process: of the machine, not of the trial


def run_of(folder: Path) -> Path | None:
    """The run of a trial; None where none was made."""
    return next((path.parent for path in sorted(folder.glob("*/settings.json"))), None)


def done(folder: Path) -> bool:
    """Whether a trial has come to its end, good or bad."""
    run = run_of(folder)
    return (folder / FAILED).is_file() or (run is not None and RunFolder(run).ended().get("status") == "finished")


def train(folder: Path, spec: Path, overrides: tuple[str, ...], data: Path | None, workers: int) -> None:
    """Bring a trial to its end, from where it is; the same bits as `cnnspec run` with these settings.

    What is wrong with the trial itself (a kernel that does not fit, a cost that is no number) is written down; what
    is wrong with the machine is raised as SpecError, and an interruption as KeyboardInterrupt after it was saved.
    """
    if done(folder):
        return
    files.make_folder(folder)
    execution = Execution(workers)
    try:
        with _opened(folder, spec, overrides, data, execution) as experiment:
            experiment.run()
    except SpecError as error:
        if any(one.code in PASSING for one in error.diagnostics):
            raise
        told = {"error": [f"{one.code}: {one.message}" for one in error.diagnostics]}
        files.write(folder / FAILED, [json.dumps(told).encode()])


def _opened(folder: Path, spec: Path, overrides: tuple[str, ...], data: Path | None, how: Execution) -> Experiment:
    run = run_of(folder)
    if run is not None and RunFolder(run).state.is_file():
        return Experiment.resume(Stopped.open(run), data=data, execution=how)
    for left in folder.iterdir():  # killed before its first step
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
    return Experiment.begin(spec, overrides, data=data, out=folder, execution=how)


def failure(folder: Path) -> str:
    """Why a trial failed, in a line; nothing where it did not."""
    path = folder / FAILED
    if not path.is_file():
        return ""
    try:
        return str(json.loads(documents.text(path))["error"][0])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        documents.damaged(path, "no error")
