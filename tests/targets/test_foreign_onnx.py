"""Models that others wrote: PyTorch's exporter, hand-made nodes, what cannot be said, and what is broken."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from networks import STRUCTURES, engine_for, examples, graph_of, outputs_of, values_for

from cnnspec.diagnostics import SpecError
from cnnspec.ir.op import Op
from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.onnx.importer import as_spec, import_onnx
from cnnspec.words import OPS

onnx = pytest.importorskip("onnx")
from onnx_models import model_of, node, text_of  # noqa: E402

NOT_EXPORTED = {"shuffle"}  # by PyTorch's exporter
NO_WORD = {"lrn", "max", "min", "lppool"}  # what PyTorch makes of them: slices, comparisons, windows unfolded
NO_WORD |= {op.word for op in OPS if op.in_words is not Op.in_words}  # and it notes no word
TEXTS = {word: text for word, text in examples().items() if word not in NOT_EXPORTED | NO_WORD}
TEXTS |= {
    name: STRUCTURES[name] for name in ("blocks", "two inputs", "two outputs", "sequence", "gate", "counted pads")
}
TEXTS["sides"] = """
    input 2x7x8
    pad 1x2x0x3 mode reflect -> conv 3x3x3 pad 0x1x2x1 -> pad 2x1 mode edge -> maxpool 2 pad 1x0x0x1"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_pytorch_exports_comes_in(text):
    torch = pytest.importorskip("torch")
    from torch_nets import torch_module

    graph = graph_of(text)
    engine = engine_for(graph, dtype="float32")
    net = torch_module(graph)
    net.load_state_dict({name: torch.tensor(values) for name, values in engine.parameters.items()})
    given = values_for(graph, 1, dtype="float32")
    file = io.BytesIO()
    inputs = tuple(torch.tensor(values) for values in given.values())
    torch.onnx.export(net.eval(), inputs, file, dynamo=False, opset_version=17)
    back = as_spec(onnx.load_from_string(file.getvalue()), "net.onnx")
    again = graph_of(back.text)
    other = engine_for(again, dtype="float32")
    for name, values in back.weights.items():
        other.parameters[name] = values
    renamed = dict(zip(again.inputs, given.values(), strict=True))
    for ours, theirs in zip(outputs_of(other, renamed), outputs_of(engine, given), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


W = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("f4")


@pytest.mark.parametrize(
    ("nodes", "arrays", "text"),
    [
        (
            [node("Conv", "x", "w", auto_pad="SAME_UPPER", strides=[2, 2])],
            {"w": W},
            "conv 4x3x3 stride 2 pad same bias off",
        ),
        (
            [node("Conv", "x", "w", auto_pad="SAME_LOWER", strides=[2, 2])],
            {"w": W},
            "conv 4x3x3 stride 2 pad 1x0x1x0 bias off",
        ),
        ([node("Conv", "x", "w", out="c"), node("Add", "c", "b")], {"w": W, "b": np.ones((4, 1, 1), "f4")},
         "conv 4x3x3"),
        ([node("MaxPool", "x", kernel_shape=[2, 2], pads=[1, 1, 0, 0])], {}, "maxpool 2 stride 1 pad 1x0x1x0"),
        ([node("Pad", "x", "p", mode="reflect")], {"p": np.array([0, 0, 1, 2, 0, 0, 0, 3])},
         "pad 1x0x2x3 mode reflect"),
        ([node("Pad", "x", "p", mode="edge")], {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])}, "pad 1 mode edge"),
        ([node("Pad", "x", "p", out="q"), node("Conv", "q", "w")],
         {"p": np.array([0, 0, 0, 0, 0, 0, 1, 2]), "w": W}, "conv 4x3x3 pad 0x1x0x2 bias off"),
        ([node("Pad", "x", "p")], {"p": np.array([0, 0, 0, 0, 0, 0, 1, 2])}, "pad 0x1x0x2"),
        ([node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], {},
         "maxpool 3 stride 2 pad include"),
        ([node("GlobalAveragePool", "x", out="p"), node("Flatten", "p")], {}, "gap"),
        ([node("GlobalAveragePool", "x")], {}, "gap -> reshape 3x1x1"),
        ([node("Sigmoid", "x", out="s"), node("Mul", "x", "s")], {}, "swish"),
        ([node("Clip", "x", "a", "b")], {"a": np.float32(0), "b": np.float32(6)}, "relu6"),
        ([node("Clip", "x", "a", "b")], {"a": np.float32(-1), "b": np.float32(1)}, "clip"),
        ([node("Clip", "x", "", "b")], {"b": np.float32(0.1)}, "clip low none high 0.1"),
        ([node("HardSigmoid", "x")], {}, "hardsigmoid slope 0.2"),
        ([node("HardSigmoid", "x", alpha=1 / 6, beta=0.4)], {}, "hardsigmoid offset 0.4"),
        ([node("Transpose", "x", out="t", perm=[0, 2, 3, 1]), node("MatMul", "t", "m", out="d"),
          node("Transpose", "d", perm=[0, 3, 1, 2])], {"m": np.ones((3, 5), "f4")}, "conv 5x1x1 bias off"),
        ([node("Add", "x", "x", out="a"), node("Add", "a", "x", out="b"), node("Div", "b", "k")],
         {"k": np.float32(3)}, "mean( id | id | id )"),
        ([node("Slice", "x", "s", "e", "a", "k")],
         {"s": np.array([0, 0]), "e": np.array([8, 8]), "a": np.array([2, 3]), "k": np.array([2, 2])},
         "maxpool 1 stride 2"),
        ([node("Split", "x", out=["p", "q"], axis=1), node("Relu", "q", out="r"), node("Concat", "p", "r", axis=1)],
         {}, None),
        ([node("Transpose", "x", out="t", perm=[0, 2, 3, 1]), node("Unsqueeze", "t", "two", out="u"),
          node("Expand", "u", "e", out="v"), node("Reshape", "v", "s", out="r"),
          node("Transpose", "r", perm=[0, 3, 1, 2])],
         {"two": np.array([2]), "e": np.array([1, 1, 2, 1, 1]), "s": np.array([0, 16, 8, 3])},
         "upsample 2x1"),  # as Keras repeats the rows of channels-last images
        ([node("SpaceToDepth", "x", blocksize=2)], {}, "pixelunshuffle 2 -> shuffle 3"),
        ([node("Max", "x", "k")], {"k": np.float32(-1)}, "clip high none"),
        ([node("Min", "x", "k")], {"k": np.float32(6)}, "clip low none high 6.0"),
        ([node("Shape", "x", out="s"), node("Gather", "s", "i", out="n"), node("Unsqueeze", "n", "i1", out="u"),
          node("Concat", "u", "m", out="t", axis=0), node("Reshape", "x", "t")],
         {"i": np.array(0), "i1": np.array([0]), "m": np.array([-1])}, "flatten"),
    ],
)  # fmt: skip
def test_what_an_operator_becomes(nodes, arrays, text):
    if text is None:
        text, more = "concat( take 2 | take 2 start 2 -> relu )", {"shape": ("n", 4, 8, 8)}
        assert text_of(*nodes, arrays=arrays, **more) == text
    else:
        assert text_of(*nodes, arrays=arrays) == text


@pytest.mark.parametrize(
    ("nodes", "arrays", "code", "said"),
    [
        ([node("Sin", "x")], {}, "CNN503", "no word says what `Sin` (Sin_1) does"),
        ([node("Softmax", "x", axis=0)], {}, "CNN504", "works along axis 0, which is not that of the channels"),
        ([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[9, 1])], {}, "CNN504", "does not fit"),
        ([node("ReduceMax", "x", "a")], {"a": np.array([0, 3])}, "CNN504", "along other axes"),
        ([node("MaxPool", "x", kernel_shape=[2, 2], pads=[2, 1, 0, 0])], {}, "CNN504", "wholly outside"),
        ([node("Pad", "x", "p", mode="wrap")], {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])}, "CNN504", "(wrap)"),
        ([node("Pad", "x", "p", mode="reflect")], {"p": np.array([0, 0, 8, 1, 0, 0, 1, 1])}, "CNN504", "by less"),
        ([node("Add", "x", "k")], {"k": np.ones((2, 1, 8, 8), "f4")}, "CNN504", "another number for each image"),
        ([node("Add", "x", "k")], {"k": np.ones((1, 1, 1, 1, 1), "f4")}, "CNN504", "more axes"),
        ([node("Div", "x", "k")], {"k": np.zeros(1, "f4")}, "CNN504", "divides by zero"),
        ([node("Cast", "x", out="h", to=10), node("Cast", "h", to=1)], {}, "CNN504", "rounds numbers to half"),
        ([node("Shape", "x", out="s"), node("Add", "s", "one", out="t"), node("Reshape", "x", "t")],
         {"one": np.array([1, 0, 0, 0])}, "CNN504", "computes with the number of images"),
        ([node("Reshape", "x", "s")], {"s": np.array([-1, 8])}, "CNN504", "from one image to another"),
        ([node("Transpose", "x", perm=[1, 0, 2, 3])], {}, "CNN504", "moves the batch's axis"),
        ([node("Pow", "x", "k")], {"k": np.float32(2.5)}, "CNN504", "raises to a power other than"),
        ([node("Conv", "x", "w")], {"w": np.ones((2, 3, 9, 9), "f4")}, "CNN504", "does not fit"),
        ([node("Conv", "x", "w", group=2)], {"w": np.ones((2, 3, 3, 3), "f4")}, "CNN504", "groups"),
        ([node("MatMul", "x", "w")], {"w": np.ones((3, 8, 8), "f4")}, "CNN504", "multiplies by 3 axes"),
        ([node("BatchNormalization", "x", *"abcd", out=["y", "e", "f"], training_mode=1)],
         dict.fromkeys("abcd", np.ones(3, "f4")), "CNN504", "training mode"),
        ([node("Relu", "nothing")], {}, "CNN502", "not valid ONNX"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_by_name(nodes, arrays, code, said):
    with pytest.raises(SpecError) as refused:
        as_spec(model_of(nodes, arrays=arrays), "m.onnx")
    (finding,) = refused.value.diagnostics
    assert finding.code == code
    assert said in finding.message


def test_an_open_size_is_asked_for():
    model = model_of([node("Relu", "x")], shape=("n", 3, "h", "w"))
    with pytest.raises(SpecError, match="CNN505"):
        as_spec(model, "m.onnx")
    assert "input 3x5x7" in as_spec(model, "m.onnx", (3, 5, 7)).text
    with pytest.raises(SpecError, match="does not take 4x5x7"):
        as_spec(model, "m.onnx", (4, 5, 7))


def test_kernels_shared_without_their_biases_cannot_be_said():
    arrays = {"w": W, "a": np.zeros(4, "f4"), "b": np.ones(4, "f4")}
    nodes = [node("Conv", "x", "w", "a", out="p"), node("Conv", "x", "w", "b", out="q"), node("Add", "p", "q")]
    text = text_of(*nodes, arrays=arrays)  # two biases are two layers
    assert text == "add( conv 4x3x3 | conv 4x3x3 )"
    nodes = [node("Conv", "x", "w", "a", out="p"), node("Relu", "p", out="r"), node("Conv", "x", "w", "a", out="q"),
             node("Add", "r", "q")]  # fmt: skip
    assert "net shared = conv 4x3x3" in text_of(*nodes, arrays=arrays)


def test_an_output_that_is_read_on_stays_an_output():
    nodes = [
        node("Relu", "x", out="a"),
        node("Tanh", "a", out="b"),
        node("Sigmoid", "a", out="y"),
        node("Add", "b", "y", out="z"),
    ]
    model = model_of(nodes, outputs=("a", "y", "z", "x"))
    graph = graph_of(as_spec(model, "m.onnx").text)
    given = values_for(graph)
    relu, sigmoid, total, same = outputs_of(engine_for(graph), given)
    x = given["input"]
    np.testing.assert_allclose(relu, np.maximum(x, 0))
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-relu)), rtol=1e-6)
    np.testing.assert_allclose(total, np.tanh(relu) + sigmoid, rtol=1e-6)
    np.testing.assert_array_equal(same, x)


def test_a_file_that_is_no_model(tmp_path):
    for content in (b"", b"hello", bytes(range(256))):
        path = tmp_path / "m.onnx"
        path.write_bytes(content)
        with pytest.raises(SpecError) as refused:
            import_onnx(path)
        assert refused.value.diagnostics[0].code in ("CNN502", "CNN505")
    with pytest.raises(SpecError, match="no such file"):
        import_onnx(tmp_path / "none.onnx")


def test_a_broken_model_is_a_finding_and_nothing_else():
    graph = graph_of(STRUCTURES["blocks"])
    good = onnx_model(graph, engine_for(graph, dtype="float32").parameters).SerializeToString()
    chance = random.Random(3)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            as_spec(onnx.load_from_string(bytes(data)), "m.onnx")
        except SpecError as refused:
            assert refused.diagnostics[0].code.startswith("CNN50")
        except Exception as error:  # protobuf's own refusal, before any of our code runs
            assert type(error).__name__ == "DecodeError"


@pytest.mark.parametrize(
    "constant",
    [
        [node("ConstantOfShape", "s", out="k"), node("Add", "x", "k")],
        [node("Reshape", "a", "s1", out="r"), node("Reshape", "a", "s2", out="c"), node("Mul", "r", "c", out="k"),
         node("Add", "x", "k")],
    ],
)  # fmt: skip
def test_no_constant_grows_beyond_the_file(constant):
    arrays = {
        "s": np.array([1 << 20, 1 << 20]),
        "a": np.ones(1 << 15, "f4"),
        "s1": np.array([1, -1]),
        "s2": np.array([-1, 1]),
    }
    with pytest.raises(SpecError, match="makes a constant of"):
        as_spec(model_of(constant, arrays=arrays), "m.onnx")
