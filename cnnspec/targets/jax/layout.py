"""The order of axes in JAX: channels last, as XLA's convolutions want it on processors and on tensor cores.

With channels first XLA turns the images of each convolution round and back again, and its filters in every step.
Here images are turned where they come in and where outputs leave, and filters where they are set and read.

    images       (n, c, h, w)  -> (n, h, w, c)
    parameters   (f, c, h, w)  -> (h, w, c, f)    those of a convolution; vectors and matrices stay
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from jax import Array

Some = TypeVar("Some", np.ndarray, Array)

IMAGES = {2: "NC", 3: "NWC", 4: "NHWC"}  # by the number of axes, in the names of `lax.conv_general_dilated`
FILTERS = {3: "WIO", 4: "HWIO"}
FILTERS_BACK = {3: "WOI", 4: "HWOI"}  # of a transposed convolution, whose filters are those of the one it undoes


def channels_last(x: Some) -> Some:
    """A batch as words compute with it."""
    return x.transpose(0, *range(2, x.ndim), 1) if x.ndim > 2 else x


def channels_first(x: Some) -> Some:
    """A batch as it is given and asked for."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1)) if x.ndim > 2 else x


def filters_last(w: Some) -> Some:
    """A parameter as words compute with it."""
    return w.transpose(*range(2, w.ndim), 1, 0) if w.ndim > 2 else w


def filters_first(w: Some) -> Some:
    """A parameter in PyTorch's order, as it is set and read."""
    return w.transpose(w.ndim - 1, w.ndim - 2, *range(w.ndim - 2)) if w.ndim > 2 else w


def pixels(x: np.ndarray | Array) -> tuple[int, ...]:
    """The axes along which windows slide."""
    return tuple(range(1, x.ndim - 1))
