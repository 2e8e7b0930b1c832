"""The network of a page as JavaScript, with its weights: all of it, or the first layers, as many as fit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...capacity import mebibytes
from ...data.preparation import Preparation
from ...diagnostics import SpecError
from ...ir.facts import facts
from ...ir.owned import parameters_of
from ...lang import Spec
from ...model.model import Model
from ...targets.js.module import looked_at_size, module_source

WEIGHTS = 40_000_000  # bytes of weights that a page may hold; a third more in base64
VALUES = 1 << 30  # bytes of values and gradients of one example, in float64
WORK = 6_000_000_000  # multiply-adds of one example: some seconds


class PageNetwork(NamedTuple):
    """A page's network: the script that defines `network` for its worker, and the layers that it computes.

    `takes` says why that is a part of the network, if it is; the script is empty where not even that fits.
    """

    text: str
    layers: tuple[str, ...]
    takes: str = ""


def shown(model: Model, preparation: Preparation | None = None) -> PageNetwork:
    """The whole network, or the first layers of it that fit; `takes` holds the text of a SpecError."""
    try:
        reason = excess(model.spec)
        spec = first_layers(model.spec) if reason else model.spec
        if spec is None:
            return PageNetwork("", (), reason)
        return PageNetwork(source(model, spec, preparation), tuple(spec.graph.nodes), reason)
    except SpecError as error:
        return PageNetwork("", (), "; ".join(found.message for found in error.diagnostics))


def source(model: Model, spec: Spec, preparation: Preparation | None) -> str:
    weights: dict[str, np.ndarray] = {name: model.parameters[name] for name in parameters_of(spec.graph)}
    text = module_source(spec, weights, look=True, embed=True, script=True, preparation=preparation, dtype=None)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE), "the text of a script ends it"
    return text


def excess(spec: Spec) -> str:
    """What there is no room for, with how much it takes; empty where everything fits."""
    size, told = 4 * sum(p.type.elements for p in parameters_of(spec.graph).values()), []
    if size > WEIGHTS:
        told.append(f"its weights take {mebibytes(size)}, and a page holds {mebibytes(WEIGHTS)}")
    values, work = 8 * looked_at_size(spec), facts(spec.graph).macs
    if values > VALUES:
        told.append(f"its values and gradients take {mebibytes(values)}, and a page has {mebibytes(VALUES)}")
    if work > WORK:
        told.append(f"an image takes {billions(work)} multiply-adds, and a page takes {billions(WORK)}")
    return "; ".join(told)


def billions(number: int) -> str:
    return f"{number / 1e9:.1f} billion"


def first_layers(spec: Spec) -> Spec | None:
    """The first layers, as many as fit, without a cost: every value that one behind them reads is an output.

    None where not one word fits.
    """
    graph, rows, names = spec.graph, {row.name: row for row in facts(spec.graph).rows}, list(spec.graph.nodes)
    weights = values = work = count = 0
    known: set[str] = set()
    for node in graph:
        own = {f"{node.owner}.{p.name}": p.type.elements for p in node.op.parameters(*graph.types(node))}
        weights += 4 * sum(size for name, size in own.items() if name not in known)
        known |= own.keys()
        values, work = values + 8 * node.type.elements, work + rows[node.name].macs
        if weights > WEIGHTS or values > VALUES or work > WORK:
            break
        count += 1
    while count > len(graph.inputs):
        part = cut(spec, names[:count])
        if 8 * looked_at_size(part) <= VALUES:
            return part
        count -= max(1, count // 8)  # a plan of primitives keeps more than the words' own values
    return None


def cut(spec: Spec, names: list[str]) -> Spec:
    """The network up to some of its first nodes."""
    graph = spec.graph
    read = {value for node in graph if node.name not in names for value in node.inputs}
    ends = tuple(name for name in names if name in read or name in graph.outputs)
    nodes = {name: graph.nodes[name] for name in names}
    inputs = tuple(name for name in graph.inputs if name in nodes)
    part = replace(graph.with_nodes(nodes), inputs=inputs, outputs=ends)
    return replace(spec, graph=part, train=replace(spec.train, cost=()))
