"""Which cost judges which output.

Where the file states none, the last word decides, a flattening after it aside: a softmax means cross-entropy, a
sigmoid binary cross-entropy, anything else the mean squared error. What the data are is not known here: `run`, and
`check` where it knows them, refuse a mean squared error that nobody asked for where they are classes.
"""

from __future__ import annotations

import dataclasses

from ...diagnostics import Fault, Span
from ...ir import Graph
from ...words.costs import PROBABILITIES, BinaryCrossEntropy, Cost, CrossEntropy, Mse
from ..findings import Findings, insert, replace
from .declared import Stated
from .network import Network

IMPLIED: dict[str, type[Cost]] = {
    "softmax": CrossEntropy,
    "logsoftmax": CrossEntropy,
    "sigmoid": BinaryCrossEntropy,
}
ACTIVATION = {"cross_entropy": ("softmax", "logsoftmax"), "binary_cross_entropy": PROBABILITIES}


def assign(stated: list[Stated], network: Network, findings: Findings) -> tuple[Cost, ...]:
    """The costs of a network, each with the output that it judges in `of` where there are several."""
    graph = network.graph
    if not stated:
        several = len(graph.outputs) > 1
        costs = tuple(implied(graph, value)(of=value if several else "") for value in graph.outputs)
        for cost, output in zip(costs, graph.outputs, strict=True):
            _suits(cost, output, graph[output].span, graph, findings)
        return costs
    found: list[Cost] = []
    judged: dict[str, Span] = {}
    for cost, line in ((one.value, one.line) for one in stated if isinstance(one.value, Cost)):
        value = _judged(cost, line.span, network, findings)
        if value is None:
            continue
        if value in judged:
            findings.tell("CNN209", line.span, case="second", output=value)
            continue
        judged[value] = line.span
        found.append(dataclasses.replace(cost, of=value if len(graph.outputs) > 1 else ""))
        _suits(cost, value, line.value.span, graph, findings)
        _warn(cost, value, line.value.span, graph, findings)
    for value in graph.outputs if len(found) == len(stated) else ():
        node = graph[value]
        if value not in judged and node.span is not None:
            findings.tell("CNN238", node.span, output=_named(value, network))
    return tuple(found)


def held(costs: tuple[Cost, ...], graph: Graph) -> tuple[Cost, ...]:
    """The costs of a graph that was not read from a text: those of its last words where it says none.

    Raises a Fault at `cost/1/of` where the second judges no output, or one that the first does.
    """
    several = len(graph.outputs) > 1
    if not costs:
        costs = tuple(implied(graph, value)(of=value) for value in graph.outputs)
    judged: list[str] = []
    for k, cost in enumerate(costs):
        value = cost.of if cost.of or several else graph.outputs[0]
        if value not in graph.outputs or value in judged:
            at = f"cost/{k}/of"
            if value in judged:
                raise Fault.of("CNN209", at, "second", output=value)
            raise Fault.of("CNN209", at, "must be one", outputs=", ".join(graph.outputs))
        judged.append(value)
        try:
            cost.type(graph.type(value), graph.type(value))
        except Fault as fault:
            raise Fault(fault.code, fault.message, at=f"cost/{k}") from None
    return tuple(dataclasses.replace(c, of=v if several else "") for c, v in zip(costs, judged, strict=True))


def implied(graph: Graph, value: str) -> type[Cost]:
    """The cost of an output for which none is stated."""
    return IMPLIED.get(graph.behind(value).op.word, Mse)


def _suits(cost: Cost, value: str, span: Span | None, graph: Graph, findings: Findings) -> None:
    """Report an output that a cost cannot judge."""
    kind = graph.type(value)
    try:
        cost.type(kind, kind)
    except Fault as fault:
        findings.add(fault.diagnostic(span))


def _judged(cost: Cost, span: Span, network: Network, findings: Findings) -> str | None:
    """The output that a cost speaks of."""
    outputs = network.graph.outputs
    if not cost.of:
        if len(outputs) == 1:
            return outputs[0]
        findings.tell("CNN209", span, case="which", outputs=_shown(network))
        return None
    value = network.names.get(cost.of, cost.of)
    if value in outputs:
        return value
    if value in network.graph.nodes:
        findings.tell("CNN209", span, case="no output", name=cost.of, outputs=_shown(network))
        return None
    close = findings.work.nearest(cost.of, (*network.names, *network.graph.nodes))
    outputs_shown = _shown(network)
    if close:
        findings.tell("CNN018", span, case="near output", name=cost.of, outputs=outputs_shown, close=close)
    else:
        findings.tell("CNN018", span, case="output", name=cost.of, outputs=outputs_shown)
    return None


def _shown(network: Network) -> str:
    """The outputs by the names that their author gave them, where there are such."""
    return ", ".join(_named(value, network) for value in network.graph.outputs)


def _named(value: str, network: Network) -> str:
    return next((f"`{name}`" for name, node in network.names.items() if node == value), f"`{value}`")


def _warn(cost: Cost, value: str, word: Span, graph: Graph, findings: Findings) -> None:
    """Warn of a cost that does not go with the last word."""
    last = graph.behind(value)
    if cost.word == "mse" and last.op.word == "softmax":
        findings.tell("CNN232", word, replace(word, "cross_entropy"))
    wanted = ACTIVATION.get(cost.word, ())
    if wanted and last.op.word not in wanted and last.span is not None:
        help = f"end with `-> {wanted[0]}`"
        instead = any(last.op.word in words for words in ACTIVATION.values())  # which a second one would only blur
        ended = replace(last.span, wanted[0], help) if instead else insert(last.span, f" -> {wanted[0]}", help)
        findings.tell("CNN240", word, ended, cost=cost.word, wanted=wanted[0], last=last.op.word)
