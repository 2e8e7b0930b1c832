"""The model: a network with its parameters, trained and asked from Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..data.preparation import Preparation
from ..lang import Spec
from ..lazy import lazy
from ..passes.methods import Times
from ..quoting import line
from ..train import checkpoints, weights
from ..train.history import EpochRecord, History
from ..train.loop import StepDone
from ..train.trainable import Begin, Learned
from . import copies, engines
from .answering import Answering
from .fitting import Arguments, train, weighed, whole
from .given import Given

if TYPE_CHECKING:
    from ..ir.facts import Facts

Array = np.ndarray
File = str | os.PathLike[str]
Asked = Array | File | Sequence[Array | File]  # images, or the files that hold them


class Model(Answering):
    """A compiled network; made by `cnnspec.compile`.

    Images are arrays (n, c, h, w), sequences (n, c, w), vectors (n, c), floats as the network shall see
    them. Answers are class indices (n,), one-hot rows, or numbers of the output's shape. Where a network has
    several inputs or outputs, give (and get) dictionaries by name. Batches may have any size. Several threads may
    use one model at once.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        batch: int | None = None,
        workers: int = 1,
        parallel: str = "processes",
        seed: int | None = None,
        dtype: str = "float32",
        shards: int | None = None,
        engine: str = "numpy",
        devices: int | None = None,
        precision: str | None = None,
        tune: bool = False,
        measured: Mapping[str, Times] | None = None,
    ) -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is float32 or float64, got {dtype!r}")
        if tune and engine != "numpy":
            raise ValueError(f"convolutions are tuned for the engine numpy, and this is {engine}")
        for name, value in {"workers": workers, "batch": batch, "shards": shards, "devices": devices}.items():
            if value is not None:
                whole(name, value, 1)
        self.spec = spec
        self.graph = spec.graph
        self.dtype = dtype
        self.batch = batch or spec.train.batch
        self.seed = spec.train.seed if seed is None else whole("seed", seed, 0)
        self.shards = shards or spec.train.shards or workers
        self.costs = spec.train.cost
        self.measured = measured or {}
        if tune:
            from ..runtime.tune import tune as times

            self.measured = times(spec.graph, self.costs, -(-self.batch // self.shards), dtype)
        self.engine = engines.begin(
            engine,
            spec,
            seed=self.seed,
            dtype=dtype,
            precision=precision or spec.train.precision,
            shards=self.shards,
            workers=workers,
            parallel=parallel,
            devices=devices,
            measured=self.measured,
        )
        self._how: dict[str, object] = {"batch": batch, "workers": workers, "parallel": parallel, "seed": seed}
        self._how |= {"dtype": dtype, "shards": shards, "engine": engine, "devices": devices}
        self._how |= {"precision": precision, "measured": self.measured}
        # of the schedule: the steps, counted over the model's life, at which it begins and ends; 0 where none runs
        self.first_step = self.total_steps = 0
        self.steps_per_epoch = 1
        self.fixed_rate: float | None = None  # in place of the schedule's
        self.preparation: Preparation | None = None  # of the images it was trained on, where that is known
        self.begun = False  # whether weights were loaded: `fit` then leaves those of `train` aside

    # ---- training ----------------------------------------------------------------------------------

    def train_step(self, x: Given, y: Given, *, sample_weight: ArrayLike | None = None) -> float:
        """One step of the optimiser on a batch; the mean cost before the step.

        `sample_weight` (n,) multiplies the cost of each image; the sum is divided by the number of images.
        """
        return self.learn(x, weighed(y, sample_weight))[0]

    def learn(self, x: Given, y: Given) -> tuple[float, float | None]:
        """One step; the mean cost, and how many answers were correct (None where they are numbers).

        Where the cost is not finite the parameters stay as they were. Several outputs: of the first cost's.
        """
        answers = self.answers(y)
        arrays = self._weighed(x, y, answers)
        with self.engine.turn:  # the rate is this step's, even if other threads take steps
            cost, correct = self.engine.learn(arrays, self.rate, self.epoch)
        return cost, self._correct(correct, answers)

    def ready(self, x: Given, y: Given) -> Begin:
        """The same step, to be begun later: the batch is on its way to the device that computes it.

        What begins it returns what waits for its end; an engine without devices takes the step then.
        """
        engine = self._concurrent
        if engine is None:
            return lambda: partial(self.learn, x, y)
        answers = self.answers(y)
        held = engine.hold(self._weighed(x, y, answers))

        def begin() -> Learned:
            with self.engine.turn:
                ended = engine.start(held, self.rate, self.epoch)

            def learned() -> tuple[float, float | None]:
                cost, correct = ended()
                return cost, self._correct(correct, answers)

            return learned

        return begin

    @lazy
    def _concurrent(self) -> engines.Concurrent | None:
        """The engine, if its steps run beside this process: asked once, for it takes as long as a small layer."""
        return self.engine if isinstance(self.engine, engines.Concurrent) else None

    def measure(self, x: Given, y: Given) -> tuple[float, float | None]:
        """The same without learning: the network as it is in use."""
        answers = self.answers(y)
        cost, correct = self.engine.measure(self._arrays(x, answers))
        return cost, self._correct(correct, answers)

    def fit(
        self,
        x: Given,
        y: Given,
        *,
        epochs: int | None = None,
        batch: int | None = None,
        batch_size: int | None = None,
        validation: float | tuple[Given, Given] | None = None,
        patience: int | None = None,
        on_batch: Callable[[StepDone], object] | None = None,
        on_epoch: Callable[[EpochRecord], object] | None = None,
        shuffle: bool = True,
        prepare: bool = False,
        classes: Sequence[str] | None = None,
        class_weight: Mapping[int, float] | Mapping[str, float] | str | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> History:
        """Train for some epochs (default: the spec's); returns a row an epoch.

        The weights that `train` begins with are loaded before the first step, unless some were loaded already. The
        schedule runs over the steps of this call. The order of the images goes on over the model's life:
        two calls of an epoch see them as one call of two.

        batch       images of a step, also called `batch_size` (default: the model's) validation  images and answers
        to choose the best epoch by, or the fraction of x that is held out for it, of every
                    class alike
        patience    stop after so many epochs without a better one (default: the spec's); the model then has the
                    parameters of the best epoch
        on_batch    called after each step, with its cost, rate and seconds; it may set `model.rate`
        on_epoch    called after each epoch, with its row; the answer False of either stops the training there
        prepare     x holds images as they are stored, bytes or floats, y numbers or names of classes: the data
                    block prepares them (scaling, normalise, augment, validation), and the model keeps how
        classes     their names, with `prepare`, in the order of the numbers in y

        class_weight   what the cost of an image is multiplied by, for its class: {0: 1, 1: 5}, or by their names
                       with `prepare`, and 1 for the others; "balanced" gives each class the same share
        sample_weight  the same for each image, (n,)

        A batch's weighted costs are added up and divided by the number of its images, as Keras does. Neither
        validation nor measures are weighted.

        Raises SpecError where arrays do not fit, which names the argument, and where a number stops being finite;
        ValueError for an argument that is none of its values.
        """
        given = Arguments(
            epochs=epochs, batch=batch, batch_size=batch_size, validation=validation, patience=patience,
            on_batch=on_batch, on_epoch=on_epoch, shuffle=shuffle, prepare=prepare, classes=classes,
            class_weight=class_weight, sample_weight=sample_weight,
        )  # fmt: skip
        return train(self, x, y, given)

    def gradients(self, x: Given, y: Given, *, sample_weight: ArrayLike | None = None) -> dict[str, Array]:
        """The gradient of the batch's mean cost with respect to every trained parameter, in PyTorch's layouts.

        As in training: with the batch's statistics and with dropout, and `sample_weight` as in `train_step`.
        What is frozen has none.
        """
        y = weighed(y, sample_weight)
        arrays = self._weighed(x, y, self.answers(y))
        with self.engine.turn:  # what is frozen then, even if other threads take steps
            _, found = self.engine.differentiate(arrays, self.epoch)
        return dict(found)

    @property
    def scales(self) -> bool:
        """Whether images may come as they are stored; see `data.dataset.Stored`."""
        return self.engine.scales

    @property
    def rate(self) -> float:
        """The learning rate of the next step: that of the schedule, or the one that was set.

        One that is set holds for every step after it, until another is; None goes back to the schedule.
        """
        if self.fixed_rate is not None:
            return self.fixed_rate
        train, first, total = self.spec.train, self.first_step, self.total_steps
        base = train.optimiser.lr
        if not total:
            return base
        return train.schedule.rate(self.engine.steps - first, total - first, self.steps_per_epoch, base)

    @rate.setter
    def rate(self, rate: float | None) -> None:
        number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
        if rate is not None and not (number and 0 <= rate < float("inf")):
            raise ValueError(f"a rate is a number from 0 on, or None for that of the schedule; got {rate!r:.40}")
        self.fixed_rate = None if rate is None else float(rate)

    @property
    def epoch(self) -> int:
        """Epochs of the training under way that are done; 0 where none is. `freeze ... until` goes by them."""
        if not self.total_steps:
            return 0
        return max(0, self.engine.steps - self.first_step) // self.steps_per_epoch

    @property
    def steps(self) -> int:
        """Optimiser steps taken."""
        return self.engine.steps

    @steps.setter
    def steps(self, count: int) -> None:
        with self.engine.turn:
            self.engine.steps = count

    # ---- contents ---------------------------------------------------------------------------------

    @property
    def parameters(self) -> MutableMapping[str, Array]:
        """The parameters by name, in order of the text; assigning sets."""
        return self.engine.parameters

    @property
    def plan(self) -> engines.Plan:
        """The plan of a training step at the model's batch size; `.source` is its text."""
        return self.engine.plan("train", self.batch, epoch=self.epoch)

    @property
    def facts(self) -> Facts:
        """Shapes, parameters, multiply-adds of every layer."""
        from ..ir.facts import facts

        return facts(self.graph)

    def summary(self) -> str:
        """The table of layers, as text."""
        from ..ir.summary import table

        return table(self.facts)

    @property
    def state(self) -> dict[str, Array]:
        """What the next step depends on beside the parameters: moments by name, and the steps taken."""
        with self.engine.turn:
            views = {
                f"{moment}/{name}": values
                for moment, view in self.engine.moment_views().items()
                for name, values in view.items()
            }
            seed, _, *since = self.engine.clock.tolist()
            counts = [self.steps, self.first_step, self.total_steps, seed, *since]
            return {**views, "steps": np.array(counts, np.int64)}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from a state; names and shapes must be those that `state` gives, and counts from 0 (ValueError)."""
        steps, first, total, seed, *since = (int(n) for n in state["steps"])
        if not (0 <= steps < 1 << 40 and seed >= 0 and all(0 <= count <= steps for count in since)):
            raise ValueError(f"{steps:,} steps, and a seed of {seed}")
        with self.engine.turn:
            for moment, view in self.engine.moment_views().items():
                for name in view:
                    view[name] = state[f"{moment}/{name}"]
            self.engine.clock[:] = [seed, steps, *since]
            self.total_steps, self.first_step = total, first

    def __reduce__(self) -> tuple[object, ...]:
        return copies.reduced(self, self._how)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters as safetensors, the spec and (where known) the preparation in the metadata."""
        stamp = checkpoints.Stamp.of(self.spec.source, preparation=self.preparation)
        with self.engine.turn:  # the parameters of one step
            checkpoints.save_weights(Path(path), self, stamp, self.steps)

    def load(
        self,
        path: str | os.PathLike[str],
        *,
        partial: bool = False,
        names: Mapping[str, str] | None = None,
        layout: str = "",
    ) -> None:
        """Set the parameters from a file in safetensors or of Keras; raises SpecError where names or shapes differ.

        Files of torchvision, timm and Keras fit specs of the same networks; `layout` says that it must be
        such. With `partial` what fits is set: of a published file all but a last layer of another size.
        """
        found = weights.read(Path(path))
        preparation = Preparation.from_metadata(found.metadata, str(path))
        with self.engine.turn:
            weights.assign(
                self.parameters, found.arrays, Path(path), graph=self.graph, partial=partial, names=names,
                layout=layout,
            )  # fmt: skip
            self.begun = True
            if not partial:
                self.preparation = preparation

    def __repr__(self) -> str:
        takes, gives = (
            ", ".join(str(self.graph.type(name)) for name in names)
            for names in (self.graph.inputs, self.graph.outputs)
        )
        known = f"{self.facts.parameters:,} parameters, {self.steps:,} steps taken"
        return f"Model {line(self.spec.source.name)}: {takes} -> {gives}, {known}"

    def _repr_html_(self) -> str:
        """The drawing and the table, in a notebook."""
        from ..display import shown

        return shown("model_html", self)

    def close(self) -> None:
        """End the workers; the model can be asked again, and starts them anew."""
        self.engine.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
