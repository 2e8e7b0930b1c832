"""What stands in the way of an import: told whole, grouped and counted; the longest part without it."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from networks import engine_for, graph_of, outputs_of
from onnx_models import chain, model_of, node

from cnnspec.cli import program
from cnnspec.diagnostics import SpecError
from cnnspec.targets.onnx.importer import as_spec

onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
CHANCE = np.random.default_rng(1)
ARRAYS = {"w": CHANCE.normal(size=(4, 3, 3, 3)).astype("f4"), "k": CHANCE.normal(size=(4, 4, 3, 3)).astype("f4")}
CONV, SAME = ("Conv", ["w"], {}), ("Conv", ["k"], {"pads": [1, 1, 1, 1]})
FIRST, SECOND = "conv 4x3x3 bias off", "conv 4x3x3 pad 1 bias off"
SIN, RELU, TURNED = ("Sin", [], {}), ("Relu", [], {}), ("Softmax", [], {"axis": 0})


def refused(model):
    with pytest.raises(SpecError) as error:
        as_spec(model, "m.onnx")
    return [(found.code, found.message) for found in error.value.diagnostics]


def test_all_obstacles_at_once_grouped_counted_and_named():
    nodes = [CONV, SIN, SAME, TURNED, RELU, SIN, SAME, SIN, SIN, SIN, ("Atan", [], {})]
    assert refused(model_of(chain(*nodes), arrays=ARRAYS)) == [
        ("CNN503", "no word says what `Sin` does (5 times: Sin_2, Sin_6, Sin_8, Sin_9 and 1 more)"),
        ("CNN504", "`Softmax` (Softmax_4) works along axis 0, which is not that of the channels"),
        ("CNN503", "no word says what `Atan` (Atan_11) does"),
    ]


def test_what_depends_on_an_unknown_shape_is_passed_over():
    nodes = [
        node("Relu", "x", out="r"), node("NonZero", "r", out="z"), node("Cast", "z", out="c", to=1),
        node("Add", "c", "c", out="d"), node("ReduceSum", "d", keepdims=0, out="y"), node("Sin", "r", out="s"),
    ]  # fmt: skip
    found = refused(model_of(nodes, outputs=("y", "s")))
    assert [code for code, _ in found] == ["CNN503", "CNN503"]
    assert {message.split("`")[1] for _, message in found} == {"NonZero", "Sin"}


def test_a_value_that_cannot_be_made_is_told_once():
    """Whichever step asks for it first; those that follow are passed over."""
    nodes = [
        node("Pad", "x", "p", "k", out="e"), node("Relu", "e", out="r"), node("Neg", "e", out="n"),
        node("Add", "r", "n"),
    ]  # fmt: skip
    arrays = {"p": np.array([0, 0, 0, 0, 0, 0, 1, 2]), "k": np.float32(2)}
    found = refused(model_of(nodes, arrays=arrays, outputs=("y", "e")))
    assert [code for code, _ in found] == ["CNN504"]
    assert "pads by 2" in found[0][1]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("Flatten", "x", out="f"), node("MatMul", "f", "f")],
         "attention over tokens is no part of the language"),
        ([node("LSTM", "x", "a", "b", hidden_size=4)], "recurrent networks are no part of the language"),
        ([node("GRU", "x", "a", "b", hidden_size=4)], "recurrent networks are no part of the language"),
    ],
)  # fmt: skip
def test_what_is_out_by_decision_is_refused_in_those_words(nodes, said):
    shape = ("n", 3, 6) if nodes[0].op_type in ("LSTM", "GRU") else ("n", 3, 8, 8)
    gates = {"LSTM": 16, "GRU": 12}.get(nodes[0].op_type, 1)
    arrays = {"a": np.ones((1, gates, 6), "f4"), "b": np.ones((1, gates, 4), "f4")}
    ((code, message),) = refused(model_of(nodes, shape=shape, arrays=arrays if gates > 1 else {}))
    assert code == "CNN509" and said in message


def test_a_network_for_volumes_is_refused_as_one():
    ((code, message),) = refused(model_of([node("Relu", "x")], shape=("n", 1, 4, 4, 4)))
    assert (code, message) == (
        "CNN509",
        "the input x is a batch of volumes; three-dimensional networks are no part of the language",
    )


def test_what_is_out_by_decision_comes_first():
    nodes = [
        node("Sin", "x", out="a"), node("Sin", "a", out="b"), node("Flatten", "b", out="f"),
        node("MatMul", "f", "f"),
    ]  # fmt: skip
    assert [code for code, _ in refused(model_of(nodes))] == ["CNN509", "CNN503"]


@pytest.mark.parametrize(
    ("nodes", "text", "start", "end"),
    [
        ([CONV, RELU, SAME, RELU, SIN, SAME], f"{FIRST} -> relu -> {SECOND} -> relu", "x", "v4"),
        ([CONV, SIN, SAME, RELU], f"{SECOND} -> relu", "v2", "y"),
        ([SIN, CONV, RELU, SIN, SAME], f"{FIRST} -> relu", "v1", "v3"),
    ],
)  # fmt: skip
def test_the_longest_part_computes_what_it_does_in_the_model(nodes, text, start, end, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    model = onnx.shape_inference.infer_shapes(model_of(chain(*nodes), arrays=ARRAYS))
    part = as_spec(model, "m.onnx", partial=True)
    assert part.text.startswith(f"# from m.onnx; a part of it, from {start} to {end}\n")
    assert part.text.split("\n\n")[1].strip() == text
    assert "`Sin`" in part.missing[0].message
    cut = onnx.utils.Extractor(model).extract_model([start], [end])
    session = runtime.InferenceSession(cut.SerializeToString(), providers=["CPUExecutionProvider"])
    graph = graph_of(part.text)
    engine = engine_for(graph, dtype="float32")
    for name, values in part.weights.items():
        engine.parameters[name] = values
    x = CHANCE.normal(size=(2, *graph.type("input").shape)).astype("f4")
    (ours,), (theirs,) = outputs_of(engine, {"input": x}), session.run(None, {start: x})
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_part_of_a_whole_network_is_the_whole():
    found = as_spec(model_of(chain(CONV, RELU), arrays=ARRAYS), "m.onnx", partial=True)
    assert not found.missing and "a part" not in found.text


def test_no_part_of_a_network_without_words():
    with pytest.raises(SpecError, match="CNN503"):
        as_spec(model_of(chain(SIN, SIN)), "m.onnx", partial=True)


def test_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    onnx.save(model_of(chain(CONV, RELU, SIN, SAME), arrays=ARRAYS), "m.onnx")

    def call(*arguments):
        return CliRunner().invoke(program, ["import", "m.onnx", "-o", "m.cnn", *arguments])

    assert isinstance(call().exception, SpecError)
    assert not (tmp_path / "m.cnn").exists()
    result = call("--partial")
    assert result.exit_code == 0, result.output
    assert "missing: no word says what `Sin` (Sin_3) does" in result.stderr
    assert "note: a part of it, from x to v2" in result.stderr
    assert "conv 4x3x3 bias off -> relu" in (tmp_path / "m.cnn").read_text()
