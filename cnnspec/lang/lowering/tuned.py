"""Whether the names in `freeze` and `rate` mean layers, and something is left that learns."""

from __future__ import annotations

from collections.abc import Mapping

from ...diagnostics import Diagnostic, Span
from ...ir import Graph
from ...settings.train import Train
from ...settings.tuning import Parts, matching, places, tuning_of
from ..findings import Findings, replace
from ..parse.tree import Listed, Name, Quote, Setting
from .declared import Stated


def check_tuned(
    train: Train,
    stated: Mapping[str, list[Stated]],
    graph: Graph,
    parts: Parts,
    findings: Findings,
    whole: Span | None = None,
) -> None:
    """Report names that mean no layer with parameters, and a training in which nothing learns.

    `stated` are the lines of the text; without them, as for a graph as JSON, `whole` is blamed.
    """
    if not (train.freeze or train.rate):
        return
    known = places(graph, parts)
    findings.work.add(len(known))
    for setting, told in (("freeze", [f.names for f in train.freeze]), ("rate", [r.of for r in train.rate])):
        lines = stated.get(setting, [])
        for k, names in enumerate(told):
            spans = _spans(lines[k].line) if lines else []
            for j, name in enumerate(names):
                _check_name(name, spans[j] if spans else whole, known, findings)
    if findings.errors:
        return
    owners = {node.owner for node in graph if graph.figures[node.name].parameters}
    asleep = tuning_of(train, graph, parts).asleep(0)
    if train.freeze and owners <= asleep:
        span = stated["freeze"][-1].line.span if stated.get("freeze") else whole
        findings.add(Diagnostic.of("CNN324", span))


def _spans(line: Setting) -> list[Span]:
    """Where each name of a line stands."""
    for value in (line.value, *(attr.value for attr in line.attrs if attr.name.text == "of")):
        if isinstance(value, Listed):
            return [item.span for item in value.items]
        if isinstance(value, Name | Quote):
            return [value.span]
    return []


def _check_name(name: str, span: Span | None, known: Mapping[str, set[str]], findings: Findings) -> None:
    found = matching(name, known)
    if any(known[place] for place in found):
        return
    assert span is not None
    if found:
        findings.tell("CNN323", span, case="none of these" if "*" in name else "no parameters", name=name)
        return
    inner = [place for place in known if place.endswith(f".{name}")]
    close = inner[0] if len(inner) == 1 else findings.work.nearest(name, tuple(known))
    if len(inner) > 1:
        several = ", ".join(f"`{place}`" for place in inner[:4])
        findings.tell("CNN323", span, case="several", name=name, several=several)
    else:
        findings.tell("CNN323", span, *([replace(span, close)] if close else []), name=name)
