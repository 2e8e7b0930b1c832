"""Whether answers that were read can be judged by the network's cost, and moved as their images are: all of them,
before the first step.
"""

from __future__ import annotations

from ..data.changes import ensure_turned
from ..data.dataset import Dataset
from ..diagnostics import Diagnostic, Fault
from ..lang import Spec
from ..model.targets import Answers

AT_ONCE = 256  # images that are to answer themselves, and are scaled for it


def unjudged(spec: Spec, data: Dataset) -> tuple[Diagnostic, ...]:
    """The finding about answers for which the cost is not defined: shares that do not add up to 1, and so on."""
    try:
        ensure_turned(spec.data.augment, data.train.y, data.train.x.shape)
    except Fault as fault:
        return (fault.diagnostic(spec.place("augment")),)
    (output,) = spec.graph.outputs
    answers = Answers(spec.graph, output, spec.train.cost[0], "float32")
    try:
        for part in (data.train, data.validation, data.test):
            step = AT_ONCE if part.itself else len(part)
            for first in range(0, len(part), max(1, step)):
                answers.ensure(answers.settle(part.answers(first, first + step)))
    except Fault as fault:
        return (fault.diagnostic(spec.graph[output].span),)
    return ()
