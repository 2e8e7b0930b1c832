"""Augmentations that look at an image through a plane that is turned or stretched: rotate, zoom, resized_crop.

Each is an affine map from a place of the result to a place of the image; what lies between pixels is interpolated,
and beyond the edge the edge is repeated.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, ClassVar

from ...ir.fields import Number, optional_size, setting
from ...record import record
from .base import Augmentation

if TYPE_CHECKING:
    import numpy as np

GROUP = 1 << 16  # pixels that are looked up at once


@record
class Warp(Augmentation):
    """The base: `inverse` has the maps."""

    moves: ClassVar[bool] = True
    sides: ClassVar[tuple[int, ...]] = (2,)

    def inverse(self, drawn: np.ndarray, height: int, width: int) -> np.ndarray:
        """The maps [n, 2, 3] of a batch: row and column in the image of row, column and 1 in the result."""
        raise AssertionError(f"{type(self).__name__} maps nothing")

    def apply(self, images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        return warped(images, self.inverse(drawn, *images.shape[2:]))

    def follow(self, answers: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Of whole numbers (classes) the nearest is taken, since none lies between two."""
        return warped(answers, self.inverse(drawn, *answers.shape[2:]), nearest=answers.dtype.kind in "biu")


@record
class Rotate(Warp):
    """Turns each image about its middle, by an angle of its own to either side."""

    word: ClassVar[str] = "rotate"
    degrees: float = optional_size(Number(0, 180, open_low=True), "DEGREES", 15.0, "maximum angle, in degrees")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.uniform(-self.degrees, self.degrees, count)

    def inverse(self, drawn: np.ndarray, height: int, width: int) -> np.ndarray:
        import numpy as np

        angle = drawn * (pi / 180)
        sine, cosine = np.sin(angle), np.cos(angle)
        return about_the_middle(cosine, sine, -sine, cosine, height, width)


@record
class Zoom(Warp):
    """Makes each image larger or smaller about its middle, by a factor from 1 - P to 1 + P."""

    word: ClassVar[str] = "scale"
    amount: float = optional_size(Number(0, 0.9, open_low=True), "P", 0.2, "maximum change of the factor")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        return generator.uniform(1 - self.amount, 1 + self.amount, count)

    def inverse(self, drawn: np.ndarray, height: int, width: int) -> np.ndarray:
        import numpy as np

        none = np.zeros(len(drawn))
        return about_the_middle(1 / drawn, none, none, 1 / drawn, height, width)


@record
class ResizedCrop(Warp):
    """Cuts a part out of each image and brings it to the image's size, as Szegedy et al. 2015 did for ImageNet.

    The area of the part, its shape and its place are drawn; a part that does not fit is cut to the image. Where it
    comes first, of photos with `resize`, the part is cut out of the photo itself (torchvision's RandomResizedCrop).
    """

    word: ClassVar[str] = "resized_crop"
    area: float = optional_size(Number(0, 1, open_low=True), "P", 0.08, "smallest area, as a share of the image")
    ratio: float = setting(Number(1, 10), 4 / 3, "longest side beside the shortest, of an image that is square")

    def draw(self, generator: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
        import numpy as np

        area = generator.uniform(self.area, 1, count)
        bend = np.exp(generator.uniform(-np.log(self.ratio), np.log(self.ratio), count) / 2)
        return np.hstack([np.stack([area, bend], axis=1), generator.random((count, 2))])

    def parts(self, drawn: np.ndarray, height: int = 1, width: int = 1) -> np.ndarray:
        """Height, width, top and left [n, 4] of the parts, as shares of the image.

        Their shapes are those of pixels, of an image of so many; of one whose own shape is not known, as if square.
        """
        import numpy as np

        area, bend, *at = drawn.T
        upright = bend * np.sqrt(height / width)
        sides = np.minimum(np.sqrt(area)[:, None] * np.stack([1 / upright, upright], axis=1), 1)
        return np.hstack([sides, np.stack(at, axis=1) * (1 - sides)])

    def inverse(self, drawn: np.ndarray, height: int, width: int) -> np.ndarray:
        import numpy as np

        parts = self.parts(drawn)
        found = np.zeros((len(drawn), 2, 3))
        for axis, length in enumerate((height, width)):
            side, corner = parts[:, axis], parts[:, 2 + axis]
            found[:, axis, axis] = side
            found[:, axis, 2] = corner * length + (side - 1) / 2  # the middles of pixels are half a pixel in
        return found


def about_the_middle(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, height: int, width: int
) -> np.ndarray:
    """The maps [n, 2, 3] of (a b; c d) that leave the middle of the image where it is."""
    import numpy as np

    row, column = (height - 1) / 2, (width - 1) / 2
    rows = [
        np.stack([a, b, row - a * row - b * column], axis=1),
        np.stack([c, d, column - c * row - d * column], axis=1),
    ]
    return np.stack(rows, axis=1)


def warped(images: np.ndarray, inverse: np.ndarray, nearest: bool = False) -> np.ndarray:
    """images[n, c, h, w] through maps[n, 2, 3]: out[i, j] = in[map (i, j, 1)], the edge repeated beyond itself."""
    import numpy as np

    count, channels, height, width = images.shape
    out = np.empty(images.shape, images.dtype)
    i, j = np.arange(height)[:, None], np.arange(width)
    several = max(1, GROUP // (height * width))
    for first in range(0, count, several):
        part = images[first : first + several]
        m = inverse[first : first + several, :, :, None, None]
        y, x = (
            np.clip(m[:, k, 0] * i + m[:, k, 1] * j + m[:, k, 2], 0, n - 1) for k, n in ((0, height), (1, width))
        )
        flat = part.transpose(1, 0, 2, 3).reshape(channels, -1)
        start = (np.arange(len(part)) * (height * width))[:, None, None]

        def at(
            row: np.ndarray, column: np.ndarray, flat: np.ndarray = flat, start: np.ndarray = start
        ) -> np.ndarray:
            return flat.take(start + row * width + column, axis=1)

        if nearest:
            found = at(np.rint(y).astype(np.intp), np.rint(x).astype(np.intp))
        else:
            top, left = y.astype(np.intp), x.astype(np.intp)
            below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
            down, over = (y - top).astype(np.float32), (x - left).astype(np.float32)
            upper = at(top, left) * (1 - over) + at(top, right) * over
            lower = at(below, left) * (1 - over) + at(below, right) * over
            found = upper * (1 - down) + lower * down
            if images.dtype.kind in "biu":
                found = np.rint(found)
        out[first : first + several] = found.transpose(1, 0, 2, 3)
    return out
