"""Many small pictures as one array, with gaps between them."""

from __future__ import annotations

import numpy as np

MOST = 16  # filters and channels that are shown
GAP = 1  # pixels between two


def filter_tiles(weight: np.ndarray) -> np.ndarray:
    """Kernels (f, c, u, v) as one picture: a row a filter, a column an input channel; gaps are not numbers.

    Where every filter has a single channel (a first layer of grey images, a depthwise one) they fill a square.
    """
    kernels = weight.reshape(*weight.shape[:2], *(1, *weight.shape[2:])[-2:])
    if kernels.shape[1] == 1:
        kernels = kernels[: MOST * MOST]
        side = int(np.ceil(np.sqrt(len(kernels))))
        empty = np.full((side * side - len(kernels), *kernels.shape[1:]), np.nan)
        kernels = np.concatenate([kernels, empty]).reshape(side, side, *kernels.shape[2:])
    kernels = kernels[:MOST, :MOST]
    padded = np.pad(kernels.astype(np.float64), ((0, 0), (0, 0), (0, GAP), (0, GAP)), constant_values=np.nan)
    rows, columns, height, width = padded.shape
    return padded.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)[:-GAP, :-GAP]
