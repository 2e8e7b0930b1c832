"""A word that our own models write as the words that it is made of, and note: they must be what it would be."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from ....diagnostics import Source
from ....ir import Graph, TensorType
from ....ir.owned import parameters_of
from ....lang.exchange import FORMAT, VERSION, from_json
from ..export import written
from ..page import PARTS
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..steps import step as step_of
from ..values import Seen
from . import Operator


def made(r: Reader, step: Step) -> Seen:
    """The word that a step's note names, on the values that it names, if its operators are those of the model."""
    inputs = [r.image(step, k) for k in range(len(step.inputs))]
    graph = noted(step, [r.type(value) for value in inputs])
    zeros = {name: np.zeros(p.type.shape) for name, p in parameters_of(graph).items()}
    page = written(graph, zeros, "float32", r.opset, None)
    found = Comparison(r, {s.outputs[0]: s for s in map(step_of, page.nodes)}, page.arrays, zeros)
    found.bound = dict(zip(graph.inputs, step.inputs, strict=True))
    if not found.same(graph.outputs[0], step.outputs[0]):
        refuse("CNN502", case="note", step=step, word=graph["value"].op.written())
    arrays = {name.removeprefix("value."): r.known[theirs] for name, theirs in found.weights.items()}
    op = graph["value"].op
    if len(inputs) == 1:
        return r.learnt(step, op, inputs[0], arrays, tuple(found.weights.values()))
    return r.made(op, *inputs)


def noted(step: Step, types: list[TensorType]) -> Graph:
    """The word as a graph of its own, `value`, of inputs of these types."""
    inputs = [{"name": f"input{k}", "shape": list(kind.shape)} for k, kind in enumerate(types)]
    _, _, told = step.notes[PARTS].partition("\n")
    word = {**json.loads(told), "name": "value", "inputs": [entry["name"] for entry in inputs]}
    text = json.dumps({"format": FORMAT, "version": VERSION, "nodes": [*inputs, word], "outputs": ["value"]})
    found = from_json(text, Source(text, "the note of a word"))
    if not isinstance(found, tuple):
        refuse("CNN502", case="no word", step=step, reason=found.message)
    return found[0]


class Comparison:
    """Whether values of the model are made as ours are: `bound` are values that are the same, `weights` of ours."""

    def __init__(
        self, r: Reader, ours: Mapping[str, Step], arrays: Mapping[str, np.ndarray], zeros: Mapping[str, np.ndarray]
    ) -> None:
        self.r, self.ours, self.arrays, self.zeros = r, ours, arrays, zeros
        self.theirs = {output: step for step in r.model.steps for output in step.outputs if output}
        self.bound: dict[str, str] = {}
        self.weights: dict[str, str] = {}

    def same(self, ours: str, theirs: str) -> bool:
        if ours not in self.bound and self.alike(ours, theirs):
            self.bound[ours] = theirs
        return self.bound.get(ours) == theirs

    def alike(self, ours: str, theirs: str) -> bool:
        """The same array, a weight of the same shape, or the same operator of the same values."""
        if ours in self.arrays:
            array, known = self.arrays[ours], self.r.known.get(theirs)
            if known is None or known.shape != array.shape:
                return False
            if ours in self.zeros:
                self.weights[ours] = theirs
                return True
            return bool(np.allclose(known, array, rtol=1e-3 if known.dtype.itemsize == 2 else 1e-5))
        a, b = self.ours[ours], self.theirs.get(theirs)
        if theirs in self.r.origins:  # a weight in other axes, which is known by now
            return self.same(a.inputs[0], self.r.origins[theirs])
        if b is None or (a.op, a.attributes) != (b.op, b.attributes) or len(a.inputs) != len(b.inputs):
            return False
        return all(map(self.same, a.inputs, b.inputs))


OPERATORS: dict[str, Operator] = {f"{GROUP}made": made}
