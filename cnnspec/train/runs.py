"""The folder of a run, and a training that is written down in it.

    runs/lenet-001/
      lenet.cnn                  the spec as run
      settings.json              every setting, resolved
      environment.json           versions and machine
      results.csv                a line an epoch
      weights/best.safetensors   the parameters of the best epoch
      weights/last.safetensors   the parameters of the last checkpoint
      weights/epoch-005.safetensors   of other epochs, where `checkpoint every N keep K` asks for them
      state/last.safetensors     all that the training needs to go on from the last checkpoint
      summary.json               written last: how it ended

Numbers grow and nothing is overwritten. Each file is whole or not there (see `files`).
"""

from __future__ import annotations

import csv
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from .._version import __version__
from ..data.preparation import KEY, Preparation
from ..diagnostics import Diagnostic, SpecError
from . import files, tensors, weights
from .checkpoints import Stamp, load_state, save_state, save_weights
from .finite import check_parameters
from .history import Progress, Row, Score
from .loop import (
    Course,
    EpochDone,
    Event,
    Interrupted,
    SaveDue,
    Started,
    measure,
    training,
)
from .trainable import Images, Trainable


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @classmethod
    def create(cls, out: Path, name: str) -> RunFolder:
        """A new folder `out/name-001`, or with the number after the largest that is there."""
        name = re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "run"
        with files.reported(out):
            out.mkdir(parents=True, exist_ok=True)
            taken = [
                int(found.group(1))
                for entry in os.listdir(out)
                if (found := re.fullmatch(re.escape(name) + r"-(\d+)", entry))
            ]
        number = max(taken, default=0)
        while True:
            number += 1
            folder = cls(out / f"{name}-{number:03}")
            if not files.make_folder(folder.path):  # somebody else was quicker
                continue
            for part in ("weights", "state"):
                files.make_folder(folder.path / part)
            return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run that is to be resumed or looked at."""
        folder = cls(path)
        if not folder.state.is_file():
            message = f"{path} holds no state to go on from ({folder.state.relative_to(path)})"
            help = "give the folder of a run, such as runs/lenet-001; one that never took a step starts anew"
            raise SpecError((Diagnostic("CNN462", message, help=help),))
        return folder

    @property
    def best(self) -> Path:
        return self.path / "weights" / "best.safetensors"

    @property
    def last(self) -> Path:
        return self.path / "weights" / "last.safetensors"

    @property
    def tested(self) -> Path:
        """The weights that the run's own test is made with: of the best epoch where validation images chose it.

        A run that has not ended has no summary to say so; its results tell whether it validates.
        """
        told = None
        with suppress(OSError, ValueError, AttributeError):
            told = json.loads(self.summary.read_text(encoding="utf-8")).get("tested")
        if told is None:
            told = "best" if self._validates() else "last"
        return self.best if told == "best" and self.best.is_file() else self.last

    def _validates(self) -> bool:
        """Whether the epochs of results.csv were judged by validation images."""
        with suppress(OSError, UnicodeDecodeError), self.results.open(encoding="utf-8", newline="") as file:
            return any(row.get("validation_cost") for row in csv.DictReader(file))
        return False

    @property
    def state(self) -> Path:
        return self.path / "state" / "last.safetensors"

    @property
    def results(self) -> Path:
        return self.path / "results.csv"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def spec(self) -> Path:
        """The spec as run: the one .cnn (or .cnn.json) file of the folder."""
        return next(p for p in sorted(self.path.iterdir()) if p.name.endswith((".cnn", ".cnn.json")))

    def _repr_html_(self) -> str:
        """The curves and the summary, in a notebook."""
        from ..display import shown

        return shown("run_html", self.path)

    def epoch(self, number: int) -> Path:
        return self.path / "weights" / f"epoch-{number:03}.safetensors"

    def describe(self, name: str, spec: str, settings: Mapping[str, Any]) -> None:
        """Write what is known before the first step."""
        files.write(self.path / name, [spec.encode()])
        self.write_json("settings.json", settings)
        self.write_json("environment.json", environment())

    def settings(self) -> dict[str, Any]:
        return json.loads((self.path / "settings.json").read_text(encoding="utf-8"))

    def preparation(self) -> Preparation | None:
        """How the images of this run are prepared; None for one written before that was kept."""
        settings = self.settings()
        if KEY in settings:
            return Preparation.from_json(settings[KEY], str(self.path / "settings.json"))
        return None

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        files.write(self.path / name, [(json.dumps(finite(data), indent=2, ensure_ascii=False) + "\n").encode()])

    def write_results(self, rows: list[Row]) -> None:
        """Bring results.csv to exactly these rows."""
        files.write(self.results, ["".join([Row.columns(), *(row.line() for row in rows)]).encode()])

    def reopen(self) -> None:
        """Make ready to go on: without what a killed process left half written, or the summary of an end."""
        files.sweep(self.path)
        with files.reported(self.summary):
            self.summary.unlink(missing_ok=True)

    def cut_epochs(self, keep: int) -> None:
        """Keep the weights of the last few epochs that were saved for themselves."""
        saved = sorted(
            self.best.parent.glob("epoch-*.safetensors"), key=lambda path: int(path.stem.removeprefix("epoch-"))
        )
        with files.reported(self.best.parent):
            for path in saved[:-keep]:
                path.unlink()


@dataclass
class Recorder:
    """Writes down what a training does, event by event.

    The state comes last, so whatever it tells of (a row, the best weights) is there already.
    """

    folder: RunFolder
    model: Trainable
    stamp: Stamp
    every: int | None = None  # epochs between weights saved for themselves, of which `keep` are kept
    keep: int = 1

    def __call__(self, event: Event) -> None:
        match event:
            case Started(step=0):
                self.save(0, Progress())
            case EpochDone(row=row, step=step, best=best):
                check_parameters(self.model, f"after step {step} (epoch {row.epoch})")
                files.append(self.folder.results, row.line())
                if best:
                    save_weights(self.folder.best, self.model, self.stamp, step, row.epoch)
                if self.every and row.epoch % self.every == 0:
                    save_weights(self.folder.epoch(row.epoch), self.model, self.stamp, step, row.epoch)
                    self.folder.cut_epochs(self.keep)
            case SaveDue(step=step, progress=progress):
                check_parameters(self.model, f"after step {step}")
                self.save(step, progress)

    def save(self, step: int, progress: Progress) -> None:
        save_weights(self.folder.last, self.model, self.stamp, step, progress.epoch)
        save_state(self.folder.state, self.model, self.stamp, progress, step)


def run(
    model: Trainable,
    images: Images,
    course: Course,
    folder: RunFolder,
    stamp: Stamp,
    *,
    parameters: int,
    validation: Images | None = None,
    test: Images | None = None,
    every: int | None = None,
    keep: int = 1,
    resume: bool = False,
    on_event: Callable[[Event], object] = lambda event: None,
) -> dict[str, Any]:
    """Train, write it all down, test, and return what summary.json says.

    The test is made with the weights of the best epoch where validation images chose it, else with the
    last; the model keeps them. `parameters` is how many are trained, for the summary. An interruption
    (`Interrupted`) and a failure (`SpecError`) go into the summary too, and on to the caller.
    """
    recorder = Recorder(folder, model, stamp, every, keep)
    progress = Progress()
    if resume:
        folder.reopen()
        progress = load_state(folder.state, model, stamp)
    folder.write_results(progress.rows)
    score = Score()

    def conclude(status: str, **more: Any) -> dict[str, Any]:
        history = progress.history()
        told = {
            "status": status,
            "test_accuracy": score.accuracy,
            "test_cost": score.cost,
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch or None,
            "parameters": parameters,
            "images_per_second": round(history.images_per_second, 1),
            "seconds": round(history.seconds + progress.seconds, 3),
            "spec_sha256": stamp.sha256,
            **more,
        }
        folder.write_json("summary.json", told)
        return told

    try:
        for event in training(model, images, course, validation, progress):
            recorder(event)
            on_event(event)
    except Interrupted as interrupted:
        interrupted.folder = folder.path
        conclude("interrupted")
        raise
    except SpecError as error:
        kept = _with_checkpoint(error, folder)
        with suppress(SpecError):  # the disk that failed the training may fail its summary too
            conclude("failed", error=[str(finding) for finding in kept.diagnostics])
        raise kept from error
    tested = "best" if validation and progress.best_epoch else "last"
    if tested == "best":
        weights.load(folder.best, model.parameters)
    score = measure(model, test, course.batch) if test else Score()
    return conclude("finished", tested=tested, stopped_early=progress.epoch < course.epochs)


def finite(data: Any) -> Any:
    """Data as JSON can say it: numbers that are not finite become null."""
    if isinstance(data, Mapping):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not isfinite(data) else data


def _with_checkpoint(error: SpecError, folder: RunFolder) -> SpecError:
    """The same findings, telling what is left to go on from."""
    try:
        step = tensors.read(folder.state).metadata["step"]
    except SpecError:
        return error
    told = f"the checkpoint of step {step} is whole: {folder.state}"
    return SpecError(tuple(replace(d, help=f"{d.help}; {told}" if d.help else told) for d in error.diagnostics))


def environment() -> dict[str, Any]:
    """What a run depends on beside its spec: versions, machine, libraries."""
    import numpy
    from threadpoolctl import threadpool_info

    libraries = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpool_info()
    ]
    return {
        "cnnspec": __version__,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "blas": libraries,
    }
