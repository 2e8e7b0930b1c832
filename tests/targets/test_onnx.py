"""ONNX models: the checker passes them, onnxruntime computes what the engine computes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from networks import STRUCTURES, engine_for, examples, graph_of, outputs_of, random_texts, values_for

from cnnspec.diagnostics import SpecError
from cnnspec.ops import WORDS
from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.onnx.words import WORDS as MAPPED

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

TEXTS = {**examples(), **STRUCTURES, **random_texts(8)}


def run(model, given):
    quiet = runtime.SessionOptions()
    quiet.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), quiet, providers=["CPUExecutionProvider"])
    return session.run(None, given)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_onnxruntime_agrees_for_any_batch(text):
    graph = graph_of(text)
    engine = engine_for(graph, dtype="float32")
    model = onnx_model(graph, engine.parameters)
    onnx.checker.check_model(model, full_check=True)
    for n in (1, 4):
        given = values_for(graph, n, dtype="float32")
        for ours, theirs in zip(outputs_of(engine, given), run(model, given), strict=True):
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_values_and_weights_are_called_as_in_the_spec():
    graph = graph_of(STRUCTURES["blocks"])
    model = onnx_model(graph, engine_for(graph).parameters)
    made = {name for node in model.graph.node for name in node.output}
    assert set(graph.nodes) - {"input"} <= made
    assert {tensor.name for tensor in model.graph.initializer} >= {"conv1.weight", "basic2.bn1.running_var"}


def test_shared_weights_are_one_array():
    graph = graph_of(STRUCTURES["two inputs"])
    model = onnx_model(graph, engine_for(graph).parameters)
    weights = [tensor.name for tensor in model.graph.initializer if tensor.name.endswith("conv1.weight")]
    readers = [node for node in model.graph.node if weights[0] in node.input]
    assert len(weights) == 1 and len(readers) == 2


def test_an_input_that_is_an_output_too():
    graph = graph_of("input 4\nnet same = id\nnet other = dense 3")
    if "input" not in graph.outputs:
        pytest.skip("the language drops it")
    given = values_for(graph, dtype="float32")
    outputs = run(onnx_model(graph, engine_for(graph).parameters), given)
    assert any(np.array_equal(values, given["input"]) for values in outputs)


def test_every_word_has_its_onnx():
    assert set(WORDS) == set(MAPPED)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    graph = graph_of("input 4\ndense 2")
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpecError) as refused:
        onnx_model(graph, engine_for(graph).parameters)
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN501" and "cnnspec[onnx]" in finding.help
