"""Images that stay in a file, larger than memory: only requested images are read."""

from __future__ import annotations

import os
from threading import Lock
from typing import BinaryIO, cast

import numpy as np

Part = int | slice | np.ndarray


class Filed:
    """An array of bytes [n, ...] in a file, or some rows of it; as much of NumPy's arrays as datasets ask for.

    Rows are read by their places in the file, and not mapped into memory, so that what was read once takes no room.
    Threads may read at once, and so may processes that are forked, which share the file's position.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, file: BinaryIO, shape: tuple[int, ...], rows: np.ndarray | None = None, lock: Lock | None = None
    ) -> None:
        self.file, self.lock = file, lock or Lock()
        self.rows = np.arange(shape[0]) if rows is None else rows
        self.shape = (len(self.rows), *shape[1:])
        self.row = int(np.prod(shape[1:]))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return len(self.rows) * self.row

    @property
    def nbytes(self) -> int:
        return self.size

    def __len__(self) -> int:
        return len(self.rows)

    def chosen(self, positions: np.ndarray) -> np.ndarray:
        """These rows, unread."""
        return Filed(self.file, self.shape, self.rows[positions], self.lock).as_array()

    def as_array(self) -> np.ndarray:
        """The same to those who check types."""
        return cast(np.ndarray, self)

    def __getitem__(self, part: Part | tuple[Part, ...]) -> np.ndarray:
        """A row, or several by a slice or by their places, read into memory."""
        if isinstance(part, tuple):
            return self[part[0]][(slice(None), *part[1:])]
        rows = self.rows[part]
        if np.ndim(rows) == 0:
            return self._read(np.array([rows]))[0]
        return self._read(rows)

    def take(
        self, places: np.ndarray, axis: int = 0, out: np.ndarray | None = None, mode: str = "raise"
    ) -> np.ndarray:
        """Rows by their places, into `out` where it is given."""
        assert axis == 0
        return self._read(self.rows[places], out)

    def _read(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        found = np.empty((len(rows), *self.shape[1:]), np.uint8) if out is None else out
        flat = found.reshape(len(rows), self.row)
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1  # neighbours are read at once
        starts, ends = [0, *breaks.tolist()], [*breaks.tolist(), len(rows)]
        for start, end in zip(starts, ends, strict=True):
            if (
                start != end
                and self._fill(flat[start:end], int(rows[start]) * self.row) != (end - start) * self.row
            ):
                raise OSError("the file of decoded images was cut short while it was used")
        return found

    def _fill(self, rows: np.ndarray, start: int) -> int:
        """Read what lies in the file from `start` on; how many bytes there were."""
        if not hasattr(os, "preadv"):  # nor is there a fork
            with self.lock:
                self.file.seek(start)
                return int(self.file.readinto(rows.data))  # type: ignore[attr-defined]
        into, done = memoryview(rows.data).cast("B"), 0
        while done < len(into) and (count := os.preadv(self.file.fileno(), [into[done:]], start + done)):
            done += count
        return done


def chosen(x: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Some rows of an array; of one in a file they stay there."""
    return x.chosen(positions) if isinstance(x, Filed) else x[positions]
