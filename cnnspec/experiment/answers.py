"""Whether answers that were read can be judged by the network's cost, and moved as their images are: all of them,
before the first step.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from ..data.changes import ensure_turned
from ..data.dataset import Dataset, Named
from ..data.several import Several
from ..diagnostics import Diagnostic, Fault
from ..lang import Spec
from ..model.targets import Answers
from .agreement import wanted

AT_ONCE = 256  # images that are to answer themselves, and are scaled for it


def unjudged(spec: Spec, data: Dataset) -> tuple[Diagnostic, ...]:
    """The finding about answers for which the cost is not defined: shares that do not add up to 1, and so on."""
    try:
        if not isinstance(data, Several):
            ensure_turned(spec.data.augment, data.train.y, data.train.x.shape)
    except Fault as fault:
        return (fault.diagnostic(spec.place("augment")),)
    if isinstance(data, Several):
        return tuple(_of_several(spec, data))
    (output,) = spec.graph.outputs
    answers = Answers(spec.graph, output, spec.train.cost[0], "float32")
    try:
        for part in (data.train, data.validation, data.test):
            step = AT_ONCE if part.itself else len(part)
            for first in range(0, len(part), max(1, step)):
                answers.ensure(answers.canonical(part.answers(first, first + step)))
    except Fault as fault:
        return (fault.diagnostic(spec.graph[output].span),)
    return ()


def _of_several(spec: Spec, data: Several) -> Iterator[Diagnostic]:
    """The same for each output that is judged."""
    for output, cost in zip(wanted(spec).outputs, spec.train.cost, strict=True):
        answers = Answers(spec.graph, output, cost, "float32")
        try:
            for part in (data.train, data.validation, data.test):
                if len(part):
                    answers.ensure(answers.canonical(cast(Named, part).y[output]))
        except Fault as fault:
            yield fault.diagnostic(spec.graph[output].span)
