"""Names within a graph, of whatever they are made: code, pictures and pages written of it stay what they are.

A spec and a `.cnn.json` hold names to the grammar's; a graph that a program builds is held to nothing, and what
writes source relies on neither.

| door \\ sink                  | code | ONNX | pictures | findings                      |
| ---------------------------- | ---- | ---- | -------- | ----------------------------- |
| names of nodes and of blocks | yes  | yes  | yes      |                               |
| names in a `.cnn.json`       |      |      |          | CNN027, in each of the formats |
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import doors
import pytest
from doors import HOSTILE, call

from cnnspec.api import read_spec
from cnnspec.codegen.program import generate
from cnnspec.draw import text_graphs
from cnnspec.draw.drawing import draw
from cnnspec.lang.exchange import as_json
from cnnspec.model import Model
from cnnspec.targets.js import module as js
from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.python.module import module_source
from cnnspec.targets.torch.module import torch_source

TEXT = """\
input 1x6x6
block part = conv 2x3x3 -> bn -> relu
part -> add( part | conv 2x3x3 ) -> maxpool 2 -> dense 3 as last -> softmax
"""
NAME = HOSTILE.replace(":", ";").replace(".", ",")  # what separates by-products, and the parts of a name


def renamed(spec, name):
    """The spec with every node and block called so, and numbered."""
    names = {node.name: f"{name}{k}" for k, node in enumerate(spec.graph)}
    blocks = {block: f"{name}{block}" for node in spec.graph for block in node.blocks}
    nodes = [
        replace(
            node,
            name=names[node.name],
            inputs=tuple(names[value] for value in node.inputs),
            weights=names.get(node.weights, ""),
            blocks=tuple(blocks[block] for block in node.blocks),
        )
        for node in spec.graph
    ]
    inputs, outputs = (tuple(names[value] for value in part) for part in (spec.graph.inputs, spec.graph.outputs))
    graph = replace(spec.graph, nodes={node.name: node for node in nodes}, inputs=inputs, outputs=outputs)
    return replace(spec, graph=graph)


@pytest.fixture(scope="module")
def specs():
    spec = read_spec(text=TEXT)
    return renamed(spec, "no name "), renamed(spec, NAME)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    doors.nothing_ran(tmp_path)


def plan(mode):
    def write(spec):
        with Model(spec, workers=1, batch=2, seed=0) as model:
            return generate(model.engine.graph(mode, 2), 2, 2).source

    return write


def exported(spec):
    onnx = pytest.importorskip("onnx")
    with Model(spec, workers=1, batch=2, seed=0) as model:
        found = onnx_model(model.graph, model.parameters)
    onnx.checker.check_model(found, full_check=True)
    return [(node.op_type, len(node.input)) for node in found.graph.node]


def module(spec):
    with Model(spec, workers=1, batch=2, seed=0) as model:
        return module_source(spec, model.parameters, train=True, embed=True)


def javascript(spec):
    with Model(spec, workers=1, batch=2, seed=0) as model:
        text = js.module_source(spec, model.parameters, train=True, look=True)
    return text


def jax_module(spec):
    pytest.importorskip("jax")
    from cnnspec.jax.export import module_source as source

    with Model(spec, workers=1, batch=2, seed=0) as model:
        text = source(spec.graph, model.parameters, name=spec.source.name, beside="w.npz")
    return re.sub(r'PROGRAM = """.*?"""', "", text, flags=re.DOTALL)  # shorter or longer as names are


SINKS = {
    "module of JAX": (jax_module, doors.program),
    "plan": (plan("predict"), doors.program),
    "plan that learns": (plan("train"), doors.program),
    "module of Python": (module, doors.program),
    "module of PyTorch": (lambda spec: torch_source(spec.graph), doors.program),
    "module of JavaScript": (javascript, doors.script),
    "ONNX": (exported, list),
    "SVG": (lambda spec: draw(spec.graph, depth=3), lambda text: set(map(str, doors.elements(text)))),
    "Mermaid": (
        lambda spec: text_graphs.mermaid(spec.graph, depth=3),
        lambda text: doors.statements(text).count("\n"),
    ),
    "dot": (lambda spec: text_graphs.dot(spec.graph, depth=3), lambda text: doors.statements(text).count("\n")),
}


@pytest.mark.parametrize("sink", SINKS)
def test_names_of_a_graph(specs, sink):
    write, skeleton = SINKS[sink]
    plain, hostile = specs
    assert skeleton(write(hostile)) == skeleton(write(plain))


def test_a_plan_with_such_names_computes_the_same(specs):
    import numpy as np

    x = np.random.default_rng(0).normal(size=(2, 1, 6, 6)).astype(np.float32)
    answers = []
    for spec in specs:
        with Model(spec, workers=1, batch=2, seed=0) as model:
            for k, name in enumerate(model.parameters):
                value = model.parameters[name]
                model.parameters[name] = np.random.default_rng(k).normal(size=value.shape) ** 2
            answers.append(model.predict(x))
    np.testing.assert_array_equal(*answers)


PLACES = {
    "node": lambda d, name: d["nodes"][3].update(name=name),
    "input": lambda d, name: d["nodes"][0].update(name=name),
    "reader": lambda d, name: d["nodes"][3].update(inputs=[name]),
    "block": lambda d, name: d["nodes"][1].update(blocks=[name]),
    "weights": lambda d, name: d["nodes"][1].update(weights=name),
    "output": lambda d, name: d.update(outputs=[name]),
    "setting": lambda d, name: d["nodes"][1]["settings"].update({name: 1}),
    "word": lambda d, name: d["nodes"][1].update(word=name),
    "key": lambda d, name: d.update({name: 1}),
}
FORMATS = {
    "full": doors.lines,
    "concise": doors.lines,
    "github": doors.annotations,
    "json": doors.document,
    "sarif": doors.document,
    "junit": doors.elements,
}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("place", PLACES)
def test_names_in_json_are_refused(place, format, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = []
    for name in ("not a name", HOSTILE):
        document = json.loads(json.dumps(as_json(read_spec(text=TEXT))))
        PLACES[place](document, name)
        Path("net.cnn.json").write_text(json.dumps(document))
        code, said = call("check", "net.cnn.json", "--format", format, "--quiet")
        assert code == 1 and "CNN027" in said
        found.append(FORMATS[format](said))
    assert found[0] == found[1]
