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

GROUP = 1 << 13  # pixels that are looked up at once: their places and corners stay in a core's cache


@record
class Warp(Augmentation):
    """The base: `inverse` has the maps."""

    moves: ClassVar[bool] = True
    slow: ClassVar[bool] = True
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

    out = np.empty(images.shape, images.dtype)
    groups = max(1, min(len(images), round(images[:, 0].size / GROUP)))
    several = max(1, -(-len(images) // groups))  # as many in each, for a small one takes nearly as long
    look = (Nearest if nearest else Bilinear)(images, several)
    for first in range(0, len(images), several):
        part = slice(first, first + several)
        look.up(images[part], inverse[part], out[part])
    return out


class Nearest:
    """Looks up the pixels of several images at once that lie nearest to their places, in memory of its own."""

    def __init__(self, images: np.ndarray, several: int) -> None:
        import numpy as np

        self.height, self.width = images.shape[2:]
        self.rows, self.columns = np.arange(float(self.height))[:, None], np.arange(float(self.width))
        self.at = np.empty((2, several, self.height, self.width))

    def places(self, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows and the columns (n, h, w) within the image that pixels of the result are looked up at.

        Where maps turn nothing, rows (n, h, 1) and columns (n, 1, w), which are far fewer numbers.
        """
        import numpy as np

        maps, upright = inverse[..., None, None], not (inverse[:, 0, 1].any() or inverse[:, 1, 0].any())
        rows, columns = self.at[:, : len(inverse)]
        if upright:
            rows, columns = maps[:, 0, 0] * self.rows, maps[:, 1, 1] * self.columns
        else:
            np.add(maps[:, 0, 0] * self.rows, maps[:, 0, 1] * self.columns, out=rows)
            np.add(maps[:, 1, 0] * self.rows, maps[:, 1, 1] * self.columns, out=columns)
        for axis, (along, length) in enumerate(((rows, self.height), (columns, self.width))):
            along += maps[:, axis, 2]
            np.clip(along, 0.0, length - 1.0, out=along)
        return rows, columns

    def up(self, images: np.ndarray, inverse: np.ndarray, out: np.ndarray) -> None:
        """The pixels of images (n, c, h, w) at the places of maps (n, 2, 3) into `out`."""
        import numpy as np

        y, x = (np.rint(along).astype(np.intp) for along in self.places(inverse))
        out[...] = images[np.arange(len(images))[:, None, None], :, y, x].transpose(0, 3, 1, 2)


class Bilinear(Nearest):
    """Looks up what lies at their places, between pixels by the share of each of the four around.

    framed   (n, h+1, w+1) a channel with its last row and column repeated, so that the pixels below and to the
             right are always the same number of elements away
    corners  (4, n, h, w) the four pixels around each place
    """

    def __init__(self, images: np.ndarray, several: int) -> None:
        import numpy as np

        super().__init__(images, several)
        kind = np.result_type(images.dtype, np.float32)
        shape = (several, self.height, self.width)
        self.shares, self.rests = np.empty((2, *shape), np.float32), np.empty((2, *shape), np.float32)
        self.small, self.index = np.empty(shape, np.int32), np.empty(shape, np.intp)
        self.framed = np.empty((several, self.height + 1, self.width + 1), kind)
        self.corners = np.empty((4, *shape), kind)
        self.start = np.arange(0.0, self.framed.size, self.framed[0].size)[:, None, None]

    def up(self, images: np.ndarray, inverse: np.ndarray, out: np.ndarray) -> None:
        import numpy as np

        n, row = len(images), self.width + 1
        y, x = self.places(inverse)
        upper, left = np.floor(y), np.floor(x)
        shares, rests = self.shares[:, :n], self.rests[:, :n]
        y -= upper
        x -= left
        shares[0], shares[1] = y, x
        np.subtract(np.float32(1), shares, out=rests)
        (down, over), (up, back) = shares, rests
        upper *= row
        upper += self.start[:n]
        # by way of small integers, for straight to those of an index takes half as long again
        np.add(upper.astype(np.int32), left.astype(np.int32), out=self.small[:n])
        self.index[:n] = self.small[:n]
        index, framed, flat = self.index[:n], self.framed[:n], self.framed.reshape(-1)
        found, right_of, below, beyond = self.corners[:, :n]
        for channel, to in zip(images.swapaxes(0, 1), out.swapaxes(0, 1), strict=True):
            framed[:, :-1, :-1] = channel
            framed[:, -1, :-1] = channel[:, -1]
            framed[:, :, -1] = framed[:, :, -2]
            for corner, away in ((found, 0), (right_of, 1), (below, row), (beyond, row + 1)):
                flat[away:].take(index, out=corner, mode="wrap")  # `raise` would make a copy first
            found *= back
            right_of *= over
            found += right_of
            below *= back
            beyond *= over
            below += beyond
            found *= up
            below *= down
            found += below
            to[...] = np.rint(found, out=found) if images.dtype.kind in "biu" else found
