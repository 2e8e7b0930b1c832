"""The last part of a step: gradients of the shards added up, and the optimiser's lines, chunk by chunk."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from ..settings.optimisers import Optimiser

CHUNK = 1 << 14  # numbers: the pieces of some arrays fit a core's cache together


def source(optimiser: Optimiser) -> str:
    """The function `update`, for one chunk of the parameters."""
    scalars = list(optimiser.scalars(1, 1.0))
    if optimiser.clip is not None:
        scalars.append("scale")
    names = ", ".join(["p", "g", *optimiser.moments, "t", "u", *scalars])
    lines = [f"def update({names}):", f'    """{optimiser.written()}: a chunk of parameters p and gradients g"""']
    return "\n".join([*lines, *(f"    {line}" for line in optimiser.lines())]) + "\n"


def function(optimiser: Optimiser) -> Callable[..., None]:
    text = source(optimiser)
    filename = f"<plan update {optimiser.written()}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"np": np}
    exec(compile(text, filename, "exec"), names)
    return names["update"]


class Update:
    """Runs an optimiser over flat arrays, each worker on chunks of its own.

    The chunks and the order of every sum are the same for any number of workers, and so are the bits.
    """

    def __init__(
        self, optimiser: Optimiser, p: np.ndarray, moments: dict[str, np.ndarray], gradients: list[np.ndarray]
    ) -> None:
        self.optimiser, self.p, self.moments, self.gradients = optimiser, p, moments, gradients
        self.run = function(optimiser)
        self.takes = set(inspect.signature(self.run).parameters)
        self.chunks = [slice(start, min(start + CHUNK, p.size)) for start in range(0, p.size, CHUNK)]
        self.scratch: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def share(self, worker: int, workers: int) -> list[slice]:
        per = -(-len(self.chunks) // workers)
        return self.chunks[worker * per : (worker + 1) * per]

    def collect(self, worker: int, workers: int, shards: int) -> None:
        """Add the shards' gradients up, into the first one's memory."""
        first, *others = self.gradients[:shards]
        for chunk in self.share(worker, workers):
            for other in others:
                np.add(first[chunk], other[chunk], out=first[chunk])

    def squares(self, worker: int, workers: int, out: np.ndarray) -> None:
        """The sum of squares of each chunk of the summed gradient, for clipping."""
        first = self.gradients[0]
        start = worker * -(-len(self.chunks) // workers)
        for k, chunk in enumerate(self.share(worker, workers)):
            out[start + k] = np.vdot(first[chunk], first[chunk])

    def apply(self, worker: int, workers: int, step: int, rate: float, scale: float | None = None) -> None:
        """One step of the optimiser, on this worker's chunks."""
        kind = self.p.dtype.type
        scalars = {name: kind(value) for name, value in self.optimiser.scalars(step, rate).items()}
        if scale is not None:
            scalars["scale"] = kind(scale)
        if worker not in self.scratch:
            self.scratch[worker] = (np.empty(CHUNK, self.p.dtype), np.empty(CHUNK, self.p.dtype))
        t, u = self.scratch[worker]
        for chunk in self.share(worker, workers):
            size = chunk.stop - chunk.start
            moments = {name: array[chunk] for name, array in self.moments.items()}
            self.run(p=self.p[chunk], g=self.gradients[0][chunk], t=t[:size], u=u[:size], **moments, **scalars)
