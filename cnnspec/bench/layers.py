"""The lines of a plan timed one by one, and told by layer.

    python -m cnnspec.bench.layers '{"spec": "net.cnn", "mode": "train", "batch": 32, ...}'

A plan is Python source with one call a line, grouped by the node that wrote it. Here the same source is run
with a look at the clock after each line, on one core, and the seconds are added up by the word of the spec
that the node came from. Between the runs the machine's own product of matrices is timed, to compare with; of
both the quickest run counts, since what else the machine does can only lengthen them.
"""

from __future__ import annotations

import ast
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np

from ..codegen.emit import Emitter, Lines
from ..codegen.page import split
from ..ir import Graph, Node
from ..model import Model
from ..runtime.engine import Engine
from ..runtime.load import functions
from ..runtime.update import numbers as update_numbers
from .runner import answered, say
from .subject import MeasureJob, numbers, subject_of

if TYPE_CHECKING:
    from ..validation import Json

PATIENCE = 1.0  # seconds of runs, three at least
SQUARE = 512  # rows and columns of the product that the machine's rate is taken from
FLOAT = 4  # bytes


@dataclass
class LayerTime:
    """A word of the spec: seconds of its lines in a step, its work, and the bytes of what it reads and makes.

    flops  of forward and of backward, twice the multiply-adds; nothing where there are none
    bytes  its inputs, its value and its parameters once: what forward moves at least
    """

    name: str
    written: str
    flops: tuple[int, int] = (0, 0)
    bytes: int = 0
    seconds: list[float] = field(default_factory=lambda: [0.0, 0.0])

    @property
    def rate(self) -> float:
        """Floating-point operations a second."""
        return sum(self.flops) / max(sum(self.seconds), 1e-12)


Phase = Callable[..., Iterable[object] | None]  # a function of a plan


class LayerTimesJson(TypedDict):
    """A `LayerTimes` as another process tells it."""

    mode: str
    batch: int
    sgemm: float
    layers: list[dict[str, Any]]


@dataclass
class LayerTimes:
    """The layers of a step on `batch` images; `sgemm` is the machine's rate in the same run, in FLOP/s."""

    mode: str
    batch: int
    sgemm: float
    layers: list[LayerTime]

    @classmethod
    def of(cls, told: LayerTimesJson) -> LayerTimes:
        return cls(told["mode"], told["batch"], told["sgemm"], [LayerTime(**layer) for layer in told["layers"]])

    @property
    def seconds(self) -> float:
        return sum(sum(layer.seconds) for layer in self.layers)

    def as_json(self) -> dict[str, Json]:
        rows = [
            {
                "name": layer.name,
                "layer": layer.written,
                "forward_ms": layer.seconds[0] * 1e3,
                "backward_ms": layer.seconds[1] * 1e3,
                "gflops_per_second": layer.rate / 1e9 if any(layer.flops) else None,
                "share_of_sgemm": layer.rate / self.sgemm if any(layer.flops) else None,
                "bytes": layer.bytes,
            }
            for layer in self.layers
        ]
        return {"mode": self.mode, "batch": self.batch, "sgemm_gflops_per_second": self.sgemm / 1e9, "layers": rows}


def main() -> None:
    job = json.loads(sys.argv[1])
    answered(lambda: say(table=asdict(measure(job))))


def measure(job: MeasureJob) -> LayerTimes:
    """Time the plan of a step, line by line, on one core."""
    subject, n = subject_of(job), job["batch"]
    spec = subject.spec
    mode = "train" if job["mode"] == "train" else "infer"
    model = Model(spec, batch=n, workers=1, shards=1, measured=subject.measured)
    engine = model.engine
    assert isinstance(engine, Engine)
    arrays = model.arrays(*numbers(spec, n))
    if mode == "train":
        engine.learn(arrays, spec.train.optimiser.lr)
    else:
        engine.forward({name: arrays[name] for name in model.graph.inputs})
    bound = engine.plan(mode, n).shards[0]
    emitter = Emitter(engine.graph(mode, n), n, n)
    emitter.run()
    program = bound.program  # of the same graph, so of the same lines
    *_, early, late = split(emitter)
    table = {layer.name: layer for layer in counted(model.graph, n, mode == "train")}
    phases: list[tuple[str, list[Lines], tuple[object, ...]]] = [("forward", early, (bound.b, bound.p))]
    if bound.backward is not None:
        phases.append(("backward", late, (bound.b, bound.p, bound.g)))
    found: list[dict[str, list[float]]] = [{}, {}]
    rates = []
    timed = []
    for name, parts, arguments in phases:
        owners = [owner(part.node, model.graph) for part in parts for _ in part.code]
        timed.append((*clocked(program.source, name, functions(program, "float32")), owners, arguments))
    begin, runs = time.perf_counter(), 0
    with np.errstate(all="ignore"):
        while runs < 4 or time.perf_counter() - begin < PATIENCE:
            rates.append(sgemm())
            for which, (run, spent, owners, arguments) in enumerate(timed):
                spent[:] = [0.0] * len(spent)
                exhaust(run(*arguments))
                assert len(owners) == len(spent), (len(owners), len(spent))
                if runs:  # the first warms up
                    add(found[which], owners, spent)
            if mode == "train":
                update(engine, spec.train.optimiser.lr, found[1] if runs else {})
            runs += 1
    for which, spent_by in enumerate(found):
        for name, seconds in spent_by.items():
            layer = table.setdefault(name, LayerTime(name, name))
            layer.seconds[which] = min(seconds)
    return LayerTimes(job["mode"], n, max(rates), [layer for layer in table.values() if any(layer.seconds)])


def clocked(
    source: str, name: str, names: Mapping[str, object]
) -> tuple[Callable[..., Iterable[object] | None], list[float]]:
    """A function of a plan that looks at the clock after every line, and where it writes the seconds."""
    (found,) = (part for part in ast.parse(source).body if isinstance(part, ast.FunctionDef) and part.name == name)
    body = [line for line in found.body[1:] if not isinstance(line, ast.Pass)]
    found.body = ast.parse("tick(-1)").body
    for k, line in enumerate(body):
        found.body += [line, *ast.parse(f"tick({k})").body]
    spent, last, clock = [0.0] * len(body), [0.0], time.perf_counter

    def tick(line: int) -> None:
        now = clock()
        if line >= 0:
            spent[line] += now - last[0]
        last[0] = clock()

    names = {**names, "tick": tick}
    exec(compile(ast.Module([found], []), f"<timed {name}>", "exec"), names)
    return cast(Phase, names[name]), spent


def exhaust(running: Iterable[object] | None) -> None:
    """Go through a phase; one in which shards meet is a generator."""
    if running is not None:
        deque(running, maxlen=0)


def add(found: dict[str, list[float]], owners: list[str], spent: list[float]) -> None:
    """The seconds of a run, summed for each layer."""
    sums = dict.fromkeys(owners, 0.0)
    for name, seconds in zip(owners, spent, strict=True):
        sums[name] += seconds
    for name, seconds in sums.items():
        found.setdefault(name, []).append(seconds)


def update(engine: Engine, rate: float, found: dict[str, list[float]]) -> None:
    """The optimiser's step, as one layer; the parameters stay, so that every run computes the same."""
    before = engine.p.flat.copy()
    start = time.perf_counter()
    learning = len(engine.groups)
    engine.update.scalars[:-2] = update_numbers(engine.groups, [1] * len(engine.clock), rate, engine.tuning.ema)
    if engine.optimiser.clip is not None:
        engine.update.squares(0, 1, learning)
    engine.update.apply(0, 1, learning, ())
    found.setdefault("update", []).append(time.perf_counter() - start)
    engine.p.flat[:] = before


def owner(node: Node, words: Graph) -> str:
    """The word of the spec that a node of the plan came from: by its name, `conv1.dx`, or its place."""
    name = node.name
    while name:
        if name in words.nodes:
            return name
        name = name.rpartition(".")[0]
    same = [word.name for word in words if node.span is not None and word.span == node.span]
    return same[0] if same else "cost"


def counted(graph: Graph, n: int, training: bool) -> list[LayerTime]:
    """The words of a network with their work on n images."""
    found, learns = [], set[str]()
    for node in graph:
        types = graph.types(node)
        owned = [p for p in node.op.parameters(*types) if p.trained]
        flows = any(value.partition(":")[0] in learns for value in node.inputs)
        if owned or flows:
            learns.add(node.name)
        work = 2 * node.op.macs(*types) * n
        back = work * (bool(owned) + flows) if training else 0
        moved = n * (node.type.elements + sum(kind.elements for kind in types))
        written = node.op.written() or node.op.word
        found.append(
            LayerTime(node.name, written, (work, back), FLOAT * (moved + sum(p.type.elements for p in owned)))
        )
    return found


def sgemm() -> float:
    """The rate of a product of two large matrices, in FLOP/s."""
    a = np.ones((SQUARE, SQUARE), np.float32)
    out = np.empty_like(a)
    start = time.perf_counter()
    np.matmul(a, a, out=out)
    return 2 * SQUARE**3 / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
