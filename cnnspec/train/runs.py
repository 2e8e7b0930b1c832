"""A training recorded in the folder of its run, and resumed from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import cast

from ..capacity import out_of_memory
from ..diagnostics import SpecError
from ..interrupts import number_of
from . import files, tensors, weights
from .checkpoints import Stamp, check_spec, load_state, save_state, save_weights
from .documents import Summary
from .finite import check_parameters
from .folder import RunFolder
from .history import Progress, Score
from .lock import held
from .loop import (
    EpochDone,
    Event,
    Finished,
    Interrupted,
    SaveDue,
    Started,
    TrainingConfig,
    ensure_possible,
    measure,
    resuming,
    stop,
    training,
)
from .measure_tables import whole
from .trainable import Images, Trainable


class Unheard(Exception):
    """Who was to hear of an event failed; its cause says how."""


@dataclass
class Recorder:
    """Writes down what a training does, event by event.

    The state comes last, so all that it refers to (a row, the best weights) exists.
    """

    folder: RunFolder
    model: Trainable
    stamp: Stamp
    every: int | None = None  # epochs between weights saved for themselves, of which `keep` are kept
    keep: int = 1
    classes: Sequence[str] | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case Started(step=0):
                self.save(0, Progress())
            case EpochDone(row=row, step=step, best=best, held_out=held_out):
                check_parameters(self.model, f"after step {step} (epoch {row.epoch})")
                if held_out.measures:
                    self.folder.append_measures(row.epoch, held_out.measures.to_json(self.classes))
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
    config: TrainingConfig,
    folder: RunFolder,
    stamp: Stamp,
    *,
    parameters: int,
    classes: Sequence[str] | None = None,
    validation: Images | None = None,
    test: Images | None = None,
    every: int | None = None,
    keep: int = 1,
    resume: bool = False,
    accept_changed_data: bool = False,
    on_event: Callable[[Event], object] = lambda event: None,
) -> Summary:
    """Train, write it all down, test, and return what summary.json says.

    The test is made with the weights of the best epoch where validation images chose it, else with the
    last; the model keeps them. `parameters` is how many are trained, for the summary, and `classes` are their
    names, for the measures of each. An interruption (`Interrupted`) and a failure (`SpecError`, also where memory
    ran out) go into the summary too, and on to the caller. Nobody else may write into the folder meanwhile. Where
    `on_event` fails, the step is saved first; where it returns False the training stops there, as if it were
    stopped early.
    """
    with held(folder.path):
        recorder = Recorder(folder, model, stamp, every, keep, classes)
        progress = Progress()
        if resume:
            progress = load_state(folder.state, model, stamp, accept_changed_data)
            ensure_possible(progress, config, images)  # while the summary of the last end is still there
            if validation and progress.best_epoch:  # the test at the end is made with them
                check_spec(folder.best, tensors.read(folder.best).metadata, stamp)
            folder.reopen()
        folder.write_results(progress.rows)
        folder.keep_measures(progress.epoch)
        score = Score()

        def conclude(status: str, **more: object) -> Summary:
            history = progress.history()
            told: dict[str, object] = {
                "status": status,
                "test_accuracy": score.accuracy,
                "test_cost": score.cost,
                "test": score.measures.to_json(classes) if score.measures else None,
                "epochs": progress.epoch,
                "best_epoch": progress.best_epoch or None,
                "parameters": parameters,
                "images_per_second": round(history.images_per_second, 1),
                "seconds": round(history.seconds + progress.seconds, 3),
                "spec_sha256": stamp.sha256,
                **more,
            }
            folder.write_json("summary.json", told)
            return cast(Summary, told)

        try:
            with closing(training(model, images, config, validation, progress)) as events:
                for event in events:
                    recorder(event)
                    try:
                        heard = on_event(event)
                    except Exception as unheard:  # the reader of a pipe is gone, say: that interrupts
                        if not isinstance(event, Finished):
                            recorder.save(event.step, progress)
                        conclude("interrupted")
                        raise Unheard from unheard
                    if heard is False and not isinstance(event, Finished):
                        recorder(SaveDue(event.step, progress))
                        stop(events)
                        break
            tested = "best" if validation and progress.best_epoch else "last"
            if tested == "best":
                weights.load(folder.best, model.parameters)
            score = measure(model, test, config.batch) if test else Score()
            if score.measures:
                folder.write_tested(whole(score.measures, classes))
        except KeyboardInterrupt as interrupt:
            with suppress(SpecError):
                conclude("interrupted")
            if isinstance(interrupt, Interrupted):
                interrupt.folder = folder.path
                raise
            total = config.epochs * -(-len(images) // config.batch)
            raise Interrupted(_saved_step(folder) or 0, total, number_of(interrupt), folder.path) from None
        except Unheard as unheard:
            assert unheard.__cause__ is not None
            raise unheard.__cause__ from None
        except Exception as failure:
            error = failure if isinstance(failure, SpecError) else out_of_memory(failure)
            annotated = None if error is None else _with_checkpoint(error, folder)
            said = (
                [str(finding) for finding in annotated.diagnostics]
                if annotated
                else [f"{type(failure).__name__}: {failure}"]
            )
            with suppress(SpecError):  # the disk that failed the training may fail its summary too
                conclude("failed", error=said)
            if annotated is None:
                raise
            raise annotated from failure
        return conclude("finished", tested=tested, stopped_early=progress.epoch < config.epochs)


def _saved_step(folder: RunFolder) -> int | None:
    """The step of the last checkpoint, if there is one."""
    try:
        return int(tensors.read_metadata(folder.state).get("step", ""))
    except (SpecError, ValueError):
        return None


def _with_checkpoint(error: SpecError, folder: RunFolder) -> SpecError:
    """The same findings, telling what is left to go on from."""
    step = _saved_step(folder)
    if step is None:
        return error
    told = [d.added("checkpoint", step=step, file=folder.state) for d in error.diagnostics]
    if not any(d.code == "CNN302" for d in told):  # that would come again
        told = [d.added("resume", command=resuming(folder.path)) for d in told]
    return SpecError(tuple(told))
