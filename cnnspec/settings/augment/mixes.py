"""Augmentations that take a part of an image away, or put another image there: cutout, mixup, cutmix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import Number, Sizes, optional_size, size
from ...record import record
from .base import Augmentation, Mixing, along, parts

if TYPE_CHECKING:
    import numpy as np

ALPHA = Number(0, 100, open_low=True)


@record
class Cutout(Augmentation):
    """Puts zeros into a box of each image, whose middle lies anywhere in it (DeVries and Taylor 2017)."""

    word: ClassVar[str] = "cutout"
    slow: ClassVar[bool] = True
    box: int | tuple[int, ...] = size(Sizes(), "N or HxW", "size of the box, in pixels")

    def sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The box along the sides of images of this shape."""
        return self.box if isinstance(self.box, tuple) else (self.box,) * (len(shape) - 1)

    def fits(self, shape: tuple[int, ...]) -> None:
        super().fits(shape)
        box, sides = self.sizes(shape), shape[1:]
        if len(box) != len(sides):
            size = "x".join(map(str, box))
            raise self.unfit("box", size=size, has=len(box), sides=len(sides), side=box[0])
        if all(length >= side for length, side in zip(box, sides, strict=True)):
            size, image = ("x".join(map(str, lengths)) for lengths in (box, sides))
            raise self.unfit("hidden", size=size, image=image, less=max(1, min(sides) // 3))

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.integers(0, shape[1:], (count, len(shape) - 1))

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        import numpy as np

        lengths = np.array(self.sizes(images.shape[1:]))
        first = drawn - lengths // 2
        for image, box in zip(images, boxes(np.maximum(first, 0), first + lengths), strict=True):
            image[box] = 0
        return images


@record
class Mixup(Mixing):
    """Mixes each image with another of the epoch, and their answers alike (Zhang et al. 2018).

    The share of each is drawn from a beta distribution: alpha 0.2 leaves most nearly as they are, 1 draws every
    share alike. Answers become shares of classes, of which no accuracy is counted in training.
    """

    word: ClassVar[str] = "mixup"
    alpha: float = optional_size(ALPHA, "ALPHA", 0.2, "both parameters of the beta distribution")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        import numpy as np

        return np.stack([generator.beta(self.alpha, self.alpha, count), generator.permutation(count)], axis=1)

    def mix(self, images: np.ndarray, others: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        import numpy as np

        own = along(self.mixing_weights(drawn, images.shape[1:]).astype(np.float32), images)
        rest = 1 - own
        for part in parts(images):
            mixed, other = images[part].astype(np.float32), others[part].astype(np.float32)
            mixed *= own[part]
            other *= rest[part]
            mixed += other
            images[part] = np.rint(mixed, out=mixed) if images.dtype.kind in "biu" else mixed
        return images

    def mixing_weights(self, drawn: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return drawn[:, 0]


@record
class Cutmix(Mixing):
    """Puts a box of another image of the epoch into each, and mixes their answers by area (Yun et al. 2019).

    The area is drawn from a beta distribution, alpha 1 drawing every share alike. In a mask the same box is taken;
    other answers become shares of classes, of which no accuracy is counted in training.
    """

    word: ClassVar[str] = "cutmix"
    moves: ClassVar[bool] = True
    alpha: float = optional_size(ALPHA, "ALPHA", 1.0, "both parameters of the beta distribution")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        import numpy as np

        sides = np.array(shape[1:])
        area = 1 - generator.beta(self.alpha, self.alpha, count)
        length = area[:, None] ** (1 / len(sides)) * sides
        middle = generator.random((count, len(sides))) * sides
        first, last = (np.clip(np.rint(middle + half * length), 0, sides) for half in (-0.5, 0.5))
        return np.column_stack([first, last, generator.permutation(count)])

    def mix(self, images: np.ndarray, others: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        sides = (drawn.shape[1] - 1) // 2
        corners = drawn[:, :-1].astype(int)
        for image, other, box in zip(images, others, boxes(corners[:, :sides], corners[:, sides:]), strict=True):
            image[box] = other[box]
        return images

    def mixing_weights(self, drawn: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        import numpy as np

        sides = len(shape) - 1
        lengths = drawn[:, sides : 2 * sides] - drawn[:, :sides]
        return 1 - lengths.prod(axis=1) / np.prod(shape[1:])


def boxes(first: np.ndarray, last: np.ndarray) -> Iterator[tuple[slice, ...]]:
    """The box in all channels of each image (c, ...), from corner to corner (n, sides)."""
    along = [map(slice, *ends) for ends in zip(first.T.tolist(), last.T.tolist(), strict=True)]
    return ((slice(None), *box) for box in zip(*along, strict=True))
