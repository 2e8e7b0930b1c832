"""The content of a page: layers, training, examples, and where their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...data.asked.fitted import is_of_digits
from ...data.preparation import BYTES, Preparation
from ...explain.layers import told_of
from ...explain.subject import Example, Subject
from ...train.folder import RunFolder
from .names import kinds_of
from .numbers import NumberStore
from .outcome import outcome

JsonObject = dict[str, Any]  # as JSON has it


def content(subject: Subject, numbers: NumberStore) -> JsonObject:
    """Everything but the numbers themselves."""
    graph, preparation = subject.graph, subject.preparation
    return {
        "name": subject.name,
        "classes": list(subject.classes),
        **told_of(subject.model.spec, kinds_of(subject)),
        "examples": [_example(subject, example, numbers) for example in subject.examples],
        "own": _own(preparation.of(graph.inputs[0])) if preparation and len(graph.inputs) == 1 else None,
        "training": _training(subject.run) if subject.run else None,
        "results": outcome(subject.model, subject.mistakes, numbers) if subject.run else None,
        "spec": subject.model.spec.source.text,
    }


def _example(subject: Subject, example: Example, numbers: NumberStore) -> JsonObject:
    """An example's title, and what the network is given and judged by."""
    title = example.title
    if example.label is not None and example.known:
        title += f", a {subject.class_name(example.label)}"
    inputs: dict[str, list[int]] = {}
    targets: dict[str, list[int]] = {}
    for name, array in example.arrays.items():
        judged = name.endswith(".target") and name not in subject.graph.nodes
        (targets if judged else inputs)[name.removesuffix(".target") if judged else name] = numbers.add(
            np.asarray(array[0], np.float64)
        )
    return {"title": title, "label": example.label, "known": example.known, "inputs": inputs, "targets": targets}


def _own(preparation: Preparation) -> JsonObject | None:
    """How a drawing or picture of one's own is fitted; None where the network takes none."""
    if preparation.stored != BYTES or preparation.input_type.kind != "image" or preparation.input[0] not in (1, 3):
        return None
    digits = is_of_digits(preparation)
    _, height, width = preparation.input
    how = "light on dark, centred by mass, as MNIST was made"
    says = how if digits else f"cut to {height}x{width} around the middle"
    return {"digits": digits, "shape": list(preparation.input), "says": f"Fitted: {says}."}


def _training(run: Path) -> JsonObject | None:
    """The columns of results.csv and what summary.json says, where they are there."""
    folder = RunFolder(run)
    told: JsonObject = {"summary": folder.ended(), "columns": folder.columns()}
    return {name: found for name, found in told.items() if found} or None
