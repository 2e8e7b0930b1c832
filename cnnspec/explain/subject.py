"""The subject of a trace or a page: a network with its parameters, and example images."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..api import Input, read_spec
from ..data.asked.single import read_inputs
from ..data.dataset import Dataset
from ..data.preparation import Preparation
from ..data.several import Several
from ..diagnostics import Diagnostic, SpecError
from ..experiment.session import Session, begin, open_trained, reopen
from ..ir import Graph
from ..lang import Spec
from ..model.model import Model
from .gradcheck import random_batch
from .mistakes import Mistake, tested, worst
from .probe import Probe, Seen


@dataclass(frozen=True)
class Example:
    """One image (or what else the network takes) and the answer that it is judged by.

    `label` is the class's number, where answers are classes; `known` whether the data say it, or the
    network's own answer stands for it.
    """

    title: str
    arrays: dict[str, np.ndarray]  # inputs and targets by name, a batch of one
    label: int | None = None
    known: bool = True


@dataclass(frozen=True)
class Subject:
    """A network and examples; `run` is the folder that it was trained in, if any."""

    name: str
    model: Model
    examples: tuple[Example, ...]
    classes: tuple[str, ...] = ()
    run: Path | None = None
    mistakes: tuple[Mistake, ...] = ()
    preparation: Preparation | None = None

    @property
    def graph(self) -> Graph:
        return self.model.graph

    def look(self, example: Example) -> Seen:
        return Probe(self.model).look(example.arrays)

    def class_name(self, k: int) -> str:
        return self.classes[k] if k < len(self.classes) else str(k)


def open_subject(
    path: Path,
    *,
    image: Path | None = None,
    which: tuple[int, ...] | None = (0,),
    label: int | None = None,
    folder: Path | None = None,
    seed: int | None = None,
    input: Input | None = None,
) -> Subject:
    """The network of a run's folder, of weights, or of a spec (as training would begin), and its examples.

    The examples are the images of a file, or those of the test data that `which` counts (None: some of
    different classes and the worst mistakes); random ones for a spec whose data are not there.
    """
    trained = path.is_dir() or path.suffix == ".safetensors"
    if trained and image is not None:
        network = open_trained(path, folder)
        run = path if path.is_dir() else None
        examples = _of_file(network.model, image, network.preparation, label)
        name = path.name if run else _stem(network.spec)
        classes = network.preparation.classes or ()
        return Subject(name, network.model, examples, classes, run, preparation=network.preparation)
    if trained:
        session, model = reopen(path, folder)
    else:
        found = _session(path, folder)
        if found is None or input is not None:
            return _without_data(path, image, seed, input)
        session, model = found, Model(found.spec, seed=seed)
    if image is not None:
        examples = _of_file(model, image, session.preparation, label)
        classes = session.data.classes or ()
        return Subject(_stem(session.spec), model, examples, classes, preparation=session.preparation)
    return of_session(session, model, path if path.is_dir() else None, which)


def of_session(
    session: Session, model: Model, run: Path | None = None, which: tuple[int, ...] | None = None
) -> Subject:
    """A network with its data; of a run also its worst mistakes."""
    if isinstance(session.data, Several):
        return _of_several(session, session.data, model, run, which or tuple(range(DIFFERENT)))
    mistakes = worst(model, session.data) if run else ()
    chosen = which if which is not None else telling(session.data, mistakes)
    examples = tuple(_tested(session, model, k) for k in chosen)
    name = run.name if run else _stem(session.spec)
    return Subject(name, model, examples, session.data.classes or (), run, mistakes, session.preparation)


def _of_several(session: Session, data: Several, model: Model, run: Path | None, which: tuple[int, ...]) -> Subject:
    """A network with several inputs or outputs, and some of its test images."""
    images = next(part for part in (data.test, data.validation, data.train) if len(part))
    batches = images.batches(1)
    examples = tuple(
        Example(f"test {k} of {data.name}", model.arrays(x, y))
        for k, (x, y) in enumerate(islice(batches, max(which) + 1))
        if k in which
    )
    name = run.name if run else _stem(session.spec)
    return Subject(name, model, examples, data.classes or (), run, preparation=session.preparation)


def _stem(spec: Spec) -> str:
    return spec.source.name.rpartition("/")[2].partition(".")[0]


def _of_file(model: Model, image: Path, preparation: Preparation, label: int | None) -> tuple[Example, ...]:
    """The first images of a file, prepared as those of training."""
    images, _ = read_inputs(image, preparation)
    names = [image.name if len(images) == 1 else f"{image.name}[{k}]" for k in range(len(images))]
    return tuple(_judged(model, name, x[None], label) for name, x in zip(names, images[:MOST], strict=False))


MOST = 16  # images of a file that holds many
DIFFERENT, MISTAKES = 4, 2  # images of a page that nobody chose


def _session(path: Path, folder: Path | None) -> Session | None:
    """The spec with its data; None where the spec is right and its data are missing or of another kind."""
    read_spec(path)
    try:
        return begin(path, (), folder)
    except SpecError as error:
        if all(d.code in ("CNN306", "CNN402", "CNN403") or d.code.startswith("CNN4") for d in error.diagnostics):
            return None
        raise


def _without_data(path: Path, image: Path | None, seed: int | None, input: Input | None) -> Subject:
    """A spec with a random image."""
    if image is not None:
        raise SpecError((Diagnostic.of("CNN402", case="image", image=image, path=path),))
    model = Model(read_spec(path, input=input), seed=seed)
    arrays = random_batch(model, 1, seed or 0)
    return Subject(path.name.partition(".")[0], model, (Example("random numbers", arrays),))


def telling(data: Dataset, mistakes: tuple[Mistake, ...]) -> tuple[int, ...]:
    """Test images that tell most: the first of some classes, and the worst mistakes."""
    split = tested(data)
    if split.y.ndim != 1:
        return tuple(range(min(len(split), DIFFERENT + MISTAKES)))
    _, firsts = np.unique(split.y, return_index=True)
    chosen = sorted(firsts.tolist())[:DIFFERENT] + [one.place for one in mistakes[:MISTAKES]]
    return tuple(dict.fromkeys(chosen))


def _tested(session: Session, model: Model, k: int) -> Example:
    """An image of the test data, judged by its answer."""
    split = tested(session.data)
    if not 0 <= k < len(split):
        raise SpecError((Diagnostic.of("CNN553", case="image", images=len(split), number=k),))
    x = split.scaling.apply(split.x[k : k + 1], np.empty((1, *split.x.shape[1:]), np.float32))
    y = split.answers(k, k + 1)
    label = int(y[0]) if y.ndim == 1 else None
    return Example(f"test image {k} of {session.data.name}", model.arrays(x, y), label)


def _judged(model: Model, title: str, x: np.ndarray, label: int | None) -> Example:
    """An image of a file; where nobody says what it shows, its cost is that of the network's own answer."""
    known = label is not None
    answer = model.predict(x)
    if label is None and answer[0].size == answer.shape[1] > 1:
        label = int(answer[0].argmax())
    if label is not None:
        y = np.array([label])
    else:  # the classes of pixels, or the numbers themselves
        y = answer.argmax(axis=1) if answer.shape[1] > 1 else answer
    return Example(title, model.arrays(x, y), label, known)
