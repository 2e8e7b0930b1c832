"""The work of each worker for one call: its shards of a plan, from one barrier to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from math import isfinite
from typing import NamedTuple

import numpy as np

from ..data.dataset import Stored
from ..kernels.scale import rescale
from .load import BoundProgram, Text, bind
from .update import Update, UpdateRule

Arrays = Mapping[str, np.ndarray]
Batch = Mapping[str, np.ndarray | Stored]  # what is stored is scaled where a plan reads it


# the arguments of `Update`
Updating = tuple[UpdateRule, np.ndarray, Arrays, Sequence[np.ndarray], np.ndarray, np.ndarray, np.ndarray | None]


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


def bind_some(shards: Sequence[Shard], which: range, dtype: str, arena: np.ndarray) -> dict[int, BoundProgram]:
    """Some of the shards bound, by number, one behind the other in an arena that has room for them."""
    ends = [0, *accumulate(shards[k].arena_bytes for k in which)]
    pieces = [arena[start:stop] for start, stop in pairwise(ends)]
    return {k: shards[k].bind(dtype, piece) for k, piece in zip(which, pieces, strict=True)}


class Rescaling(NamedTuple):
    """Images that came as they are stored, and where they are to be as the network sees them."""

    stored: np.ndarray
    feeds: np.ndarray
    scale: tuple[float, ...]
    offset: tuple[float, ...]


class Order(NamedTuple):
    """A call of a plan as plain data: all that a worker must know.

    what       learn, gather (a go of a step that has several), differentiate, or anything else: forward only
    learning   how many of the rule's parts learn
    cuts       which images of the batch each shard has, as (start, stop)
    barriers   how often shards wait for one another in forward and in backward
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
    update: Updating


class Call:
    """An order in the hands of some workers of so many, of which `shards` are bound here.

    `described` is where programs read it, once it was written down for them.
    """

    def __init__(
        self,
        order: Order,
        shards: Mapping[int, BoundProgram],
        update: Update,
        count: int,
        barrier: Callable[[int], None],
    ) -> None:
        self.order, self.update, self.count, self.barrier = order, update, count, barrier
        self.mine = [[shards[k] for k in range(w, len(order.shards), count) if k in shards] for w in range(count)]
        self.cuts = [order.cuts[w::count] for w in range(count)]
        self.learns = order.shards[0].gradients is not None  # else nothing before the cost can be learnt
        self.described: tuple[int, ...] = ()

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
        for stored, feeds, scale, offset in self.order.rescalings:
            for start, stop in self.cuts[worker]:
                rescale(stored[start:stop], scale, offset, out=feeds[start:stop])
        running = [bound.forward(bound.b, bound.p) for bound in self.mine[worker]]
        if self.order.barriers[0]:
            self.together(worker, running, self.order.barriers[0])

    def backpropagate(self, worker: int) -> None:
        """The gradients of this worker's shards; they are there when all have made theirs."""
        self.update.part(worker, self.count, self.order.learning)  # so that no memory runs out amid an update
        self.forward(worker)
        if self.learns:
            running = [bound.back() for bound in self.mine[worker]]
            if self.order.barriers[1]:
                self.together(worker, running, self.order.barriers[1])
        self.barrier(worker)

    def differentiate(self, worker: int) -> None:
        self.backpropagate(worker)
        self.update.reduce_gradients(worker, self.count, len(self.order.shards), self.order.learning)

    def gather(self, worker: int) -> None:
        self.differentiate(worker)
        self.update.accumulate(worker, self.count, self.order.learning)
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
        update, learning, shards = self.update, self.order.learning, len(self.order.shards)
        if update.whole_first:
            update.reduce_gradients(worker, self.count, shards, learning)
            update.accumulate(worker, self.count, learning)
            shards = 1
        if update.rule.clip is not None:
            self.barrier(worker)  # chunks reach into the parts of others
            update.squares(worker, self.count, learning)
            self.barrier(worker)
        update.apply(worker, self.count, learning, shards)
        self.update_statistics(worker)
