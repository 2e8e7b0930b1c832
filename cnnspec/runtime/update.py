"""The last part of a step: gradients of the shards added up, and the optimiser's lines, chunk by chunk."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from ..kernels.activation import clip_scale

if TYPE_CHECKING:
    from ..settings.optimiser import Optimiser
    from ..settings.tuning import ParameterGroup

CHUNK = 1 << 16  # numbers: calls cost little beside them, and the pieces of some arrays fit a processor's cache
LINE = 16  # numbers of a line of the cache
AVERAGE = ("np.multiply(e, keep, out=e)", "np.multiply(p, take, out=t)", "np.add(e, t, out=e)")
Joint = tuple[tuple[int, int], ...]  # see `Update.part`
AVERAGED = ("keep", "take")  # what these lines read


class ParameterRange(NamedTuple):
    """Neighbouring parameters that are moved alike, as plain data: their `update`, and the numbers it reads."""

    start: int
    stop: int
    source: str
    scalars: tuple[str, ...]


class UpdateRule(NamedTuple):
    """An optimiser as plain data: how it is written, and what it does to each part of the parameters.

    `chunk` is how many parameters are changed at a time.
    """

    written: str
    parts: tuple[ParameterRange, ...]
    clip: float | None
    chunk: int

    @property
    def places(self) -> list[slice]:
        """Where the numbers of each part stand among those of all."""
        ends = [0, *accumulate(len(part.scalars) for part in self.parts)]
        return [slice(start, stop) for start, stop in pairwise(ends)]


def rule(optimiser: Optimiser, sizes: Sequence[tuple[ParameterGroup, int]], average: bool = False) -> UpdateRule:
    """What every worker must know of an optimiser; `sizes` has the groups of parameters, and how many each has."""
    parts, start = [], 0
    for group, size in sizes:
        names = (*group.optimiser.scalars(1, 1.0), *(AVERAGED if average else ()))
        parts.append(ParameterRange(start, start + size, source(group.optimiser, average), names))
        start += size
    return UpdateRule(optimiser.written(), tuple(parts), optimiser.clip, CHUNK)


def numbers(groups: Iterable[ParameterGroup], clock: Sequence[int], rate: float, ema: float | None) -> list[float]:
    """The numbers that the updates of some groups read, one after the other, at the rate of all.

    `clock` has the steps of those that learn from the beginning, this one included, then those since each thaw. An
    average begins with what the first step of all makes of the parameters.
    """
    ema_weights = () if ema is None else (ema, 1 - ema) if clock[0] > 1 else (0.0, 1.0)
    found: list[float] = []
    for group in groups:
        found += group.optimiser.scalars(max(1, int(clock[group.thaw])), rate * group.factor).values()
        found += ema_weights
    return found


def source(optimiser: Optimiser, average: bool = False) -> str:
    """The function `update`, for one chunk of the parameters."""
    scalars = [*optimiser.scalars(1, 1.0), *(AVERAGED if average else ())]
    if optimiser.clip is not None:
        scalars.append("scale")
    names = ", ".join(["p", "g", *optimiser.moments, *(["e"] if average else []), "t", "u", *scalars])
    lines = [f"def update({names}):", f'    """{optimiser.written()}: a chunk of parameters p and gradients g"""']
    code = (*optimiser.lines(), *(AVERAGE if average else ()))
    return "\n".join([*lines, *(f"    {line}" for line in code)]) + "\n"


def function(written: str, source: str) -> Callable[..., None]:
    filename = f"<plan update {written}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names: dict[str, object] = {"np": np}
    exec(compile(source, filename, "exec"), names)
    return cast(Callable[..., None], names["update"])


@dataclass(frozen=True)
class Piece:
    """Some numbers of a worker's part, as views: made once, since making them takes longer than an addition.

    `arrays` are the parameters, their gradient, the moments and two scratch arrays, by what `update`
    calls them. `total` is the gradient of the goes before, `part` the number of the rule's part.
    """

    part: int
    total: np.ndarray | None
    others: list[np.ndarray]  # the gradients of the shards after the first
    arrays: dict[str, np.ndarray]

    def add_up(self, shards: int) -> None:
        """Add the gradients of the shards up, into the first one's memory."""
        for other in self.others[: shards - 1]:
            np.add(self.arrays["g"], other, out=self.arrays["g"])


class Update:
    """Runs an optimiser over flat arrays, each worker on a part of its own.

    Every number is added up and changed by itself, so that the bits do not depend on where the parts end. The sum
    of squares does; it is made of the same chunks, in the same order, for any number of workers. Calls say how
    many of the rule's parts learn, the first ones: what comes after them stays as it is.

    squares  a place for each chunk's sum of squares (float64)
    scalars  the numbers of this step, those of one part after the other, then the share that the images at hand
             are of a batch that is computed in several goes, and how many went before (float64)
    total    the gradient of the images that went before, where batches are computed so
    started  1 as soon as any worker changes parameters (int64)
    """

    def __init__(
        self,
        rule: UpdateRule,
        p: np.ndarray,
        moments: Mapping[str, np.ndarray],
        gradients: Sequence[np.ndarray],
        squares: np.ndarray,
        scalars: np.ndarray,
        total: np.ndarray | None = None,
        started: np.ndarray | None = None,
    ) -> None:
        self.started = np.zeros(1, np.int64) if started is None else started
        self.told = rule, p, moments, gradients, squares, scalars, total, self.started
        self.rule, self.p, self.moments, self.gradients, self.sums, self.scalars, self.total, _ = self.told
        self.places = rule.places
        self.runs = [function(rule.written, part.source) for part in rule.parts]
        self.chunks = [
            (k, cut) for k, part in enumerate(rule.parts) for cut in chunks(part.start, part.stop, rule.chunk)
        ]
        self.pieces: dict[tuple[int, int, int, Joint], list[Piece]] = {}

    @property
    def begun(self) -> bool:
        """Whether parameters are being changed, by whichever worker came first."""
        return bool(self.started[0])

    @begun.setter
    def begun(self, begun: bool) -> None:
        self.started[0] = begun

    @property
    def whole_first(self) -> bool:
        """Whether the whole gradient must be there before a part of it is used."""
        return self.rule.clip is not None or self.total is not None

    def part(self, worker: int, workers: int, learning: int, joint: Joint) -> list[Piece]:
        """A worker's share of the parameters that learn, in pieces.

        Of what is `joint`, from where to where, the first gradient is that of all shards.
        """
        key = (worker, workers, learning, joint)
        if key not in self.pieces:
            size = self.rule.parts[learning - 1].stop if learning else 0
            even = -(-size // (LINE * workers)) * LINE  # two workers never write into one line of the cache
            cuts = [
                (k, cut, alone)
                for k, part in enumerate(self.rule.parts[:learning])
                for start, stop, alone in told_apart(
                    max(worker * even, part.start), min((worker + 1) * even, part.stop), joint
                )
                for cut in chunks(start, stop, self.rule.chunk)
            ]
            t, u = (np.empty(min(self.rule.chunk, even), self.p.dtype) for _ in "tu")
            self.pieces[key] = [
                Piece(
                    k,
                    None if self.total is None else self.total[cut],
                    [] if alone else [gradient[cut] for gradient in self.gradients[1:]],
                    {
                        "p": self.p[cut],
                        "g": self.gradients[0][cut],
                        **{name: array[cut] for name, array in self.moments.items()},
                        "t": t[: cut.stop - cut.start],
                        "u": u[: cut.stop - cut.start],
                    },
                )
                for k, cut, alone in cuts
            ]
        return self.pieces[key]

    def reduce_gradients(self, worker: int, workers: int, shards: int, learning: int, joint: Joint) -> None:
        """Add the shards' gradients up, into the first one's memory."""
        for piece in self.part(worker, workers, learning, joint):
            piece.add_up(shards)

    def accumulate(self, worker: int, workers: int, learning: int, joint: Joint) -> None:
        """Add the gradient of this go to that of those before it; the mean of all is in both places then."""
        if self.total is None:
            return
        ema_weights, before = self.scalars[-2:].tolist()
        for piece in self.part(worker, workers, learning, joint):
            g, total = piece.arrays["g"], piece.total
            assert total is not None
            np.multiply(g, g.dtype.type(ema_weights), out=g)
            if before:
                np.add(g, total, out=g)
            np.copyto(total, g)

    def squares(self, worker: int, workers: int, learning: int) -> None:
        """The sum of squares of each chunk of the summed gradient, for clipping."""
        first = self.gradients[0]
        for k in range(worker, len(self.chunks), workers):
            part, cut = self.chunks[k]
            self.sums[k] = np.vdot(first[cut], first[cut]) if part < learning else 0.0

    def scale(self) -> float | None:
        """The factor that clips the gradient whose squares are summed; None where none is clipped."""
        return None if self.rule.clip is None else clip_scale(float(self.sums.sum()), self.rule.clip)

    def apply(self, worker: int, workers: int, learning: int, joint: Joint, shards: int = 1) -> None:
        """One step of the optimiser, on this worker's share.

        Gradients of several shards are added up piece by piece, for then they are in the cache when they are used.
        """
        kind = self.p.dtype.type
        values = self.scalars.tolist()  # by way of Python's numbers, as an optimiser gives them
        scale = self.scale()
        scaled = {} if scale is None else {"scale": kind(scale)}
        told = [
            {name: kind(value) for name, value in zip(part.scalars, values[place], strict=True)} | scaled
            for part, place in zip(self.rule.parts[:learning], self.places, strict=False)
        ]
        self.begun = True
        for piece in self.part(worker, workers, learning, joint):
            piece.add_up(shards)
            self.run(piece, told[piece.part])

    def run(self, piece: Piece, numbers: Mapping[str, np.floating]) -> None:
        """The update of a piece."""
        self.runs[piece.part](**piece.arrays, **numbers)


def chunks(start: int, stop: int, most: int) -> list[slice]:
    """From start to stop in pieces of at most so many."""
    return [slice(at, min(at + most, stop)) for at in range(start, stop, most)]


def told_apart(start: int, stop: int, joint: Joint) -> list[tuple[int, int, bool]]:
    """From start to stop, if that is further on, in pieces: where each begins and ends, and whether it is joint."""
    ends = [start, *sorted(end for place in joint for end in place if start < end < stop), stop]
    return [(a, b, any(first <= a < last for first, last in joint)) for a, b in pairwise(ends) if a < b]
