"""One trial of a sweep: a run in a folder of its own, begun, gone on with, or done already."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from math import nan
from pathlib import Path

from ..diagnostics import SpecError
from ..train import documents, files
from ..train.folder import RunFolder
from ..train.loop import EpochDone, Event, Started
from .experiment import Execution, Experiment, ResumePoint
from .loggers.logged import Logged
from .loggers.logger import loggers_of
from .studies import Pruning

FAILED = "failed.json"  # why a trial cannot be trained
PRUNED = "pruned.json"  # that it was stopped before its last epoch
PASSING = (
    "CNN304",
    "CNN305",
    "CNN322",
    "CNN465",
    "CNN334",
    "CNN527",
)  # memory, disk, another process, a package: of the machine, not of the trial


def run_of(folder: Path) -> Path | None:
    """The run of a trial; None where none was made."""
    return next((path.parent for path in sorted(folder.glob("*/settings.json"))), None)


def done(folder: Path) -> bool:
    """Whether a trial has come to its end, good or bad."""
    run = run_of(folder)
    return (folder / FAILED).is_file() or (run is not None and RunFolder(run).ended().get("status") == "finished")


def train(
    folder: Path,
    spec: Path,
    overrides: tuple[str, ...],
    data: Path | None,
    workers: int,
    by: str = "accuracy",
    pruning: Pruning | None = None,
    log: Sequence[str] = (),
) -> None:
    """Bring a trial to its end, from where it is; the same bits as `cnnspec run` with these settings.

    Where `pruning` stops it, these are the bits of the epochs that were. What is wrong with the trial itself (a
    kernel that does not fit, a cost that is no number) is written down; what is wrong with the machine is raised as
    SpecError, and an interruption as KeyboardInterrupt after it was saved.
    """
    if done(folder):
        return
    files.make_folder(folder)
    execution = Execution(workers)
    try:
        with _opened(folder, spec, overrides, data, execution) as experiment:
            experiment.start()
            run = experiment.folder
            assert run is not None

            def goes_on(event: Event) -> bool:
                if pruning is None or not isinstance(event, Started | EpochDone):
                    return True
                found = values(run.columns(), by)
                if not pruning.stops(found, experiment.config.epochs):
                    return True
                files.write(folder / PRUNED, [json.dumps({"epoch": len(found)}).encode()])
                return False

            with Logged(run, loggers_of(log)) if log else nullcontext() as logged:
                summary = experiment.run(goes_on, *([logged] if logged else []))
                if logged:
                    logged.summary = summary
    except SpecError as error:
        if any(one.code in PASSING for one in error.diagnostics):
            raise
        told = {"error": [f"{one.code}: {one.message}" for one in error.diagnostics]}
        files.write(folder / FAILED, [json.dumps(told).encode()])


def pruned(folder: Path) -> bool:
    """Whether a trial was stopped before its last epoch."""
    return (folder / PRUNED).is_file()


def values(columns: Mapping[str, Sequence[float | None]], by: str) -> tuple[float, ...]:
    """What a sweep compares, of each epoch: on the validation images where there are any."""
    held_out = "validation_" if any(one is not None for one in columns.get("validation_cost", [])) else ""
    costs, accuracies = columns.get(f"{held_out}cost", []), columns.get(f"{held_out}accuracy", [])
    if by == "accuracy" and any(one is not None for one in accuracies):
        return tuple(nan if one is None else one for one in accuracies)
    sign = -1 if by == "accuracy" else 1  # of numbers there is no accuracy
    return tuple(nan if one is None else sign * one for one in costs)


def _opened(folder: Path, spec: Path, overrides: tuple[str, ...], data: Path | None, how: Execution) -> Experiment:
    run = run_of(folder)
    if run is not None and RunFolder(run).state.is_file():
        return Experiment.resume(ResumePoint.open(run), data=data, execution=how)
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
