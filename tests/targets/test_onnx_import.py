"""ONNX and back: the spec that returns compiles to the same graph and computes what onnxruntime computes."""

from __future__ import annotations

import numpy as np
import pytest
from networks import ROOT, STRUCTURES, engine_for, examples, graph_of, outputs_of, random_texts, values_for

from cnnspec.diagnostics import Source
from cnnspec.ir.facts import facts
from cnnspec.lang import read
from cnnspec.passes.decompose import decompose_training
from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.onnx.importer import as_spec

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
helper = pytest.importorskip("onnx.helper")

TEXTS = {**examples(), **STRUCTURES, **random_texts(8)}
SPECS = {path.stem: path for path in sorted(ROOT.glob("specs/**/*.cnn"))}
LARGE = 15_000_000  # parameters, or a hundredth of multiply-adds: seconds rather than moments


def canonical(graph):
    """A graph without its names: nodes numbered in the order in which the outputs ask for them."""
    graph = decompose_training(graph)
    numbers, listed, names = {}, [], list(reversed(graph.outputs))
    while names:
        name = names[-1]
        node = graph.nodes[name.partition(":")[0]]
        missing = [v for v in node.inputs if v.partition(":")[0] not in numbers]
        if node.name not in numbers and missing:
            names += reversed(missing)
            continue
        names.pop()
        if node.name not in numbers:
            numbers[node.name] = len(numbers)
            inputs = tuple(numbers[v.partition(":")[0]] for v in node.inputs)
            listed.append((node.op, inputs, node.type))
    return listed


def run(model, given):
    quiet = runtime.SessionOptions()
    quiet.log_severity_level = 4
    return runtime.InferenceSession(model.SerializeToString(), quiet, providers=["CPUExecutionProvider"]).run(
        None, given
    )


def there_and_back(graph):
    engine = engine_for(graph, dtype="float32")
    model = onnx_model(graph, engine.parameters)
    back = as_spec(model, "net.onnx")
    reading = read(Source("back.cnn", back.text))
    assert not reading.errors
    again = reading.spec.graph
    assert canonical(again) == canonical(graph)

    other = engine_for(again, dtype="float32")
    assert other.parameters.keys() == back.weights.keys()
    for name, values in back.weights.items():
        other.parameters[name] = values
    given = values_for(graph, n=2, dtype="float32")
    renamed = dict(zip(again.inputs, given.values(), strict=True))
    for ours, theirs in zip(outputs_of(other, renamed), run(model, given), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    return back


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_there_and_back(text):
    there_and_back(graph_of(text))


def sized(path):
    """A spec that takes its time is for the slow tests."""
    found = facts(read(Source(path.name, path.read_text()), root=path.parent).graph)
    heavy = found.parameters > LARGE or found.macs / 100 > LARGE
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if heavy else [])


@pytest.mark.parametrize("path", [sized(path) for path in SPECS.values()])
def test_every_spec_goes_to_onnx_and_back(path):
    there_and_back(read(Source(path.name, path.read_text()), root=path.parent).spec.graph)
