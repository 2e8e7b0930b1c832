"""A network compiled for the batches that come: a graph and a program for each mode and each size of a shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import RLock

import numpy as np

from ..codegen.program import Program, generate
from ..ir import Graph
from ..ir.leaves import Target
from ..passes import INFERENCE, JUDGE, MEASURE, TRAINING, run
from ..passes.decompose import attach_costs
from ..passes.methods import Times
from ..settings.tuning import Tuning, in_goes
from ..words.costs import Cost

JUDGING = {"train": TRAINING, "weighted": TRAINING, "measure": MEASURE, "judge": JUDGE}  # modes with a cost
LEARNING = ("train", "weighted")  # modes that learn: images as they are, or each with a weight of its own


class Compiler:
    """Compiles a graph of words with its costs, once for each batch size and mode.

    shards    how many parts a batch is cut into
    measured  of convolutions, by `train` and `infer` (see `tune`)
    """

    def __init__(
        self,
        words: Graph,
        costs: tuple[Cost, ...],
        shards: int,
        dtype: str,
        measured: Mapping[str, Times],
        tuning: Tuning,
    ) -> None:
        self.words, self.shard_count, self.dtype, self.measured, self.tuning = (
            words,
            shards,
            dtype,
            measured,
            tuning,
        )
        self.judged = attach_costs(words, costs) if costs else None
        self.weighted = attach_costs(words, costs, weighted=True) if costs else None
        self.graphs: dict[tuple[str, int, int, tuple[int, int], int], Graph] = {}
        self.programs: dict[tuple[str, int, int, tuple[int, int], int], Program] = {}
        self.compiling = RLock()

    def graph(self, mode: str, n: int = 128, band: tuple[int, int] = (0, 1), thawed: int = 0) -> Graph:
        """The graph of primitives for `train`, `weighted` (a weight for each image), `measure` (cost without
        dropout), `judge` (and outputs), `infer` or `show` (every value).

        How a layer is computed best depends on the images of a shard, so each size of batch has its own graph, and
        each band of rows where workers share one image. In training layers are frozen until their time has come.
        """
        sizes = self.sizes(n)
        images, shards = max(sizes), len(sizes)
        key = (mode, images, shards, band, thawed)
        if key not in self.graphs:
            words, passes = self.words, INFERENCE
            if mode in JUDGING:
                judged = self.weighted if mode == "weighted" else self.judged
                assert judged is not None, "a network without a cost cannot be judged"
                words, passes = judged, JUDGING[mode]
            elif mode == "show":
                words = replace(words, outputs=tuple(node.name for node in words))
            measured = self.measured.get("train" if mode in LEARNING else "infer", {})
            frozen = self.tuning.asleep(thawed) if mode in LEARNING else frozenset()
            found = replace(words, images=images, shards=shards, measured=measured, frozen=frozen, band=band)
            self.graphs[key] = run(found, passes)
        return self.graphs[key]

    def sizes(self, n: int) -> tuple[int, ...]:
        """How many images each shard gets; empty shards are left out."""
        each, rest = divmod(n, self.shard_count)
        return tuple(size for k in range(self.shard_count) if (size := each + (k < rest)))

    def program(self, mode: str, size: int, n: int, band: tuple[int, int] = (0, 1), thawed: int = 0) -> Program:
        key = (mode, size, n, band, thawed)
        with self.compiling:
            if key not in self.programs:
                self.programs[key] = generate(self.graph(mode, n, band, thawed), size, n, self.dtype)
            return self.programs[key]

    def parts(self, mode: str, n: int, bands: int = 1, thawed: int = 0) -> list[Program]:
        """The programs of all shards of a batch."""
        return [self.program(mode, size, n, (k, bands), thawed) for size in self.sizes(n) for k in range(bands)]

    def goes(self, n: int) -> tuple[int, ...]:
        """How many images of a batch are computed at a time; all, unless gradients are accumulated."""
        return in_goes(n, self.tuning.accumulate)

    def batch_bytes(self, mode: str, n: int, thawed: int = 0) -> int:
        """The memory of the images, the targets and the outputs of a batch."""
        graph = self.graph(mode, n, thawed=thawed)
        targets = [node.name for node in graph if isinstance(node.op, Target)]
        numbers = sum(graph.type(name).elements for name in (*graph.inputs, *targets, *graph.outputs))
        return n * numbers * np.dtype(self.dtype).itemsize
