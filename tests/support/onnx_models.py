"""Models of ONNX made by hand, and what our reading of them computes beside onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from networks import engine_for, graph_of, outputs_of

from cnnspec.targets.onnx.importer import as_spec

onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def model_of(nodes, shape=("n", 3, 8, 8), arrays=(), outputs=("y",), inputs=("x",), opset=21):
    """A model of some nodes from x to y; the shapes of its outputs are what the standard infers."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in inputs],
        [],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in dict(arrays).items()],
    )
    version = 10 if opset > 6 else 4
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=version)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    found = {entry.name: entry for entry in [*inferred.value_info, *inferred.input]}
    for name in outputs:
        kind = found.get(name)
        if kind is None or not kind.type.tensor_type.HasField("shape"):
            kind = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"])
        model.graph.output.append(kind)
    return model


def node(kind, *inputs, out="y", **attributes):
    name = f"{kind}_{'1' if out == 'y' or not isinstance(out, str) else out}"
    return helper.make_node(kind, inputs, [out] if isinstance(out, str) else out, name=name, **attributes)


def chain(*nodes):
    """Nodes one after the other, from x to y: each a kind, its other inputs, and its attributes."""
    made = []
    for count, (kind, others, attributes) in enumerate(nodes):
        source = f"v{count}" if count else "x"
        made.append(
            helper.make_node(
                kind,
                [source, *others],
                ["y" if count == len(nodes) - 1 else f"v{count + 1}"],
                name=f"{kind}_{count + 1}",
                **attributes,
            )
        )
    return made


def text_of(*nodes, **more):
    return as_spec(model_of(nodes, **more), "m.onnx").text.split("\n\n", 1)[1].strip()


def agrees(model, first=(), last=(), tolerance=1e-5):
    """Hold what is imported against onnxruntime, and return its text.

    Inputs in `first` and outputs in `last` are channels-last in the model.
    """
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime says what the model computes")
    quiet = runtime.SessionOptions()
    quiet.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), quiet, providers=["CPUExecutionProvider"])
    chance = np.random.default_rng(0)
    given = {}
    for entry in session.get_inputs():
        shape = [size if isinstance(size, int) else 3 for size in entry.shape]
        given[entry.name] = chance.normal(size=shape).astype("f4")
    back = as_spec(model, "m.onnx")
    graph = graph_of(back.text)
    engine = engine_for(graph, dtype="float32")
    assert engine.parameters.keys() == back.weights.keys()
    for name, values in back.weights.items():
        engine.parameters[name] = values
    arrays = [np.moveaxis(values, -1, 1) if name in first else values for name, values in given.items()]
    ours = outputs_of(engine, dict(zip(graph.inputs, map(np.ascontiguousarray, arrays), strict=True)))
    names = [entry.name for entry in session.get_outputs()]
    for name, made, expected in zip(names, ours, session.run(None, given), strict=True):
        made = np.moveaxis(made, 1, -1) if name in last else made
        assert made.shape == expected.shape
        np.testing.assert_allclose(made, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
    return back.text
