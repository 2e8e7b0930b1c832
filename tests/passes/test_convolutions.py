"""How each convolution is computed."""

from dataclasses import replace

import pytest
from oracles.graphs import after, ops
from oracles.nets import spec

from cnnspec.primitives.convolution.convolve import ConvolveFilterGradient, ConvolveInputGradient
from cnnspec.primitives.convolution.im2col import Im2col, Im2colFilterGradient


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


@pytest.mark.parametrize("text", ["3x7x8: dwconv 3x2", "3x7x8: conv 3x3x2 groups 3"])
def test_depthwise_kernels_have_their_own_way(text):
    made = ops(computed(text))
    assert "Im2col" not in made and {"Convolve", "ConvolveInputGradient", "ConvolveFilterGradient"} <= set(made)


def test_two_filters_a_channel_are_not_depthwise():
    assert "Im2col" in ops(computed("3x7x8: conv 6x3x2 groups 3"))


def test_many_channels_turn_the_kernel():
    assert "FlipKernel" in ops(computed("17x7x8: conv 4x3x2"))


def test_many_weights_on_few_pixels_are_not_copied():
    """Their gradient's products are made of the weights as they lie, and added up tap by tap."""
    made = [
        node.op for node in computed("64x2x2: conv 256x3x3 pad 1") if isinstance(node.op, ConvolveInputGradient)
    ]
    assert [op.by_taps for op in made] == [True]


@pytest.mark.parametrize("text", ["17x7x8: conv 4x1x1", "17x9: conv 4x1"])
def test_one_tap_is_multiplied_transposed_as_it_lies(text):
    assert "FlipKernel" not in ops(computed(text))


def at_once(text):
    kinds = Im2colFilterGradient, ConvolveFilterGradient
    graph = after(replace(spec(text), images=8), "lower_convolutions")
    return [node.op.at_once for node in graph if isinstance(node.op, kinds)]


@pytest.mark.parametrize(
    "text", ["128x2x2: conv 128x5x5 pad 2", "256x4x4: conv 256x1x1", "128x2x2: conv 128x3x3 groups 2 pad 1"]
)
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
        "17x7x8: conv 4x3x2 pad 3",  # there would be padding to take away
        "20x7x8: dwconv 3x2",
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
