"""A convolution as the choice of its method sees it."""

from __future__ import annotations

from ...ir import TensorType
from ...ir.geometry import Geometry, size_2d
from ...primitives.together import TRANSFORMED_LIGHT, outweigh_reading
from ...record import record


@record
class Convolution:
    """A convolution of x (c h w), for the images of one shard.

    `first` where it reads the network's input, which needs no gradient; `learns` where there are gradients at all
    (times are measured apart with and without, so that it is not in their key).
    """

    geometry: Geometry
    x: TensorType
    filters: int
    groups: int
    images: int
    first: bool = False
    learns: bool = True
    shards: int = 1

    @property
    def y(self) -> TensorType:
        return self.x.resized(self.geometry.out(*size_2d(self.x))[-len(self.x.spatial) :], self.filters)

    @property
    def channels(self) -> int:
        """Of a group."""
        return self.x["c"] // self.groups

    @property
    def depthwise(self) -> bool:
        return self.groups > 1 and self.channels == 1 and self.filters == self.groups

    @property
    def plain(self) -> bool:
        """One tap for each pixel, so that the layer is a product of matrices as it stands."""
        return self.geometry.plain and self.groups == 1

    def makers(self, light: float = 0) -> int:
        """How many shards make the layer together, if they do; see `outweigh_reading`."""
        shown = (self.x.elements + self.y.elements) * self.images * self.shards
        together = self.learns and self.groups == 1 and outweigh_reading(self.weights, shown, light)
        return self.shards if together else 1

    @property
    def winograd_makers(self) -> int:
        """The same for Winograd's method in two dimensions."""
        even = self.filters % self.shards == self.channels % self.shards == 0
        return self.makers(TRANSFORMED_LIGHT) if even else 1

    @property
    def depth(self) -> int:
        """Weights of a filter."""
        return self.channels * self.geometry.kernel[0] * self.geometry.kernel[1]

    @property
    def weights(self) -> int:
        return self.depth * self.filters

    @property
    def pixels(self) -> int:
        """Of the output, in all images."""
        return self.y.elements // self.filters * self.images

    @property
    def met(self) -> int:
        """How often a tap meets a pixel of an image, and not the padding."""
        return sum(self.geometry.meetings(*size_2d(self.x)))

    @property
    def flops(self) -> int:
        return 2 * self.weights * self.pixels

    def __str__(self) -> str:
        """All that it is, in words; measured times are kept under it.

        conv 32x3x3 stride 1x1 pad 1,1x1,1 dilate 1x1 groups 1 of 16x32x32, 64 images
        """
        g = self.geometry
        pads = "x".join(",".join(map(str, pad)) for pad in g.pad)
        window = f"stride {pair(g.stride)} pad {pads} dilate {pair(g.dilate)} groups {self.groups}"
        what = f"conv {self.filters}x{pair(g.kernel)} {window}"
        return f"{what} of {self.x}, {self.images} images{', first' * self.first}"


def pair(sizes: tuple[int, int]) -> str:
    return "x".join(map(str, sizes))


def short(sizes: tuple[int, int]) -> str:
    """2 for both directions, or 2x1"""
    return str(sizes[0]) if sizes[0] == sizes[1] else pair(sizes)
