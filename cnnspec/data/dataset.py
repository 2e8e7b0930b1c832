"""Data sets: images in parts, and batches of them.

Images stay as they were stored, bytes mostly, a quarter of the memory of floats; a batch is scaled as it is
taken, or (see `Stored`) by the workers that train on it, each its own part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike

from ..ir import TensorType, data
from ..kernels.resample import centred, rescale
from ..settings.augment import Augmentation
from ..settings.data import Source
from .changes import Answers, Change, DrawnAugmentations, Mixed, Places, changed
from .facts import Known
from .formats.schema import TableSchema
from .sources.filed import chosen
from .sources.originals import Originals

BLOCK = 1 << 20  # bytes of images taken and changed at once, to spread the cost of calling NumPy
DRAWN = 2  # of images that come as often as their weights say
ORDER = 0  # which of an epoch's streams of random numbers; see `changes.CHANGES`


@dataclass(frozen=True)
class Scaling:
    """How stored numbers become those that a network sees: x * scale + offset, channel by channel.

    One scale serves all channels where there is only one; the same scaling prepares images to be predicted.
    """

    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)

    def apply(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """x[n,c,...] -> out[n,c,...], floats; x is left as it is."""
        return rescale(x, self.scale, self.offset, out)

    def steps(self, dtype: DTypeLike = "float32") -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
        """Numbers to take off first, to multiply by and to add then, which do the same in this precision."""
        centre, offset = centred(self.scale, self.offset, np.dtype(dtype))
        return centre, self.scale, offset


class Stored:
    """A batch as it is stored, the changes that it is yet to go through, and its scaling.

    With `places` it is those of the images, which are taken when they are put where a plan reads them. To NumPy it
    is the array of the scaled numbers.
    """

    def __init__(
        self,
        images: np.ndarray,
        scaling: Scaling,
        changes: Sequence[Change] = (),
        places: np.ndarray | None = None,
    ) -> None:
        self.images, self.scaling, self.changes, self.places = images, scaling, changes, places
        self.shape = images.shape if places is None else (len(places), *images.shape[1:])
        self.dtype = images.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: slice) -> Stored:
        changes = [(one, rows[part]) for one, rows in self.changes]
        if self.places is None:
            return Stored(self.images[part], self.scaling, changes)
        return Stored(self.images, self.scaling, changes, self.places[part])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        images = changed(self.put(np.empty(self.shape, self.dtype)), self.changes)
        return self.scaling.apply(images, np.empty(self.shape, dtype or "float32"))

    def put(self, out: np.ndarray) -> np.ndarray:
        """The images as they are stored, unchanged, into `out`."""
        if self.places is None:
            np.copyto(out, self.images)
            return out
        return self.images.take(self.places, axis=0, out=out, mode="clip")  # `raise` would make a copy first


@dataclass(frozen=True, eq=False)
class Weighted:
    """Answers of images whose costs are multiplied by weights (n,): of a batch to learn from, never to measure."""

    y: Given
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)


# images or answers, as a model is given them
Given = np.ndarray | Stored | Mixed | Weighted | Mapping[str, np.ndarray] | Sequence[np.ndarray]


def _order(count: int, seed: int, epoch: int, shuffle: bool, weights: np.ndarray | None = None) -> np.ndarray:
    taken = np.arange(count) if weights is None else _drawn(weights, seed, epoch)
    if not shuffle:
        return taken
    order = np.random.default_rng((seed, epoch, ORDER)).permutation(count)
    return order if weights is None else taken[order]


def _drawn(weights: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """As many images as there are, each as often as its share of the weights, rounded up or down by chance.

    1 1 1 3        0 1 2 3 3 3 of six, say; 0 1 3 3 or 0 2 3 3 or 1 2 3 3 of four
    """
    ends = np.cumsum(weights, dtype=np.float64)
    start = np.random.default_rng((seed, epoch, DRAWN)).random()
    at = (np.arange(len(weights)) + start) * (ends[-1] / len(weights))
    return np.minimum(np.searchsorted(ends, at, side="right"), int(np.flatnonzero(weights)[-1]))


class Labels(np.ndarray):
    """Rows (n, k) of 0 and 1, of a set in which some images have no label or several.

    Any part of it is one too, so a batch in which each image happens to have one label is no batch of classes.
    """

    @classmethod
    def among(cls, *parts: np.ndarray) -> tuple[np.ndarray, ...]:
        """The parts of one set as they are, or all as Labels."""
        rows = all(
            not isinstance(y, Numbers) and y.ndim == 2 and y.shape[1] > 1 and ((y == 0) | (y == 1)).all()
            for y in parts
        )
        several = rows and any((y.sum(axis=1) != 1).any() for y in parts)
        return tuple(y.view(cls) for y in parts) if several else parts


class Numbers(np.ndarray):
    """Regression targets, even if all of a batch happen to be 0 and 1."""


@dataclass(frozen=True, eq=False)
class Split:
    """Some images and what they show.

    x  (n, c, h, w), (n, c, w) or (n, c): bytes or float32, as stored
    y  (n,) or (n, h, w) whole numbers, the class of each image or pixel; (n, k) or (n, k, h, w) float32, numbers to
       meet (`Labels` or `Numbers` where they are that); or x itself, where a network is to answer its input, as it
       is without the noise of an augmentation
    weights     (n,) what the cost of each image is multiplied by
    oversample  they say instead how often an epoch takes each, beside the others
    originals   the photos themselves, for what begins with them
    """

    x: np.ndarray
    y: np.ndarray
    scaling: Scaling = Scaling()
    weights: np.ndarray | None = None
    oversample: bool = False
    originals: Originals | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def itself(self) -> bool:
        """Whether each image is to be answered by itself, as the network sees it."""
        return self.y is self.x

    def answers(self, first: int, stop: int) -> np.ndarray:
        """Some of the answers, in the order of storage, as costs see them."""
        if not self.itself:
            return self.y[first:stop]
        return np.asarray(Stored(self.x[first:stop], self.scaling)).view(Numbers)

    def order(self, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
        """The images in the order in which an epoch takes them."""
        return _order(len(self), seed, epoch, shuffle, self.weights if self.oversample else None)

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
    ) -> Iterator[tuple[np.ndarray | Stored, Answers | Weighted]]:
        """The batches of an epoch: scaled x and y, each image once, the last batch perhaps shorter.

        Where images have weights y is `Weighted`.

        They depend on seed and epoch alone, so `start` batches may be passed over to go on where a
        training stopped. Each x is an array of its own; with `stored` it is `Stored` instead, and lasts until
        the next batch is asked for.
        """
        order = self.order(seed, epoch, shuffle)
        changes = self.changes(augment, seed, epoch)
        stages = changes.shared if stored else len(augment)
        several = max(1, BLOCK // (batch * self.x[0].nbytes)) * batch
        direct = stored and not stages  # nothing is done to the images here
        block = self.x if direct else np.empty((min(several, len(self)), *self.x.shape[1:]), self.x.dtype)
        for first in range(start * batch, len(self), several):
            count = min(several, len(self) - first)
            targets: Answers
            if direct:
                images, targets = block, changes.y.take(order[first : first + count], axis=0)
            else:
                images, targets = changes.take(order, slice(first, first + count), block[:count], stages)
            for i in range(0, count, batch):
                taken = slice(first + i, min(first + i + batch, first + count))
                left = [(one, drawn[taken]) for one, drawn in changes.drawn[stages:]]
                if direct:
                    x = Stored(images, self.scaling, left, order[taken])
                else:
                    x = Stored(images[i : i + batch], self.scaling, left)
                y: Answers = targets[i : i + batch]
                if self.itself:
                    clean = Stored(np.asarray(y), self.scaling) if augment else x
                    y = np.asarray(clean, dtype).view(Numbers)
                yield x if stored else np.asarray(x, dtype), self.weighed(y, changes, order, taken)

    def weighed(
        self, y: Answers, changes: DrawnAugmentations, order: np.ndarray, places: Places
    ) -> Answers | Weighted:
        """The answers of the images at some places of an epoch's order, with their weights where they have some."""
        if self.weights is None or self.oversample:
            return y
        return Weighted(y, changes.weigh(self.weights, order, places))

    def changes(self, augment: Sequence[Augmentation], seed: int, epoch: int) -> DrawnAugmentations:
        """What the images of an epoch go through; answers that are these themselves, unchanged, are not copied."""
        answers = np.empty((len(self), 0), np.uint8) if self.itself and not augment else self.y
        return DrawnAugmentations(self.x, answers, augment, seed, epoch, self.originals)

    def arrays(self, dtype: DTypeLike = "float32") -> tuple[np.ndarray, np.ndarray]:
        """All of it at once, scaled, in the order of storage."""
        x = self.scaling.apply(self.x[:], np.empty(self.x.shape, dtype))
        return x, x if self.itself else self.y

    def part(self, positions: np.ndarray) -> Split:
        """These images, in this order."""
        x = chosen(self.x, positions)
        weights = None if self.weights is None else self.weights[positions]
        photos = self.originals and self.originals.chosen(positions.tolist())
        y = x if self.itself else self.y[positions]
        return Split(x, y, self.scaling, weights, self.oversample, photos)


@dataclass(frozen=True, eq=False)
class Named:
    """Images and answers of several inputs or outputs, by name; batches as `Split` gives them."""

    x: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    scaling: Mapping[str, Scaling] = field(default_factory=dict)
    weights: np.ndarray | None = None
    oversample: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.x.values())))

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
    ) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray] | Weighted]]:
        """The batches of an epoch, by name; what several inputs show together is never augmented."""
        order = self.order(seed, epoch, shuffle)
        for first in range(start * batch, len(self), batch):
            taken = order[first : first + batch]
            x = {name: self.scaled(name, values[taken], dtype) for name, values in self.x.items()}
            yield x, self.answers(taken)

    def order(self, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
        """The images in the order in which an epoch takes them."""
        return _order(len(self), seed, epoch, shuffle, self.weights if self.oversample else None)

    def answers(self, taken: np.ndarray) -> dict[str, np.ndarray] | Weighted:
        """The answers of some images, with their weights where they have some."""
        y = {name: values[taken] for name, values in self.y.items()}
        return y if self.weights is None or self.oversample else Weighted(y, self.weights[taken])

    def scaled(self, name: str, x: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Images of an input as the network sees them."""
        scaling = self.scaling.get(name)
        return x if scaling is None else scaling.apply(x, np.empty(x.shape, dtype))


def joined(parts: Sequence[Split | Named]) -> Split | Named:
    """Images of one kind, one part after the other."""
    splits = [part for part in parts if isinstance(part, Split)]
    if not splits:
        named = [part for part in parts if isinstance(part, Named)]
        x, y = ({name: np.concatenate([one[name] for one in every]) for name in every[0]}
                for every in ([part.x for part in named], [part.y for part in named]))  # fmt: skip
        return Named(x, y, named[0].scaling)
    images = np.concatenate([part.x for part in splits])
    if splits[0].itself:
        return Split(images, images, splits[0].scaling)
    answers = np.concatenate([part.y for part in splits])
    return Split(images, answers.view(type(splits[0].y)), splits[0].scaling)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a training: to learn from, to choose by, to be tested on.

    `classes` are the names of the classes in the order of their numbers, or None for regression targets;
    `table` tells the columns where they come from a csv, `source` what the spec says of where they come from,
    and `own` what the source calls the images that it has for validation and test.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...] | None
    table: TableSchema | None = None
    source: Source | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """How many images there are of each part, and which they are where the source has some for it."""
        of = {part: f" from {self.own[part]}" if part in self.own else "" for part in ("validation", "test")}
        return (
            f"{len(self.train):,} images of {self.name} to learn from, "
            f"{len(self.validation):,}{of['validation']} for validation, {len(self.test):,}{of['test']} to test"
        )

    @property
    def whole(self) -> Split | Named:
        """Every image, those of the training first."""
        return joined([part for part in (self.train, self.validation, self.test) if len(part)])

    @property
    def input_type(self) -> TensorType:
        """The type of one image: what `input` would say."""
        return data(*self.train.x.shape[1:])

    @property
    def scaling(self) -> Scaling:
        """The scaling of every part, and of any other image for a network trained on this."""
        return self.train.scaling

    @property
    def known(self) -> Known:
        """What `check` may know of these data before they are read."""
        y = self.train.y
        outputs, places = (len(self.classes), y.shape[1:]) if self.classes else (y.shape[1], y.shape[2:])
        parts = bool(len(self.test)), bool(len(self.validation))
        return Known(self.name, self.input_type, self.classes, outputs, self.classes is None, *parts, places)
