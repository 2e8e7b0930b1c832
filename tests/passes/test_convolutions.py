"""How each convolution is computed."""

import pytest
from oracles.graphs import after, ops
from oracles.nets import spec

from cnnspec.primitives.convolution.columns import Columns


def computed(text):
    return after(spec(text), "lower_convolutions")


def test_the_product_and_the_filters_gradient_share_the_widened_input():
    graph = computed("3x7x8: conv 4x3x2")
    wide = [node.name for node in graph if isinstance(node.op, Columns)]
    assert len(wide) == 1
    assert sum(wide[0] in node.inputs for node in graph) == 2


def test_one_tap_needs_no_columns():
    """The columns of a 1x1 kernel are the image itself."""
    assert "Columns" not in ops(computed("3x7x8: conv 4x1x1"))


def test_one_tap_with_a_stride_has_columns():
    assert "Columns" in ops(computed("3x7x8: conv 4x1x1 stride 2"))


@pytest.mark.parametrize("text", ["3x7x8: dwconv 3x2", "3x7x8: conv 3x3x2 groups 3"])
def test_depthwise_kernels_have_their_own_way(text):
    made = ops(computed(text))
    assert "Columns" not in made and {"Convolve", "ConvolveInputGradient", "ConvolveFilterGradient"} <= set(made)


def test_two_filters_a_channel_are_not_depthwise():
    assert "Columns" in ops(computed("3x7x8: conv 6x3x2 groups 3"))


def test_many_channels_turn_the_kernel():
    assert "FlipKernel" in ops(computed("17x7x8: conv 4x3x2"))


@pytest.mark.parametrize(
    "text",
    [
        "17x7x8: conv 4x3x2 stride 2",  # its gradient falls on some pixels only
        "3x7x8: conv 4x3x2",  # a product of few rows is slow
        "17x7x8: conv 4x3x2 pad 3",  # there would be padding to take away
        "20x7x8: dwconv 3x2",
    ],
)
def test_others_spread_their_gradient(text):
    made = ops(computed(text))
    assert "FlipKernel" not in made and "ConvolveInputGradient" in made


def test_readers_of_one_value_with_one_geometry_share_columns():
    made = ops(computed("3x7x8: concat( conv 4x3x2 | conv 5x3x2 )"))
    assert made.count("Columns") == 1


def test_other_geometries_have_columns_of_their_own():
    made = ops(computed("3x7x8: concat( conv 4x3x2 | conv 5x3x4 pad 0x1 )"))
    assert made.count("Columns") == 2
