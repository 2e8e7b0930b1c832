"""A plan for one shard: from a graph of primitives to its source and the memory that it wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..ir import Graph
from .emit import Emitter, Lines
from .memory import Buffer
from .page import split, write

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Program:
    """A plan for one shard: its source, and the memory that it wants.

    prepared   bytes (`prepared_bytes`) of values that depend on parameters alone, the same for all shards
    partials   arrays that all shards share, by name: shape without the leading axis of shards (float64)
    together   images that they make together, a band of rows each, and what they show one another: the shape of a
               shard's part (the plan's type)
    joint      parameters of whose gradient all shards make some rows each, in the first one's memory
    barriers   how often shards wait for one another in forward and in backward
    parameters what each parameter is called in p and g
    """

    source: str
    filename: str
    n: int
    arena_bytes: int
    prepared_bytes: int
    buffers: tuple[Buffer, ...]
    partials: dict[str, tuple[int, ...]]
    together: dict[str, tuple[int, ...]]
    joint: tuple[str, ...]
    barriers: tuple[int, int]
    constants: dict[str, np.ndarray]
    costs: int
    parameters: dict[str, str]
    graph: Graph

    @property
    def meeting(self) -> tuple[object, ...]:
        """What shards have in common that make a batch together: what they show one another, and when they wait."""
        return self.barriers, (*self.partials,), (*self.together,), self.joint


def generate(graph: Graph, n: int, batch: int, dtype: str = "float32") -> Program:
    """The program for n images of a batch of so many."""
    emitter = Emitter(graph, n, batch, dtype)
    arena, prepared = emitter.run()
    _, early, late = split(emitter)
    return Program(
        source=write(emitter, arena, prepared),
        filename=f"<plan {id(graph):x} n={n}>",
        n=n,
        arena_bytes=arena,
        prepared_bytes=prepared,
        buffers=tuple(emitter.buffers.values()),
        partials=emitter.partials,
        together=emitter.together,
        joint=tuple(name for name, given in emitter.parameters.given.items() if given in emitter.joint),
        barriers=(count_barriers(early), count_barriers(late)),
        constants=emitter.constants,
        costs=len(emitter.costs),
        parameters=emitter.parameters.given,
        graph=graph,
    )


def count_barriers(parts: list[Lines]) -> int:
    return sum(code == "yield" for part in parts for code, _ in part.code)
