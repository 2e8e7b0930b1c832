"""Outputs, classes, costs and gradients of a network, for any number of images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from ..data.asked.single import inputs_of
from ..data.preparation import Preparation
from ..diagnostics import Diagnostic, SpecError
from . import engines
from .given import Given, Outputs, length
from .judged import Judged
from .scores import named, scores
from .tally import Tally
from .targets import CanonicalTargets

Array = np.ndarray
File = str | os.PathLike[str]
Asked = Array | File | Sequence[Array | File]  # images, or the files that hold them
T = TypeVar("T")


class Changed(Exception):
    """The parameters were changed amid an answer."""


class Answering(Judged):
    """A network for inference; `Model` is one."""

    engine: engines.Engine
    batch: int
    preparation: Preparation | None

    def prepare(self, x: Asked, *, fit: bool = False) -> Array:
        """Images as they are stored, as the network shall see them: (n, c, h, w) float32.

        An array of one image or several, with its axes and numbers as the training data have them; the path of a
        file (npy, npz, csv, a picture); or a list of either. With `fit` pictures of any size are brought to the
        network's, drawings as MNIST's digits were. Known to a model that loaded the weights of a run; raises
        SpecError where it is not (CNN428), for other shapes (CNN408), and for numbers that could mean anything
        (CNN426).
        """
        if self.preparation is None:
            raise SpecError((Diagnostic.of("CNN428"),))
        return inputs_of(x, self.preparation, fit=fit)

    def classify(self, x: Asked, *, top: int | None = None, fit: bool = False) -> list[dict[str, float]]:
        """What the network says of each class, by its name, the likeliest first; for each image a dictionary.

        Images are as the training data have them, or files; see `prepare`. The numbers are probabilities where the
        network ends in such, else scores. `top` leaves the likeliest few. Raises SpecError where there are no
        classes, or their names are not known (CNN428).
        """
        if top is not None and top < 1:
            raise ValueError(f"the likeliest one at least is named; got top={top!r}")
        images = self.prepare(x, fit=fit)
        classes = self.preparation.classes if self.preparation else None
        outputs = self.predict(images)
        found = None if classes is None or isinstance(outputs, dict) else scores(self.graph, outputs, len(classes))
        if classes is None or found is None:
            raise SpecError((Diagnostic.of("CNN428", case="no classes"),))
        return [dict(best) for best in named(found.values, classes, top)]

    def predict(self, x: Given) -> Any:
        """The outputs for any number of images: an array (n, ...), or by name where there are several."""
        arrays = self._inputs(x)
        count = length(arrays)
        if 0 < count <= self.batch:
            found = self.engine.forward(arrays)
            return found[0] if len(found) == 1 else Outputs(zip(self.graph.outputs, found, strict=True))
        outputs = {name: np.empty((count, *self.graph.type(name).shape), self.dtype) for name in self.graph.outputs}

        def answer(unchanged: Callable[[], None]) -> None:
            for start, part in self._chunks(arrays, count):
                stop = start + length(part)
                self.engine.forward(part, out=[values[start:stop] for values in outputs.values()])
                unchanged()

        self._of_one_state(answer)
        if len(outputs) == 1:
            return next(iter(outputs.values()))
        return Outputs(outputs)

    def evaluate(self, x: Given, y: Given, *, metrics: Sequence[str] = ()) -> dict[str, float | None]:
        """Mean cost and accuracy over any number of images, without dropout and with running statistics.

        What the accuracy counts for each kind of answers says `cnnspec.model.targets`; numbers have none. `metrics`
        are measures by their names, which the answers have: "f1", "auc", "rmse", ...; ValueError for others.
        """
        if isinstance(metrics, str):
            raise ValueError(f"metrics is a sequence of names, such as [{metrics!r}]; got {metrics!r}")
        answers = self.answers(y)
        arrays = self._arrays(x, answers)
        count = length(arrays)

        def answer(unchanged: Callable[[], None]) -> dict[str, float | None]:
            cost, by_class, by_label = 0.0, 0, 0
            for _, part in self._chunks(arrays, count):
                mean, correct = self.engine.measure(part)
                unchanged()
                cost += mean * length(part)
                by_class, by_label = by_class + correct[0], by_label + correct[1]
            found = self._correct((by_class, by_label), answers)
            told = {"cost": cost / count, "accuracy": None if found is None else found / count}
            return told | self._measured(x, y, metrics, unchanged) if metrics else told

        return self._of_one_state(answer)

    def judge(
        self, x: Given, y: Given
    ) -> tuple[float, float | None, dict[str, CanonicalTargets], dict[str, Array]]:
        """As `measure`, with the settled answers and the outputs by name."""
        answers = self.answers(y)
        cost, correct, outputs = self.engine.judge(self._arrays(x, answers))
        return cost, self._correct(correct, answers), answers, dict(zip(self.graph.outputs, outputs, strict=True))

    def tally(self) -> Tally:
        """What measures the network over batches of images."""
        return Tally(self)

    def _of_one_state(self, answer: Callable[[Callable[[], None]], T]) -> T:
        """An answer that the engine is asked for batch by batch, of the same parameters from the first to the last.

        `answer` calls what it is given after each batch. Where another thread has changed the parameters since it
        began, it begins again, and changes wait until it is there.
        """
        changes = self.engine.changes

        def attempt() -> T:
            before = changes.count

            def unchanged() -> None:
                if changes.count != before:
                    raise Changed

            return answer(unchanged)

        with suppress(Changed):
            return attempt()
        with self.engine.turn.door:
            while True:
                with suppress(Changed):  # by the function of a signal, in this thread
                    return attempt()

    def _measured(
        self, x: Given, y: Given, metrics: Sequence[str], unchanged: Callable[[], None]
    ) -> dict[str, float | None]:
        """Measures by their names."""
        tally = self.tally()
        for some, answers in self.images(x, y).batches(self.batch, dtype=self.dtype):
            tally.add(some, answers)
            unchanged()
        measures = tally.measures()
        known = {} if measures is None else measures.values
        for name in metrics:
            if name not in known:
                raise ValueError(f"these answers have no measure {name!r}; they have {', '.join(known)}")
        return {name: known[name] for name in metrics}

    def cost(self, x: Given, y: Given) -> float:
        """Mean cost over any number of images."""
        found = self.evaluate(x, y)["cost"]
        assert found is not None
        return found

    def activations(self, x: Given) -> dict[str, Array]:
        """Every value of the network, by name, as it is in use: (n, c, h, w) for images."""
        arrays = self._inputs(x)
        if not length(arrays):
            return {node.name: np.empty((0, *node.type.shape), self.dtype) for node in self.graph}
        found = self.engine.forward(arrays, mode="show")
        return dict(zip((node.name for node in self.graph), found, strict=True))

    def _chunks(self, arrays: dict[str, Array], count: int) -> Iterator[tuple[int, dict[str, Array]]]:
        for start in range(0, count, self.batch):
            yield start, {name: values[start : start + self.batch] for name, values in arrays.items()}
