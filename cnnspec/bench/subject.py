"""The subject of a measurement: a spec with a known input, a batch and a number of workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Required, TypedDict

import numpy as np

from ..api import read_spec, shape
from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import Builder, Graph, TensorType
from ..ir.leaves import Input
from ..lang import Spec
from ..passes.methods import Times
from ..words.costs import Cost

RANDOM = ("dropout", "droppath")  # words whose chance no other program repeats
CLASSES = ("cross_entropy", "hinge")  # costs that judge by the right class


class MeasureJob(TypedDict, total=False):
    """The job of a process that measures a `Subject`, as JSON; each process adds its own keys."""

    spec: Required[str]
    input: Required[str | None]
    batch: Required[int]
    workers: Required[int]
    measured: Mapping[str, Times]
    mode: str
    engine: str
    precision: str  # of images and activations, on JAX and what it is compared with
    accelerated: bool  # on a card, where the side's library has one
    parallel: str
    shards: int  # as many as there are workers, where none are told
    source: str  # the file of the torch program, or of the ONNX model
    channels_last: bool
    compiled: bool
    against: str
    modes: list[str]


@dataclass(frozen=True)
class Subject:
    """A network to be measured; `job` is what another process needs to make the same.

    `measured` are the times by which convolutions are computed as they are; none go by the cost model.
    With `engine` jax it runs on whatever devices JAX has, one of them, and so do its rivals.
    """

    path: Path
    spec: Spec
    batch: int
    workers: int
    measured: Mapping[str, Times] = field(default_factory=dict)
    engine: str = "numpy"
    precision: str = "float32"

    @classmethod
    def read(
        cls,
        path: Path,
        batch: int | None = None,
        workers: int = 1,
        input: str | None = None,
        at_most: bool = False,
    ) -> Subject:
        """Read a spec; the input of one that states none is that of its data.

        `input` takes the place of the one that it states; with `at_most` only that of an image with more pixels.
        """
        spec = read_spec(path, input=input)
        if spec.symbolic:
            from ..data.load import load

            found = load(spec.data, root=path.parent, seed=spec.train.seed)
            spec = read_spec(path, input=found.input_type)
        wanted = shape(input)
        if wanted is not None and not (at_most and fits(spec.graph, wanted)):
            spec = replace(spec, graph=resized(spec.graph, wanted))
        return cls(path, spec, batch or spec.train.batch, workers)

    @property
    def job(self) -> MeasureJob:
        return {
            "spec": str(self.path),
            "input": self.input,
            "batch": self.batch,
            "workers": self.workers,
            "measured": dict(self.measured),
            "engine": self.engine,
            "precision": self.precision,
            "accelerated": self.engine == "jax",
        }

    @property
    def input(self) -> str | None:
        """The input's shape, for other processes, where there is one input."""
        shapes = ["x".join(map(str, self.graph.type(name).shape)) for name in self.graph.inputs]
        return shapes[0] if len(shapes) == 1 else None

    @property
    def graph(self) -> Graph:
        return self.spec.graph

    @property
    def images(self) -> bool:
        """Whether an input is an image, so that PyTorch has two ways to keep it."""
        return any(self.graph.type(name).kind == "image" for name in self.graph.inputs)

    def tuned(self) -> Subject:
        """The same, its convolutions timed on this machine for the images of a shard."""
        from ..runtime.tune import tune

        return replace(self, measured=tune(self.graph, self.spec.train.cost, -(-self.batch // self.workers)))

    def need_learning(self) -> None:
        """Refuse to time the training of a network that has nothing to learn."""
        if not any(p.trained for node in self.graph for p in node.op.parameters(*self.graph.types(node))):
            raise SpecError((Diagnostic.of("CNN314", case="nothing to train"),))


def subject_of(job: MeasureJob) -> Subject:
    """What `Subject.job` told, in another process."""
    subject = Subject.read(Path(job["spec"]), job["batch"], job["workers"], job["input"])
    return replace(subject, measured=job.get("measured", {}))


def fits(graph: Graph, wanted: TensorType) -> bool:
    """Whether no image that a network is given has more pixels than one of this size."""
    return all(prod(graph.type(name).spatial) <= prod(wanted.spatial) for name in graph.inputs)


def resized(graph: Graph, wanted: TensorType) -> Graph:
    """The same layers on an input of another size; refused where one of them does not accept it.

    input 3x224x224;  a = conv x;  b = gap a
    input 3x64x64;    a = conv x;  b = gap a
    """
    b, why = Builder(), "" if len(graph.inputs) == 1 else "it has several inputs"
    try:
        for node in graph:
            b.copy(replace(node, op=Input(wanted)) if node.name in graph.inputs else node)
    except Fault as fault:
        why = why or fault.message
    if why:
        told = "x".join(map(str, wanted.shape))
        raise SpecError((Diagnostic.of("CNN314", case="input", input=told, why=why),))
    return graph.with_nodes(b.nodes)


def quiet(spec: Spec) -> Spec:
    """Without dropout's chance: two programs then compute the same in training."""
    nodes = {
        node.name: replace(node, op=node.op.changed(rate=0.0)) if node.op.word in RANDOM else node
        for node in spec.graph
    }
    return replace(spec, graph=spec.graph.with_nodes(nodes))


def judged(spec: Spec) -> list[tuple[Cost, str]]:
    """The costs of a network, and the output that each of them judges."""
    taken = {cost.of for cost in spec.train.cost}
    free = [name for name in spec.graph.outputs if name not in taken]
    return [(cost, cost.of or free.pop(0)) for cost in spec.train.cost]


def numbers(spec: Spec, n: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Random images for every input, and for every cost classes or numbers to judge by."""
    random, graph = np.random.default_rng(0), spec.graph
    x = {name: random.normal(size=(n, *graph.type(name).shape)) for name in graph.inputs}
    y: dict[str, np.ndarray] = {}
    for cost, name in judged(spec):
        kind = graph.type(name)
        if cost.word in CLASSES:
            y[name] = random.integers(0, kind["c"], (n, *kind.spatial))
        elif cost.word == "binary_cross_entropy":
            y[name] = random.integers(0, 2, (n, *kind.shape)).astype("float64")
        else:
            y[name] = random.normal(size=(n, *kind.shape))
    return x, y
