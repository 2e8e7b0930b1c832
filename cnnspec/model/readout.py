"""Outputs as answers with names: a class of each image, a class of each pixel, or numbers.

readout = read_out(graph, outputs, preparation)
readout.names, readout.values        # ("cat", "dog"), [[0.93, 0.07]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..data.preparation import Preparation
from ..ir import Graph
from ..words.costs import tells_pixels_apart
from .scores import named, scores

CLASSES, MASK, NUMBERS = "classes", "mask", "numbers"


@dataclass(frozen=True, eq=False)
class Readout:
    """The outputs for some images, in words.

    kind    `classes` of images, a `mask` (a class of each pixel), or `numbers`
    names   of the classes, or of the numbers
    values  (n, names): probabilities or scores of classes, each class's share of a mask, numbers
    shares  whether the values are from 0 to 1, and may be told as percentages
    masks   (n, h, w), the class of each pixel
    """

    kind: str
    names: tuple[str, ...]
    values: np.ndarray
    shares: bool = False
    masks: np.ndarray | None = None

    def ranked(self, row: int, top: int | None = None) -> list[tuple[str, float]]:
        """The names by their values, of one image: the largest first, of equals the first."""
        return named(self.values[row : row + 1], self.names, top)[0]


def read_out(graph: Graph, outputs: np.ndarray, preparation: Preparation) -> Readout:
    """What the outputs (n, c, ...) of a network with a single output say.

    Classes have the names that the network was trained with, else their numbers. A column of a table has its name,
    other numbers that of the output, with their place where there are several: `dense2[0]`.
    """
    (output,) = graph.outputs
    classes = preparation.classes
    found = scores(graph, outputs, len(classes)) if classes is not None else None
    if found is not None and classes is not None:
        return Readout(CLASSES, classes, *found)
    if outputs.ndim == 4 and prod(outputs.shape[2:]) > 1:
        masks = mask_of(graph, outputs, classes)
        if masks is not None:
            count = max(2, outputs.shape[1])
            names = classes if classes is not None and len(classes) == count else tuple(map(str, range(count)))
            return Readout(MASK, names, shares_of(masks, count), True, masks)
    numbers = outputs.reshape(len(outputs), prod(outputs.shape[1:]))
    return Readout(NUMBERS, names_of(output, outputs.shape[1:], preparation), numbers)


def mask_of(graph: Graph, outputs: np.ndarray, classes: tuple[str, ...] | None) -> np.ndarray | None:
    """The class of each pixel, of outputs (n, c, h, w) that tell classes apart; None of others, such as pictures.

    one sigmoid                       1 where it is above a half
    softmax, logsoftmax, or as many
    channels as there are classes     the largest channel, of equals the first
    """
    word, count = graph.behind(graph.outputs[0]).op.word, outputs.shape[1]
    if not tells_pixels_apart(word, count, len(classes or ())):
        return None
    return (outputs[:, 0] > 0.5 if count == 1 else outputs.argmax(1)).astype(np.uint8)


def shares_of(masks: np.ndarray, count: int) -> np.ndarray:
    """Of each mask [n, h, w] the share of the pixels that is of each class [n, count]."""
    flat = masks.reshape(len(masks), -1)
    return np.stack([(flat == k).mean(1) for k in range(count)], 1)


def names_of(output: str, shape: Sequence[int], preparation: Preparation) -> tuple[str, ...]:
    """A name of each number of an output (c, ...), in their order."""
    if prod(shape) == 1:
        return (preparation.table.label_name or output if preparation.table else output,)
    places = np.ndindex(*(shape if prod(shape[1:]) > 1 else shape[:1]))
    return tuple(f"{output}[{','.join(map(str, place))}]" for place in places)
