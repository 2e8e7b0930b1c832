"""The address of every array of a plan: one arena, laid out ahead of time by liveness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from ..ir import TensorType

ALIGN = 64  # bytes: a cache line, and the widest vector


@dataclass
class Buffer:
    """An array of the arena: alive from the step that first writes it to the last one that reads it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    first: int
    last: int
    itemsize: int
    offset: int = -1

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.itemsize

    def overlaps(self, other: Buffer) -> bool:
        """Whether both are alive at one time."""
        return self.first <= other.last and other.first <= self.last


def physical(kind: TensorType, n: int) -> tuple[int, ...]:
    """Shape of a value in the plan: images are [h,c,w,n], sequences [1,c,w,n], vectors [c,n].

    Images of the batch are innermost. A value without a batch keeps its axes' order.
    """
    if not kind.batched:
        return kind.shape
    if kind.names == ("c", "h", "w"):
        return kind["h"], kind["c"], kind["w"], n
    if kind.names == ("c", "h", "r", "t"):  # polyphase rows
        return kind["h"], kind["r"], kind["c"], kind["t"], n
    if kind.names == ("c", "w"):
        return 1, kind["c"], kind["w"], n
    return *kind.shape, n


def place(buffers: Iterable[Buffer], between: int = 0) -> int:
    """Give every buffer an offset such that no two that are alive together overlap; return the arena's size.

    Largest first, each in the lowest gap that holds it: greedy, and on the networks of specs/ within a few
    per cent of the lower bound, the most that is ever alive at once. So many bytes stay free `between` them, and
    before the first, so that buffers of whole pages do not begin at the same place of a page: by that place alone a
    processor tells loads from earlier stores, and a row that is copied there and moved by a pixel waits for them.
    """
    placed: list[Buffer] = []
    size = 0
    for buffer in sorted(buffers, key=lambda b: (-b.bytes, b.first)):
        start = between
        for other in sorted((p for p in placed if p.overlaps(buffer)), key=lambda p: p.offset):
            if other.offset - start >= buffer.bytes + between:
                break
            start = max(start, -(-(other.offset + other.bytes) // ALIGN) * ALIGN + between)
        buffer.offset = start
        placed.append(buffer)
        size = max(size, start + buffer.bytes)
    return -(-size // ALIGN) * ALIGN
