"""Other data, read and prepared as those that a network was trained on: for `eval`, `--resume` and `fit`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..diagnostics import Fault
from ..settings.data import Data, Images, Npz, Pairs
from .dataset import Dataset, Split
from .preparation import BYTES, FLOATS, Preparation


def source_as(settings: Data, preparation: Preparation) -> Data:
    """A data block with what its source leaves open of pictures and arrays as training had it.

    So `source images "other"` is brought to the size and the colours that the network was trained on.
    """
    source = settings.source
    if isinstance(source, Images | Pairs) and preparation.input_type.kind == "image":
        grey = preparation.colour is False or (preparation.colour is None and preparation.input[0] == 1)
        source = replace(source, colour=source.colour and not grey, resize=source.resize or preparation.resize)
    elif isinstance(source, Npz) and source.axes is None and preparation.axes is not None:
        source = replace(source, axes=preparation.axes)
    return replace(settings, source=source)


def prepared_as(found: Dataset, preparation: Preparation) -> Dataset:
    """Data as a network was trained on other data: scaled by its numbers, labelled in the order of its classes.

    Raises Fault where they cannot be: another shape (CNN408), another type (CNN426), other classes (CNN429).
    """
    if found.input_type.shape != preparation.input:
        raise Fault.of(
            "CNN408", "source", case="trained", takes=preparation.input_type, name=found.name, has=found.input_type
        )
    stored = BYTES if found.train.x.dtype == np.uint8 else FLOATS
    if stored != preparation.stored:
        raise Fault.of("CNN426", "source", case="data", name=found.name, stored=stored, trained=preparation.stored)
    places = _places(found, preparation)

    def part(split: Split) -> Split:
        y = split.y if places is None or split.itself else places[split.y]
        return replace(split, y=y, scaling=preparation.scaling)

    learn, choose, final = map(part, (found.train, found.validation, found.test))
    return Dataset(found.name, learn, choose, final, preparation.classes, found.table, found.source)


def _places(found: Dataset, preparation: Preparation) -> np.ndarray | None:
    """The output of each class of the data; None where they are those of the network, in its order."""
    if found.classes == preparation.classes:
        return None
    if found.classes is None or preparation.classes is None:
        has, was = ("classes" if names else "regression targets" for names in (found.classes, preparation.classes))
        raise Fault.of("CNN429", "source", case="kind", name=found.name, has=has, was=was)
    output = {name: k for k, name in enumerate(preparation.classes)}
    strange = [name for name in found.classes if name not in output]
    if strange:
        told = ", ".join(strange[:8]) + (f" and {len(strange) - 8} more" if len(strange) > 8 else "")
        raise Fault.of(
            "CNN429",
            "source",
            name=found.name,
            strange=told,
            classes=", ".join(preparation.classes[:8]),
            more=", ..." if len(preparation.classes) > 8 else "",
        )
    return np.array([output[name] for name in found.classes], np.int64)
