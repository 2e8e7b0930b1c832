"""Constants beside layers: folded into the layer before, or a `scale`; onnxruntime says what they compute."""

from __future__ import annotations

import numpy as np
import pytest
from networks import engine_for, graph_of
from onnx_models import agrees, chain, model_of, node

from cnnspec.targets.onnx.export import onnx_model
from cnnspec.targets.onnx.importer import as_spec

CHANCE = np.random.default_rng(1)
W = CHANCE.normal(size=(4, 3, 3, 3)).astype("f4")
DEPTH = CHANCE.normal(size=(3, 1, 3, 3)).astype("f4")
UP = CHANCE.normal(size=(3, 2, 2, 2)).astype("f4")
DENSE = CHANCE.normal(size=(3, 5)).astype("f4")
ARRAYS = {
    "w": W, "depth": DEPTH, "up": UP, "m": DENSE, "b": np.arange(4, dtype="f4"),
    "one": np.float32(1), "tenth": np.float32(0.1), "byte": np.float32([255]), "mean": np.array(0.45, "f4"),
    "each3": np.array([0.5, -2, 3], "f4").reshape(3, 1, 1),
    "shift3": np.array([1, 2, -3], "f4").reshape(1, 3, 1, 1),
    "each4": np.array([0.5, -2, 3, 1], "f4").reshape(4, 1, 1),
    "shift4": np.array([1, 2, -3, 0], "f4").reshape(4, 1, 1),
    "flat5": np.array([1, 2, -3, 0, 4], "f4"), "same": np.full((1, 3, 8, 8), 0.25, "f4"),
}  # fmt: skip
ARRAYS |= {f"n{k}": (abs(CHANCE.normal(size=4)) + 0.5).astype("f4") for k in range(4)}
CONV = ("Conv", ["w"], {})
BIASED = ("Conv", ["w", "b"], {})


def step(kind, *others, **attributes):
    return kind, list(others), attributes


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([step("Div", "byte")], "scale"),
        ([step("Sub", "mean"), step("Div", "tenth")], "scale bias on"),
        ([step("Sub", "shift3"), step("Div", "each3"), CONV], "scale bias on -> conv 4x3x3 bias off"),
        ([step("Mul", "same")], "scale"),
        ([CONV, step("Mul", "tenth")], "conv 4x3x3 bias off"),
        ([BIASED, step("Mul", "tenth"), step("Relu")], "conv 4x3x3 -> relu"),
        ([BIASED, step("Mul", "each4")], "conv 4x3x3 -> scale"),
        ([CONV, step("Mul", "each4"), step("Add", "shift4"), step("Relu")], "conv 4x3x3 -> relu"),
        ([BIASED, step("Sub", "shift4"), step("Mul", "each4"), step("Add", "one")], "conv 4x3x3"),
        ([BIASED, step("Neg"), step("Add", "each4")], "conv 4x3x3"),
        ([CONV, step("Identity"), step("Cast", to=1), step("Add", "shift4")], "conv 4x3x3"),
        ([step("Conv", "depth", group=3), step("Mul", "each3"), step("Sub", "shift3")], "dwconv 3x3"),
        ([step("ConvTranspose", "up", strides=[2, 2]), step("Mul", "tenth"), step("Sub", "one")],
         "upconv 2x2x2 stride 2"),
        ([step("GlobalAveragePool"), step("Flatten"), step("MatMul", "m"), step("Mul", "tenth"),
          step("Add", "flat5")],
         "gap -> dense 5"),
        ([CONV, step("BatchNormalization", "n0", "n1", "n2", "n3"), step("Mul", "tenth"), step("Sub", "shift4")],
         "conv 4x3x3 bias off -> bn"),
        ([step("InstanceNormalization", "each", "each"), step("Mul", "tenth"), step("Add", "one")], "groupnorm 3"),
        ([step("Relu"), step("Mul", "tenth"), step("Add", "one"), step("Div", "tenth")], "relu -> scale bias on"),
        ([step("Mul", "one"), step("Sub", "zero"), step("Relu")], "relu"),
        ([step("Relu"), step("Div", "byte"), step("Mul", "byte")], "relu"),
    ],
)  # fmt: skip
def test_a_constant_has_its_place(nodes, text):
    arrays = {**ARRAYS, "each": np.array([0.5, -2, 3], "f4"), "zero": np.zeros((3, 1, 1), "f4")}
    used = {name for _, others, _ in nodes for name in others}
    model = model_of(chain(*nodes), arrays={name: array for name, array in arrays.items() if name in used})
    assert agrees(model).split("\n\n")[1].strip() == text


def residual(*nodes, **arrays):
    return agrees(model_of(nodes, arrays={"w": W, "tenth": np.float32(0.1), **arrays}))


def test_a_layer_that_others_read_keeps_its_weights():
    """Whether they read it directly, behind a Cast, or through another shape."""
    c = node("Conv", "x", "w", out="c")
    scaled = node("Mul", "c", "tenth", out="s")
    assert "scale" in residual(c, scaled, node("Add", "s", "c"))
    same = node("Identity", "c", out="i")
    assert "scale" in residual(c, same, node("Mul", "i", "tenth", out="s"), node("Add", "s", "i"))
    flat = node("Flatten", "c", out="f")
    assert "scale" in residual(c, flat, node("Mul", "f", "tenth", out="s"), node("Add", "s", "f"))
    assert "scale" not in residual(c, scaled, node("Add", "s", "s"))
    assert "scale" not in residual(c, scaled, node("Relu", "s", out="r"), node("Add", "r", "s"))


def test_a_constant_that_is_read_twice_is_used_twice():
    a = [node("Relu", "x", out="r"), node("Mul", "r", "tenth", out="s"), node("Add", "s", "k", out="t")]
    assert "scale bias on" in residual(*a, node("Mul", "t", "s"), k=np.float32(2))


def test_a_difference_of_two_values():
    assert "sub( id | conv 3x1x1 )" in residual(
        node("Conv", "x", "p", "q", out="c"), node("Sub", "x", "c"), p=W[:3, :, :1, :1], q=W[:3, 0, 0, 0]
    )
    assert "sub( relu | id )" in residual(node("Relu", "x", out="r"), node("Sub", "r", "x"))
    assert "sub( id | id )" in residual(node("Sub", "x", "x"))


def test_two_scales_that_share_one_constant_are_two():
    nodes = [
        node("Mul", "x", "a", out="p"), node("Add", "p", "k", out="q"), node("Relu", "q", out="r"),
        node("Mul", "r", "tenth", out="s"), node("Add", "s", "k"),
    ]  # fmt: skip
    assert residual(*nodes, a=np.float32(3), k=np.float32(2)).count("scale bias on") == 2


def test_batch_normalisation_written_out():
    """As Keras and Paddle write it: (x - mean) * (gamma / sqrt(var + eps)) + beta, of constants."""
    each = {
        name: CHANCE.uniform(0.5, 2, 4).astype("f4").reshape(4, 1, 1) for name in ("mean", "var", "gamma", "beta")
    }
    nodes = [
        node("Conv", "x", "w", out="c"), node("Add", "var", "eps", out="v"), node("Sqrt", "v", out="d"),
        node("Reciprocal", "d", out="r"), node("Mul", "r", "gamma", out="g"), node("Sub", "c", "mean", out="z"),
        node("Mul", "z", "g", out="s"), node("Add", "s", "beta", out="t"), node("Relu", "t"),
    ]  # fmt: skip
    text = residual(*nodes, eps=np.float32(1e-3), **each)
    assert text.split("\n\n")[1].strip() == "conv 4x3x3 -> relu"


def test_a_residual_branch_that_is_scaled():
    """x + 0.1 * f(x), of which the convolution takes the factor."""
    conv = node("Conv", "x", "p", out="c", pads=[1, 1, 1, 1])
    nodes = [conv, node("Mul", "c", "tenth", out="s"), node("Add", "x", "s")]
    assert "scale" not in residual(*nodes, p=W[:3])


def test_what_only_constants_make_is_computed():
    """Standardised filters; bounds, means and masks of constants."""
    nodes = [
        node("Reshape", "w", "rows", out="f"),
        node("BatchNormalization", "f", *["e"] * 2, *["z"] * 2, out=["g", "m", "v"], training_mode=1),
        node("Reshape", "g", "back", out="h"), node("ReduceMean", "h", "axes", out="mu"),
        node("Max", "mu", "tenth", out="up"), node("Expand", "up", "four", out="wide"),
        node("Clip", "h", "", "one", out="low"), node("Where", "yes", "low", "wide", out="k"),
        node("Conv", "x", "k"),
    ]  # fmt: skip
    arrays = {
        "rows": np.array([1, 4, 27]), "back": np.array([4, 3, 3, 3]), "axes": np.array([1, 2, 3]),
        "e": np.ones(4, "f4"), "z": np.zeros(4, "f4"), "four": np.array([4, 3, 3, 3]), "one": np.float32(1),
        "yes": CHANCE.random((4, 3, 3, 3)) < 0.7,
    }  # fmt: skip
    assert residual(*nodes, **arrays).split("\n\n")[1].strip() == "conv 4x3x3 bias off"


def test_our_own_scales_come_back_as_they_are():
    graph = graph_of(
        "input 3x4x4\nconv 4x3x3 -> scale bias on -> bn -> scale init 0.1 -> scale -> scale bias on -> relu"
    )
    back = graph_of(as_spec(onnx_model(graph, engine_for(graph, dtype="float32").parameters), "net.onnx").text)
    assert [node.op for node in back] == [node.op for node in graph]


# ---- channels last -----------------------------------------------------------------------------------------


FIRST, LAST = {"perm": [0, 3, 1, 2]}, {"perm": [0, 2, 3, 1]}


def last(*nodes, shape=("n", 6, 5, 3), outputs=(), **arrays):
    return agrees(model_of(chain(*nodes), shape=shape, arrays=arrays), first=("x",), last=outputs)


def test_channels_last_outside_and_first_inside():
    text = last(step("Transpose", **FIRST), CONV, step("Transpose", **LAST), outputs=("y",), w=W)
    assert text.startswith(
        "# from m.onnx; the input x is (n, h, w, c) in the model; the output y is (n, h, w, c) in the model\n"
    )
    assert "input 3x6x5" in text and "conv 4x3x3" in text


def test_scaled_before_it_is_turned():
    text = last(step("Div", "k"), step("Cast", to=1), step("Sub", "m"), step("Transpose", **FIRST), CONV,
                step("Relu"), k=np.float32(255), m=np.array([0.1, 0.2, 0.3], "f4"), w=W)  # fmt: skip
    assert "scale bias on -> conv" in text


def test_one_channel_that_is_reshaped():
    text = last(
        step("Reshape", "s"), step("Conv", "k"), shape=("n", 6, 5, 1), s=np.array([-1, 1, 6, 5]), k=W[:, :1]
    )
    assert "input 1x6x5" in text


def test_pixels_in_a_row_reorder_the_columns_of_a_dense_layer():
    dense = CHANCE.normal(size=(4 * 3 * 4, 7)).astype("f4")
    row = (step("Reshape", "s"), step("Relu"), step("Dropout"), step("MatMul", "d"), step("Add", "b"))
    text = last(step("Transpose", **FIRST), CONV, step("Transpose", **LAST), *row,
                w=W, s=np.array([-1, 48]), d=dense, b=np.arange(7, dtype="f4"))  # fmt: skip
    assert text.split("\n\n")[1].strip() == "conv 4x3x3 bias off -> relu -> dropout -> dense 7"


def test_pools_and_softmax_along_the_last_axis():
    text = last(step("Transpose", **FIRST), CONV, step("Transpose", **LAST), step("ReduceMean", "a", keepdims=0),
                step("Softmax", axis=-1), w=W, a=np.array([1, 2]))  # fmt: skip
    assert text.split("\n\n")[1].strip() == "conv 4x3x3 bias off -> gap -> softmax"


@pytest.mark.parametrize(("after", "first"), [("Conv", True), ("LayerNormalization", False)])
def test_a_sequence_is_turned_where_a_window_follows(after, first):
    arrays = {"w": W[:, :, :, 0]} if first else {"w": np.ones(3, "f4")}
    nodes = chain(step("Transpose", perm=[0, 2, 1]), step(after, "w"))
    shape = ("n", 9, 3) if first else ("n", 3, 9)
    model = model_of(nodes, shape=shape, arrays=arrays)
    assert "input 3x9" in agrees(model, first=("x",) if first else (), last=() if first else ("y",))


def test_numbers_in_an_order_of_their_own_are_put_in_order():
    row = [step("Transpose", **FIRST), CONV, step("Transpose", **LAST), step("Flatten"), step("Softmax", axis=-1)]
    model = model_of(chain(*row), shape=("n", 6, 5, 3), arrays={"w": W})
    assert "shuffle" in agrees(model, first=("x",))


# ---- older opsets ------------------------------------------------------------------------------------------


def test_opset_6_says_where_the_axes_of_a_constant_go():
    nodes = [
        node("Conv", "x", "w", out="c"), node("Add", "c", "b", out="d", broadcast=1, axis=1),
        node("Relu", "d", out="r"), node("Mul", "r", "k", broadcast=1, axis=1),
    ]  # fmt: skip
    arrays = {"w": W, "b": np.arange(4, dtype="f4"), "k": np.arange(1, 5, dtype="f4")}
    back = as_spec(model_of(nodes, arrays=arrays, opset=6), "m.onnx")
    assert back.text.split("\n\n")[1].strip() == "conv 4x3x3 -> relu -> scale"
    np.testing.assert_array_equal(back.weights["scale1.weight"], arrays["k"])
    np.testing.assert_array_equal(back.weights["conv1.bias"], arrays["b"])


@pytest.mark.parametrize("slope", [(1,), (3, 1, 1), (1, 3, 1, 1), (1, 1, 1)])
def test_slopes_of_prelu(slope):
    model = model_of(
        [node("PRelu", "x", "s")], arrays={"s": np.linspace(0.1, 0.4, np.prod(slope), dtype="f4").reshape(slope)}
    )
    assert "prelu" in agrees(model)


# ---- what depends on the batch or on the stride ------------------------------------------------------------


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (1, 3), (2, 3), (3, 2), (4, 2), (3, 3)])
def test_a_transposed_convolution_of_the_same_size(kernel, stride, auto):
    """Of a kernel below its stride nothing is cut off, and then it is not quite that size."""
    up = CHANCE.normal(size=(3, 2, kernel, kernel)).astype("f4")
    nodes = [node("ConvTranspose", "x", "up", auto_pad=auto, strides=[stride, stride])]
    agrees(model_of(nodes, arrays={"up": up}, shape=("n", 3, 5, 4)))


@pytest.mark.parametrize(("kernel", "size"), [(1, [10, 8]), (2, [11, 8]), (3, [11, 9]), (3, [10, 8])])
def test_a_transposed_convolution_of_a_size_of_its_own(kernel, size):
    up = CHANCE.normal(size=(3, 2, kernel, kernel)).astype("f4")
    nodes = [node("ConvTranspose", "x", "up", strides=[2, 2], output_shape=size)]
    agrees(model_of(nodes, arrays={"up": up}, shape=("n", 3, 5, 4)))


def test_sizes_with_the_batch_in_them():
    """Computed from the model's own batch, or fixed where that is; another number of images is refused."""
    size = [
        node("Shape", "x", out="s"), node("Slice", "s", "zero", "one", out="n"),
        node("Concat", "n", "rest", out="t", axis=0), node("Resize", "x", "", "", "t", mode="linear"),
    ]  # fmt: skip
    arrays = {"zero": np.array([0]), "one": np.array([1]), "rest": np.array([3, 11, 5])}
    assert "resize 11x5" in agrees(model_of(size, arrays=arrays))
    fixed, arrays = [node("Resize", "x", "", "", "t", mode="linear")], {"t": np.array([2, 3, 11, 5])}
    assert "resize 11x5" in agrees(model_of(fixed, arrays=arrays, shape=(2, 3, 8, 8)))
    with pytest.raises(Exception, match="changes the number of images"):
        as_spec(model_of(fixed, arrays=arrays), "m.onnx")


@pytest.mark.parametrize(
    "nodes",
    [
        [step("Clip", "low", "high")], [step("Clip", "", "high")], [step("Clip", "low")],
        [step("HardSigmoid")], [step("HardSigmoid", alpha=0.5, beta=0.6)], [step("HardSigmoid", alpha=1 / 6)],
        [step("Pad", "sides", mode="reflect")], [step("Pad", "sides", mode="edge")],
        [step("Pad", "sides"), step("MaxPool", kernel_shape=[2, 2], pads=[1, 0, 0, 1])],
        [step("Pad", "sides"), step("AveragePool", kernel_shape=[3, 3], pads=[2, 0, 0, 1], strides=[2, 2])],
        [step("Pad", "sides"), step("Conv", "w", pads=[1, 0, 2, 0])],
    ],
)  # fmt: skip
def test_bounds_slopes_and_sides(nodes):
    arrays = {"low": np.float32(-0.3), "high": np.float32(0.4), "w": W, "sides": np.array([0, 0, 1, 0, 0, 0, 2, 3])}
    used = {name for _, others, _ in nodes for name in others}
    agrees(model_of(chain(*nodes), arrays={name: array for name, array in arrays.items() if name in used}))


def test_a_pixel_that_is_expanded_before_a_gate():
    """As ECA writes it; for others than a product it fills the image."""
    gate = [
        node("GlobalAveragePool", "x", out="p"), node("Sigmoid", "p", out="g"), node("Expand", "g", "s", out="e"),
        node("Mul", "x", "e", out="m"),
    ]  # fmt: skip
    arrays = {"s": np.array([1, 3, 8, 8])}
    text = agrees(model_of([*gate, node("Relu", "m")], arrays=arrays))
    assert "mul(" in text and "resize" not in text
    assert "resize 8x8" in agrees(model_of([*gate[:3], node("Relu", "e")], arrays=arrays))
    maps = model_of([node("Expand", "x", "t")], arrays={"t": np.array([1, 3, 8, 8])}, shape=("n", 1, 8, 8))
    assert "reshape 1x1x64 -> resize 3x64 -> reshape 3x8x8" in agrees(maps)


@pytest.mark.parametrize("last_axis", [True, False])
def test_bytes_that_the_model_makes_floats_of(last_axis):
    """The input holds the same numbers, as floats; a note says so."""
    onnx = pytest.importorskip("onnx")
    turned = [step("Transpose", **FIRST)] if last_axis else []
    shape = ("n", 6, 5, 3) if last_axis else ("n", 3, 6, 5)
    model = model_of(chain(step("Cast", to=1), step("Div", "byte"), *turned, CONV), shape=shape,
                     arrays={"byte": np.float32(255), "w": W})  # fmt: skip
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    text = as_spec(model, "m.onnx").text
    assert "the input x holds bytes in the model, floats here" in text
    assert "input 3x6x5" in text and "scale -> conv 4x3x3 bias off" in text
    del model.graph.node[:]
    model.graph.node.append(node("Identity", "x"))
    with pytest.raises(Exception, match="CNN505"):
        as_spec(model, "m.onnx")


def test_all_images_of_a_model_for_a_batch_of_its_own():
    arrays = {"a": np.array([0, 1]), "b": np.array([2, 3])}
    assert "take 2 start 1" in agrees(model_of([node("Slice", "x", "a", "b")], arrays=arrays, shape=(2, 3, 8, 8)))


def test_a_window_over_the_channels():
    """Efficient channel attention: the means in a row, a convolution along them, a gate of each channel."""
    nodes = [
        node("GlobalAveragePool", "x", out="p"), node("Reshape", "p", "row", out="r"),
        node("Conv", "r", "k", out="c", pads=[1, 1]),
        node("Sigmoid", "c", out="g"), node("Reshape", "g", "column", out="h"),
        node("Expand", "h", "whole", out="e"),
        node("Mul", "x", "e"),
    ]  # fmt: skip
    arrays = {
        "row": np.array([-1, 1, 3]), "column": np.array([-1, 3, 1, 1]), "whole": np.array([1, 3, 8, 8]),
        "k": CHANCE.normal(size=(1, 1, 3)).astype("f4"),
    }  # fmt: skip
    assert "conv 1x3 pad 1 bias off" in agrees(model_of(nodes, arrays=arrays))
