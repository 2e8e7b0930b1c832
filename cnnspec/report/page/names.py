"""The names of the classes and numbers of inputs and outputs, as the data gave them."""

from __future__ import annotations

from ...data.preparation import Preparation
from ...data.sources.by_name import called
from ...explain.kinds import Kind, judged_by, kinds, output_kind
from ...explain.subject import Subject
from ...model.readout import names_of


def kinds_of(subject: Subject) -> dict[str, Kind]:
    """The kinds of inputs and outputs, with the names that the data gave."""
    graph = subject.graph
    found = kinds(graph, subject.model.costs)
    for name in graph.inputs:
        if columns := columns_of(subject.preparation, name, graph.type(name)["c"]):
            found[name]["names"] = columns
    for name in graph.outputs:
        found[name].update(named(subject, name, found[name]))
    return found


def columns_of(preparation: Preparation | None, name: str, count: int) -> list[str]:
    """The names of a table's numbers, one for each category of a column of texts; none where they are not known."""
    table = preparation.of(name).table if preparation else None
    if table is None or not table.names:
        return []
    names: list[str] = []
    for column, categories in zip(table.names, table.categories or (None,) * len(table.names), strict=False):
        names += [column] if categories is None else [f"{column} {text}" for text in categories]
    return names if len(names) == count else []


def named(subject: Subject, name: str, told: Kind) -> Kind:
    """What an output is with what the data say of it: its classes, or the names of its numbers."""
    graph, preparation = subject.graph, subject.preparation
    kind, classes = graph.type(name), classes_of(subject, name)
    cost = judged_by(graph, subject.model.costs).get(name)
    found: Kind = {"as": output_kind(graph, name, cost, len(classes))}
    if found["as"] == "labels" and kind["c"] == 1 and len(classes) == 2:
        found["names"] = [classes[1]]
    elif found["as"] in ("classes", "labels", "mask"):
        count = max(2, kind["c"]) if found["as"] != "labels" else kind["c"]
        known = len(classes) == count
        found["names"] = classes if known else told.get("names") or [str(k) for k in range(count)]
    elif found["as"] == "numbers" and preparation and len(graph.outputs) == 1:
        found["names"] = list(names_of(name, kind.shape, preparation))
    return found


def classes_of(subject: Subject, name: str) -> list[str]:
    """The names of an output's classes, as far as they are known."""
    preparation, graph = subject.preparation, subject.graph
    if len(graph.outputs) == 1:
        return list(subject.classes)
    known = preparation.outputs if preparation else {}
    return list(known.get(name) or known.get(called(graph.outputs)[name]) or ())
