"""Forms of ONNX's operators for which there is no word are made of several: along any axis, of any shapes."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from networks import engine_for, outputs_of
from onnx_models import agrees, model_of, node

onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
from onnx.backend.test.runner import BackendIsNotSupposedToImplementIt  # noqa: E402
from oracles.random_models import random_model  # noqa: E402

from cnnspec.ir import data  # noqa: E402
from cnnspec.ir.leaves import Input  # noqa: E402
from cnnspec.targets.onnx import backend  # noqa: E402
from cnnspec.targets.onnx.importer import network  # noqa: E402
from cnnspec.targets.onnx.layout import together, turned  # noqa: E402
from cnnspec.targets.onnx.operators.table import OPERATORS  # noqa: E402
from cnnspec.targets.onnx.reader import Reader  # noqa: E402
from cnnspec.targets.onnx.steps import Steps  # noqa: E402
from cnnspec.targets.onnx.values import seen  # noqa: E402

G = np.random.default_rng(3)


def numbers(*shape):
    return G.normal(size=shape).astype("f4")


@pytest.mark.parametrize(
    ("nodes", "arrays", "words"),
    [
        ([node("Softmax", "x", axis=3)], {}, "shuffle 24 -> reshape 8x24 -> softmax"),
        ([node("LogSoftmax", "x", axis=2)], {}, "logsoftmax"),
        ([node("ReduceL2", "x", "a")], {"a": np.array([2, 3])}, "gap -> scale -> sqrt"),
        ([node("ReduceL1", "x", "a", keepdims=0)], {"a": np.array([1, 3])}, "abs"),
        ([node("ReduceLogSumExp", "x", "a")], {"a": np.array([-1])}, "log"),
        ([node("ReduceMin", "x", "a")], {"a": np.array([1])}, "minpool 3"),
        ([node("Mul", "x", "k")], {"k": numbers(3, 8, 8)}, "flatten -> scale -> reshape 3x8x8"),
        ([node("GlobalMaxPool", "x", out="p"), node("Mul", "p", "k")], {"k": numbers(1, 1, 5)}, "resize 5x1"),
        ([node("Sigmoid", "x", out="s"), node("Div", "k", "s")], {"k": np.float32(3)}, "reciprocal -> scale"),
        ([node("Exp", "x", out="e"), node("Div", "x", "e")], {}, "mul( id | exp -> reciprocal )"),
        ([node("Transpose", "x", perm=[0, 1, 3, 2])], {}, "shuffle"),
        ([node("MatMul", "x", "w")], {"w": numbers(8, 5)}, "conv 5x1 bias off"),
        ([node("LayerNormalization", "x", "k", "b", axis=2)], {"k": numbers(8, 8), "b": numbers(8, 8)},
         "groupnorm 3"),
        ([node("RMSNormalization", "x", "k", axis=-1)], {"k": numbers(8)}, "sqrt -> reciprocal"),
        ([node("Slice", "x", "s", "e", "a", "k")],
         {"s": np.array([1, 0]), "e": np.array([8, 8]), "a": np.array([2, 3]), "k": np.array([2, 2])},
         "pad 0x1x0x0 -> crop 7x8 -> maxpool 1 stride 2"),
        ([node("Slice", "x", "s", "e")], {"s": np.array([0, 0, 0, 5]), "e": np.array([2**31, 3, 8, 7])},
         "pad 0x0x0x4 -> crop 8x2"),
        ([node("Split", "x", out=["p", "q"], axis=3, num_outputs=2), node("Concat", "q", "p", axis=2)], {}, "take"),
        ([node("Selu", "x", alpha=2.0, gamma=3.0)], {}, "elu alpha 2 -> scale"),
        ([node("Swish", "x", alpha=0.5)], {}, "sigmoid"),
        ([node("Clip", "x", "a", "b")], {"a": np.float32(1), "b": np.float32(0.5)},
         "clip low 1.0 high none -> clip low none high 0.5"),
        ([node("Pow", "x", "k")], {"k": np.float32(3)}, "mul"),
        ([node("Shrink", "x", lambd=0.5, bias=0.2)], {}, "shrink bias 0.2"),
        ([node("Less", "x", "z", out="l"), node("Mul", "x", "k", out="m"), node("Where", "l", "m", "x")],
         {"z": np.float32(0), "k": np.float32(0.2)}, "leaky slope 0.2"),
        ([node("Greater", "x", "t", out="l"), node("Where", "l", "x", "z")],
         {"z": np.float32(0), "t": np.float32(0.3)}, "thresholdedrelu threshold 0.3"),
    ],
    ids=lambda value: value[-1].op_type if isinstance(value, list) else "",
)  # fmt: skip
def test_what_a_form_is_made_of(nodes, arrays, words):
    opset = {"RMSNormalization": 23, "Swish": 24}.get(nodes[-1].op_type, 18)
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"the installed onnx does not know opset {opset}")
    model = model_of(nodes, arrays=arrays, opset=opset)
    runs = opset <= 21 and nodes[-1].op_type != "Shrink"  # what the runtime of the tests knows
    assert words in (agrees(model) if runs else by_reference(model))


def by_reference(model):
    """The spec of a model, which computes what the standard's own evaluator does."""
    from onnx.reference import ReferenceEvaluator

    from cnnspec.targets.onnx.importer import as_spec

    x = numbers(3, 3, 8, 8)
    (wanted,) = ReferenceEvaluator(model).run(None, {"x": x})
    found = network(model)
    engine = engine_for(found.graph, dtype="float32")
    for name, values in found.weights.items():
        engine.parameters[name] = values
    (made,) = outputs_of(engine, {found.graph.inputs[0]: x})
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-5)
    return as_spec(model, "m.onnx").text


def pieces(starts, end=2**63 - 1, by=(2, 2)):
    """Every second pixel from each start, one after the other, of two slices each as PyTorch writes them."""
    nodes, arrays = [], {"e": np.array([end]), "h": np.array([2]), "w": np.array([3])}
    arrays |= {"down": np.array([by[0]]), "across": np.array([by[1]])}
    for k, (top, left) in enumerate(starts):
        arrays |= {f"s{top}": np.array([top]), f"s{left}": np.array([left])}
        nodes += [
            node("Slice", "x", f"s{top}", "e", "h", "down", out=f"r{k}"),
            node("Slice", f"r{k}", f"s{left}", "e", "w", "across", out=f"p{k}"),
        ]
    names = [f"p{k}" for k in range(len(starts))]
    return model_of([*nodes, node("Concat", *names, axis=1)], arrays=arrays)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (pieces([(0, 0), (0, 1), (1, 0), (1, 1)]), "pixelunshuffle 2 -> shuffle 3"),
        (pieces([(0, 0), (1, 0), (0, 1), (1, 1)]),
         "pixelunshuffle 2 -> shuffle 3 -> concat( take 3 | take 3 start 6 | take 3 start 3 | take 3 start 9 )"),
        (pieces([(0, 0), (1, 0), (0, 1), (1, 1)], end=8), "maxpool 1 stride 2x1 -> maxpool 1 stride 1x2"),
        (pieces([(0, 0), (1, 0), (0, 1), (1, 0)]), "maxpool 1 stride 2x1 -> maxpool 1 stride 1x2"),
        (pieces([(0, 0), (0, 1), (1, 0)]), "maxpool 1 stride 2x1 -> maxpool 1 stride 1x2"),
        (pieces([(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)], by=(2, 4)),
         "pixelunshuffle 2x4 -> shuffle 3"),
        (pieces([(0, 0), (0, 1), (0, 2), (0, 3)], by=(2, 4)), "maxpool 1 stride 2x1 -> maxpool 1 stride 1x4"),
    ],
    ids=["in order", "as YOLOX", "ends told", "one twice", "one missing", "of two factors", "half of them"],
)  # fmt: skip
def test_pieces_of_an_image_as_detectors_begin(given, words):
    """Together they are all pixels, or just those."""
    assert " ".join(words.split()) in " ".join(agrees(given).split())


def test_pieces_of_a_sequence_are_put_together_as_they_are():
    nodes = [node("Slice", "x", f"s{k}", "e", "w", "two", out=f"p{k}") for k in range(2)]
    arrays = {"s0": np.array([0]), "s1": np.array([1]), "e": np.array([2**40]), "w": np.array([-1])}
    model = model_of(
        [*nodes, node("Concat", "p0", "p1", axis=1)], shape=("n", 3, 8), arrays={**arrays, "two": np.array([2])}
    )
    assert "concat(" in agrees(model)


def test_a_row_of_scaled_numbers_is_in_the_model_order():
    """What a scale makes of an image is a vector; its axes are in no order of their own."""
    nodes = [
        node("Mul", "x", "k", out="m"), node("Transpose", "m", out="t", perm=[0, 3, 2, 1]),
        node("Reshape", "t", "s"),
    ]  # fmt: skip
    agrees(model_of(nodes, arrays={"k": numbers(1, 1, 8), "s": np.array([0, 192, 1])}, opset=18))


def test_sums_of_different_many_share_no_weights():
    """Two sums over pixels are means times how many there are, and these differ."""
    nodes = [
        node("ReduceSum", "x", "a", out="p"), node("MaxPool", "x", out="m", kernel_shape=[2, 2], strides=[2, 2]),
        node("ReduceSum", "m", "a", out="q"), node("Concat", "p", "q", axis=1),
    ]  # fmt: skip
    agrees(model_of(nodes, arrays={"a": np.array([2, 3])}, opset=18))


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_axes_in_any_order(order):
    """With at least one shuffle fewer than there are axes that move apart."""
    shape = (2, 3, 4, 5)
    reader = Reader(Steps({}, [], [], {}, 18, None, free=True), {}, OPERATORS)
    x = reader.b.add(Input(data(120)), name="input")
    made = turned(reader, seen(x, shape), order)
    graph = reader.b.graph((x,), (made.value,))
    given = np.arange(240.0).reshape(2, 120)
    (found,) = outputs_of(engine_for(graph), {"input": given}) if made.value != x else (given,)
    wanted = given.reshape(2, *shape).transpose(0, *(axis + 1 for axis in order))
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted)
    assert tuple(made.sizes) == shape
    moved = sum(node.op.word == "shuffle" for node in graph)
    assert moved <= max(len(together(range(4), order)) - 1, 0)


def holds(seed, lead):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime says what the model computes")
    model = random_model(seed, lead)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(seed).normal(size=shape).astype("f4")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": x})
    try:
        (made,) = backend.prepare(model).run([x])
    except BackendIsNotSupposedToImplementIt:
        return False
    assert made.shape == wanted.shape
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-5 * max(1, np.abs(wanted).max()))
    return True


@pytest.mark.parametrize("lead", [0, 1], ids=["alone", "batch"])
def test_random_models_compute_what_the_runtime_computes(lead):
    assert sum(holds(seed, lead) for seed in range(40)) >= 36


@pytest.mark.slow
@pytest.mark.parametrize("lead", [0, 1], ids=["alone", "batch"])
def test_many_random_models_compute_what_the_runtime_computes(lead):
    assert sum(holds(seed, lead) for seed in range(40, 1000)) >= 900
