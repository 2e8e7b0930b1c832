"""The test images that a network is surest and wrong about, or whose numbers it misses most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.dataset import Dataset, Split
from ..model.model import Model
from ..model.scores import scores

ASKED = 2_000  # test images, taken evenly from all
MOST = 24


@dataclass(frozen=True)
class Mistake:
    """One of them: `place` among the test images, the image as it is stored, and in words what was said of it.

    Of masks also the classes [h, w] of its pixels, those that are and those that were answered.
    """

    place: int
    image: np.ndarray
    title: str
    said: str
    masks: tuple[np.ndarray, ...] = ()


def tested(data: Dataset) -> Split:
    """The images that a trained network is looked at with: those of the test where there are any."""
    return next((part for part in (data.test, data.validation) if len(part)), data.train)


def worst(model: Model, data: Dataset, most: int = MOST) -> tuple[Mistake, ...]:
    """The worst mistakes first; none where answers are of another kind, or all are right."""
    split = tested(data)
    if len(model.graph.outputs) != 1 or len(model.graph.inputs) != 1 or not len(split):
        return ()
    places = np.unique(np.linspace(0, len(split) - 1, min(ASKED, len(split))).round().astype(int))
    if split.y.ndim == 1 and data.classes:
        return _of_classes(model, split, data.classes, places, most)
    if split.y.ndim > 2 and data.classes and split.y.dtype.kind in "iu":
        masks = split.y[:, 0] if split.y.ndim == 4 else split.y
        same = masks.shape[1:] == model.graph.type(model.graph.outputs[0]).spatial
        return _of_masks(model, split, masks, places, most) if same else ()
    if split.y.ndim == 2 and data.classes is None:
        return _of_numbers(model, split, places, most)
    return ()


def answers(model: Model, split: Split, places: np.ndarray) -> np.ndarray:
    """The outputs for images at some places."""
    return np.concatenate([outputs for _, outputs in in_batches(model, split, places)])


def in_batches(model: Model, split: Split, places: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some of the places and the outputs for them, a batch at a time, so that no more images are scaled at once."""
    for first in range(0, len(places), model.batch):
        some = places[first : first + model.batch]
        x = split.x[some]
        yield some, model.predict(split.scaling.apply(x, np.empty(x.shape, model.dtype)))


def _of_masks(model: Model, split: Split, masks: np.ndarray, places: np.ndarray, most: int) -> tuple[Mistake, ...]:
    """The images with most pixels wrong; their outputs are computed again, for these alone."""
    wrong = np.concatenate([
        (_classes(outputs) != masks[some]).mean(axis=(1, 2)) for some, outputs in in_batches(model, split, places)
    ])  # fmt: skip
    order = [k for k in np.argsort(-wrong, kind="stable")[: max(1, most // 3)].tolist() if wrong[k]]
    if not order:
        return ()
    said = _classes(answers(model, split, places[order]))
    return tuple(
        Mistake(
            place, split.x[place], f"image {place}", f"{wrong[k]:.1%} of its pixels wrong", (masks[place], answered)
        )
        for k, place, answered in zip(order, places[order].tolist(), said, strict=True)
    )


def _classes(outputs: np.ndarray) -> np.ndarray:
    """The class of each pixel, [n, h, w]; of a single output whether it is above 0.5."""
    return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _of_classes(
    model: Model, split: Split, classes: Sequence[str], places: np.ndarray, most: int
) -> tuple[Mistake, ...]:
    found = scores(model.graph, answers(model, split, places), len(classes))
    if found is None:
        return ()
    y, said = split.y[places], found.values.argmax(axis=1)
    wrong = np.flatnonzero(said != y)
    order = wrong[np.argsort(found.values[wrong, y[wrong]], kind="stable")][:most]
    told = []
    for k in order.tolist():
        given = found.values[k, said[k]]
        how = f", {given:.0%}" if found.shares else ""
        words = f"{classes[y[k]]} taken for {classes[said[k]]}{how}"
        told.append(Mistake(int(places[k]), split.x[places[k]], f"image {places[k]}", words))
    return tuple(told)


def _of_numbers(model: Model, split: Split, places: np.ndarray, most: int) -> tuple[Mistake, ...]:
    outputs = answers(model, split, places)
    y = split.part(places).answers(0, len(places))
    if outputs.size != y.size:
        return ()
    outputs = outputs.reshape(y.shape)
    error = np.abs(outputs - y).max(axis=1)
    order = np.argsort(-error, kind="stable")[:most]
    return tuple(
        Mistake(
            int(places[k]),
            split.x[places[k]],
            f"image {places[k]}",
            f"{_numbers(y[k])} taken for {_numbers(outputs[k])}",
        )
        for k in order.tolist()
        if error[k] > 0
    )


def _numbers(row: np.ndarray) -> str:
    shown = [f"{value:.4g}" for value in row[:4].tolist()]
    return ", ".join(shown) + (", ..." if len(row) > 4 else "")
