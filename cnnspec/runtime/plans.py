"""A plan: the programs of all shards of a batch, laid over an engine's memory, and their calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from ..codegen.program import Program
from ..data.dataset import Scaling, Stored
from ..ir import Graph
from ..ir.leaves import Target
from ..lazy import lazy
from ..settings.augment import Augmentation
from .call import Arrays, Call, Order, Rescaling, Shard, Updating, bind_some
from .load import BoundProgram, Text
from .memory import Private, Shared
from .parameters import ParameterBlock
from .turns import Lane

Counts = tuple[int, int]  # correct answers: by class, by label (`model/targets.py`)
Drawn = tuple[Augmentation, np.dtype, tuple[int, ...]]  # and the type and shape of what it drew
Scalings = tuple[tuple[str, np.dtype, Scaling, tuple[Drawn, ...]], ...]  # input, type, scaling, changes before it


@dataclass
class Plan:
    """A network for batches of one size: a program for each shard, and where the batch is put.

    `shards` are bound in this process, by number: all of them, or those of its worker. `prepared` tells which
    parameters, of all that there have been, what they alone decide was made for. `staged` is where images are put
    that the workers change and scale, by input and type, and what was drawn for their changes. `joint` are the
    parameters, from where to where, of which the first shard's gradient is that of all.
    """

    graph: Graph
    programs: list[Program]
    layout: tuple[Shard, ...]
    cuts: tuple[slice, ...]
    shards: dict[int, BoundProgram]
    feeds: dict[str, np.ndarray]
    fetches: dict[str, np.ndarray]
    costs: np.ndarray
    correct: np.ndarray
    joint: tuple[tuple[int, int], ...]
    prepared: int = -1
    staged: dict[tuple[object, ...], np.ndarray] = field(default_factory=dict)
    calls: dict[tuple[str, Scalings], Call] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The source of the first shard's plan."""
        return self.programs[0].source

    @property
    def bands(self) -> int:
        """How many shards share each image."""
        return self.graph.band[1]

    @property
    def result(self) -> tuple[float, Counts]:
        """The cost and the correct answers of all shards; of so few numbers Python's sums are quicker."""
        by_class, by_label = 0, 0
        for of_class, of_label in self.correct.tolist():
            by_class, by_label = by_class + of_class, by_label + of_label
        return float(sum(self.costs.flat)), (by_class, by_label)

    @lazy
    def outputs(self) -> tuple[np.ndarray, ...]:
        """What it makes, in order."""
        return tuple(self.fetches[value] for value in self.graph.outputs)

    @property
    def arena_bytes(self) -> int:
        return sum(program.arena_bytes for program in self.programs)

    def order(self, what: str, scalings: Scalings, dtype: str, learning: int, update: Updating) -> Order:
        """The order of a call, for every worker."""
        rescalings = tuple(
            Rescaling(
                self.staged[name, kind],
                self.feeds[name],
                scaling.scale,
                scaling.offset,
                tuple((drawn[0], self.staged[name, k, *drawn[1:]]) for k, drawn in enumerate(changes)),
            )
            for name, kind, scaling, changes in scalings
        )
        cuts = tuple((cut.start, cut.stop) for cut in self.cuts)
        barriers = self.programs[0].barriers
        costs, joint, shared = self.costs, self.joint, self.bands > 1
        return Order(what, dtype, self.layout, cuts, barriers, rescalings, costs, learning, joint, update, shared)


def result(plan: Plan, out: object) -> tuple[float, Counts]:
    return plan.result


def judged(plan: Plan, out: Sequence[np.ndarray] | None) -> tuple[float, Counts, tuple[np.ndarray, ...]]:
    return *plan.result, outputs(plan, out)


def outputs(plan: Plan, out: Sequence[np.ndarray] | None) -> tuple[np.ndarray, ...]:
    """Copies of what a plan has made, since the next that is asked writes there; into `out` if given."""
    if out is None:
        return tuple([values.copy() for values in plan.outputs])
    for values, to in zip(plan.outputs, out, strict=True):
        to[...] = values
    return tuple(out)


class Room(Lane):
    """Where one thread asks: the plans that it uses, never two at once, so that they share one arena.

    The arena is this process's own: workers that are programs have theirs, for nobody reads another's.
    """

    def __init__(self, memory: Private | Shared) -> None:
        super().__init__()
        self.memory = memory
        self.blocks: list[np.ndarray] = []
        self.own = Private()
        self.arena = self.own.take(0)
        self.plans: dict[tuple[str, int, int, int], Plan] = {}

    def take(self, size: int) -> np.ndarray:
        """So many zeroed bytes, as long as the plans last."""
        self.blocks.append(self.memory.take(size))
        return self.blocks[-1]

    def grow(self, size: int) -> None:
        """Make the arena as large as this, without the plans that lie in the old one."""
        self.plans.clear()
        while self.blocks:
            self.memory.release(self.blocks.pop())
        self.arena = np.empty(0, np.uint8)  # gone before the next is taken
        self.arena = self.own.take(size)


def array(memory: Private | Shared | Room, size: int, dtype: DTypeLike) -> np.ndarray:
    """A zeroed array that every worker sees."""
    kind = np.dtype(dtype)
    return memory.take(size * kind.itemsize)[: size * kind.itemsize].view(kind)


def batch(memory: Private | Shared | Room, n: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """A zeroed array (n, ...) that every worker sees.

    A plan turns a batch so that images are innermost. Images that lie a multiple of a kilobyte apart, as
    3x32x32 do, would meet in the same few sets of the cache and take six times as long to turn; they are
    put a little further apart.
    """
    size = prod(shape)
    apart = size if size * np.dtype(dtype).itemsize % 1024 else size + 16
    return array(memory, n * apart, dtype).reshape(n, apart)[:, :size].reshape(n, *shape)


def lay_out(
    programs: list[Program],
    n: int,
    room: Room,
    dtype: str,
    parameters: Arrays,
    gradients: Sequence[ParameterBlock],
    clock: np.ndarray,
    here: range,
) -> Plan:
    """The plan of some programs for a batch of n images, in a room; the shards in `here` are bound."""
    graph, count = programs[0].graph, len(programs)
    for program in programs[1:]:  # else one waits where another does not, or for what is not shown
        assert program.meeting == programs[0].meeting, "shards of any size meet at the same barriers"
    _, bands = graph.band
    targets = [node.name for node in graph if isinstance(node.op, Target)]
    feeds = {name: batch(room, n, graph.type(name).shape, dtype) for name in (*graph.inputs, *targets)}
    fetches = {name: batch(room, n, graph.type(name).shape, dtype) for name in graph.outputs}
    partials = {
        name: array(room, count * prod(shape), kind).reshape(count, *shape)
        for shared, kind in ((programs[0].partials, "float64"), (programs[0].together, dtype))
        for name, shape in shared.items()
    }
    costs = array(room, count * max(1, programs[0].costs), "float64").reshape(count, -1)
    correct = array(room, 2 * count, "int64").reshape(count, 2)
    prepared = room.take(max(program.prepared_bytes for program in programs))
    sizes = [program.n for program in programs[::bands]]
    ends = accumulate(sizes)
    cuts = tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True) for _ in range(bands))
    first = gradients[0]
    joint = {name: first.arrays[name] for name in programs[0].joint}
    layout = tuple(
        Shard(
            Text(program.source, program.filename, program.constants, program.parameters),
            program.arena_bytes,
            prepared,
            parameters,
            gradients[k].arrays | joint if graph.gradients else None,
            partials,
            cut_of(feeds, cut),
            cut_of(fetches, cut),
            {"costs": costs[k], "correct": correct[k], "clock": clock, "shard": k},
        )
        for k, (cut, program) in enumerate(zip(cuts, programs, strict=True))
    )
    shards = bind_some(layout, here, dtype, room.arena)
    places = tuple(first.places[name] for name in joint)
    return Plan(graph, programs, layout, cuts, shards, feeds, fetches, costs, correct, places)


def cut_of(arrays: Mapping[str, np.ndarray], cut: slice) -> dict[str, np.ndarray]:
    return {name: array[cut] for name, array in arrays.items()}


def give(plan: Plan, arrays: Mapping[str, np.ndarray | Stored], dtype: str, room: Room) -> Scalings:
    """Put a batch in its place; what the workers still have to scale."""
    scalings: Scalings = ()
    for name, values in arrays.items():
        if not isinstance(values, Stored):
            feed = plan.feeds[name]
            if values.dtype == feed.dtype:
                feed[...] = values  # `copyto` takes as long again to begin
            else:
                np.copyto(feed, values, casting="same_kind")
            continue
        if plan.bands > 1:  # workers who share an image cannot each scale a part of it
            plan.feeds[name][...] = np.asarray(values, dtype)
            continue
        kind = values.dtype
        if (name, kind) not in plan.staged:
            own = kind == dtype  # then they are scaled where they are
            new = plan.feeds[name] if own else array(room, prod(values.shape), kind).reshape(values.shape)
            plan.staged[name, kind] = new
        values.put(plan.staged[name, kind])
        changes: tuple[Drawn, ...] = ()
        for k, (one, rows) in enumerate(values.changes):
            drawn = rows.dtype, rows.shape
            if (name, k, *drawn) not in plan.staged:
                plan.staged[name, k, *drawn] = array(room, rows.size, rows.dtype).reshape(rows.shape)
            np.copyto(plan.staged[name, k, *drawn], rows)
            changes += ((one, *drawn),)
        scalings += ((name, kind, values.scaling, changes),)
    return scalings
