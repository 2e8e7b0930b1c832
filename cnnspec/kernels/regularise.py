"""Random masks."""

from __future__ import annotations

import numpy as np


def random_mask(key: tuple[int, int, int, int], rate: float, *, out: np.ndarray) -> None:
    """out = 0 with probability rate, else 1 / (1 - rate).

    key = (seed, step, shard, node): the counter of a Philox generator, so the same key gives the same mask on
    any machine and in any order.
    """
    seed, *counter = key
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, *counter]))
    generator.random(dtype=out.dtype.type, out=out)
    keep = out.dtype.type(1 / (1 - rate))
    np.greater_equal(out, out.dtype.type(rate), out=out, casting="unsafe")
    np.multiply(out, keep, out=out)
