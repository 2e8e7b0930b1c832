"""What `fit` is given, settled: images and answers to learn from and to choose by, and the best weights so far.

    images, held_out = held_out_of(images, 0.1, seed=0)          # a share of arrays as the network sees them
    dataset = dataset_of_arrays(x, y, spec.data, ...)            # arrays as they are stored, by the data block

Mistakes in values are a ValueError that names the argument; what is wrong with arrays is a SpecError that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ..data.as_trained import prepared_as
from ..data.asked.single import as_numbers
from ..data.checks import ensure_balanced
from ..data.classes import classes_of
from ..data.dataset import Dataset, Given, Named, Split, Weighted
from ..data.found import Found, Pair
from ..data.load import as_weights, class_weights, dataset_of, divide
from ..data.preparation import Preparation, preparation_of
from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import Graph
from ..lang import Spec
from ..settings.data import Data, Npz
from ..train import weights
from ..train.history import EpochRecord, History
from ..train.loop import EpochDone, Event, Interrupted, StepDone, TrainingConfig, fit
from ..train.trainable import Trainable

ARRAYS = "x"  # how messages call what `fit` was given
TEXTS = "US"  # kinds of NumPy's types that hold texts


class Fitted(Trainable, Protocol):
    """What fitting asks of a model, beside what the loop asks."""

    spec: Spec
    graph: Graph
    batch: int
    seed: int
    preparation: Preparation | None
    begun: bool

    def images(self, x: Given, y: Given) -> Split | Named:
        """Images and answers to go through in batches; SpecError, which names x or y, where they do not fit."""

    def answers(self, y: Given, whole: bool = False) -> object: ...


@dataclass(frozen=True)
class Arguments:
    """The arguments of `Model.fit` beside arrays; its docstring explains each."""

    epochs: int | None
    batch: int | None
    batch_size: int | None
    validation: float | tuple[Given, Given] | None
    patience: int | None
    on_batch: Callable[[StepDone], object] | None
    on_epoch: Callable[[EpochRecord], object] | None
    shuffle: bool
    prepare: bool
    classes: Sequence[str] | None
    class_weight: Mapping[int, float] | Mapping[str, float] | str | None = None
    sample_weight: ArrayLike | None = None

    def config(self, model: Fitted) -> TrainingConfig:
        """The configuration of the training; ValueError names an argument with a bad value."""
        for name in ("on_batch", "on_epoch"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise ValueError(f"{name} is called with what happened; got {getattr(self, name)!r:.40}")
        if self.classes is not None and not self.prepare:
            raise ValueError("classes are names that `prepare=True` keeps; give that too")
        if self.prepare and self.class_weight is not None and model.spec.data.balance:
            raise ValueError("class_weight is what `balance` of the data block says already: leave one of them out")
        config = replace(
            TrainingConfig.of(model.spec.train, model.spec.data),
            batch=one_of(self.batch, self.batch_size, model.batch),
            seed=model.seed,
            shuffle=self.shuffle,
            # how images of other scales may be changed nobody knows
            augment=model.spec.data.augment if self.prepare else (),
        )
        if self.epochs is not None:
            config = replace(config, epochs=whole("epochs", self.epochs, 0))
        if self.patience is not None:
            config = replace(config, patience=whole("patience", self.patience, 1))
        return config


def train(model: Fitted, x: Given, y: Given, given: Arguments) -> History:
    """Train a model on arrays; `Model.fit` says how."""
    config = given.config(model)
    begin(model)
    images, held_out = (prepared if given.prepare else as_seen)(model, x, y, given)
    config = replace(config, begun=-(-model.steps // -(-len(images) // config.batch)))
    best = Best()

    def tell(event: Event) -> object:
        if isinstance(event, EpochDone) and event.best and config.patience is not None:
            best.keep(model.parameters)
        if given.on_batch and isinstance(event, StepDone):
            return given.on_batch(event)
        return given.on_epoch(event.row) if given.on_epoch and isinstance(event, EpochDone) else None

    try:
        history = fit(model, images, config, held_out, tell)
    except Interrupted as stopped:  # after a whole step; a program expects what Ctrl-C raises
        raise KeyboardInterrupt(str(stopped)) from None
    if history.best_epoch < len(history):
        best.restore(model.parameters)
    return history


def begin(model: Fitted) -> None:
    """Load the weights that `train` begins with, beside the spec's file, into a model that took no step yet."""
    said = model.spec.train.weights
    if said is None or model.begun or model.steps:
        return
    path = Path(model.spec.source.name).parent / said.file
    weights.load(path, model.parameters, graph=model.graph, partial=said.partial, layout=said.layout or "")
    model.begun = True


def as_seen(model: Fitted, x: Given, y: Given, given: Arguments) -> tuple[Split | Named, Split | Named | None]:
    """Arrays as the network sees them, to learn from and to validate with."""
    fraction = fraction_of(given.validation)
    images = model.images(x, y)
    answers = list((images.y if isinstance(images, Named) else {"y": images.y}).values())
    images = replace(images, weights=weights_of(answers, given))
    if fraction is not None:
        return held_out_of(images, fraction, model.seed)
    try:
        return images, None if not isinstance(given.validation, tuple | list) else model.images(*given.validation)
    except SpecError as error:
        raise refused("validation", error) from None


def prepared(model: Fitted, x: Given, y: Given, given: Arguments) -> tuple[Split, Split | None]:
    """Arrays as they are stored, to learn from and to validate with; the model keeps how they are prepared."""
    if len(model.graph.inputs) > 1 or len(model.graph.outputs) > 1:
        raise ValueError("prepare=True is for networks of one input and one output")
    found, settings = dataset_of_arrays(
        x, y, model.spec.data, validation=given.validation, classes=given.classes, known=model.preparation,
        seed=model.seed, weights=lambda y, names: weights_of([y], given, names),
    )  # fmt: skip
    wanted = model.graph.type(model.graph.inputs[0])
    if found.input_type.shape != wanted.shape:
        raise SpecError((Diagnostic.of("CNN408", case="x", takes=wanted, has=found.input_type),))
    for part in (found.train, found.validation):
        model.answers(part.y, whole=True)
    model.preparation = model.preparation or preparation_of(found, settings)
    return found.train, found.validation if len(found.validation) else None


def whole(name: str, value: object, least: int) -> int:
    """A count among the arguments; ValueError, which names it, for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is a whole number from {least} on, got {value!r:.40}")
    return int(value)


def one_of(batch: int | None, batch_size: int | None, default: int) -> int:
    """The size of a batch, by either of its names."""
    if batch is not None and batch_size is not None:
        raise ValueError("batch and batch_size are one argument: give one of them")
    given = batch_size if batch is None else batch
    name = "batch_size" if batch is None else "batch"
    return default if given is None else whole(name, given, 1)


def fraction_of(validation: object) -> float | None:
    """The share that `validation` asks for; None where it is a pair of images and answers, or nothing."""
    if validation is None:
        return None
    if isinstance(validation, int | float | np.number) and not isinstance(validation, bool):
        if not 0 <= validation < 1:
            raise ValueError(f"validation is a share from 0 to below 1, or a pair (x, y); got {validation!r}")
        return float(validation)
    if not (isinstance(validation, tuple | list) and len(validation) == 2):
        kind = type(validation).__name__
        raise ValueError(f"validation is a share from 0 to below 1, or a pair (x, y); got one {kind}")
    return None


def held_out_of(images: Split | Named, fraction: float, seed: int) -> tuple[Split | Named, Split | Named | None]:
    """Images to learn from, and a share of them (rounded down) to validate with, of every class alike."""
    first = images.y if isinstance(images, Split) else next(iter(images.y.values()))
    rest, held_out = divide(np.asarray(first), fraction, seed)
    if not len(held_out):
        return images, None
    return part(images, rest), part(images, held_out)


def part(images: Split | Named, places: np.ndarray) -> Split | Named:
    """These images, in this order."""
    if isinstance(images, Split):
        return images.part(places)
    x, y = ({name: values[places] for name, values in each.items()} for each in (images.x, images.y))
    return replace(images, x=x, y=y, weights=None if images.weights is None else images.weights[places])


def weight_of(name: object, weight: object) -> float:
    """The weight of a class; ValueError where it is none."""
    if (
        isinstance(weight, bool)
        or not isinstance(weight, int | float | np.number)
        or not 0 <= weight < float("inf")
    ):
        raise ValueError(f"class_weight has numbers from 0, and {weight!r:.40} for class {name!r:.40}")
    return float(weight)


def weighed(y: Given, sample_weight: ArrayLike | None) -> Given:
    """The answers of a batch, with weights where some are given; SpecError, which names the argument."""
    if sample_weight is None:
        return y
    try:
        weights = as_numbers(sample_weight, "sample_weight")
        return Weighted(y, as_weights(weights, weights.size, "sample_weight"))
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def weights_of(answers: Sequence[np.ndarray], given: Arguments, names: Sequence[str] = ()) -> np.ndarray | None:
    """What the cost of each image is multiplied by, for itself and for its class; None for 1 each.

    Classes are called by their numbers or by their names. SpecError or ValueError, which name the argument.
    """
    try:
        y, weights = answers[0], None
        if given.sample_weight is not None:
            weights = as_weights(as_numbers(given.sample_weight, "sample_weight"), len(y), "sample_weight")
        if given.class_weight is None:
            return weights
        if len(answers) > 1:
            raise Fault.of("CNN436", case="class_weight of outputs", outputs=len(answers))
        if y.ndim != 1 or y.dtype.kind not in "iu":
            raise Fault.of("CNN436", case="class_weight")
        counts = np.bincount(y, minlength=len(names))
        classes = tuple(names) or tuple(map(str, range(len(counts))))
        if given.class_weight == "balanced":
            told: bool | dict[str, float] = True
        elif isinstance(given.class_weight, Mapping):
            told = {called(name, classes): weight_of(name, weight) for name, weight in given.class_weight.items()}
            ensure_balanced("y", told, classes)
        else:
            got = f"{given.class_weight!r:.40}"
            raise ValueError(f'class_weight is a dictionary of weights, or "balanced"; got {got}')
        of_class = np.array(class_weights(classes, told, counts))[y]
        found = of_class if weights is None else of_class * weights
        if not found.any():
            raise Fault.of("CNN436", case="zero of x")
        return found
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def called(name: object, classes: tuple[str, ...]) -> str:
    """The name of a class that is called by its name or by its number."""
    if isinstance(name, int | np.integer) and str(name) not in classes and 0 <= name < len(classes):
        return classes[int(name)]
    return str(name)


def dataset_of_arrays(
    x: Given,
    y: Given,
    settings: Data,
    *,
    validation: float | tuple[Given, Given] | None = None,
    classes: Sequence[str] | None = None,
    known: Preparation | None = None,
    seed: int = 0,
    weights: Callable[[np.ndarray, tuple[str, ...]], np.ndarray | None] = lambda y, names: None,
) -> tuple[Dataset, Data]:
    """Arrays as they are stored, as the data block prepares those of an archive; and the block as it held.

    Answers may be texts, the names of classes; `weights` gives those of images by their answers.
    With the preparation that a model has already they are prepared so.
    Raises SpecError, as a source of data does.
    """
    axes = settings.source.axes if isinstance(settings.source, Npz) else known.axes if known else None
    fraction = fraction_of(validation)
    settings = replace(
        settings,
        source=Npz(ARRAYS, axes=axes, test=0.0),
        validation=settings.validation if fraction is None else fraction,
    )
    try:
        pairs = {"train": _pair(x, y, axes, "")}
        if isinstance(validation, tuple | list):
            pairs["validation"] = _pair(validation[0], validation[1], axes, "validation: ")
        names: tuple[str, ...] | None = None if classes is None else tuple(classes)
        if any(labels.dtype.kind in TEXTS for _, labels in pairs.values()):
            pairs, names = _named(pairs, names)
        found = Found(ARRAYS, pairs["train"], classes=names, validation=pairs.get("validation")).checked(
            settings.target
        )
        known_names = found.classes if isinstance(found.classes, tuple) else ()
        found = replace(found, weights=weights(found.train[1], known_names))
        made = dataset_of(settings, found, seed)
        return (made if known is None else prepared_as(made, known)), settings
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def _pair(x: Given, y: Given, axes: str | None, where: str) -> Pair:
    images = as_numbers(x, f"{where}x")
    if axes is not None and len(axes) != images.ndim:
        raise Fault.of("CNN408", case="block", prefix=where, count=images.ndim, axes=axes)
    if axes is not None and "c" not in axes:
        images, axes = images[:, None], f"nc{axes[1:]}"
    if axes is not None:
        images = images.transpose([axes.index(name) for name in "nchw" if name in axes])
    labels = np.asarray(y)
    if labels.dtype.kind not in TEXTS:
        labels = as_numbers(y, f"{where}y")
    if not labels.ndim or not len(images):
        raise Fault.of("CNN303", case="given" if labels.ndim else "no array", prefix=where, y=y)
    if len(images) != len(labels):
        raise Fault.of("CNN410", case="answers", prefix=where, answers=len(labels), images=len(images))
    return images, labels


def _named(pairs: Mapping[str, Pair], names: tuple[str, ...] | None) -> tuple[dict[str, Pair], tuple[str, ...]]:
    """Answers that are names of classes, as numbers."""
    texts = {name: [str(label).strip() for label in np.ravel(y).tolist()] for name, (_, y) in pairs.items()}
    found, number = classes_of(label for labels in texts.values() for label in labels)
    if names is not None:
        strange = [name for name in found if name not in names]
        if strange:
            raise Fault.of("CNN429", case="y", strange=", ".join(strange[:8]))
        found, number = names, {label: names.index(label) for labels in texts.values() for label in labels}
    return {
        name: (x, np.array([number[label] for label in texts[name]], np.int64)) for name, (x, _) in pairs.items()
    }, found


class Best:
    """The parameters after the best epoch so far, to go back to."""

    def __init__(self) -> None:
        self.best: dict[str, np.ndarray] | None = None

    def keep(self, parameters: Mapping[str, np.ndarray]) -> None:
        self.best = {name: np.array(values) for name, values in parameters.items()}

    def restore(self, parameters: MutableMapping[str, np.ndarray]) -> None:
        for name, values in (self.best or {}).items():
            parameters[name] = values


def refused(argument: str, error: SpecError) -> SpecError:
    """The same findings, which say of which argument they are."""
    return SpecError(tuple(_of(argument, finding) for finding in error.diagnostics))


def _of(argument: str, finding: Diagnostic) -> Diagnostic:
    return replace(finding, message=f"{argument}: {finding.message}")
