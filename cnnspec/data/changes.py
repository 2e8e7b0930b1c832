"""The augmentations of an epoch: what each image goes through, and its answer with it.

An image is known by its place in the epoch. What was drawn for it depends on seed, epoch and that place, and a
second image that it is mixed with is one of the epoch, so nothing depends on batches, workers or processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..settings.augment import Augmentation, ResizedCrop
from ..settings.augment.base import Mixing
from .sources.originals import Originals

CHANGES = 1  # which of an epoch's streams of random numbers (its order is 0)
Places = slice | np.ndarray


@dataclass(frozen=True, eq=False)
class Mixed:
    """Answers of images that are mixed: the `weight` (n,) of each that is of `y`, the rest of `other`."""

    y: np.ndarray
    other: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the answers as they were given."""
        return self.y.shape

    def __getitem__(self, part: Places) -> Mixed:
        return Mixed(self.y[part], self.other[part], self.weight[part])


Answers = np.ndarray | Mixed


Change = tuple[Augmentation, np.ndarray]  # and the rows that it drew for some images


def changed(images: np.ndarray, changes: Sequence[Change]) -> np.ndarray:
    """Images after some changes by rows of theirs; may write into `images`."""
    for augmentation, rows in changes:
        images = augmentation.apply(images, rows)
    return images


class DrawnAugmentations:
    """What was drawn for an epoch of images x (n, c, ...) with answers y.

    With `originals` a part that is cut out first is cut out of the photo itself.
    Where y is x, an answer is the image as it is without what does not move it: without noise, say.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        augment: Sequence[Augmentation],
        seed: int,
        epoch: int,
        originals: Originals | None = None,
    ) -> None:
        self.x, self.y, self.itself, self.originals = x, y, y is x, originals
        generator = np.random.default_rng((seed, epoch, CHANGES))
        self.drawn = [(one, one.draw(generator, len(x), x.shape[1:])) for one in augment]
        self.follows = bool(augment) and are_images(y, x.shape)

    def take(
        self, order: np.ndarray, places: Places, out: np.ndarray | None = None, stages: int | None = None
    ) -> tuple[np.ndarray, Answers]:
        """The images at some places of the epoch's order with their answers, after so many augmentations (all).

        `out` has room for the images, and may be written to.
        """
        taken = order[places]
        # with an `out`, `raise` would make a copy first
        images = self.x.take(taken, axis=0, out=out, mode="clip")
        answers: Answers = self.y.take(taken, axis=0)
        for stage, (augmentation, drawn) in enumerate(self.drawn[:stages]):
            rows = drawn[places]
            if isinstance(augmentation, Mixing):
                others, their = self.take(order, rows[:, -1].astype(np.intp), stages=stage)
                images = augmentation.mix(images, others, rows)
                assert isinstance(answers, np.ndarray) and isinstance(their, np.ndarray), "one augmentation mixes"
                if self.itself:
                    answers = augmentation.mix(answers, their, rows)
                    continue
                answers = self._mixed(augmentation, answers, their, rows)
                continue
            if stage == 0 and self.originals and isinstance(augmentation, ResizedCrop):
                images = self.originals.cut(taken, augmentation, rows, images)
                answers = images.copy() if self.itself else answers
                continue
            images = augmentation.apply(images, rows)
            if self.itself and augmentation.moves:
                assert isinstance(answers, np.ndarray)
                answers = augmentation.apply(answers, rows)
            elif self.follows and augmentation.moves:
                answers = self._follow(augmentation, answers, rows)
        return images, answers

    @property
    def shared(self) -> int:
        """The first augmentation of those that may be left to whom the images are given, each its own part.

        They come last, change images alone, each by itself, and one at least is slow.
        """
        first = len(self.drawn)
        for stage, (one, _) in reversed(list(enumerate(self.drawn))):
            of_photo = stage == 0 and self.originals is not None and isinstance(one, ResizedCrop)
            if one.mixes or of_photo or (one.moves and (self.itself or self.follows)):
                break
            first = stage if one.slow else first
        return first

    def weigh(self, weights: np.ndarray, order: np.ndarray, places: Places) -> np.ndarray:
        """The weights of the images at some places of the epoch's order; of mixed ones by their mixing weights."""
        found = weights[order[places]]
        for augmentation, drawn in self.drawn:
            if isinstance(augmentation, Mixing):
                rows = drawn[places]
                weight = augmentation.mixing_weights(rows, self.x.shape[1:])
                found = found * weight + weights[order[rows[:, -1].astype(np.intp)]] * (1 - weight)
        return found

    def _follow(self, augmentation: Augmentation, y: Answers, rows: np.ndarray) -> Answers:
        """Answers that are images, moved as theirs are; of mixed ones both."""
        if isinstance(y, Mixed):
            own, other = (augmentation.follow(self._deep(part), rows) for part in (y.y, y.other))
            return Mixed(own.reshape(y.y.shape), other.reshape(y.other.shape), y.weight)
        return augmentation.follow(self._deep(y), rows).reshape(y.shape)

    def _deep(self, y: np.ndarray) -> np.ndarray:
        """Answers as (n, c, ...): classes of pixels have no axis for channels."""
        return y if y.ndim == self.x.ndim else y[:, None]

    def _mixed(self, augmentation: Mixing, y: np.ndarray, other: np.ndarray, rows: np.ndarray) -> Answers:
        if not (self.follows and augmentation.moves):
            return Mixed(y, other, augmentation.mixing_weights(rows, self.x.shape[1:]))
        return augmentation.mix(self._deep(y), self._deep(other), rows).reshape(y.shape)


def are_images(y: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether answers are images of the same sides as those (n, c, ...), of classes (n, ...) or (n, k, ...)."""
    if len(shape) < 3:
        return False
    if y.ndim == len(shape):
        return y.shape[2:] == shape[2:]
    return y.ndim == len(shape) - 1 and y.shape[1:] == shape[2:] and (y.ndim > 2 or y.dtype.kind in "iu")


def ensure_turned(augment: Sequence[Augmentation], y: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise a Fault where pixels of images (n, c, ...) move, and answers that are images of other sides stay."""
    if y.ndim < 3 or are_images(y, shape):
        return
    for one in augment:
        if one.moves:
            sides = ("x".join(map(str, sides)) for sides in (y.shape[-len(shape) + 2 :], shape[2:]))
            answers, images = sides
            raise one.unfit("answers", images=images, answers=answers)
