"""How each convolution is computed."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import after, judged, ops
from oracles.nets import spec
from oracles.trial import Trial

from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, MEASURE, TRAINING, methods, run
from cnnspec.primitives.bands import AllGather
from cnnspec.primitives.convolution.convolve import ConvolveFilterGradient, ConvolveInputGradient
from cnnspec.primitives.convolution.depthwise_bands import DepthwiseByBands
from cnnspec.primitives.convolution.im2col import Im2col, Im2colFilterGradient
from cnnspec.primitives.convolution.taps import ConvolveByTap
from cnnspec.words.costs import Mse


def computed(text):
    return after(spec(text), "lower_convolutions")


def test_the_product_and_the_filters_gradient_share_the_widened_input():
    graph = computed("3x7x8: conv 4x3x2 stride 2")
    wide = [node.name for node in graph if isinstance(node.op, Im2col)]
    assert len(wide) == 1
    assert sum(wide[0] in node.inputs for node in graph) == 2


def test_one_tap_needs_no_columns():
    """The columns of a 1x1 kernel are the image itself."""
    assert "Im2col" not in ops(computed("3x7x8: conv 4x1x1"))


def test_one_tap_with_a_stride_has_columns():
    assert "Im2col" in ops(computed("3x7x8: conv 4x1x1 stride 2"))


@pytest.mark.parametrize("text", ["3x37x38: dwconv 3x2", "3x37x38: conv 3x3x2 groups 3"])
def test_depthwise_kernels_have_their_own_way(text):
    made = ops(computed(text))
    assert "Im2col" not in made and made.count("DepthwiseByBands") == 2 and "ConvolveFilterGradient" in made


@pytest.mark.parametrize(
    "layers, moved",
    [
        ("conv 64x1x1 -> relu6 -> dwconv 3x3 stride 2 pad 1", True),
        ("conv 64x1x1 -> relu6 -> dwconv 3x3 stride 1x2 pad 1", True),
        ("conv 32x1x1 -> relu6 -> dwconv 3x3 stride 2 pad 1", False),  # as many channels as before
        ("conv 64x1x1 -> relu6 -> dwconv 3x3 stride 3 pad 1", False),  # does not divide the columns
        ("conv 64x3x3 pad 1 -> relu6 -> dwconv 3x3 stride 2 pad 1", False),  # sees more than a pixel
        ("conv 64x1x1 -> concat( dwconv 3x3 stride 2 pad 1 | maxpool 2 )", False),  # has another reader
    ],
)
def test_a_strided_depthwise_layer_gets_columns_by_phase_where_an_image_has_fewer_channels(layers, moved):
    words = spec(f"32x16x16: {layers}", everywhere=False)
    graph = run(replace(words, images=2), INFERENCE, check=verify)
    assert ("ColumnsByPhase" in ops(graph)) == moved
    assert [node.op.by_phase for node in graph if isinstance(node.op, DepthwiseByBands)] == [moved]
    trial = Trial(words, Mse(), batch=2, record=False)
    (answer,), shown = (trial.engine.forward(trial.inputs, mode) for mode in ("infer", "show"))
    np.testing.assert_allclose(answer, shown[-1], rtol=0, atol=1e-12)


def test_two_filters_a_channel_are_not_depthwise():
    assert "Im2col" in ops(computed("3x7x8: conv 6x3x2 groups 3"))


def test_many_channels_turn_the_kernel():
    assert "FlipKernel" in ops(computed("17x7x8: conv 4x3x2"))


def test_many_weights_on_few_pixels_are_not_copied():
    """Their gradient's products are made of the weights as they lie, and added up tap by tap."""
    graph = run(replace(judged(spec("512x2x2: conv 512x3x3 pad 1 groups 2")), images=8), TRAINING)
    made = [node.op for node in graph if isinstance(node.op, ConvolveInputGradient)]
    assert [op.by_taps for op in made] == [True]


BY_TAP = {"ConvolveByTap", "InputGradientByTap", "FilterGradientByTap"}


@pytest.mark.parametrize(
    "text",
    [
        "512x2x2: conv 512x3x3 pad 1",
        "128x2x2: conv 128x5x5 pad 2",  # of 25 taps 16 meet anything
        "512x4x4: conv 512x3x3 pad 1 stride 2",
        "256x4x4: conv 256x3x3 pad 3 dilate 3",
        "256x2: conv 256x5 pad 2",
    ],
)
def test_of_images_hardly_larger_than_the_kernel_the_padding_is_not_multiplied(text):
    made = run(replace(judged(spec(text)), images=8), TRAINING)
    assert set(ops(made)) >= BY_TAP and not {"Im2col", "FlipKernel"} & set(ops(made))
    (layer,) = (node for node in made if isinstance(node.op, ConvolveByTap))
    assert layer.why.startswith("by a product for each tap: of what the taps look at ")


@pytest.mark.parametrize(
    "text, images",
    [
        ("512x2x2: conv 512x3x3 pad 1 groups 2", 8),
        ("256x8x8: conv 256x3x3 pad 1", 8),
        ("512x2x2: conv 512x1x1", 8),
        ("4x2x2: conv 4x3x3 pad 1", 8),  # calls would take longer
        ("512x2x2: conv 512x3x3 pad 1", 1),  # workers share the rows or filters of one image
    ],
)
def test_others_have_columns_or_squares(text, images):
    words = replace(spec(text), images=images)
    made = run(words, INFERENCE) if images == 1 else run(replace(judged(words), images=images), TRAINING)
    assert not set(ops(made)) & BY_TAP


@pytest.mark.parametrize("text", ["130x2x2: conv 131x3x3 pad 1", "130x2: conv 600x7 pad 3"])
def test_of_few_pixels_shards_make_filters_together(text):
    """Uneven shards of odd filters: the gradient is that of one shard."""
    words = spec(text, everywhere=False)
    made = {shards: Trial(words, Mse(), batch=9, shards=shards, dtype="float64") for shards in (1, 2, 4)}
    plans = {shards: trial.engine.plan("train", 9).source for shards, trial in made.items()}
    assert "filter_gradient_by_tap" in plans[1]
    assert "_of_mine" not in plans[1] and "_of_mine" in plans[2] and "_of_mine" in plans[4]
    alone, *shared = (trial.engine.differentiate(trial.arrays)[1] for trial in made.values())
    for gradients in shared:
        for name, gradient in alone.items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.parametrize("text", ["17x7x8: conv 4x1x1", "17x9: conv 4x1"])
def test_one_tap_is_multiplied_transposed_as_it_lies(text):
    assert "FlipKernel" not in ops(computed(text))


def at_once(text):
    kinds = Im2colFilterGradient, ConvolveFilterGradient
    graph = after(replace(spec(text), images=8), "lower_convolutions")
    return [node.op.at_once for node in graph if isinstance(node.op, kinds)]


@pytest.mark.parametrize("text", ["256x4x4: conv 256x1x1", "128x2x2: conv 128x3x3 groups 2 pad 1"])
def test_the_filters_gradient_of_many_weights_on_few_pixels_is_made_at_once(text):
    assert at_once(text) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "4x16x16: conv 4x5x5 pad 2",  # small products are added up in the cache
        "4x16x16: conv 4x1x1",
        "64x2x2: dwconv 3x3 pad 1",  # has its own way
    ],
)
def test_others_are_made_row_by_row(text):
    assert at_once(text) == [False]


@pytest.mark.parametrize(
    "text",
    [
        "17x7x8: conv 4x3x2 stride 2",  # its gradient falls on some pixels only
        "3x128x128: conv 4x3x2",  # a product of few rows is slow
        "17x27x8: conv 4x3x2 pad 3x0",  # there would be padding to take away
        "20x7x8: dwconv 3x2 stride 2",
    ],
)
def test_others_spread_their_gradient(text):
    made = ops(computed(text))
    assert "FlipKernel" not in made and "ConvolveInputGradient" in made


def test_readers_of_one_value_with_one_geometry_share_columns():
    made = ops(computed("3x7x8: concat( conv 4x3x2 stride 2 | conv 5x3x2 stride 2 )"))
    assert made.count("Im2col") == 1


def test_other_geometries_have_columns_of_their_own():
    made = ops(computed("3x7x8: concat( conv 4x3x2 stride 2 | conv 5x3x4 pad 0x1 stride 2 )"))
    assert made.count("Im2col") == 2


FEW = ("64x7x7: conv 512x3x3 pad 1 stride 1x2", "400x5x7: conv 100x1x1", "70x6x14: conv 80x5x5 stride 2 pad 2")


@pytest.mark.parametrize("text", FEW)
def test_rows_of_few_pixels_are_made_by_one_product(text):
    words = spec(text, everywhere=False)
    for images, count in ((1, 1), (2, 0)):
        graph = run(replace(words, images=images), INFERENCE, check=verify)
        assert sum(bool(getattr(node.op, "at_once", 0)) for node in graph) == count
    trial = Trial(words, Mse(), batch=1, dtype="float64")
    assert "_beside" in trial.engine.plan("infer", 1).source
    (one,) = (array.copy() for array in trial.engine.forward(trial.inputs))
    (several,) = trial.engine.forward({name: np.repeat(x, 2, axis=0) for name, x in trial.inputs.items()})
    np.testing.assert_allclose(several, np.repeat(one, 2, axis=0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("text", ["80x5x3: conv 400x4x2", "900x2x3: conv 600x1x1"])
def test_rows_of_a_few_images_too(text):
    """In training as well, where shards have few images: what the others make row by row."""
    words = spec(text, everywhere=False)
    made = {shards: Trial(words, Mse(), batch=9, shards=shards, dtype="float64") for shards in (1, 3)}
    plans = {shards: trial.engine.plan("train", 9).source for shards, trial in made.items()}
    assert "_beside" in plans[3] and "_beside" not in plans[1]
    (_, rows), (_, once) = (trial.engine.differentiate(trial.arrays)[:2] for trial in made.values())
    for name, gradient in rows.items():
        np.testing.assert_allclose(once[name], gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())


def test_not_where_rows_are_long_enough_or_there_is_little_to_do():
    for text in (
        "16x7x7: conv 16x3x3 pad 1",
        "64x28x28: conv 64x3x3 pad 1",
        "64x1x7: conv 512x1x9 pad 0x4",
        "64x49: conv 512x3",
    ):
        graph = run(replace(spec(text, everywhere=False), images=1), INFERENCE, check=verify)
        assert not any(getattr(node.op, "at_once", False) for node in graph), text


def test_no_band_makes_some_of_the_rows_of_one_product():
    """They would be other products, with other bits."""
    words = spec("64x6x6: conv 250x5x5 pad 2 -> relu -> gap", everywhere=False)
    graph = run(replace(words, images=1, band=(1, 2)), INFERENCE, check=verify)
    assert not any(isinstance(node.op, AllGather) for node in graph)


PHASES = ("ConvolvePhases", "SpreadPhases", "PhasesFilterGradient", "FilterComponents", "SmallComponents")


@pytest.mark.parametrize(
    "text, forward",
    [
        ("64x16x16: conv 128x4x4 stride 2 pad 1", "LargeComponents"),
        ("128x8x8: upconv 64x4x4 stride 2 pad 1", "SmallComponents"),
    ],
)
def test_kernels_of_4x4_with_stride_2_go_in_phases(text, forward):
    """All three products, from components that are made once."""
    words = replace(spec(text), images=8)
    made = ops(run(judged(words), TRAINING))
    assert [made.count(name) for name in PHASES] == [1] * 5 and made.count("LargeComponents") == 1
    for graph in (run(words, INFERENCE), run(judged(words), MEASURE)):
        assert {name for name in ops(graph) if name.endswith("Components")} == {forward, "FilterComponents"}


@pytest.mark.parametrize(
    "text",
    [
        "64x16x16: conv 128x4x4 stride 2 pad 0",
        "64x16x16: conv 128x4x4 stride 2 pad 1x2",
        "64x16x16: conv 128x3x4 stride 2 pad 1",
        "64x16x16: conv 128x4x4 pad 1",
        "64x14x16: conv 128x4x4 stride 2 pad 1",  # seven rows are not pairs
        "64x16x16: conv 128x4x4 stride 2 pad 1 groups 2",
        "3x16x16: conv 8x4x4 stride 2 pad 1",  # little to multiply
    ],
)
def test_others_do_not(text):
    words = replace(spec(text), images=8)
    for made in (run(judged(words), TRAINING), run(words, INFERENCE)):
        assert not {*PHASES, "LargeComponents"} & set(ops(made))


def test_nor_does_one_image():
    graph = replace(spec("64x16x16: conv 128x4x4 stride 2 pad 1"), images=1)
    assert "ConvolvePhases" not in ops(run(graph, INFERENCE))


@pytest.mark.parametrize("text", ["6x12x8: conv 5x4x4 stride 2 pad 1", "6x6x4: upconv 5x4x4 stride 2 pad 1"])
@pytest.mark.parametrize("dtype, limit", [("float32", 3e-6), ("float64", 1e-14)])
def test_phases_have_the_numbers_of_im2col(text, dtype, limit, monkeypatch):
    words = spec(text, everywhere=False)
    found = []
    for seconds in (1.0, -1.0):
        monkeypatch.setattr(methods.seconds, "WINOGRAD_PHASES", (0.0, 0.0, seconds))
        trial = Trial(words, Mse(), batch=6, shards=2, dtype=dtype)
        plan = trial.engine.plan("train", 6).source
        assert ("_components" in plan) == (seconds < 0)
        gradients = trial.engine.differentiate(trial.arrays)[0:2]
        found.append((trial.engine.forward(trial.inputs)[0].copy(), gradients[1]))
    (y, exact), (made, ours) = found
    np.testing.assert_allclose(made, y, rtol=0, atol=limit * np.abs(y).max())
    for name, gradient in exact.items():
        np.testing.assert_allclose(ours[name], gradient, rtol=0, atol=limit * np.abs(gradient).max())
