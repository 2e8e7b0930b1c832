"""Each parameter's gradient against central differences: (cost(w + e) - cost(w - e)) / 2e, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..ir import TensorType
from ..ir.facts import facts
from ..ir.op import Parameter
from ..runtime.engine import Engine

if TYPE_CHECKING:
    from ..ir import Graph
    from ..model import Model
    from ..validation import Json

STEPS = (1e-5, 1e-6)  # of a weight, relative to it where it is above one; the better one counts
FLOOR = 1e-3  # errors are relative to the gradient, or to this share of the network's largest
WORK = 4e10  # multiply-adds that all differences together may take before entries are left out
FEWEST, MOST = 24, 20_000  # entries in all


@dataclass(frozen=True)
class WorstEntry:
    """The worst entry of a parameter: where it is, the plan's gradient there, and the difference."""

    parameter: str
    type: TensorType
    entries: int  # how many were looked at
    error: float
    at: tuple[int, ...]
    gradient: float
    difference: float

    @property
    def place(self) -> str:
        return f"{self.parameter}[{','.join(map(str, self.at))}]"


def gradcheck(
    model: Model, arrays: Mapping[str, np.ndarray], entries: int | None = None, seed: int = 0
) -> list[WorstEntry]:
    """Compare the gradient of a batch's mean cost, as a training step computes it, with differences.

    `entries` of every parameter are drawn (default: as many as the network's size lets be tried). Dropout
    keeps its mask meanwhile, since that depends on the step alone. The worst parameter comes first.
    """
    n, engine = len(next(iter(arrays.values()))), planned(model)
    _, found = engine.differentiate(arrays)
    gradients = {name: array.copy() for name, array in found.items()}
    largest = max((float(np.abs(g).max()) for g in gradients.values()), default=0.0)
    generator = np.random.default_rng(seed)
    shares = _shares(model.graph, gradients, n) if entries is None else dict.fromkeys(gradients, entries)
    checked = []
    for name, gradient in gradients.items():
        size = min(shares[name], gradient.size)
        if not size:
            continue
        worst: WorstEntry | None = None
        for k in sorted(generator.choice(gradient.size, size, replace=False)):
            at = tuple(int(i) for i in np.unravel_index(k, gradient.shape))
            exact = float(gradient[at])
            difference, error = _compare(engine, arrays, name, int(k), exact, FLOOR * largest)
            if worst is None or error > worst.error:
                kind = engine.trained[name].type
                worst = WorstEntry(name, kind, size, error, at, exact, difference)
        assert worst is not None
        checked.append(worst)
    return sorted(checked, key=lambda c: -c.error)


def _shares(graph: Graph, gradients: Mapping[str, np.ndarray], n: int) -> dict[str, int]:
    """How many entries of each parameter to look at: all of small ones, fewer of large ones."""
    macs = max(1, facts(graph).macs)
    total = int(min(MOST, max(FEWEST, WORK / (3 * macs * n * 2 * len(STEPS)))))
    each, more = divmod(total, len(gradients))
    if each:
        return {name: min(each, g.size) for name, g in gradients.items()}
    chosen = np.linspace(0, len(gradients) - 1, more).round().astype(int)  # from the first layer to the last
    return {name: int(k in chosen) for k, name in enumerate(gradients)}


def _compare(
    engine: Engine, arrays: Mapping[str, np.ndarray], name: str, k: int, exact: float, floor: float
) -> tuple[float, float]:
    """The central difference that is nearest to the gradient, and how far off it is."""
    array = engine.arrays[name]
    at = stored_index(engine.trained[name], k)
    weight = float(array[at])
    best = (0.0, float("inf"))
    for step in STEPS:
        e = step * max(1.0, abs(weight))
        costs = []
        for moved in (weight + e, weight - e):
            array[at] = moved
            costs.append(engine.differentiate(arrays)[0])
        array[at] = weight
        difference = (costs[0] - costs[1]) / (2 * e)
        error = abs(difference - exact) / max(abs(difference), abs(exact), floor, 1e-300)
        if error < best[1]:
            best = (difference, error)
    return best


def stored_index(parameter: Parameter, k: int) -> tuple[int, ...]:
    """Where number k of a parameter in PyTorch's layout lies in the plan's array."""
    unfolded = np.unravel_index(k, [size for _, size in parameter.unfolded])
    return tuple(int(unfolded[i]) for i in parameter.order)


def random_batch(model: Model, n: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Images and answers to check with: normal numbers, and a class each (or numbers from 0 to 1)."""
    generator = np.random.default_rng(seed)
    judged = planned(model).judged
    assert judged is not None, "a network without a cost has no gradient"
    arrays = {name: generator.normal(size=(n, *model.graph.type(name).shape)) for name in model.graph.inputs}
    for name in model.graph.outputs:
        kind = model.graph.type(name)
        if kind["c"] > 1:
            classes = generator.integers(0, kind["c"], (n, *kind.spatial))
            target = np.ascontiguousarray(np.moveaxis(np.eye(kind["c"])[classes], -1, 1))
        else:
            target = generator.uniform(size=(n, *kind.shape))
        if f"{name}.target" in judged.nodes:
            arrays[f"{name}.target"] = target
    return arrays


def planned(model: Model) -> Engine:
    """The model's engine, whose numbers can be moved one by one."""
    assert isinstance(model.engine, Engine), "differences are taken of NumPy's plan"
    return model.engine


def table(checked: list[WorstEntry]) -> str:
    """The findings as aligned text."""
    head = ("parameter", "shape", "checked", "error", "at", "gradient", "difference")
    body = [
        (
            c.parameter, str(c.type), f"{c.entries:,} of {c.type.elements:,}", f"{c.error:.1e}",
            f"[{','.join(map(str, c.at))}]", f"{c.gradient:.10g}", f"{c.difference:.10g}",
        )
        for c in checked
    ]  # fmt: skip
    widths = [max(len(line[k]) for line in (head, *body)) for k in range(len(head))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in (head, *body)
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_json(checked: list[WorstEntry], limit: float) -> dict[str, Json]:
    return {
        "limit": limit,
        "worst": checked[0].error if checked else 0.0,
        "parameters": [
            {
                "name": c.parameter, "shape": list(c.type.shape), "checked": c.entries, "error": c.error,
                "at": list(c.at), "gradient": c.gradient, "difference": c.difference,
            }
            for c in checked
        ],
    }  # fmt: skip
