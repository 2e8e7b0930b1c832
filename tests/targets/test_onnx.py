"""ONNX models: the checker passes them, onnxruntime computes what the engine computes."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from networks import STRUCTURES, engine_for, examples, graph_of, outputs_of, random_texts, values_for

from cnnspec.diagnostics import SpecError
from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.onnx.importer import as_spec

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


def test_the_lowest_opset_and_every_shape():
    """Opset 13 and IR 7 are those of 2020: ONNX Runtime 1.17 and 1.20 load all of these models, and the newest."""
    for name, text in TEXTS.items():
        graph = graph_of(text)
        model = onnx_model(graph, engine_for(graph, dtype="float32").parameters)
        normal = any(node.op.word == "layernorm" for node in graph)
        assert (model.opset_import[0].version, model.ir_version) == ((17, 8) if normal else (13, 7)), name
        shaped = {entry.name for entry in [*model.graph.value_info, *model.graph.output]}
        assert shaped >= {value for node in model.graph.node for value in node.output if value}, name


FORMS = {
    "groupnorm": "conv 4x3x3 -> groupnorm 2 -> relu",
    "vector": "dense 4 -> groupnorm 2",
    "gelu": "conv 4x3x3 -> gelu",
    "tanh": "conv 4x3x3 -> gelu form tanh",
    "gates": "conv 4x3x3 -> hardswish -> mish -> hardsigmoid -> swish",
    "resize": "conv 4x3x3 -> resize 5x9 -> resize 7x4 mode nearest -> upsample 2",
    "maxout": "conv 4x3x3 -> maxout 2",
    "layernorm": "conv 4x3x3 -> layernorm",
}


@pytest.mark.parametrize("opset", [13, 14, 17, 18, 20, 21, 24])
@pytest.mark.parametrize("chain", FORMS.values(), ids=FORMS)
def test_words_are_written_as_an_opset_has_them_and_come_back(chain, opset):
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip("newer than the package onnx that is installed")
    graph = graph_of(f"input 2x8x8\n{chain}")
    engine = engine_for(graph, dtype="float32")
    if "layernorm" in chain and opset < 17:
        with pytest.raises(SpecError, match=f"`layernorm` needs opset 17, newer than opset {opset}"):
            onnx_model(graph, engine.parameters, opset=opset)
        return
    model = onnx_model(graph, engine.parameters, opset=opset)
    assert model.opset_import[0].version == opset
    onnx.checker.check_model(model, full_check=True)
    given = values_for(graph, 3, dtype="float32")
    for ours, theirs in zip(outputs_of(engine, given), run(model, given), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    back = graph_of(as_spec(model, "net.onnx").text)
    assert [node.op for node in back] == [node.op for node in graph]


@pytest.mark.parametrize("opset", [12, 0, 99])
def test_an_opset_that_is_none(opset):
    graph = graph_of("input 4\ndense 2")
    with pytest.raises(SpecError, match=f"CNN508.*opset {opset}"):
        onnx_model(graph, engine_for(graph).parameters, opset=opset)


def test_values_and_weights_are_called_as_in_the_spec():
    graph = graph_of(STRUCTURES["blocks"])
    model = onnx_model(graph, engine_for(graph).parameters)
    made = {name for node in model.graph.node for name in node.output}
    assert set(graph.nodes) - {"input"} <= made
    assert {tensor.name for tensor in model.graph.initializer} >= {"conv1.weight", "basic2.bn1.running_var"}
    assert all(node.name and node.doc_string for node in model.graph.node)
    assert model.graph.input[0].doc_string == f"input {graph.type('input')}"


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


def test_without_the_package_it_says_what_to_install(monkeypatch):
    graph = graph_of("input 4\ndense 2")
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpecError) as refused:
        onnx_model(graph, engine_for(graph).parameters)
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN501" and "cnnspec[onnx]" in finding.help
