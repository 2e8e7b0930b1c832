"""Augmentations: small changes to the training images, drawn anew in every epoch.

An augmentation is declared once. `draw` makes the random numbers of a whole epoch, one row for each image;
`apply` changes a batch by its rows. So what an image goes through depends on the seed, the epoch and the
image's place in the epoch, never on the size of the batches or on where a training was taken up again.

They work on the images as stored (bytes, mostly), before they are scaled, in (n, c, h, w) order. Where one moves
pixels, answers that are images (a mask, a picture of the input's size) move along; where one mixes two images, it
mixes their answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from ...diagnostics import Fault
from ...ir.fields import Declared, written

if TYPE_CHECKING:
    import numpy as np

AT_ONCE = 1 << 15  # numbers that are changed at once: they stay in a core's cache


class Augmentation(Declared):
    """The base of all augmentations; see the module's text.

    moves  whether pixels change their places, so that answers which are images follow
    mixes  whether it takes a second image of the epoch, as `Mixing` does
    slow   whether workers had better share it; what is quick is quicker still of many images at once
    """

    moves: ClassVar[bool] = False
    mixes: ClassVar[bool] = False
    slow: ClassVar[bool] = False
    sides: ClassVar[tuple[int, ...]] = (1, 2)  # spatial axes of the images that it is for

    def fits(self, shape: tuple[int, ...]) -> None:
        """Raise a Fault where images of this shape (without n) cannot be changed so."""
        if len(shape) < 2:
            raise self.unfit("vectors", does="moves" if self.moves else "changes", numbers=shape[0])
        if len(shape) - 1 not in self.sides:
            raise self.unfit("sequences")

    def suits(self, before: Sequence[Augmentation], cost: str) -> None:
        """Raise a Fault where it cannot follow those augmentations, or meet that cost."""

    def unfit(self, case: str, **fields: object) -> Fault:
        """The Fault that data are not for this augmentation: a case of CNN430."""
        return Fault.of("CNN430", "augment", case, (), word=self.word, augmentation=self.written(), **fields)

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        """The random numbers of an epoch: `count` rows, for images of `shape`."""
        raise AssertionError(f"{type(self).__name__} draws nothing")

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The images of a batch changed by their rows; may write into `images`."""
        raise AssertionError(f"{type(self).__name__} changes nothing")

    def follow(self, answers: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Answers (n, c, ...) with the images' sides, moved as the images are; may write into `answers`."""
        return self.apply(answers, drawn) if self.moves else answers

    def written(self, explicit: bool = False) -> str:
        """The augmentation as its author would write it."""
        return written(self, explicit)


class Mixing(Augmentation):
    """An augmentation that mixes each image with another one of the epoch, the last column of `drawn` its place.

    `mixing_weights` are how much of each image stays: what its answers are mixed by.
    """

    mixes: ClassVar[bool] = True

    def suits(self, before: Sequence[Augmentation], cost: str) -> None:
        for other in before:
            if other.mixes:
                raise self.unfit("mixed", other=other.word)
        if cost == "hinge":
            raise self.unfit("hinge")

    def mix(self, images: np.ndarray, others: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The images of a batch mixed with others; may write into `images`."""
        raise AssertionError(f"{type(self).__name__} mixes nothing")

    def mixing_weights(self, drawn: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The share of each image (n,) that is its own, of images of `shape`."""
        raise AssertionError(f"{type(self).__name__} has no mixing weights")


class Pixelwise(Augmentation):
    """An augmentation of numbers in their places: bytes stay within 0 and 255, other numbers have no bounds."""

    slow: ClassVar[bool] = True

    def change(self, pixels: np.ndarray, drawn: np.ndarray, full: float) -> np.ndarray:
        """Images (n, c, ...) in float32, of a range from 0 to `full`, changed by their rows, perhaps in place."""
        raise AssertionError(f"{type(self).__name__} changes nothing")

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        import numpy as np

        if images.dtype != np.uint8:
            return self.change(images.astype(np.float32), drawn, 1.0).astype(images.dtype, copy=False)
        out, lowest, highest = np.empty_like(images), np.float32(0), np.float32(255)
        for part in parts(images):
            changed = self.change(images[part].astype(np.float32), drawn[part], 255.0)
            np.rint(changed, out=changed)
            out[part] = np.clip(changed, lowest, highest, out=changed)  # in a fifth of maximum's and minimum's time
        return out


def parts(images: np.ndarray) -> Iterator[slice]:
    """A few images after the others, as many as are changed at once."""
    several = max(1, AT_ONCE // max(1, images[:1].size))
    return (slice(first, first + several) for first in range(0, len(images), several))


def along(numbers: np.ndarray, images: np.ndarray) -> np.ndarray:
    """A number for each image as (n, 1, ...), to be taken with images."""
    return numbers.reshape(-1, *(1,) * (images.ndim - 1))
