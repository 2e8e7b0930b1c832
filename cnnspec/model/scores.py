"""Outputs as what they say of each class: a share of 1 where they are probabilities, else a score."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from ..ir import Graph
from ..words.costs import PROBABILITIES


class Scores(NamedTuple):
    """A row for each image, a column for each class; `shares` where they are from 0 to 1."""

    values: np.ndarray
    shares: bool


def scores(graph: Graph, outputs: np.ndarray, classes: int, output: str = "") -> Scores | None:
    """What outputs (n, c), or (n, c, 1, 1), say of so many classes; None where they tell no classes apart.

    `output` is the name of theirs, without it the first.

    softmax, sigmoids          the outputs
    logsoftmax                 what they are logarithms of
    one sigmoid, two classes   1 - p and p
    anything else              the outputs, whose largest is the answer
    """
    count = outputs.shape[1]
    if prod(outputs.shape[2:]) != 1:
        return None
    values = outputs.reshape(len(outputs), count)
    word = graph.behind(output or graph.outputs[0]).op.word
    if count == 1 and classes == 2 and word in PROBABILITIES:
        return Scores(np.hstack([1 - values, values]), True)
    if count != classes or count == 1:
        return None
    if word == "logsoftmax":
        return Scores(np.exp(values), True)
    return Scores(values, word in ("softmax", *PROBABILITIES))


def named(values: np.ndarray, names: Sequence[str], top: int | None = None) -> list[list[tuple[str, float]]]:
    """Names and their values (n, names), for each image: the largest first, of equals the first."""
    order = (-values).argsort(axis=1, kind="stable")[:, :top]
    return [
        [(names[k], float(row[k])) for k in likeliest]
        for row, likeliest in zip(values, order.tolist(), strict=True)
    ]
