"""The last part of a step: gradients of the shards added up, and the optimiser's lines, chunk by chunk."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..kernels.update import clip_scale

if TYPE_CHECKING:
    from ..settings.optimisers import Optimiser

CHUNK = 1 << 14  # numbers: the pieces of some arrays fit a core's cache together
LINE = 16  # numbers of a line of the cache


class Rule(NamedTuple):
    """An optimiser as plain data: how it is written, its `update`, the numbers that change from step to step.

    `chunk` is how many parameters are changed at a time.
    """

    written: str
    source: str
    scalars: tuple[str, ...]
    clip: float | None
    chunk: int


def rule(optimiser: Optimiser) -> Rule:
    """What every worker must know of an optimiser."""
    return Rule(optimiser.written(), source(optimiser), tuple(optimiser.scalars(1, 1.0)), optimiser.clip, CHUNK)


def source(optimiser: Optimiser) -> str:
    """The function `update`, for one chunk of the parameters."""
    scalars = list(optimiser.scalars(1, 1.0))
    if optimiser.clip is not None:
        scalars.append("scale")
    names = ", ".join(["p", "g", *optimiser.moments, "t", "u", *scalars])
    lines = [f"def update({names}):", f'    """{optimiser.written()}: a chunk of parameters p and gradients g"""']
    return "\n".join([*lines, *(f"    {line}" for line in optimiser.lines())]) + "\n"


def function(rule: Rule) -> Callable[..., None]:
    filename = f"<plan update {rule.written}>"
    linecache.cache[filename] = (len(rule.source), None, rule.source.splitlines(keepends=True), filename)
    names: dict[str, Any] = {"np": np}
    exec(compile(rule.source, filename, "exec"), names)
    return names["update"]


@dataclass(frozen=True)
class Piece:
    """Some numbers of a worker's part, as views: made once, since making them takes longer than an addition.

    `arrays` are the parameters, their gradient, the moments and two scratch arrays, by what `update`
    calls them.
    """

    others: list[np.ndarray]  # the gradients of the shards after the first
    arrays: dict[str, np.ndarray]


class Update:
    """Runs an optimiser over flat arrays, each worker on a part of its own.

    Every number is added up and changed by itself, so that the bits do not depend on where the parts end. The sum
    of squares does; it is made of the same chunks, in the same order, for any number of workers.

    squares  a place for each chunk's sum of squares (float64)
    scalars  the numbers of this step, in the rule's order (float64)
    """

    def __init__(
        self,
        rule: Rule,
        p: np.ndarray,
        moments: Mapping[str, np.ndarray],
        gradients: Sequence[np.ndarray],
        squares: np.ndarray,
        scalars: np.ndarray,
    ) -> None:
        self.told = rule, p, moments, gradients, squares, scalars
        self.rule, self.p, self.moments, self.gradients, self.sums, self.scalars = self.told
        self.run = function(rule)
        self.chunks = chunks(0, p.size, rule.chunk)
        self.pieces: dict[tuple[int, int], list[Piece]] = {}
        self.begun = False  # whether parameters are being changed

    def part(self, worker: int, workers: int) -> list[Piece]:
        """A worker's part of the parameters, in pieces."""
        if (worker, workers) not in self.pieces:
            even = -(-self.p.size // (LINE * workers)) * LINE  # two workers never write into one line of the cache
            cuts = chunks(worker * even, min((worker + 1) * even, self.p.size), self.rule.chunk)
            t, u = (np.empty(min(self.rule.chunk, even), self.p.dtype) for _ in "tu")
            self.pieces[worker, workers] = [
                Piece(
                    [gradient[cut] for gradient in self.gradients[1:]],
                    {
                        "p": self.p[cut],
                        "g": self.gradients[0][cut],
                        **{name: array[cut] for name, array in self.moments.items()},
                        "t": t[: cut.stop - cut.start],
                        "u": u[: cut.stop - cut.start],
                    },
                )
                for cut in cuts
            ]
        return self.pieces[worker, workers]

    def reduce_gradients(self, worker: int, workers: int, shards: int) -> None:
        """Add the shards' gradients up, into the first one's memory."""
        for piece in self.part(worker, workers):
            for other in piece.others[: shards - 1]:
                np.add(piece.arrays["g"], other, out=piece.arrays["g"])

    def squares(self, worker: int, workers: int) -> None:
        """The sum of squares of each chunk of the summed gradient, for clipping."""
        first = self.gradients[0]
        for k in range(worker, len(self.chunks), workers):
            self.sums[k] = np.vdot(first[self.chunks[k]], first[self.chunks[k]])

    def scale(self) -> float | None:
        """The factor that clips the gradient whose squares are summed; None where none is clipped."""
        return None if self.rule.clip is None else clip_scale(float(self.sums.sum()), self.rule.clip)

    def apply(self, worker: int, workers: int) -> None:
        """One step of the optimiser, on this worker's part."""
        kind = self.p.dtype.type
        # by way of Python's numbers, as an optimiser gives them
        scalars = {name: kind(value) for name, value in zip(self.rule.scalars, self.scalars.tolist(), strict=True)}
        scale = self.scale()
        if scale is not None:
            scalars["scale"] = kind(scale)
        self.begun = True
        for piece in self.part(worker, workers):
            self.run(**piece.arrays, **scalars)


def chunks(start: int, stop: int, most: int) -> list[slice]:
    """From start to stop in pieces of at most so many."""
    return [slice(at, min(at + most, stop)) for at in range(start, stop, most)]
