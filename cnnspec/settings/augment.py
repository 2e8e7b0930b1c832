"""Augmentations: small changes to the training images, drawn anew in every epoch.

An augmentation is declared once. `draw` makes the random numbers of a whole epoch, one row for each image;
`apply` changes a batch by its rows. So what an image goes through depends on the seed, the epoch and the
image's place in the epoch, never on the size of the batches or on where a training was taken up again.

They work on the images as stored (bytes, mostly), before they are scaled, in (n, c, h, w) order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..diagnostics import Fault
from ..ir.fields import Sizes, size, written
from ..record import record

if TYPE_CHECKING:
    import numpy as np


class Augmentation:
    """The base of all augmentations; see the module's text."""

    word: ClassVar[str] = ""

    def fits(self, shape: tuple[int, ...]) -> None:
        """Raise a Fault where images of this shape (without n) cannot be changed so."""
        if len(shape) < 2:
            raise Fault(
                "CNN430",
                f"`augment {self.word}` moves pixels, and the data are vectors of {shape[0]} numbers",
                at="augment",
                help=f"leave `augment {self.written()}` out",
            )

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        """The random numbers of an epoch: `count` rows, for images of `shape`."""
        raise AssertionError(f"{type(self).__name__} draws nothing")

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The images of a batch changed by their rows; may write into `images`."""
        raise AssertionError(f"{type(self).__name__} changes nothing")

    def written(self, explicit: bool = False) -> str:
        """The augmentation as its author would write it."""
        return written(self, explicit)


@record
class Flip(Augmentation):
    """Mirrors every other image, on average, left to right."""

    word: ClassVar[str] = "flip"

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.random(count) < 0.5

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        images[drawn] = images[drawn, ..., ::-1]
        return images


@record
class Moved(Augmentation):
    """Surrounds each image by a frame and cuts its size out again, at a place of its own."""

    pixels: int | tuple[int, ...] = size(Sizes(), "N or HxW", "the furthest way, in pixels")
    repeats: ClassVar[bool] = False  # the pixels at the edge into the frame; else it is of zeros

    def reach(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The width of the frame along h and w, or along w alone in a sequence."""
        along = len(shape) - 1
        return self.pixels if isinstance(self.pixels, tuple) else (self.pixels,) * along

    def fits(self, shape: tuple[int, ...]) -> None:
        super().fits(shape)
        reach, spatial = self.reach(shape), shape[1:]
        if len(reach) != len(spatial):
            raise Fault(
                "CNN430",
                f"`augment {self.written()}` tells {len(reach)} ways, and the data have {len(spatial)}",
                at="augment",
                help=f"use `augment {self.word} {reach[0]}`",
            )
        if any(way >= length for way, length in zip(reach, spatial, strict=True)):
            raise Fault(
                "CNN430",
                f"`augment {self.written()}` could move an image of {'x'.join(map(str, spatial))} out of sight",
                at="augment",
                help=f"use less than {min(spatial)}, such as `augment {self.word} {max(1, min(spatial) // 8)}`",
            )

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        reach = self.reach(shape)
        return generator.integers(0, [2 * way + 1 for way in reach], (count, len(reach)))

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        import numpy as np

        spatial, reach = images.shape[2:], self.reach(images.shape[1:])
        framed = np.zeros(
            (*images.shape[:2], *(n + 2 * way for n, way in zip(spatial, reach, strict=True))), images.dtype
        )
        # a row of pixels is one element, which halves the time; the last axis says where in the frame it begins
        row = np.dtype((np.void, spatial[-1] * images.itemsize))
        rows = np.ndarray((*framed.shape[:-1], 2 * reach[-1] + 1), row, framed, 0, framed.strides)
        inside: Any = tuple(slice(way, way + n) for n, way in zip(spatial[:-1], reach[:-1], strict=True))
        rows[:, :, *inside, reach[-1]] = np.ascontiguousarray(images).view(row)[..., 0]
        if self.repeats:
            for axis, (n, way) in enumerate(zip(spatial, reach, strict=True), start=2):
                along = framed.swapaxes(axis, 0)  # the rows first, so that the columns take the corners along
                for k in range(way):  # one by one: NumPy is slow at rows of two
                    along[k], along[way + n + k] = along[way], along[way + n - 1]
        if len(spatial) == 2:
            rows = np.lib.stride_tricks.sliding_window_view(rows, spatial[0], 2)
        return rows[np.arange(len(images)), :, *drawn.T].view(images.dtype).reshape(images.shape)


@record
class Crop(Moved):
    """Cuts the image's size out of the image in a frame of zeros, as in He et al. 2015 (`crop 4`)."""

    word: ClassVar[str] = "crop"


@record
class Shift(Moved):
    """Moves each image by some pixels; the pixels of its edges are repeated into the gap."""

    word: ClassVar[str] = "shift"
    repeats: ClassVar[bool] = True


AUGMENTATIONS: tuple[type[Augmentation], ...] = (Flip, Crop, Shift)
