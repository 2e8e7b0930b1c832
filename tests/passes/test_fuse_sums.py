"""Batch normalisation's moments and sums are taken where rows are made, and only there."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged
from oracles.nets import spec

from cnnspec.ir.verify import verify
from cnnspec.lang.lowering.costs import implied
from cnnspec.passes import TRAINING, run
from cnnspec.primitives.convolution.pointwise import PointwiseNormGradient, PointwiseNormSums
from cnnspec.primitives.convolution.winograd_1d import WinogradConvolve, WinogradConvolveGradient
from cnnspec.primitives.norm import BatchNorm, BatchNormSums, ReluBatchNormSums
from cnnspec.runtime.engine import Engine
from cnnspec.settings.optimisers.sgd import Sgd

PLAIN = "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 16x3x3 pad 1 bias off -> bn -> relu -> gap"
RESIDUAL = (
    "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu"
    " -> add( conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 16x3x3 pad 1 bias off -> bn | id ) -> relu -> gap"
)


def trained(text, images=64):
    graph = run(replace(judged(spec(text, everywhere=False)), images=images), TRAINING, check=verify)
    return {kind: [node for node in graph if isinstance(node.op, kind)] for kind in KINDS}


KINDS = (WinogradConvolve, WinogradConvolveGradient, BatchNorm, ReluBatchNormSums, BatchNormSums)


@pytest.mark.usefixtures("winograd_everywhere")
def test_a_convolution_takes_the_moments_of_what_it_makes():
    found = trained(PLAIN)
    assert [node.op.moments for node in found[WinogradConvolve]] == [True, True]
    assert [node.inputs[-1] for node in found[BatchNorm]] == ["conv1:moments", "conv2:moments"]


@pytest.mark.usefixtures("winograd_everywhere")
def test_its_gradient_is_summed_block_by_block():
    """The last normalisation's gradient comes from the pool, not from a convolution: that one stays."""
    found = trained(PLAIN)
    assert [node.op.sums is not None for node in found[WinogradConvolveGradient]] == [True, False]
    assert [node.name for node in found[ReluBatchNormSums]] == ["relu2.dy"]


def test_with_the_residual_s_gradient_added_first():
    found = trained(RESIDUAL)
    kept = [node for node in found[WinogradConvolveGradient] if node.op.sums is not None]
    assert [len(node.inputs) for node in kept] == [7, 8]


def test_a_sum_of_three_gradients_stays():
    text = (
        "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu"
        " -> add( conv 16x3x3 pad 1 bias off | conv 16x3x3 pad 1 bias off | id ) -> gap"
    )
    found = trained(text)
    assert all(node.op.sums is None for node in found[WinogradConvolveGradient])
    assert len(found[ReluBatchNormSums]) == 1


def test_columns_leave_the_moments_to_the_normalisation():
    found = trained(PLAIN, images=2)
    assert not found[WinogradConvolve] and len(found[ReluBatchNormSums]) == 2
    assert [node.op.summed for node in found[BatchNorm]] == [False, False]


def test_a_gradient_that_another_reads_stays():
    """relu1 goes to two convolutions: what comes back is a sum, and one of its parts takes the other with it."""
    text = (
        "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu"
        " -> add( conv 16x3x3 pad 1 bias off | conv 16x3x3 pad 1 bias off ) -> gap"
    )
    kept = [node for node in trained(text)[WinogradConvolveGradient] if node.op.sums is not None]
    assert [len(node.inputs) for node in kept] == [8]


@pytest.mark.parametrize("text", [PLAIN, RESIDUAL])
def test_the_numbers_stay(text):
    """Against shards of two images, too few for Winograd's method and so for all of this."""
    words = spec(text, everywhere=False)
    random = np.random.default_rng(0)
    x, target = random.normal(size=(70, 16, 8, 8)), random.normal(size=(70, 16))
    costs = (implied(words, words.outputs[0])(),)
    arrays = {"input": x, f"{words.outputs[0]}.target": target}
    found = []
    for shards in (1, 35):
        engine = Engine(words, costs, Sgd(), shards=shards, dtype="float64", seed=1)
        cost, gradients = engine.differentiate(arrays)
        found.append((cost, {name: gradients[name] for name in gradients}))
    (one, mine), (two, theirs) = found
    assert one == pytest.approx(two, rel=1e-12)
    for name, value in theirs.items():
        assert np.abs(mine[name] - value).max() <= 1e-10 * max(np.abs(value).max(), 1e-3), name


WIDENED = "3x16x16: conv 8x1x1 -> conv 48x1x1 bias off -> bn -> hardswish -> conv 8x1x1 bias off -> bn -> gap"


def pointwise(text, images=64):
    graph = run(replace(judged(spec(text, everywhere=False)), images=images), TRAINING, check=verify)
    return [node for node in graph if isinstance(node.op, PointwiseNormSums | PointwiseNormGradient)]


def test_a_layer_that_widens_has_its_gradients_from_what_goes_in():
    sums, gradient = pointwise(WIDENED)
    assert sums.inputs[1:3] == ("conv1", "conv2.weight")
    assert gradient.inputs[:2] == (sums.inputs[0], "conv2.weight")
    read = {value for node in (sums, gradient) for value in node.inputs}
    assert "conv2" not in read, "what the convolution made is wanted for nothing"


@pytest.mark.parametrize(
    "layer",
    [
        "conv 48x1x1 -> bn",  # a bias, which is added between them
        "conv 48x1x1 stride 2 bias off -> bn",
        "conv 48x1x1 groups 2 bias off -> bn",
        "conv 48x3x3 pad 1 bias off -> bn",
        "conv 48x1x1 bias off",
        "conv 8x1x1 bias off -> bn",  # as many channels as go in: the products would be as many
        "conv 48x1x1 bias off -> bn -> relu",  # whose gradient takes the sums where it is made
        "conv 48x1x1 bias off as y -> bn -> add(id | @y)",  # the gradient of y is not the normalisation's alone
    ],
)
def test_other_layers_read_what_they_made(layer):
    assert not pointwise(f"3x16x16: conv 8x1x1 -> {layer} -> hardswish -> gap")


def test_a_layer_that_reads_the_image_has_no_gradient_of_it():
    assert not pointwise("3x16x16: conv 48x1x1 bias off -> bn -> hardswish -> gap")


def test_few_pixels_are_not_worth_it():
    assert pointwise(WIDENED, images=1) and not pointwise(WIDENED.replace("16x16", "4x4"), images=1)
