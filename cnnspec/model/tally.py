"""Measures of a network over batches of images: what `run`, `eval` and `fit` count besides the cost."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Protocol

import numpy as np

from ..data.changes import Mixed
from ..data.dataset import Labels
from ..ir import Graph
from ..train.measures import Confusion, Errors, LabelCounts, Measures
from .given import Given, by_name
from .targets import CLASSES, LABELS, NUMBERS, CanonicalTargets


class Judging(Protocol):
    """What a tally asks of a model: `Model` is one."""

    @property
    def graph(self) -> Graph: ...

    @property
    def judged(self) -> tuple[str, ...]:
        """The outputs that costs judge, in the order of the costs."""

    def judge(
        self, x: Given, y: Given
    ) -> tuple[float, float | None, dict[str, CanonicalTargets], dict[str, np.ndarray]]:
        """The mean cost, how many answers were correct, the settled answers, and the outputs by name."""


class Tally:
    """Judges batches and counts; of several outputs that which the first cost judges.

    Answers are of the weakest kind that any batch has: one batch of numbers that all happen to be 0 or 1 makes no
    labels of them.
    """

    def __init__(self, model: Judging) -> None:
        self.model, self.name = model, model.judged[0]
        kind = model.graph.type(self.name)
        self.outputs, self.masks = kind["c"], prod(kind.spatial) > 1
        self.confusion = Confusion(max(2, self.outputs), self.masks)
        self.labels = LabelCounts(self.outputs, self.masks)
        self.errors = Errors(self.outputs)
        self.kinds: set[int] = set()

    def add(self, x: Given, y: Given) -> tuple[float, float | None]:
        """Measure a batch: its mean cost, and how many answers were correct (None where they are numbers)."""
        cost, correct, canonical_targets, outputs = self.model.judge(x, y)
        rows = by_name(y, self.model.judged, "output")[self.name]
        assert not isinstance(rows, Mixed), "only what is learnt from is mixed"
        self._count(canonical_targets[self.name], outputs[self.name], np.asanyarray(rows))
        return cost, correct

    def _count(self, answers: CanonicalTargets, outputs: np.ndarray, rows: np.ndarray) -> None:
        kind, values = answers.kind, answers.values
        self.kinds.add(kind)
        if kind == CLASSES:
            self.confusion.add(values.reshape(len(values), *outputs.shape[2:]), outputs)
        elif kind == LABELS and self.outputs == 1:
            self.confusion.add(values[:, 0] > 0.5, outputs)
        elif kind == LABELS:
            self.labels.add(values, outputs)
        if kind == NUMBERS:
            self.errors.add(values, outputs)
        elif rows.size == outputs.size and not isinstance(rows, Labels):  # what other batches have is not known yet
            self.errors.add(np.reshape(rows, outputs.shape), outputs)

    def measures(self) -> Measures | None:
        """What all batches say; None where there were none."""
        counters: dict[frozenset[int], Callable[[], Measures]] = {
            frozenset({CLASSES}): self.confusion.measures,
            frozenset({LABELS}): (self.labels if self.outputs > 1 else self.confusion).measures,
        }
        if not self.kinds:
            return None
        return counters.get(frozenset(self.kinds), self.errors.measures)()
