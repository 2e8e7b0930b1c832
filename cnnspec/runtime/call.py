"""The work of each worker for one call: its shards of a plan, from one barrier to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from ..data.changes import Change, changed
from ..data.dataset import Stored
from ..kernels.resample import rescale
from .load import BoundProgram, Text, bind
from .update import Update, UpdateRule

SPELL = 0.5  # seconds: many slices of a processor's time
GLANCE = 0.02  # seconds after which a trial that takes longer ends
WAKING = 0.005  # seconds at first that tell nothing: workers wake up, and are given a processor of their own
SPELLS = 2, 8  # after which what was slower is tried again, at first and at most
LATE = 1.5  # times the shortest: from there on one worker may be quicker
BRIEF = 0.01  # seconds: longer calls gain from other workers however busy the machine, and have large shards
Arrays = Mapping[str, np.ndarray]
Batch = Mapping[str, np.ndarray | Stored]  # what is stored is scaled where a plan reads it


# the arguments of `Update`
Updating = tuple[
    UpdateRule, np.ndarray, Arrays, Sequence[np.ndarray], np.ndarray, np.ndarray, np.ndarray | None, np.ndarray
]


class Shard(NamedTuple):
    """A program and its memory; the arena is that of the worker that binds it (see `load.bind`)."""

    text: Text
    arena_bytes: int
    prepared: np.ndarray
    parameters: Arrays
    gradients: Arrays | None
    partials: Arrays
    feeds: Arrays
    fetches: Arrays
    numbers: Mapping[str, np.ndarray | int]

    def bind(self, dtype: str, arena: np.ndarray) -> BoundProgram:
        text, _, prepared, parameters, gradients, partials, feeds, fetches, numbers = self
        return bind(text, dtype, arena, prepared, parameters, gradients, partials, feeds, fetches, numbers)


def bind_some(
    shards: Sequence[Shard], which: Sequence[int], dtype: str, arena: np.ndarray
) -> dict[int, BoundProgram]:
    """Some of the shards bound, by number, one behind the other in an arena that has room for them."""
    ends = [0, *accumulate(shards[k].arena_bytes for k in which)]
    pieces = [arena[start:stop] for start, stop in pairwise(ends)]
    return {k: shards[k].bind(dtype, piece) for k, piece in zip(which, pieces, strict=True)}


class Rescaling(NamedTuple):
    """Images that came as they are stored, and where they are to be, changed, as the network sees them."""

    stored: np.ndarray
    feeds: np.ndarray
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    changes: tuple[Change, ...]


class Order(NamedTuple):
    """A call of a plan as plain data: all that a worker must know.

    what       learn, gather (a go of a step that has several), differentiate, or anything else: forward only
    learning   how many of the rule's parts learn
    joint      parameters, from where to where, of which the first shard's gradient is that of all
    cuts       which images of the batch each shard has, as (start, stop)
    barriers   how often shards wait for one another in forward and in backward
    shared     whether each shard makes some rows of every image; for one worker there is a shorter plan then
    update     the arguments of `Update`
    """

    what: str
    dtype: str
    shards: tuple[Shard, ...]
    cuts: tuple[tuple[int, int], ...]
    barriers: tuple[int, int]
    rescalings: tuple[Rescaling, ...]
    costs: np.ndarray
    learning: int
    joint: tuple[tuple[int, int], ...]
    update: Updating
    shared: bool = False


class Pace:
    """Whether all workers make a call or the caller alone, whichever took less time lately; no bit depends on it.

    Where others want the processors, workers wait at every barrier until their neighbours are given one, which may
    take longer than a short call. So where one takes much longer than it can, it is made by the caller alone for a
    spell, and further if that is quicker; what was slower is tried again, after more spells each time.
    """

    def __init__(self) -> None:
        self.alone = False
        self.shortest = inf  # seconds that it took all workers
        self.mean = inf  # seconds that it takes in the way that is usual now
        self.trying = False  # the other way
        self.spells, self.left = SPELLS[0], 0  # between two trials, and until the next
        self.waking = 0.0  # seconds since the way has changed, as far as they tell nothing
        self.calls, self.seconds = 0, 0.0  # of this spell

    def note(self, seconds: float) -> None:
        """What a call took."""
        if seconds < self.shortest and not self.alone:
            self.shortest = seconds
        if self.waking < WAKING:
            self.waking += seconds
            return
        self.calls += 1
        self.seconds += seconds
        mean = self.seconds / self.calls
        if self.seconds >= (GLANCE if self.trying and mean > self.mean else SPELL):
            before = self.alone
            self._judge(mean)
            if self.alone != before:
                self.waking = 0.0
            self.calls, self.seconds = 0, 0.0

    def _judge(self, mean: float) -> None:
        """At the end of a spell, in which a call took so long: how the next one is made."""
        if not self.trying:
            self.mean, self.left = mean, self.left - 1
            late = self.shortest < BRIEF and mean > LATE * self.shortest
            if self.left <= 0 and (self.alone or late):
                self.trying, self.alone = True, not self.alone
        else:
            self.trying = False
            if mean < self.mean:  # it is looked at soon whether that was luck
                self.mean, self.left, self.spells = mean, 1, max(self.spells // 2, SPELLS[0])
            else:
                self.alone, self.left, self.spells = not self.alone, self.spells, min(2 * self.spells, SPELLS[1])


class Call:
    """An order in the hands of some workers of so many, of which `shards` are bound here.

    `described` is where programs read it, once it was written down for them; `by_one` the same call for one
    worker, once it was needed.
    """

    def __init__(
        self,
        order: Order,
        shards: Mapping[int, BoundProgram],
        update: Update,
        count: int,
        barrier: Callable[[int], None],
    ) -> None:
        self.order, self.shards, self.update, self.count, self.barrier = order, shards, update, count, barrier
        self.mine = [[shards[k] for k in range(w, len(order.shards), count) if k in shards] for w in range(count)]
        self.cuts = [order.cuts[w::count] for w in range(count)]
        self.learns = order.shards[0].gradients is not None  # else nothing before the cost can be learnt
        self.described: tuple[int, ...] = ()
        self.by_one: Call | None = None
        self.pace = Pace()
        self.shortest = inf  # seconds that it took all workers to share an image

    # a number that is not finite is found in the cost and told with its layer; NumPy need not warn as well
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def __call__(self, worker: int) -> None:
        if self.order.what == "learn":
            self.learn(worker)
        elif self.order.what == "gather":
            self.gather(worker)
        elif self.order.what == "differentiate":
            self.differentiate(worker)
        else:
            self.forward(worker)

    def together(self, worker: int, running: list[Iterator[None]], barriers: int) -> None:
        """Run a phase of this worker's shards, from one barrier of all to the next."""
        for _ in range(barriers):
            for part in running:
                next(part)
            self.barrier(worker)
        for part in running:
            next(part, None)

    def forward(self, worker: int) -> None:
        for stored, feeds, scale, offset, changes in self.order.rescalings:
            for start, stop in self.cuts[worker]:
                images = changed(stored[start:stop], [(one, rows[start:stop]) for one, rows in changes])
                rescale(images, scale, offset, out=feeds[start:stop])
        running = [bound.forward(bound.b, bound.p) for bound in self.mine[worker]]
        if self.order.barriers[0]:
            self.together(worker, running, self.order.barriers[0])

    def backpropagate(self, worker: int) -> None:
        """The gradients of this worker's shards; they are there when all have made theirs."""
        # made now, so that no memory runs out amid an update
        self.update.part(worker, self.count, self.order.learning, self.order.joint)
        self.forward(worker)
        if self.learns:
            running = [bound.back() for bound in self.mine[worker]]
            if self.order.barriers[1]:
                self.together(worker, running, self.order.barriers[1])
        self.barrier(worker)

    def differentiate(self, worker: int) -> None:
        self.backpropagate(worker)
        order = self.order
        self.update.reduce_gradients(worker, self.count, len(order.shards), order.learning, order.joint)

    def gather(self, worker: int) -> None:
        self.differentiate(worker)
        self.update.accumulate(worker, self.count, self.order.learning, self.order.joint)
        self.update_statistics(worker)

    def update_statistics(self, worker: int) -> None:
        """Running means and variances."""
        if worker == 0:
            first = self.mine[0][0]
            if first.update_statistics is not None:
                first.update_statistics(first.b, first.p)

    def learn(self, worker: int) -> None:
        self.backpropagate(worker)
        if not all(map(isfinite, self.order.costs.flat)):
            return  # all workers see the same costs, so all of them stop here
        update, learning, joint = self.update, self.order.learning, self.order.joint
        shards = len(self.order.shards)
        if update.whole_first:
            update.reduce_gradients(worker, self.count, shards, learning, joint)
            update.accumulate(worker, self.count, learning, joint)
            shards = 1
        if update.rule.clip is not None:
            self.barrier(worker)  # chunks reach into the parts of others
            update.squares(worker, self.count, learning)
            self.barrier(worker)
        update.apply(worker, self.count, learning, joint, shards)
        self.update_statistics(worker)
