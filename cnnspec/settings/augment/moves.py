"""Augmentations that move whole pixels: flip, crop, shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...diagnostics import Fault
from ...ir.fields import Choice, Sizes, setting, size
from ...record import record
from .base import Augmentation

if TYPE_CHECKING:
    import numpy as np


@record
class Flip(Augmentation):
    """Mirrors every other image, on average: left to right, top to bottom, or either by a chance of its own."""

    word: ClassVar[str] = "flip"
    moves: ClassVar[bool] = True
    direction: str = setting(
        Choice(("horizontal", "vertical", "both")), "horizontal", "which sides change their places"
    )

    def fits(self, shape: tuple[int, ...]) -> None:
        super().fits(shape)
        if len(shape) < 3 and self.direction != "horizontal":
            raise self.unfit("direction", direction=self.direction)

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.random((count, 2) if self.direction == "both" else count) < 0.5

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        import numpy as np

        sideways, over = drawn.T if self.direction == "both" else (drawn, drawn)
        if self.direction != "vertical":
            these = np.flatnonzero(sideways)
            pixels, mirrored = words(images)
            pixels[these] = mirrored.take(these, axis=0)[..., ::-1]
        if self.direction != "horizontal":
            these = np.flatnonzero(over)
            images[these] = images.take(these, axis=0)[..., ::-1, :]
        return images


def words(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images twice, where they are bytes as words of eight, four or two: the first byte the lowest, or the highest.

    So `mirrored[..., ::-1]` are the pixels of each row from right to left, and NumPy, which is as long over a byte
    as over a word, takes a third of the time.
    """
    size = next((size for size in (8, 4, 2) if images.shape[-1] % size == 0), 1)
    if images.itemsize > 1 or images.strides[-1] > 1 or size == 1:
        return images, images
    return images.view(f"<u{size}"), images.view(f">u{size}")


@record
class Moved(Augmentation):
    """Surrounds each image by a frame and cuts its size out again, at a place of its own."""

    moves: ClassVar[bool] = True
    pixels: int | tuple[int, ...] = size(Sizes(), "N or HxW", "maximum shift, in pixels")
    repeats: ClassVar[bool] = False  # the pixels at the edge into the frame; else it is of zeros

    def reach(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The width of the frame along h and w, or along w alone in a sequence."""
        along = len(shape) - 1
        return self.pixels if isinstance(self.pixels, tuple) else (self.pixels,) * along

    def fits(self, shape: tuple[int, ...]) -> None:
        super().fits(shape)
        reach, spatial = self.reach(shape), shape[1:]
        if len(reach) != len(spatial):
            raise Fault.of(
                "CNN430",
                "augment",
                case="ways",
                augmentation=self.written(),
                ways=len(reach),
                sides=len(spatial),
                word=self.word,
                first=reach[0],
            )
        if any(way >= length for way, length in zip(reach, spatial, strict=True)):
            raise Fault.of(
                "CNN430",
                "augment",
                case="far",
                augmentation=self.written(),
                image="x".join(map(str, spatial)),
                least=min(spatial),
                word=self.word,
                less=max(1, min(spatial) // 8),
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
        inside = (slice(way, way + n) for n, way in zip(spatial[:-1], reach[:-1], strict=True))
        middle: tuple[slice | int, ...] = (slice(None), slice(None), *inside, reach[-1])
        rows[middle] = np.ascontiguousarray(images).view(row)[..., 0]
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
