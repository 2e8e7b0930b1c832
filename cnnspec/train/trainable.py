"""The interface of the training loop to a model and its images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from ..data.dataset import Given
from ..settings.augment import Augmentation
from .measures import Measures

Array = np.ndarray
Learned = Callable[[], tuple[float, float | None]]  # waits for the end of a step, which may be under way
Begin = Callable[[], Learned]


class Counting(Protocol):
    """Measures batches, as `Trainable.measure` does, and counts what is measured of them all."""

    def add(self, x: Given, y: Given) -> tuple[float, float | None]: ...

    def measures(self) -> Measures | None: ...


class Trainable(Protocol):
    """The interface of a model to the loop."""

    # set by the loop: the steps, counted over the model's life, at which the schedule begins and ends
    first_step: int
    total_steps: int
    steps_per_epoch: int

    @property
    def dtype(self) -> DTypeLike: ...

    @property
    def scales(self) -> bool:
        """Whether it scales images itself, and takes them as they are stored."""

    @property
    def steps(self) -> int:
        """Taken so far, in its whole life."""

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""

    @property
    def parameters(self) -> MutableMapping[str, Array]: ...

    @property
    def state(self) -> dict[str, Array]:
        """Everything beyond the parameters that the next step depends on: moments, counters."""

    def load_state(self, state: dict[str, Array]) -> None: ...

    def learn(self, x: Given, y: Given) -> tuple[float, float | None]:
        """One step; the mean cost and how many answers were correct (None where answers are numbers).

        Where the cost is not finite, the parameters stay as they were.
        """

    def ready(self, x: Given, y: Given) -> Begin:
        """The same step, to be begun later, when all before it have ended; its batch may be on its way."""

    def measure(self, x: Given, y: Given) -> tuple[float, float | None]:
        """The same without learning, as in use."""

    def tally(self) -> Counting:
        """A new one, for some images."""

    def activations(self, x: Given) -> dict[str, Array]: ...

    def gradients(self, x: Given, y: Given) -> dict[str, Array]: ...


class Images(Protocol):
    """Images and what they show, in batches; `data.Split` is one."""

    def __len__(self) -> int: ...

    def batches(
        self,
        batch: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool = False,
        augment: Sequence[Augmentation] = (),
        start: int = 0,
        stored: bool = False,
        dtype: DTypeLike = "float32",
    ) -> Iterator[tuple[Given, Given]]:
        """The batches of an epoch from number `start` on: a function of seed and epoch, and nothing else.

        With `stored` the images may be `data.dataset.Stored`, valid until the next batch.
        """
