"""`cnnspec.run`, `cnnspec.resume`, `cnnspec.open`: runs, and what came of them, for programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..diagnostics import Diagnostic
from ..model.model import Model
from ..quoting import line
from ..settings.train import LAYOUTS
from ..train.folder import RunFolder
from ..train.history import History, counted
from ..train.loop import Event
from ..train.runs import Summary
from .experiment import Execution, Experiment, Initial, ResumePoint
from .loggers.logged import Logged
from .loggers.logger import Logger, loggers_of
from .measured import missed
from .session import open_trained
from .statistics import StatisticsLog

Place = str | os.PathLike[str]
OnEvent = Callable[[Event], object]


@dataclass(frozen=True)
class Run:
    """A run that has ended: its folder, and what its summary.json says.

    missed    a diagnostic for each budget of the spec's `expect` that the run does not hold, or could not measure
    unlogged  a line for each logger that failed, and was left
    """

    folder: Path
    summary: Summary
    missed: tuple[Diagnostic, ...] = ()
    unlogged: tuple[str, ...] = ()

    def open(self) -> Model:
        """The network with the weights that were tested, its preparation and its classes."""
        return open_trained(self.folder).model

    @property
    def history(self) -> History:
        """Its epochs, as `fit` gives them. Raises SpecError where results.csv is damaged."""
        best, early = self.summary.get("best_epoch"), self.summary.get("stopped_early", False)
        return History.of(RunFolder(self.folder).columns(), best, early)

    def _repr_html_(self) -> str:
        """The curves and the summary, in a notebook."""
        from ..display import shown

        return shown("run_html", self.folder)

    def __repr__(self) -> str:
        said = self.summary
        accuracy, cost = said["test_accuracy"], said["test_cost"]
        tested = [f"accuracy {accuracy:.2%}"] if accuracy is not None else []
        tested += [f"cost {cost:.4f}"] if cost is not None else []
        return (
            f"Run {line(self.folder)}: {said['status']} after {counted(said['epochs'])}, {said['seconds']:.1f} s\n"
            f"  test: {', '.join(tested) or 'no images'} ({said.get('tested', 'last')} weights)"
            + "".join(f"\n  missed: {line(one.message)}" for one in self.missed)
            + "".join(f"\n  unlogged: {line(one)}" for one in self.unlogged)
        )


def run(
    spec: Place,
    *,
    overrides: Sequence[str] = (),
    data: Place | None = None,
    out: Place = "runs",
    seed: int | None = None,
    workers: int | None = None,
    parallel: str = "processes",
    engine: str = "numpy",
    devices: int | None = None,
    weights: Place | None = None,
    partial: bool = False,
    names: Place | None = None,
    layout: str = "",
    tune: bool = False,
    log: Sequence[str | Logger] = (),
    on_event: OnEvent | None = None,
) -> Run:
    """Train the network of a spec, test it, and write everything into a new folder `out/<spec>-001`.

    The same run as `cnnspec run SPEC`, bit by bit, without its pictures; nothing is printed.

    overrides  settings in place of the spec's: ("train.epochs=3",)
    data       where mnist, or the files that the spec names, lie (default: the spec's folder)
    seed       in place of the spec's `train.seed`
    workers    that share a batch (default: the cores, 8 at most), as parallel="processes" or "threads"
    engine     "numpy", or "jax" on as many `devices` (default: all)
    weights    a file to begin with; with `partial` what fits of it; `names` a file of its names of our parameters;
               `layout` who must have published it, "torchvision" or "timm" (without, it is noticed)
    tune       time the ways to compute each convolution first, and take the quickest
    log        where figures and settings are logged too: "tensorboard", "mlflow", "wandb", or a `Logger` of yours
    on_event   hears what happens: Started, StepDone, EpochDone, SaveDue, Finished of `cnnspec.train.loop`. Where
               it returns False the training stops there, and is tested; where it raises, the run can be resumed

    Budgets of the spec's `expect` that are missed are told by `Run.missed`, and raise nothing.

    Raises SpecError, whose `.diagnostics` say what is wrong; ValueError for an argument that is none of its
    values; KeyboardInterrupt at Ctrl-C, after the step that was under way was saved.
    """
    execution = Execution(workers, parallel, engine, devices)
    overrides, loggers = settings_of(overrides), loggers_of(log)
    if weights is None and (partial or names is not None or layout):
        raise ValueError("partial, names and layout are of weights to begin with; give weights too")
    if layout not in ("", *LAYOUTS):
        raise ValueError(f"layout is {' or '.join(LAYOUTS)}, got {layout!r}")
    if seed is not None:
        overrides = (*overrides, f"train.seed={seed}")
    initial = None if weights is None else Initial(Path(weights), partial, _path(names), layout)
    with Experiment.begin(
        Path(spec), overrides, data=_path(data), out=Path(out), execution=execution, initial=initial, tune=tune
    ) as experiment:
        return _ended(experiment, on_event, loggers)


def resume(
    folder: Place,
    *,
    data: Place | None = None,
    workers: int | None = None,
    parallel: str = "processes",
    engine: str | None = None,
    devices: int | None = None,
    accept_changed_data: bool = False,
    overrides: Sequence[str] = (),
    log: Sequence[str | Logger] = (),
    on_event: OnEvent | None = None,
) -> Run:
    """Go on with a run, from its last checkpoint; with the same settings to the bits of one without interruption.

    The spec, its settings and the preparation are those in the run's folder; `data` says where the data lie now, if
    they have moved, and `overrides` by ["data.source=..."] what they are called. ["train.epochs=50"] extends the
    run, and ["train.optimiser.lr=1e-4"] goes on at another rate; settings.json tells since which step. Data that
    have changed are refused unless `accept_changed_data`. A logger hears of the epochs before, too. The rest is as
    for `run`.

    Raises SpecError where the folder holds no state, is damaged, or is being written by another process.
    """
    loggers, stopped = loggers_of(log), ResumePoint.open(Path(folder))
    execution = Execution(workers, parallel, engine or stopped.made.settings.get("engine", "numpy"), devices)
    with Experiment.resume(
        stopped,
        data=_path(data),
        execution=execution,
        accept_changed_data=accept_changed_data,
        overrides=settings_of(overrides),
    ) as experiment:
        return _ended(experiment, on_event, loggers)


def open(trained: Place, *, data: Place | None = None) -> Model:
    """The network of a run's folder (with the weights that its test used) or of a weights file.

        model = cnnspec.open("runs/lenet-001")
        model.classify(images)[0]                 # {"cat": 0.93, "dog": 0.07}

    It carries its preparation and the names of its classes, so neither spec nor data are needed; but what was
    written before preparations were kept needs its data still, from the folder `data`. Raises SpecError.
    """
    return open_trained(Path(trained), _path(data)).model


def settings_of(overrides: Sequence[str]) -> tuple[str, ...]:
    """Settings as a caller gives them; ValueError for anything else."""
    if isinstance(overrides, (str, Mapping)) or not all(isinstance(one, str) for one in overrides):
        raise ValueError(f'overrides is a sequence of settings, such as ["train.epochs=3"]; got {overrides!r:.60}')
    return tuple(overrides)


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)


def _ended(experiment: Experiment, on_event: OnEvent | None, loggers: Sequence[Logger]) -> Run:
    """The run of an experiment, with its statistics beside it."""
    experiment.start()
    assert experiment.folder is not None
    folder = experiment.folder.path
    with (
        closing(StatisticsLog(experiment.model, folder, experiment.images)) as log,
        Logged(experiment.folder, loggers) as logged,
    ):
        logged.summary = summary = experiment.run(*([on_event] if on_event else []), log, logged)
    return Run(folder, summary, missed(experiment.session.spec, summary), tuple(logged.problems))
