"""Transformed inputs and derivatives of activations are computed once in a step, and only for gradients."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged
from oracles.nets import spec

from cnnspec.codegen.program import generate
from cnnspec.ir import data
from cnnspec.ir.geometry import Geometry
from cnnspec.ir.verify import verify
from cnnspec.kernels.winograd_1d import Band, see
from cnnspec.passes import INFERENCE, MEASURE, TRAINING, run
from cnnspec.primitives.activation import ActivationAndDerivative, ActivationGradient
from cnnspec.primitives.convolution.polyphase import ToPolyphase, as_polyphase
from cnnspec.primitives.convolution.winograd_1d import (
    WinogradConvolve,
    WinogradConvolveGradient,
    invert_input,
    transform_input,
)
from cnnspec.primitives.convolution.winograd_2d import (
    Winograd2dConvolve,
    Winograd2dConvolveGradient,
    invert_input_2d,
    transform_input_2d,
)
from cnnspec.primitives.norm import BatchNorm

NET = "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 16x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 -> gap"
SQUARES = NET.replace("16x", "32x")
TWO_READERS = "16x8x8: relu -> concat( conv 16x3x3 pad 1 | conv 16x3x3 pad 1 ) -> gap"


def nodes(text, passes=TRAINING, images=64):
    words = spec(text, everywhere=False)
    graph = run(replace(words if passes is INFERENCE else judged(words), images=images), passes, check=verify)
    forward = [node for node in graph if isinstance(node.op, WinogradConvolve)]
    backward = [node for node in graph if isinstance(node.op, WinogradConvolveGradient)]
    return forward, backward


@pytest.mark.usefixtures("winograd_everywhere")
@pytest.mark.parametrize(("text", "count"), [(NET, 3), (SQUARES, 3), (TWO_READERS, 2)])
def test_each_gradient_reads_what_its_convolution_kept(text, count):
    forward, backward = nodes(text)
    assert len(forward) == len(backward) == count
    assert all(node.op.keep and "transformed" in node.extras for node in forward)
    assert all(node.op.saved for node in backward)
    assert {node.inputs[1] for node in backward} == {f"{node.name}:transformed" for node in forward}
    weights = {node.name: node.inputs[1] for node in forward}
    assert all(weights[node.inputs[1].partition(":")[0]] == node.inputs[2] for node in backward)


def test_what_a_normalisation_made_lasts_no_longer_than_its_readers_on_the_way_forward():
    """Its relu is kept as bools, its transformed by the convolution: the way back reads neither value nor input."""
    graph = run(replace(judged(spec(NET, everywhere=False)), images=64), TRAINING, check=verify)
    (norm,) = (node for node in graph if isinstance(node.op, BatchNorm))
    assert [type(reader.op) for reader in graph.readers()[norm.name]] == [WinogradConvolve]
    (mask,) = graph.readers()[f"{norm.name}:relu_mask"]
    assert isinstance(mask.op, WinogradConvolveGradient) and mask.op.sums is not None
    buffers = {buffer.name: buffer for buffer in generate(graph, 64, 64, "float32").buffers}
    value, mask_buffer = buffers["relu1"], buffers["relu1_relu_mask"]
    assert mask_buffer.bytes * 4 == value.bytes and value.last < mask_buffer.last


@pytest.mark.parametrize("passes", [INFERENCE, MEASURE])
def test_without_a_gradient_nothing_is_kept(passes):
    forward, backward = nodes(NET, passes)
    assert forward and not backward
    assert not any(node.op.keep or "transformed" in node.extras for node in forward)


@pytest.mark.parametrize("pad", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 1), (1, 1)), ((0, 2), (0, 0))])
def test_the_kernel_s_planes_are_those_of_the_definition(pad):
    rng = np.random.default_rng(3)
    width = 8 if pad[1][0] else 10  # without padding a tile reaches into the next one
    x = rng.normal(size=(5, 3, 6, width))
    geometry = Geometry((3, 3), pad=pad)
    tiles = -(-geometry.out(6, width)[1] // 4)
    length = tiles * 5
    rows = np.ascontiguousarray(as_polyphase(x).transpose(2, 3, 1, 4, 0)).reshape(6, 4, 3, -1)
    height = 6 + sum(pad[0])
    band = Band(np.full((6, height * 3 * length), np.nan), 3, length)
    see(rows, band, height, 0, pad, 2, 5, None if pad[1][0] else np.full((2, 6, 3, length), np.nan))
    expected = transform_input(x, geometry, tiles).transpose(2, 3, 1, 4, 0).reshape(6, height, 3, -1)
    np.testing.assert_allclose(band.rows, expected, rtol=1e-13, atol=1e-13)
    again = invert_input(transform_input(x, geometry, tiles), geometry, ToPolyphase().type(data(3, 6, width)))
    seen = 4 * tiles if pad[1][0] == 0 else width
    np.testing.assert_allclose(again[..., : seen // 4], as_polyphase(x)[..., : seen // 4], rtol=1e-12, atol=1e-12)


def test_squares_keep_the_planes_of_squares():
    forward, backward = nodes(SQUARES)
    assert all(isinstance(node.op, Winograd2dConvolve) for node in forward)
    assert all(isinstance(node.op, Winograd2dConvolveGradient) for node in backward)
    assert forward[0].extras["transformed"].shape == (32, 2, 36, 2)


@pytest.mark.parametrize("pad", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 1), (1, 1)), ((0, 2), (0, 0))])
def test_an_image_is_seen_in_the_planes_of_its_squares(pad):
    geometry = Geometry((3, 3), pad=pad)
    x = np.random.default_rng(3).normal(size=(2, 3, 9, 8 if pad[1][0] else 10))
    transformed = transform_input_2d(x, geometry)
    np.testing.assert_allclose(invert_input_2d(transformed, geometry, *x.shape[2:]), x, rtol=1e-12, atol=1e-12)


def derivatives(text, passes=TRAINING):
    """For each activation of a graph whether it saves its derivative, for each gradient whether it reads one."""
    words = spec(text, everywhere=False)
    graph = run(words if passes is INFERENCE else judged(words), passes, check=verify)
    saving = [node.name for node in graph if isinstance(node.op, ActivationAndDerivative)]
    reading = [node.inputs[1] for node in graph if isinstance(node.op, ActivationGradient) and node.op.saved]
    return saving, reading


@pytest.mark.parametrize("word", ["gelu", "gelu form tanh", "swish", "hardswish", "mish"])
def test_the_derivative_is_made_with_the_value_where_it_is_a_formula_of_the_input(word):
    saving, reading = derivatives(f"3x6x6: conv 4x3x3 -> {word} -> gap -> dense 2")
    assert len(saving) == 1 and reading == [f"{saving[0]}:derivative"]


def test_two_readers_of_an_activation_share_its_derivative():
    saving, reading = derivatives("3x6x6: conv 4x3x3 -> swish -> mul( id | gap -> dense 4 -> sigmoid ) -> gap")
    assert len(saving) == len(reading) == 1


@pytest.mark.parametrize(
    "text",
    [
        "3x6x6: conv 4x3x3 -> relu -> gap",  # a formula of the output, which lasts anyway
        "3x6x6: conv 4x3x3 -> sigmoid -> gap",
        "3x6x6: gelu -> conv 4x3x3 -> gap",  # nothing before it learns
    ],
)
def test_other_derivatives_are_not_saved(text):
    assert derivatives(text) == ([], [])


@pytest.mark.parametrize("passes", [INFERENCE, MEASURE])
def test_without_a_gradient_no_derivative_is_made(passes):
    assert derivatives("3x6x6: conv 4x3x3 -> gelu -> gap -> dense 2", passes) == ([], [])


def test_the_input_lasts_no_longer_than_the_activation():
    """The derivative takes its place: a training step holds no more for it."""
    graph = run(judged(spec("3x6x6: conv 4x3x3 -> gelu -> conv 4x3x3 -> gelu -> gap", everywhere=False)), TRAINING)
    readers = graph.readers()
    gates = [node for node in graph if isinstance(node.op, ActivationAndDerivative)]
    assert len(gates) == 2
    for node in gates:
        assert [reader.name for reader in readers[node.inputs[0]]] == [node.name]
