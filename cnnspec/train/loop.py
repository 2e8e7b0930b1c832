"""The training loop: epochs of batches, validation, the best epoch, and when to stop.

`training` is a generator of events. It trains and measures, and neither prints nor writes: the caller that runs
through the events draws the progress bar (`StepDone`), writes the row of an epoch (`EpochDone`) and saves
(`SaveDue`). Between two events nothing is under way, so a model may be saved or looked at there.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from ..diagnostics import Diagnostic, SpecError
from ..interrupts import Interrupts, interrupt, named
from ..quoting import argument
from ..settings.augment import Augmentation
from ..settings.data import Data
from ..settings.train import Train
from .finite import explain_nonfinite
from .history import EpochRecord, History, Progress, Score
from .trainable import Begin, Given, Images, Trainable

Array = np.ndarray


@dataclass(frozen=True)
class TrainingConfig:
    """The configuration of a training.

    best      `accuracy` (of answers that are no classes: the cost) or `cost`, on the validation images
              where there are any
    patience  stop after so many epochs without a better one
    interval  epochs from one checkpoint to the next; parts are allowed
    begun     epochs that were seen in trainings before this one: the order of the images goes on after them
    """

    epochs: int
    batch: int
    seed: int = 0
    shuffle: bool = True
    augment: tuple[Augmentation, ...] = ()
    best: str = "accuracy"
    patience: int | None = None
    interval: float = 1.0
    begun: int = 0

    @classmethod
    def of(cls, train: Train, data: Data) -> TrainingConfig:
        """The configuration that a spec's blocks ask for."""
        return cls(
            epochs=train.epochs,
            batch=train.batch,
            seed=train.seed,
            shuffle=data.shuffle,
            augment=data.augment,
            best=train.best,
            patience=train.patience,
        )


@dataclass(frozen=True)
class Started:
    """Before the first step (of a resumed training: the first that is left)."""

    step: int
    total_steps: int
    steps_per_epoch: int


class StepDone(NamedTuple):  # made at every step, in a quarter of a frozen dataclass's time
    """After each step."""

    step: int  # of this training, counted from 1
    epoch: int  # counted from 1
    cost: float
    correct: float | None
    images: int
    rate: float
    seconds: float


@dataclass(frozen=True)
class EpochDone:
    """After each epoch's validation."""

    row: EpochRecord
    step: int
    best: bool
    held_out: Score = Score()  # of the validation images


@dataclass(frozen=True)
class SaveDue:
    """A checkpoint is due; `progress` goes into it."""

    step: int
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """After the last epoch."""

    history: History


Event = Started | StepDone | EpochDone | SaveDue | Finished


class Interrupted(KeyboardInterrupt):
    """A signal, after the step that was under way was finished and a checkpoint was due.

    `number` is the signal's; `folder` is the run's, where one is written.
    """

    def __init__(
        self, step: int, total_steps: int, number: int = signal.SIGINT, folder: Path | None = None
    ) -> None:
        super().__init__(step, total_steps)
        self.step, self.total_steps, self.number, self.folder = step, total_steps, number, folder

    def __str__(self) -> str:
        by = "" if self.number == signal.SIGINT else f" by {named(self.number)}"
        how = f"; go on with `{resuming(self.folder)}`" if self.folder else ""
        return f"interrupted{by} after step {self.step} of {self.total_steps}{how}"


def resuming(folder: Path) -> str:
    """The command that resumes a run."""
    return f"cnnspec run --resume {argument(folder)}"


class Stopped(Exception):
    """The exception that `stop` throws into a training."""


@contextmanager
def stoppable(interrupts: Interrupts) -> Iterator[None]:
    """Within it a training can be stopped; a signal that was noted by then interrupts all the same."""
    try:
        yield
    except Stopped:
        if interrupts.seen:
            raise interrupt(interrupts.seen) from None


def stop(events: Generator[Event]) -> History:
    """End a training after the event that it told last, which is not Finished, and return what it has come to."""
    finished = events.throw(Stopped())
    assert isinstance(finished, Finished)
    return finished.history


def training(
    model: Trainable,
    images: Images,
    config: TrainingConfig,
    validation: Images | None = None,
    progress: Progress | None = None,
) -> Generator[Event]:
    """Train a model by `config`, from `progress` on, and yield what happens as events."""
    if not len(images):
        raise SpecError((Diagnostic.of("CNN303"),))
    progress = progress or Progress()
    per_epoch = -(-len(images) // config.batch)
    total = config.epochs * per_epoch
    step = progress.epoch * per_epoch + progress.batch
    between = max(1, round(config.interval * per_epoch))
    ensure_possible(progress, config, images)
    # the schedule goes by the epochs that are done, however many steps an epoch had then
    model.first_step, model.steps_per_epoch = model.steps - step, per_epoch
    model.total_steps = model.first_step + total
    with Interrupts() as interrupts, stoppable(interrupts):
        yield Started(step, total, per_epoch)
        while progress.epoch < config.epochs and not stalled(progress, config):
            epoch = progress.epoch + 1
            start = perf_counter()
            feed = Feed(
                images.batches(
                    config.batch,
                    seed=config.seed,
                    epoch=config.begun + progress.epoch,
                    shuffle=config.shuffle,
                    augment=config.augment,
                    start=progress.batch,
                    stored=model.scales,
                    dtype=model.dtype,
                ),
                model.ready,
            )
            for x, y, begin in feed:
                rate, count = model.rate, min(config.batch, len(images) - progress.batch * config.batch)
                learned = begin()
                if not model.scales:
                    feed.prepare()
                cost, correct = learned()
                step += 1
                if not isfinite(cost):
                    raise explain_nonfinite(model, x, y, cost, f"at step {step} (epoch {epoch})")
                seconds = perf_counter() - start
                progress.add(count, cost, correct, rate, seconds)
                yield StepDone(step, epoch, cost, correct, count, rate, seconds)
                if interrupts.seen:
                    break
                if step % between == 0 and progress.batch < per_epoch:
                    yield SaveDue(step, progress)
                start = perf_counter()
            held_out = measure(model, validation, config.batch, interrupts.asked) if validation else Score()
            if interrupts.seen:
                # a validation cut short, or left out, is repeated on resuming
                yield SaveDue(step, progress)
                raise Interrupted(step, total, interrupts.seen)
            best = progress.close(held_out, config.best)
            yield EpochDone(progress.rows[-1], step, best, held_out)
            if step % between == 0 or step == total or stalled(progress, config):
                yield SaveDue(step, progress)
    yield Finished(progress.history(stopped_early=progress.epoch < config.epochs))


class Feed:
    """The batches of an epoch one after another, each with its step made ready.

    The next one may be made while a step is under way, and goes to the device meanwhile.
    """

    def __init__(self, batches: Iterator[tuple[Given, Given]], ready: Callable[[Given, Given], Begin]) -> None:
        self._steps = ((x, y, ready(x, y)) for x, y in batches)
        self._next: list[tuple[Given, Given, Begin]] = []

    def prepare(self) -> None:
        """Make the next batch, if there is one."""
        self._next += islice(self._steps, 1)

    def __iter__(self) -> Iterator[tuple[Given, Given, Begin]]:
        return self

    def __next__(self) -> tuple[Given, Given, Begin]:
        return self._next.pop() if self._next else next(self._steps)


def ensure_possible(progress: Progress, config: TrainingConfig, images: Images) -> None:
    """Raise SpecError if a training by `config` on these images cannot have made this progress."""
    per_epoch = -(-len(images) // config.batch)
    if fault := progress.fault(config.epochs, per_epoch, len(images)):
        raise SpecError((fault.diagnostic(),))


def fit(
    model: Trainable,
    images: Images,
    config: TrainingConfig,
    validation: Images | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> History:
    """Train a model by `config`, pass each event to `on_event`, and return the history; the answer False stops."""
    with closing(training(model, images, config, validation)) as events:
        for event in events:
            heard = on_event(event) if on_event else None
            if isinstance(event, Finished):
                return event.history
            if heard is False:
                return stop(events)
    raise AssertionError("a training ends with Finished or an exception")


def measure(model: Trainable, images: Images, batch: int, stopped: Callable[[], bool] = lambda: False) -> Score:
    """Mean cost and measures over all images, in their order; over fewer where `stopped` says so."""
    tally = model.tally()
    cost, correct, done, classes = 0.0, 0.0, 0, True
    for x, y in images.batches(batch, stored=model.scales, dtype=model.dtype):
        if stopped():
            break
        mean, some = tally.add(x, y)
        count = min(batch, len(images) - done)
        cost, done = cost + mean * count, done + count
        correct, classes = correct + (some or 0), classes and some is not None
    if not done:
        return Score()
    return Score.of(cost / done, correct / done if classes else None, tally.measures())


def stalled(progress: Progress, config: TrainingConfig) -> bool:
    """Whether so many epochs have passed without a better one that it is time to stop."""
    return config.patience is not None and progress.epoch - progress.best_epoch >= config.patience
