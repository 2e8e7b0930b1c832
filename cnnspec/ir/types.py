"""Types of values: named axes with sizes.

The axis of the images of a batch, `n`, is never written down: a *batched* value has it, a parameter
has not. An image is `c h w`, a sequence `c w`, a vector `c`; so `c` is the channel axis of everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

Axes = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """Axes by name, in the order people write them (channels first).

    `folded` is set where `c` came from flattening an image: the axes that it was. The plan keeps images
    as rows of channels of pixels, so a flattened image is in another order there than in a text book;
    a dense layer's weights find the order here.
    """

    axes: Axes
    batched: bool = True
    dtype: str = "float"
    folded: Axes = ()

    def __getitem__(self, axis: str) -> int:
        for name, size in self.axes:
            if name == axis:
                return size
        raise KeyError(axis)

    def __contains__(self, axis: str) -> bool:
        return axis in self.names

    @property
    def names(self) -> tuple[str, ...]:
        return tuple([name for name, _ in self.axes])

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes without the batch."""
        return tuple([size for _, size in self.axes])

    @property
    def spatial(self) -> tuple[int, ...]:
        """Sizes of the axes along which windows slide: (h, w), (w,) or ()."""
        return tuple([size for name, size in self.axes if name in ("h", "w")])

    @property
    def kind(self) -> str:
        """`image`, `sequence`, `vector`, or `scalar`."""
        return {3: "image", 2: "sequence", 1: "vector", 0: "scalar"}.get(len(self.axes), "tensor")

    @property
    def elements(self) -> int:
        """Numbers in one image's worth of this value (or in the whole parameter)."""
        return prod(self.shape)

    def resized(self, spatial: tuple[int, ...], channels: int | None = None) -> TensorType:
        """The same axes with other spatial sizes, and other channels where given."""
        sizes = (self["c"] if channels is None else channels, *spatial)
        return TensorType(tuple(zip(self.names, sizes, strict=True)), self.batched, self.dtype)

    def sized(self, axis: str, count: int) -> TensorType:
        """The same axes, one of them with another size."""
        return replace(self, axes=tuple((name, count if name == axis else size) for name, size in self.axes))

    def __str__(self) -> str:
        return "x".join(map(str, self.shape)) or "scalar"


SPATIAL_NAMES = {0: (), 1: ("w",), 2: ("h", "w")}


def data(*sizes: int) -> TensorType:
    """The type of a batched value: `data(3, 32, 32)` an image, `data(3, 128)` a sequence, `data(4)` a vector."""
    names = ("c", *SPATIAL_NAMES[len(sizes) - 1])
    return TensorType(tuple(zip(names, sizes, strict=True)))


def parameter(**axes: int) -> TensorType:
    """The type of a parameter: `parameter(f=8, c=3, u=3, v=3)`."""
    return TensorType(tuple(axes.items()), batched=False)


SCALAR = TensorType((), batched=False)
