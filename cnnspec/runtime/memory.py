"""The memory of an engine: its own, or shared with the programs that work for it.

Both give zeroed bytes that begin with a page, so that no array depends on where others lie.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

PAGE = mmap.ALLOCATIONGRANULARITY
HUGE = 1 << 21  # bytes of a large page of the system
SEGMENT = 1 << 26  # bytes: files are mapped in pieces of at most this, for each holds a descriptor
OWN: dict[str, Any] = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


class ArrayLocation(NamedTuple):
    """Where an array lies in a shared file: the segment that is to be mapped, and the array in it."""

    start: int
    length: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


class Private:
    """Memory of this process; after a fork the child has a copy of its own, page by page as either writes.

    What is large asks for large pages. Small ones lie anywhere in the machine's memory, so that by bad luck arrays
    of one step share sets of the processor's cache: steps of a wide convolution then take 5 % longer, and much
    longer in some processes than in others.
    """

    shared = False

    def take(self, size: int) -> np.ndarray:
        """So many zeroed bytes."""
        if size < 2 * HUGE:
            return np.frombuffer(mmap.mmap(-1, max(size, PAGE), **OWN), np.uint8)[: max(size, 1)]
        pages = mmap.mmap(-1, size + HUGE, **OWN)
        memory = np.frombuffer(pages, np.uint8)
        start = -address(memory) % HUGE
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):  # a system that has none
                pages.madvise(mmap.MADV_HUGEPAGE, start, size // HUGE * HUGE)
        return memory[start : start + size]

    def release(self, memory: np.ndarray) -> None:
        """Memory that nobody reads any more; it goes with its last array."""


class Growing:
    """Memory of this process of which one use follows another, as large as the largest was."""

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)

    def take(self, size: int) -> np.ndarray:
        """At least so many bytes, whatever is in them."""
        if size > self.memory.size:
            self.memory = np.empty(0, np.uint8)  # gone before the next is taken
            self.memory = Private().take(size)
        return self.memory


class Shared:
    """Memory of a file without a name, which is gone with the last process that has it open.

    Programs that inherit its descriptor map the same bytes. It grows as more is taken.
    """

    shared = True

    def __init__(self) -> None:
        self.file = nameless_file()
        self.size = self.used = 0  # of the file; of its last segment, the end of what is taken
        self.segments: list[tuple[int, int, int, mmap.mmap]] = []  # address, start in the file, length
        weakref.finalize(self, os.close, self.file)

    def take(self, size: int) -> np.ndarray:
        """So many zeroed bytes."""
        length = -(-max(size, 1) // PAGE) * PAGE
        if self.used + length > self.size:
            self._grow(length)
        start = self.used - self.segments[-1][1]
        self.used += length
        return np.frombuffer(self.segments[-1][3], np.uint8)[start : start + max(size, 1)]

    def _grow(self, least: int) -> None:
        length = max(least, min(SEGMENT, self.size), 1 << 20)
        os.ftruncate(self.file, self.size + length)
        made = mmap.mmap(self.file, length, offset=self.size)
        self.segments.append((address(np.frombuffer(made, np.uint8)), self.size, length, made))
        self.used = self.size
        self.size += length

    def place(self, array: np.ndarray) -> ArrayLocation | None:
        """Where an array lies; None where it is not of this memory."""
        at = address(array)
        for begin, start, length, _ in self.segments:
            if begin <= at < begin + length:
                return ArrayLocation(start, length, at - begin, array.shape, array.strides, array.dtype.str)
        return None

    def release(self, memory: np.ndarray) -> None:
        """Give the pages back of memory that nobody reads any more."""
        place = self.place(memory)
        if place is not None and hasattr(mmap, "MADV_REMOVE"):
            length = -(-memory.nbytes // PAGE) * PAGE
            (made,) = (made for _, start, _, made in self.segments if start == place.start)
            made.madvise(mmap.MADV_REMOVE, place.offset, length)


class Attached:
    """Another process's shared memory, by its descriptor."""

    def __init__(self, file: int) -> None:
        self.file = file
        self.segments: dict[int, mmap.mmap] = {}

    def array(self, place: ArrayLocation) -> np.ndarray:
        """The array that lies there."""
        if place.start not in self.segments:
            self.segments[place.start] = mmap.mmap(self.file, place.length, offset=place.start)
        return np.ndarray(
            place.shape, np.dtype(place.dtype), self.segments[place.start], place.offset, place.strides
        )


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def nameless_file() -> int:
    """The descriptor of an empty file without a name, which only programs inherit that are given it."""
    if hasattr(os, "memfd_create"):
        return above_standard(os.memfd_create("cnnspec", os.MFD_CLOEXEC))
    with tempfile.TemporaryFile() as file:
        return above_standard(os.dup(file.fileno()))


def above_standard(descriptor: int) -> int:
    """The same file by a descriptor that no program takes for its input, output or errors.

    A process that runs without them is given their numbers by the next files that it opens.
    """
    if descriptor > 2:
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)
