"""NumPy's generators of random numbers of many seeds, one after the other, without making each anew.

A stream is that of `np.random.Generator(np.random.PCG64(seed))`. To make one takes longer than to draw the noise
of a small image, most of it to spread the seed over the generator's state: here that is done for all seeds at once,
and one generator is given their states in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# of NumPy's SeedSequence (M. E. O'Neill's seed_seq_fe): a pool of words of 32 bits, mixed with each other
POOL = 4
IN, IN_FACTOR = 0x43B0D7E5, 0x931E8875  # into the pool
OUT, OUT_FACTOR = 0x8B51F9DD, 0x58F38DED  # out of it
LEFT, RIGHT = 0xCA01F9DD, 0x4973F715  # two words into one
SHIFT = 16
WORD = 0xFFFFFFFF

PCG = 0x2360ED051FC65DA44385DF649FCCF645  # the factor of PCG64's step, whose state has 128 bits
STATE = (1 << 128) - 1


def streams(words: np.ndarray) -> Iterator[np.random.Generator]:
    """A generator for each row of what `spread` has made; each lasts until the next is asked for."""
    import numpy as np

    bits = np.random.PCG64(0)
    generator = np.random.Generator(bits)
    for high, low, high_increment, low_increment in words.tolist():
        increment = (high_increment << 65 | low_increment << 1 | 1) & STATE
        state = ((increment + (high << 64 | low)) * PCG + increment) & STATE
        bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        yield generator


def spread(seeds: np.ndarray) -> np.ndarray:
    """The four words (n, 4) of 64 bits that a generator begins with, by seeds (n,) from 0 to 2^63 - 1.

    NumPy's `SeedSequence(seed).generate_state(4, np.uint64)` for each of them.
    """
    import numpy as np

    into = Hash(IN, IN_FACTOR)
    pool = np.zeros((POOL, len(seeds)), np.uint32)
    pool[0], pool[1] = seeds & WORD, seeds >> 32
    pool = into(pool)
    for source in range(POOL):
        others = [to for to in range(POOL) if to != source]
        mixed = pool[others] * np.uint32(LEFT)
        mixed -= into(np.broadcast_to(pool[source], mixed.shape)) * np.uint32(RIGHT)
        pool[others] = mixed ^ mixed >> np.uint32(SHIFT)
    found = Hash(OUT, OUT_FACTOR)(np.concatenate([pool, pool])).astype(np.uint64)
    return (found[::2] | found[1::2] << np.uint64(32)).T


class Hash:
    """Hashes words of 32 bits, each row by another constant: the one before times a factor."""

    def __init__(self, constant: int, factor: int) -> None:
        self.constant, self.factor = constant, factor

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        import numpy as np

        constants = [self.constant]
        for _ in rows:
            constants.append(constants[-1] * self.factor & WORD)
        self.constant = constants[-1]
        column = np.array(constants, np.uint32)[:, None]
        found = (rows ^ column[:-1]) * column[1:]
        return found ^ found >> np.uint32(SHIFT)
