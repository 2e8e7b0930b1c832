"""A run on several processes, on one machine or many.

All of them run the same training in step: each reads and changes its own part of every batch, and JAX adds
up over all, so cost, statistics, gradient and metrics are those of the whole. The first process writes the
run's folder; the others follow. Where one ends, so do the others: they notice in the next exchange, or by
its heartbeat within some seconds.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Timer
from types import FrameType

import jax
import numpy as np
from numpy.typing import DTypeLike

from ..data.changes import Answers, Mixed
from ..data.dataset import Dataset, Given, Named, Numbers, Split
from ..diagnostics import Diagnostic, SpecError
from ..diagnostics.text import render
from ..interrupts import ENDING, OURS, interrupt
from ..settings.augment import Augmentation
from ..train import tensors
from ..train.checkpoints import Stamp, load_state
from ..train.finite import check_parameters
from ..train.folder import RunFolder
from ..train.history import Progress
from ..train.loop import EpochDone, SaveDue, TrainingConfig, measure, training
from ..train.trainable import Trainable
from .devices import Devices, prepare
from .failure import leave

HEARTBEAT = 10  # seconds of silence after which a process counts as gone
PATIENCE = 300  # seconds in which all must have come, or gone

# what is set where a scheduler has started several processes and JAX can ask it for the others
MANAGED = ("JAX_COORDINATOR_ADDRESS", "SLURM_STEP_NODELIST", "OMPI_MCA_orte_hnp_uri", "JOB_COMPLETION_INDEX")


def join(
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    devices: int | None = None,
) -> bool:
    """Meet the other processes, before anything else asks JAX for devices; False where this one is alone.

    Without arguments the scheduler knows them (Slurm, Open MPI, Kubernetes), or there are none.
    """
    if coordinator is None and not any(name in os.environ for name in MANAGED):
        return False
    if coordinator is None and "JOB_COMPLETION_INDEX" in os.environ and find_spec("kubernetes") is None:
        raise SpecError((Diagnostic.of("CNN312", case="Kubernetes"),))
    prepare(devices)
    keep_output()
    last = Timer(PATIENCE, give_up, (coordinator,))  # JAX itself would end the process with a dump of its stack
    last.daemon = True
    last.start()
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process,
            initialization_timeout=PATIENCE + 60,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise SpecError((apart(str(error).splitlines()[0]),)) from error
    finally:
        last.cancel()
    # a signal reaches processes at different steps, so none may wait for the others to end theirs
    for number in ENDING:
        if signal.getsignal(number) in OURS:
            signal.signal(number, _interrupt)
    return jax.process_count() > 1


def apart(why: str) -> Diagnostic:
    """That the processes did not come together."""
    return Diagnostic.of("CNN312", case="apart", why=why)


def give_up(coordinator: str | None) -> None:
    """End this process: the others have not come in time."""
    where = coordinator or "the one that the scheduler names"
    why = f"not all of them came to {where} within {PATIENCE} seconds"
    sys.stderr.write(render((apart(why),)))
    leave()


def keep_output() -> None:
    """Leave standard output to us: what libraries print there (Gloo, of its connections) goes beside errors."""
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(ours, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise interrupt(number)


def leads() -> bool:
    """Whether this process is the one that writes and speaks."""
    return jax.process_index() == 0


@dataclass(frozen=True, eq=False)
class ProcessSplit:
    """A split of which this process reads only its own part of each batch; the rows of others stay zero.

    A batch has its full size all the same, so counts of images are those of all processes.
    """

    split: Split | Named
    devices: Devices

    def __len__(self) -> int:
        return len(self.split)

    def batches(
        self,
        batch: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augmentation] = (),
        start: int = 0,
        stored: bool = False,
        dtype: DTypeLike = "float32",
    ) -> Iterator[tuple[Given, Given]]:
        """The batches of `Split.batches`, this process's rows of them."""
        split = self.split
        if isinstance(split, Named):
            yield from self._named(split, batch, split.order(seed, epoch, shuffle), start, dtype)
            return
        order = split.order(seed, epoch, shuffle)
        changes = split.changes(augment, seed, epoch)
        for first in range(start * batch, len(split), batch):
            places = np.arange(first, min(first + batch, len(split)))
            own = self.devices.rows(len(places))
            images, answers = changes.take(order, places[own])
            x = np.zeros((len(places), *split.x.shape[1:]), dtype)
            split.scaling.apply(images, x[own])
            y: Answers = x.view(Numbers)
            if not split.itself:
                y = whole(answers, own, split.y, order[places])
            elif augment:
                y = np.zeros_like(x).view(Numbers)
                split.scaling.apply(np.asarray(answers), y[own])
            yield x, split.weighed(y, changes, order, places)

    def _named(
        self, split: Named, batch: int, order: np.ndarray, start: int, dtype: DTypeLike
    ) -> Iterator[tuple[Given, Given]]:
        """The same of several inputs or outputs, in an epoch's order."""
        for first in range(start * batch, len(split), batch):
            taken = order[first : first + batch]
            own = self.devices.rows(len(taken))
            x = {name: np.zeros((len(taken), *values.shape[1:]), dtype) for name, values in split.x.items()}
            for name, values in split.x.items():
                x[name][own] = split.scaled(name, values[taken[own]], dtype)
            yield x, split.answers(taken)


def whole(own: Answers, rows: slice, y: np.ndarray, taken: np.ndarray) -> Answers:
    """The answers of a batch of which this process has changed its own rows; those of others as they are stored.

    Each process asks of the answers what kind they are, so that all must have all of them.
    """
    every = y.take(taken, axis=0)
    if isinstance(own, Mixed):
        parts, weight = [every.copy(), every], np.ones(len(taken))
        parts[0][rows], parts[1][rows], weight[rows] = own.y, own.other, own.weight
        return Mixed(parts[0], parts[1], weight)
    every[rows] = own
    return every


def process_splits(data: Dataset, devices: Devices) -> tuple[ProcessSplit, ProcessSplit, ProcessSplit]:
    """What this process reads of the images to learn from, to validate with, and to test on."""
    learnt, validation, test = (ProcessSplit(s, devices) for s in (data.train, data.validation, data.test))
    return learnt, validation, test


def follow(
    model: Trainable,
    images: ProcessSplit,
    validation: ProcessSplit,
    test: ProcessSplit,
    config: TrainingConfig,
    stamp: Stamp,
    folder: RunFolder | None,
    accept_changed_data: bool = False,
) -> None:
    """Take part in a training that the first process writes down; `folder` is that of a resumed run."""
    progress, best = Progress(), dict[str, np.ndarray]()
    if folder is not None:
        progress = load_state(folder.state, model, stamp, accept_changed_data)
        best = dict(tensors.read(folder.best).arrays) if folder.best.is_file() else {}
    for event in training(model, images, config, validation if len(validation) else None, progress):
        if isinstance(event, (EpochDone, SaveDue)):
            check_parameters(model, f"after step {event.step}")
        if isinstance(event, EpochDone) and event.best:
            best = dict(model.parameters)
    if len(validation) and progress.best_epoch:
        for name, values in best.items():
            model.parameters[name] = values
    if len(test):
        measure(model, test, config.batch)
