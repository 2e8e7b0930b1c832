"""What an update needs besides its optimiser's lines: the length of the whole gradient."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 14  # parameters at a time, so that the passes of an optimiser find them in the cache


def squares(g: NDArray[np.floating]) -> list[float]:
    """Sums of squares of g[n], one for each chunk.

    Added up in their order they give the same bits however many workers made them.
    """
    return [float(np.vecdot(part, part)) for part in np.split(g, range(CHUNK, g.size, CHUNK))]


def clip_scale(square_norm: float, clip: float) -> float:
    """The factor that shortens a gradient to the norm `clip`; 1 where it is shorter.

    The 1e-6 is PyTorch's (torch.nn.utils.clip_grad_norm_).
    """
    scale = clip / (sqrt(square_norm) + 1e-6)
    return 1.0 if scale > 1 else scale  # a gradient that is not a number stays none: its scale is neither
