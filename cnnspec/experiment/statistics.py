"""Statistics of a training, a line of JSON an epoch: what its pictures are drawn from.

    {"epoch": 3, "weights": {"conv1.weight": {...}}, "gradients": {...}, "activations": {...}, "updates": {...}}

Gradients and activations are those of a few images in a second model, so the training's own memory, plans and
numbers are not touched. A journal that cannot be written stops itself and never the training.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Required, TypedDict

import numpy as np

from ..data.dataset import Given
from ..ir.facts import facts
from ..model.model import Model
from ..plain_files import read_text
from ..train import files
from ..train.loop import EpochDone, Event, Images, Started, StepDone

NAME = "statistics.jsonl"
SAMPLE = 32  # images that are looked at
MOST_PARAMETERS, MOST_ACTIVATIONS = 4_000_000, 1_000_000  # numbers; larger networks keep weights and updates only
LOOKED_AT = 50_000  # numbers of an array whose quantiles are taken
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class ArrayStatistics(TypedDict):
    """Of some numbers: their mean, their standard deviation, how many of them are 0, and their quantiles."""

    mean: float
    std: float
    zeros: float
    quantiles: list[float]


class Statistics(TypedDict, total=False):
    """Statistics of an epoch; of gradients and activations if the network is small."""

    epoch: Required[int]
    weights: dict[str, ArrayStatistics]
    updates: dict[str, float | None]
    gradients: dict[str, ArrayStatistics]
    activations: dict[str, ArrayStatistics]


class StatisticsLog:
    """Hears the events of a training and writes its statistics down."""

    def __init__(self, model: Model, folder: Path, images: Images) -> None:
        self.model, self.path, self.images = model, folder / NAME, images
        self.trained = [name for name, parameter in model.parameters.items() if "running_" not in name]
        self.per_epoch = 0
        self.before: dict[str, np.ndarray] = {}
        self.probe: Model | None = None
        self.sample: tuple[Given, Given] | None = None
        self.problem = ""  # why it stopped, if it did

    def __call__(self, event: Event) -> None:
        if self.problem:
            return
        try:
            self.hear(event)
        except Exception as problem:  # a failing log must not stop a training
            self.problem = f"{type(problem).__name__}: {problem}".splitlines()[0]
            self.close()

    def hear(self, event: Event) -> None:
        match event:
            case Started(step=step, steps_per_epoch=per_epoch):
                self.per_epoch = per_epoch
                self.begin(step // per_epoch)
            case StepDone(step=step) if self.per_epoch > 1 and (step + 1) % self.per_epoch == 0:
                self.before = self.weights()
            case EpochDone(row=row):
                files.append(self.path, json.dumps(self.entry(row.epoch)) + "\n")

    def begin(self, done: int) -> None:
        """Keep the lines of the epochs that are done, and take the images to look at."""
        entries = [entry for entry in read(self.path) if entry["epoch"] <= done]
        files.write(self.path, ["".join(json.dumps(entry) + "\n" for entry in entries).encode()])
        self.before = self.weights()
        known = facts(self.model.graph)
        numbers = known.activation_bytes // 4
        if known.parameters <= MOST_PARAMETERS and numbers <= MOST_ACTIVATIONS:
            self.sample = next(iter(self.images.batches(SAMPLE, dtype="float32")))
            self.probe = Model(self.model.spec, batch=SAMPLE, shards=1, precision="float32")

    def weights(self) -> dict[str, np.ndarray]:
        return {name: self.model.parameters[name] for name in self.trained}

    def entry(self, epoch: int) -> Statistics:
        """The statistics of an epoch that is done."""
        now = self.weights()
        told: Statistics = {
            "epoch": epoch,
            "weights": {name: array_statistics(array) for name, array in now.items()},
            "updates": {name: ratio(now[name], self.before[name]) for name in now if name in self.before},
        }
        if self.probe is not None and self.sample is not None:
            for name in self.probe.parameters:
                self.probe.parameters[name] = self.model.parameters[name]
            x, y = self.sample
            found = self.probe.gradients(x, y)
            told["gradients"] = {name: array_statistics(array) for name, array in found.items()}
            told["activations"] = {
                name: array_statistics(array) for name, array in self.probe.activations(x).items()
            }
        self.before = now  # of an epoch that has a single step
        return told

    def close(self) -> None:
        if self.probe is not None:
            self.probe.close()
            self.probe = None


def array_statistics(array: np.ndarray) -> ArrayStatistics:
    """Mean, standard deviation, share of zeros and quantiles, of evenly taken numbers where there are many."""
    flat = array.reshape(-1)
    flat = flat[:: -(-flat.size // LOOKED_AT)].astype(np.float64)
    return {
        "mean": float(flat.mean()),
        "std": float(flat.std()),
        "zeros": float((flat == 0).mean()),
        "quantiles": np.quantile(flat, QUANTILES).tolist(),
    }


def ratio(now: np.ndarray, before: np.ndarray) -> float | None:
    """Size of a step beside that of the weights: |now - before| / |before|; None for weights of zero."""
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(now - before)) / size if size else None


def read(path: Path) -> list[Statistics]:
    """The entries of a journal; none where there is none, and none after a line that is not whole."""
    try:
        lines = read_text(path, errors="replace").splitlines()
    except OSError:
        return []
    entries: list[Statistics] = []
    for line in lines:
        try:
            entry = json.loads(line)
            entries.append({**entry, "epoch": int(entry["epoch"])})
        except (ValueError, KeyError, TypeError):
            break
    return entries
