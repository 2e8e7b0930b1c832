"""The numbers of a page: arrays one after the other, in float64 or as bytes, each kept once."""

from __future__ import annotations

import base64
import hashlib

import numpy as np


class NumberStore:
    """Collects arrays; each gets an address `[kind, offset, length]`, offsets counted in numbers of its kind.

    Kind 0 are float64, exact; kind 1 are bytes, for pictures whose numbers nobody will add up; kind 2 are float32,
    for numbers that were computed so.
    """

    def __init__(self) -> None:
        self.parts: list[list[bytes]] = [[], [], []]
        self.lengths = [0, 0, 0]
        self.known: dict[bytes, list[int]] = {}

    @property
    def bytes(self) -> int:
        return self.lengths[0] * 8 + self.lengths[1] + self.lengths[2] * 4

    def add(self, array: np.ndarray) -> list[int]:
        """Keep an array, or find it among those that are kept: a flattened map is the map."""
        kind = {np.dtype(np.uint8): 1, np.dtype(np.float32): 2}.get(array.dtype, 0)
        data = np.ascontiguousarray(array, ("<f8", "<u1", "<f4")[kind]).tobytes()
        key = hashlib.blake2b(data, digest_size=16).digest() + bytes([kind])
        if key not in self.known:
            self.known[key] = [kind, self.lengths[kind], array.size]
            self.parts[kind].append(data)
            self.lengths[kind] += array.size
        return self.known[key]

    def text(self) -> str:
        """All kinds in base64, with a blank between."""
        return " ".join(base64.b64encode(b"".join(parts)).decode() for parts in self.parts)
