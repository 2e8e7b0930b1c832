"""A run from a spec to its summary: opened, run, and observed.

    with Experiment.begin(Path("lenet.cnn"), ("train.epochs=3",)) as experiment:
        summary = experiment.run(lambda event: print(event))

It prints nothing. Bars, lines and statistics are observers: each is called with every event of the training.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..capacity import ensure_fits
from ..data.preparation import KEY, Preparation
from ..diagnostics import Diagnostic, SpecError
from ..lang.exchange import fields_as_json
from ..lang.files import read_file
from ..lang.overrides import numbers_of
from ..model.engines import ENGINES
from ..model.model import Model
from ..passes.methods import Times
from ..train import runs, weights
from ..train.checkpoints import CHANGED_LATER
from ..train.folder import RunFolder
from ..train.loop import Event, Started, TrainingConfig
from ..train.names import read as read_names
from ..train.runs import Summary
from ..train.trainable import Images
from ..train.weights import LoadReport
from .provenance import Provenance, of_stopped
from .session import Session, begin

if TYPE_CHECKING:
    from ..jax.processes import ProcessSplit
    from ..lang import Spec

Observer = Callable[[Event], object]
MOST_WORKERS = 256
MOVED = "data.source="  # the setting that says where data lie
FORMER_METHODS = {  # names that methods of convolutions had, in the times that older runs measured
    "columns": "im2col",
    "squares": "Winograd 2d",
    "product": "gemm",
    "turning": "flipping",
    "spreading": "col2im",
    "spreading columns": "col2im width",
}
LATER = "train.epochs, patience, checkpoint, schedule, or a part of the optimiser such as train.optimiser.lr"


@dataclass(frozen=True)
class Execution:
    """The engine of a run; it changes the last bits of results at most.

    workers   that share a batch (default: the cores, 8 at most)
    parallel  `processes`, programs of their own over shared memory, or `threads`
    engine    `numpy` or `jax`; `devices` of JAX are of each process
    several   whether this process is one of several that run in step, and `leads` whether it is the one that writes
    """

    workers: int | None = None
    parallel: str = "processes"
    engine: str = "numpy"
    devices: int | None = None
    several: bool = False
    leads: bool = True

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers not in range(1, MOST_WORKERS + 1):
            raise ValueError(f"workers are a whole number from 1 to {MOST_WORKERS}, got {self.workers!r}")
        if self.parallel not in ("processes", "threads"):
            raise ValueError(f"parallel is processes or threads, got {self.parallel!r}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine is {' or '.join(ENGINES)}, got {self.engine!r}")
        if self.devices is not None and (self.engine != "jax" or self.devices < 1):
            raise ValueError(f"devices are those of the engine jax, 1 at least; got {self.devices!r}")

    @property
    def count(self) -> int:
        """How many workers there are."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        return self.workers or max(1, min(cores, 8))


@dataclass(frozen=True)
class Initial:
    """A weights file to begin with: what fits of it with `partial`, by the file's `names` of our parameters, in the
    `layout` of who published it."""

    path: Path
    partial: bool = False
    names: Path | None = None
    layout: str = ""

    @classmethod
    def of(cls, spec: Spec, folder: Path) -> Initial | None:
        """What a spec says in `train`, its file being looked for from a folder on."""
        said = spec.train.weights
        return None if said is None else cls(folder / said.file, said.partial, layout=said.layout or "")


@dataclass(frozen=True)
class ResumePoint:
    """A run that is to go on: its folder, and what it was made of."""

    folder: RunFolder
    made: Provenance

    @classmethod
    def open(cls, path: Path) -> ResumePoint:
        """Out of the folder of a run; SpecError where it holds no state, is damaged, or is being written."""
        folder = RunFolder.open(path)
        return cls(folder, of_stopped(folder))


@dataclass(eq=False)
class Experiment:
    """A training on its data, written into the folder of a run; made by `begin` or `resume`.

    session      the spec, with its settings, and its data
    preparation  of the images, as the run began
    path         where the spec lies, and `data_folder` the folder of data that was named beside it
    folder       of the run; of a new one it is made by `start`, under `out`
    changed      of a resumed run: the settings that change from here on
    """

    session: Session
    model: Model
    execution: Execution
    preparation: Preparation
    path: Path
    data_folder: Path | None
    out: Path | None = None
    folder: RunFolder | None = None
    initial: Initial | None = None
    accept_changed_data: bool = False
    changed: tuple[str, ...] = ()
    loaded: LoadReport | None = field(default=None, init=False)
    ran: bool = field(default=False, init=False)

    @classmethod
    def begin(
        cls,
        path: Path,
        overrides: Sequence[str] = (),
        *,
        data: Path | None = None,
        out: Path = Path("runs"),
        execution: Execution = Execution(),
        initial: Initial | None = None,
        tune: bool = False,
        progress: Callable[[str], object] | None = None,
    ) -> Experiment:
        """A new run of a spec, with its data loaded and its network compiled; nothing is written yet.

        Raises SpecError with all that is wrong with the spec, the data, or the two together.
        """
        session = begin(path, overrides, data, progress=progress)
        settings, count = session.spec.train, execution.count
        model = _model(session, execution, settings.shards or count, tune=tune)
        initial = initial or Initial.of(session.spec, path.parent)
        return cls(session, model, execution, session.preparation, path, data, out=out, initial=initial)

    @classmethod
    def resume(
        cls,
        stopped: ResumePoint,
        *,
        data: Path | None = None,
        execution: Execution = Execution(),
        accept_changed_data: bool = False,
        overrides: Sequence[str] = (),
    ) -> Experiment:
        """A run that goes on from its last checkpoint, with its own spec, settings and preparation.

        `data` is the folder of its data where they have moved, and `overrides` say by `data.source=...` what they
        are called now, or change how it goes on: `train.epochs=50` and the others of LATER, which are written down.
        Data that have changed are refused (SpecError) unless `accept_changed_data`.
        """
        made = stopped.made
        data = data or made.data_folder
        if fixed := fixed_settings(overrides):
            raise ValueError(
                f"a resumed run keeps its settings, but for {LATER}, and {MOVED}...; got {fixed[0]!r:.60}"
            )
        changed = tuple(one for one in overrides if not one.startswith(MOVED))
        session = begin(made.path, (*made.overrides, *overrides), data, made.source, made.preparation)
        session = replace(
            session, overrides=(*made.overrides, *changed)
        )  # wherever the data lie, the run is the same
        model = _model(
            session, execution, int(made.settings["shards"]), measured=as_named_now(made.settings.get("tuned"))
        )
        return cls(
            session, model, execution, made.preparation or session.preparation, made.path, data,
            folder=stopped.folder, accept_changed_data=accept_changed_data, changed=changed,
        )  # fmt: skip

    def __enter__(self) -> Experiment:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers of the model."""
        self.model.close()

    @property
    def resumed(self) -> bool:
        """Whether it goes on with a run that was there."""
        return self.out is None

    def start(self) -> LoadReport:
        """Refuse what does not fit in memory, load the weights to begin with, and make the run's folder.

        In this order, so that a run that is refused leaves no folder. Returns what of the weights was passed over;
        raises SpecError. A second call does nothing.
        """
        if self.loaded is not None:
            return self.loaded
        settings, engine = self.session.spec.train, self.model.engine
        ensure_fits(lambda n: sum(engine.memory(n).values()), settings.batch)
        report = LoadReport()
        if self.initial is not None:
            names = _names(self.initial.names, self.model) if self.initial.names else None
            report = weights.load(
                self.initial.path, self.model.parameters, graph=self.model.graph, partial=self.initial.partial,
                names=names, layout=self.initial.layout,
            )  # fmt: skip
        if self.folder is None and self.execution.leads:
            assert self.out is not None
            self.folder = RunFolder.create(self.out, self.path.name.removesuffix(".json").removesuffix(".cnn"))
            self.folder.describe(self.path, self.session.spec.source, self.settings(), self.data_folder)
        self.loaded = report
        return report

    def run(self, *observers: Observer) -> Summary:
        """Train, write it all down, test, and return what summary.json says; the model keeps the tested weights.

        Every observer hears every event. Where one returns False the training stops after that event, as if it
        had been stopped early; where one raises, the step is saved and the exception goes on. Raises SpecError for
        what goes wrong, and Interrupted, a KeyboardInterrupt, for a signal. An experiment runs once.
        """
        if self.ran:
            raise RuntimeError("an experiment runs once; what it left in its folder can be resumed")
        self.start()
        self.ran = True
        assert self.folder is not None
        spec = self.session.spec
        checkpoint, images = spec.train.checkpoint, self.images
        validation, test = self.parts[1:]

        def hear(event: Event) -> bool:
            if isinstance(event, Started) and self.changed:
                self._write_changed(event.step)
            heard = [observer(event) for observer in observers]
            return not any(answer is False for answer in heard)

        return runs.run(
            self.model,
            images,
            self.config,
            self.folder,
            self.session.stamp(self.preparation),
            validation=validation if len(validation) else None,
            test=test if len(test) else None,
            every=checkpoint.size if checkpoint else None,
            keep=checkpoint.keep if checkpoint else 1,
            resume=self.resumed,
            accept_changed_data=self.accept_changed_data,
            parameters=self.model.facts.parameters,
            classes=self.session.data.classes,
            on_event=hear,
        )

    def _write_changed(self, step: int) -> None:
        """Write down what changes from a step on; the state is accepted by then, and the next one tells it too."""
        assert self.folder is not None
        before = self.folder.settings()
        later = {"step": step, "set": list(self.changed)}
        settings = {**before, **self.settings(), "changed": [*before.get("changed", ()), later]}
        self.folder.write_json(self.folder.settings_file.name, settings)

    def follow(self) -> None:
        """Take part in a run of several processes that another one leads."""
        from ..jax.processes import follow

        self.start()
        stamp = self.session.stamp(self.preparation)
        follow(self.model, *self._shares(), self.config, stamp, self.folder, self.accept_changed_data)

    @property
    def config(self) -> TrainingConfig:
        """What the training is to do."""
        return TrainingConfig.of(self.session.spec.train, self.session.spec.data)

    @property
    def parts(self) -> tuple[Images, Images, Images]:
        """The images to learn from, to validate with and to test on, as this process reads them."""
        data = self.session.data
        return self._shares() if self.execution.several else (data.train, data.validation, data.test)

    @property
    def images(self) -> Images:
        """The images to learn from."""
        return self.parts[0]

    def _shares(self) -> tuple[ProcessSplit, ProcessSplit, ProcessSplit]:
        from ..jax.processes import process_splits

        assert self.model.engine.devices is not None
        return process_splits(self.session.data, self.model.engine.devices)

    def tested(self) -> Model:
        """The trained network, to be asked by this process alone: of several, the others leave after the test."""
        if not self.execution.several:
            return self.model
        alone = Model(self.session.spec, shards=1, precision="float32")
        alone.parameters.update(self.model.parameters)
        return alone

    def settings(self) -> dict[str, object]:
        """Every setting as it holds in this run: what settings.json says."""
        spec, model = self.session.spec, self.model
        return {
            "set": list(self.session.overrides),
            "let": numbers_of(self.session.overrides),
            "train": fields_as_json(spec.train),
            "data": fields_as_json(spec.data),
            "cost": [cost.written(explicit=True) for cost in spec.train.cost],
            "input": str(spec.graph.type(spec.graph.inputs[0])),
            "parameters": model.facts.parameters,
            "shards": model.shards,
            "tuned": model.measured or None,
            "seed": model.seed,
            "dtype": model.dtype,
            "engine": model.engine.name,
            KEY: self.preparation.to_json(),
        }


def fixed_settings(overrides: Sequence[str]) -> tuple[str, ...]:
    """Of some settings those that a run keeps when it is resumed."""
    return tuple(one for one in overrides if not (one.startswith(MOVED) or CHANGED_LATER.fullmatch(one)))


def as_named_now(tuned: Mapping[str, Times] | None) -> Mapping[str, Times] | None:
    """The times that a run has measured, under today's names of the methods, so that it goes on by the same ones.

    >>> as_named_now({"learn": {"conv 8x3x3": {"columns": 1.0, "Winograd": 2.0}}})
    {'learn': {'conv 8x3x3': {'im2col': 1.0, 'Winograd': 2.0}}}
    """
    if tuned is None:
        return None
    return {
        mode: {
            key: {FORMER_METHODS.get(name, name): s for name, s in times.items()} for key, times in found.items()
        }
        for mode, found in tuned.items()
    }


def _model(
    session: Session,
    execution: Execution,
    shards: int,
    tune: bool = False,
    measured: Mapping[str, Times] | None = None,
) -> Model:
    return Model(
        session.spec, workers=execution.count, parallel=execution.parallel, shards=shards,
        engine=execution.engine, devices=execution.devices, tune=tune, measured=measured,
    )  # fmt: skip


def _names(path: Path, model: Model) -> dict[str, str]:
    """Under which names a weights file keeps our parameters, out of a file that says so."""
    found = read_file(path)
    if isinstance(found, Diagnostic):
        raise SpecError((found,))
    return read_names(found, model.parameters)
