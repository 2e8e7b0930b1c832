"""Augmentations of the numbers of pixels: brightness, contrast, saturation, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import Number, optional_size
from ...record import record
from .base import Pixelwise, along
from .streams import spread, streams

if TYPE_CHECKING:
    import numpy as np

AMOUNT = Number(0, 1, open_low=True)
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in what looks as bright (ITU-R BT.601)


@record
class Factor(Pixelwise):
    """An augmentation by a factor from 1 - P to 1 + P, each image's its own."""

    amount: float = optional_size(AMOUNT, "P", 0.2, "maximum change of the factor")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.uniform(1 - self.amount, 1 + self.amount, count)


@record
class Brightness(Factor):
    """Multiplies each image by a factor of its own, from 1 - P to 1 + P."""

    word: ClassVar[str] = "brightness"

    def change(self, pixels: np.ndarray, drawn: np.ndarray, full: float) -> np.ndarray:
        pixels *= along(drawn, pixels).astype(pixels.dtype)
        return pixels


@record
class Contrast(Factor):
    """Brings the pixels of each image nearer to their mean or further from it, by a factor from 1 - P to 1 + P."""

    word: ClassVar[str] = "contrast"

    def change(self, pixels: np.ndarray, drawn: np.ndarray, full: float) -> np.ndarray:
        import numpy as np

        flat = pixels.reshape(len(pixels), -1)
        # sums of bytes that stay below 2^24 are exact in float32 too
        precision = np.float32 if full == 255 and 255 * flat.shape[1] < 1 << 24 else np.float64
        means = flat.sum(axis=1, dtype=precision).astype(np.float64) / flat.shape[1]
        return apart(pixels, along(means, pixels).astype(pixels.dtype), drawn)


@record
class Saturation(Factor):
    """Brings the colours of each image nearer to grey or further from it, by a factor from 1 - P to 1 + P."""

    word: ClassVar[str] = "saturation"

    def fits(self, shape: tuple[int, ...]) -> None:
        super().fits(shape)
        if shape[0] != 3:
            channels = "one channel" if shape[0] == 1 else f"{shape[0]} channels"
            raise self.unfit("colours", channels=channels)

    def change(self, pixels: np.ndarray, drawn: np.ndarray, full: float) -> np.ndarray:
        import numpy as np

        red, green, blue = (pixels[:, c : c + 1] * np.float32(LUMA[c]) for c in range(3))
        red += green
        red += blue
        return apart(pixels, red, drawn)


@record
class Noise(Pixelwise):
    """Adds to each number one of a normal distribution, whose deviation is a share of the full range.

    The full range is 255 of bytes and 1 of other numbers.
    """

    word: ClassVar[str] = "noise"
    amount: float = optional_size(AMOUNT, "P", 0.05, "standard deviation, as a share of the full range")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return spread(generator.integers(0, 1 << 63, count))  # a seed for each image

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """As `draw` has drawn them, or by a seed (n,) for each image."""
        return super().apply(images, spread(drawn) if drawn.ndim == 1 else drawn)

    def change(self, pixels: np.ndarray, drawn: np.ndarray, full: float) -> np.ndarray:
        import numpy as np

        deviation = np.float32(self.amount * full)
        noise = np.empty(pixels.shape, np.float32)
        for stream, room in zip(streams(drawn), noise, strict=True):
            stream.standard_normal(out=room, dtype=np.float32)
        noise *= deviation
        pixels += noise
        return pixels


def apart(pixels: np.ndarray, grey: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Pixels brought nearer to what is grey beside them or further from it, by each image's factor."""
    pixels -= grey
    pixels *= along(factors, pixels).astype(pixels.dtype)
    pixels += grey
    return pixels
