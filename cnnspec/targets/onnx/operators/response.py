"""Global response normalisation as exporters write it out: it becomes `grn` once all of it is there.

norm = ReduceL2 x over pixels;  total = (ReduceMean norm over channels) + eps;  ratio = norm / total
y = x + x * ratio * weight + bias
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....primitives.standardise import ResponseNorm
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, word
from . import Operator
from .affine import Affine
from .axes import axes_of
from .norms import shortest
from .parts import reduced


@dataclass(frozen=True)
class Response:
    """How far a response normalisation of x has come: `norm`, `mean`, `total` or `ratio`."""

    step: Step
    value: Seen  # x
    stage: str
    eps: float = 0.0

    def settled(self, r: Reader) -> Seen:
        if self.stage != "norm" or not r.model.free:
            refuse("CNN503", case="response", step=self.step)
        inner = f"{self.step.outputs[0]}/squares"
        r.hold(inner, r.like(self.value, r.add(word("mul"), self.value.value, self.value.value)))
        squares = reduced(r, replace(self.step, inputs=[inner, *self.step.inputs[1:]]), r.values[inner], "sum")
        total = squares.settled(r) if isinstance(squares, Affine) else squares
        return r.like(total, r.add(word("sqrt"), total.value))

    def plus(self, step: Step, eps: np.ndarray) -> Response:
        if self.stage != "mean" or eps.size != 1 or float(eps.reshape(())) <= 0:
            refuse("CNN504", case="response", step=step)
        return replace(self, stage="total", eps=shortest(float(eps.reshape(()))))


def norm(r: Reader, step: Step) -> Response:
    """ReduceL2 over all pixels."""
    x = r.at(step.input(0), step)
    pixels = set(range(1, len(x.perm)))
    if not pixels or axes_of(r, step) != pixels or not step.get("keepdims", 1) or r.type(x.value).shape != x.shape:
        refuse("CNN503", step=step)
    return Response(step, x, "norm")


def mean(r: Reader, step: Step) -> Response | None:
    """ReduceMean of norms over the channels."""
    found = r.waiting.get(step.input(0))
    if not isinstance(found, Response) or found.stage != "norm" or not step.get("keepdims", 1):
        return None
    given = r.optional(step, 1, "axes")
    axes = step.get("axes") if given is None else given.tolist()
    rank = len(found.value.perm) + r.lead
    channel = found.value.perm.index(0) + r.lead
    return replace(found, stage="mean") if [axis % rank for axis in axes or ()] == [channel] else None


def shared(r: Reader, step: Step) -> Response | None:
    """Div of the norms by their mean."""
    above, below = (r.waiting.get(name) for name in step.inputs)
    if not (isinstance(above, Response) and isinstance(below, Response)):
        return None
    if (above.stage, below.stage) != ("norm", "total") or above.value != below.value:
        return None
    return replace(below, stage="ratio")


def multiplied(r: Reader, step: Step) -> Seen | None:
    """Mul of x by the shares: a value that only `responded` reads."""
    for gate, other in (step.inputs, step.inputs[::-1]):
        ratio = r.waiting.get(gate)
        if isinstance(ratio, Response) and ratio.stage == "ratio" and r.values.get(other) == ratio.value:
            made = r.b.add(ResponseNorm(ratio.eps), ratio.value.value, name=f"response {step.outputs[0]}")
            return r.like(ratio.value, made)
    return None


def responded(r: Reader, step: Step) -> Seen | None:
    """Add of x to what `multiplied` made of it, times weights, plus biases."""
    if len(step.inputs) != 2:
        return None
    for more, other in (step.inputs, step.inputs[::-1]):
        waits = r.waiting.get(more)
        made = waits.value if isinstance(waits, Affine) else r.values.get(more)
        x = r.values.get(other)
        if made is None or x is None or r.readers.get(more, 0) != 1:
            continue
        node = r.b.nodes[made.value]
        if not isinstance(node.op, ResponseNorm) or node.inputs != (x.value,):
            continue
        channels = r.type(x.value)["c"]
        scale, shift = (waits.scale, waits.shift) if isinstance(waits, Affine) else (np.ones(1), np.zeros(1))
        arrays = {"weight": np.broadcast_to(scale, channels), "bias": np.broadcast_to(shift, channels)}
        sources = waits.sources if isinstance(waits, Affine) else ()
        r.waiting.pop(more, None)
        made_of = r.learnt(step, word("grn", eps=node.op.eps), x.value, arrays, (more, *sources))
        return r.like(x, made_of.value)
    return None


OPERATORS: dict[str, Operator] = {
    "ReduceL2": norm,
}
