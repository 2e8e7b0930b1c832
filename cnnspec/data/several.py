"""Data of a network with several inputs or outputs: an archive that has an array for each, by its name.

    input 1x28x28 as left        left, right, y           or left_train, right_train, y_train, left_test, ...
    input 1x28x28 as right
    mul(...) -> dense 1 -> sigmoid

A network's only input is x and its only judged output y, or as the source calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from ..diagnostics import Fault, Span, SpecError
from ..ir import TensorType, data
from ..settings.data import Data, Npz
from .checks import unweighted
from .dataset import Dataset, Named, Scaling, Split
from .facts import Known
from .files import found_at
from .formats.npz import read_npz
from .found import Found
from .load import as_weights, divide, scaling_of, weights_of
from .sources.by_name import Wanted, archives


@dataclass(frozen=True, eq=False)
class Several(Dataset):
    """The same as a Dataset whose parts are `Named`: arrays by the names of inputs and of outputs.

    outputs   the names of the classes of each output, or None where it is numbers; `classes` are those of the first
    """

    outputs: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    @property
    def pairs(self) -> dict[tuple[str, str], Known]:
        """What is known of each pair of an input and an output that together are all of them."""
        train = cast(Named, self.train)
        first, *more = train.x
        outputs = list(self.outputs)
        pairs = [*((first, output) for output in outputs), *((name, outputs[0]) for name in more)]
        found = {}
        for x, y in pairs:
            classes, answers = self.outputs[y], train.y[y]
            count, places = (len(classes), answers.shape[1:]) if classes else (answers.shape[1], answers.shape[2:])
            parts = bool(len(self.test)), bool(len(self.validation))
            kind = data(*train.x[x].shape[1:])
            found[x, y] = Known(self.name, kind, classes, count, classes is None, *parts, places)
        return found

    def each(self) -> list[Dataset]:
        """The data of each pair as those of a network with one input and one output, by the names of both."""
        parts = [cast(Named, part) for part in (self.train, self.validation, self.test)]
        found = []
        for x, y in self.pairs:
            train, validation, test = (
                Split(part.x[x], part.y[y], part.scaling.get(x, Scaling())) for part in parts
            )
            name = f"{self.name}: {x}, {y}"
            found.append(Dataset(name, train, validation, test, self.outputs[y], own=self.own))
        return found

    @property
    def known(self) -> Known:
        """What is known of the first input and the first output."""
        return next(iter(self.pairs.values()))

    @property
    def input_type(self) -> TensorType:
        """The type of the first input."""
        return data(*next(iter(cast(Named, self.train).x.values())).shape[1:])


class ArchivePart(NamedTuple):
    """The arrays of a part, all as long as each other."""

    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    weights: np.ndarray | None = None

    def at(self, positions: np.ndarray) -> ArchivePart:
        x, y = ({name: values[positions] for name, values in arrays.items()} for arrays in (self.x, self.y))
        return ArchivePart(x, y, None if self.weights is None else self.weights[positions])

    def named(self, scaling: Mapping[str, Scaling], oversample: bool = False) -> Split:
        return cast(Split, Named(self.x, self.y, scaling, self.weights, oversample))

    @property
    def answers(self) -> np.ndarray:
        return next(iter(self.y.values()))


def load_several(
    settings: Data,
    wanted: Wanted,
    *,
    folder: Path | None = None,
    root: Path | None = None,
    seed: int = 0,
    span: Span | None = None,
    scaling: Mapping[str, Scaling] | None = None,
) -> Several:
    """The arrays that a data block asks for, for the inputs and outputs of a network; as `load`, raises SpecError.

    `scaling` of each input is that of a network that is trained already.
    """
    try:
        found = {
            pair: _read(one, root or Path("."), folder).checked(settings.target)
            for pair, one in archives(settings, wanted).items()
        }
        return _several(settings, wanted, found, seed, scaling)
    except Fault as fault:
        raise SpecError((fault.diagnostic(span),)) from None


def _read(source: Npz, root: Path, folder: Path | None) -> Found:
    parts = {part: found_at(root, folder, file) for part, file in source.own_files.items()}
    return read_npz(source, found_at(root, folder, source.file), parts)


def _several(
    settings: Data,
    wanted: Wanted,
    found: dict[tuple[str, str], Found],
    seed: int,
    scaling: Mapping[str, Scaling] | None,
) -> Several:
    first = next(iter(found.values()))
    parts = {}
    for part in ("train", "validation", "test"):
        there = {pair: getattr(one, part) for pair, one in found.items()}
        if all(there.values()):
            x = {given: pair[0] for (given, _), pair in there.items()}
            y = {taken: pair[1] for (_, taken), pair in there.items()}
            ordered = {name: x[name] for name in wanted.inputs}
            parts[part] = ArchivePart(ordered, {name: y[name] for name in wanted.outputs})
        elif lacking := [pair for pair, one in there.items() if one is None][: any(there.values())]:
            raise Fault.of(
                "CNN413", "source", case="pair", name=first.name, part=part, one=lacking[0][0], other=lacking[0][1]
            )
    train = parts["train"]
    if first.weights is not None:
        told = f"the weights of {first.name}"
        train = train._replace(weights=as_weights(first.weights, len(train.answers), told))
    if "test" in parts:
        test = parts["test"]
    else:
        rest, taken = divide(train.answers, getattr(settings.source, "test", 0.0), seed=0)
        train, test = train.at(rest), train.at(taken)
    if settings.limit:
        train, test = _first(train, settings.limit), _first(test, settings.limit)
    if "validation" in parts:
        validation = _first(parts["validation"], settings.limit or len(parts["validation"].answers))
    else:
        rest, taken = divide(train.answers, settings.validation, seed)
        train, validation = train.at(rest), train.at(taken)
    if settings.balance:
        of_class = weights_of(replace(first, weights=None), train.answers, None, settings.balance)
        train = train._replace(weights=of_class if train.weights is None else of_class * train.weights)
    if settings.oversample and train.weights is None:
        raise unweighted()
    if scaling is None:
        scaling = {name: scaling_of(x, settings.normalise) for name, x in train.x.items()}
    outputs = {taken: cast("tuple[str, ...] | None", one.classes) for (_, taken), one in found.items()}
    return Several(
        first.name, train.named(scaling, settings.oversample), validation.named(scaling), test.named(scaling),
        outputs[wanted.outputs[0]], source=settings.source, own=first.own, outputs=outputs,
    )  # fmt: skip


def _first(part: ArchivePart, limit: int) -> ArchivePart:
    count = len(part.answers)
    return part if count <= limit else part.at(divide(part.answers, limit / count, seed=0)[1])
