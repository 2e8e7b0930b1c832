"""Whether answers that were read can be judged by the network's cost: all of them, before the first step."""

from __future__ import annotations

from ..data.dataset import Dataset
from ..diagnostics import Diagnostic, Fault
from ..lang import Spec
from ..model.targets import Answers


def unjudged(spec: Spec, data: Dataset) -> tuple[Diagnostic, ...]:
    """The finding about answers for which the cost is not defined: shares that do not add up to 1, and so on."""
    (output,) = spec.graph.outputs
    answers = Answers(spec.graph, output, spec.train.cost[0], "float32")
    try:
        for part in (data.train, data.validation, data.test):
            if len(part):
                answers.ensure(answers.settle(part.y))
    except Fault as fault:
        return (fault.diagnostic(spec.graph[output].span),)
    return ()
