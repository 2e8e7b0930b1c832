"""Winograd's method for one image: where it is chosen, what comes out, and that bands change no bit."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged, mean_the_same
from oracles.nets import spec
from oracles.random_nets import random_net
from oracles.trial import Trial, close

from cnnspec.ir import data
from cnnspec.ir.geometry import Geometry
from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, MEASURE, run
from cnnspec.passes.bands import shared_work
from cnnspec.passes.methods import Convolution, layer_method, seconds
from cnnspec.primitives.bands import AllGather, Filters
from cnnspec.primitives.convolution.winograd_one import WinogradFilters, WinogradOneImage, strips_together
from cnnspec.runtime.engine import Engine
from cnnspec.settings.optimisers.sgd import Sgd
from cnnspec.words.costs import Mse

SIZES = ("3x7x9", "2x16x16", "3x4x5", "1x3x6", "2x23x3", "4x12x10")
CONVS = ("6x3x3 pad 1", "4x3x3 pad 0x1x2x0", "5x3x3 pad 2")
N3 = "1x28x28: conv 32x3x3 -> relu -> conv 64x3x3 -> relu -> maxpool 2 -> dense 16"
PAIR = "3x32x32: conv 32x3x3 pad 1 -> relu -> conv 64x3x3 pad 1 -> relu -> maxpool 2 -> conv 96x3x3 pad 1 -> gap"


@pytest.fixture
def wherever_possible(monkeypatch):
    monkeypatch.setattr(seconds, "OF_ONE", (0, 0, 0, -1))


def of(kind, graph):
    return [node for node in graph if isinstance(node.op, kind)]


def one_image(text, band=(0, 1)):
    return run(replace(spec(text, everywhere=False), images=1, band=band), INFERENCE, check=verify)


def test_many_channels_of_one_image():
    (made,) = of(WinogradOneImage, one_image(N3))
    assert made.op.pooled and made.type == data(64, 12, 12)
    assert made.why.startswith(
        "by Winograd's method on the squares of one image: a quarter of the products (im2col "
    )
    assert [node.name for node in of(WinogradOneImage, one_image(PAIR))] == ["maxpool1.pooled", "conv3.products"]


@pytest.mark.parametrize(
    ("x", "filters", "settings"),
    [
        ((64, 16, 16), 64, {"images": 2}),
        ((64, 16, 16), 64, {"learns": True}),
        ((64, 16, 16), 64, {"groups": 2}),
        ((3, 32, 32), 32, {}),  # few channels: the transforms cost more
        ((512, 7, 7), 512, {}),  # weights that would come from memory, four times as many
        ((512, 28, 28), 1024, {}),  # much memory for filters
        ((64, 300, 300), 64, {}),  # much memory for components
    ],
)
def test_others_stay(x, filters, settings):
    how = {"groups": 1, "images": 1, "learns": False} | settings
    c = Convolution(Geometry((3, 3), pad=((1, 1), (1, 1))), data(*x), filters, **how)
    assert layer_method(c, {}).method != "Winograd of one"


@pytest.mark.parametrize("text", ["3x3 stride 2", "3x3 dilate 2", "5x5", "3x1", "3x3 pad 3", "3x3 groups 2"])
@pytest.mark.usefixtures("wherever_possible")
def test_not_for_other_windows(text):
    assert not of(WinogradOneImage, one_image(f"8x16x16: conv 8x{text} -> gap"))


@pytest.mark.usefixtures("wherever_possible")
def test_pooling_stays_where_another_reads_the_image():
    for text, pooled in (
        ("2x8x8: conv 4x3x3 -> maxpool 2 -> gap", [True]),
        ("2x8x8: conv 4x3x3 bias off as c -> concat( maxpool 2 | @c -> avgpool 2 )", [False]),
        ("2x8x8: conv 4x3x3 -> maxpool 3", [False]),
        ("2x9x9: conv 4x3x3 -> maxpool 2 pad 1", [False]),
        ("2x8x8: conv 4x3x3 bias off as c -> concat( maxpool 2 | @c -> maxpool 2 )", [False]),
    ):
        assert [node.op.pooled for node in of(WinogradOneImage, one_image(text))] == pooled, text


@pytest.mark.parametrize("pool", ["", " -> maxpool 2"])
@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.usefixtures("wherever_possible")
def test_it_means_the_same_and_the_plan_does(size, conv, pool):
    """And with other parameters the filters are transformed anew."""
    words = spec(f"{size}: conv {conv} -> relu{pool}", everywhere=False)
    first, *rest = INFERENCE
    graph, seen = first(replace(words, images=1)), 0
    for step in rest:
        made = verify(step(graph))
        mean_the_same(graph, made)
        graph, seen = made, seen + bool(of(WinogradOneImage, made))
    assert seen
    trial = Trial(words, Mse(), batch=1, dtype="float64")
    for _ in range(2):
        (one,) = (array.copy() for array in trial.engine.forward(trial.inputs))
        (several,) = trial.engine.forward({name: np.repeat(x, 2, axis=0) for name, x in trial.inputs.items()})
        close(np.repeat(one, 2, axis=0), several)
        name = next(iter(trial.parameters))
        trial.engine.parameters[name] = np.flip(trial.parameters[name]).copy()


@pytest.mark.usefixtures("wherever_possible")
@pytest.mark.parametrize("seed", range(25))
def test_random_nets_answer_for_one_image_as_for_several(seed):
    words, costs = random_net(seed)
    trial = Trial(words, *costs, batch=1, record=False, dtype="float64")
    one = [array.copy() for array in trial.engine.forward(trial.inputs)]
    several = trial.engine.forward({name: np.repeat(x, 2, axis=0) for name, x in trial.inputs.items()})
    for a, b in zip(one, several, strict=True):
        np.testing.assert_allclose(np.repeat(a, 2, axis=0), b, rtol=1e-9, atol=1e-9)


@pytest.mark.usefixtures("wherever_possible")
def test_an_image_with_much_padding_is_filled_anew(monkeypatch):
    """What is large has no memory of its own: its padding is made every time."""
    monkeypatch.setattr("cnnspec.primitives.convolution.winograd_one.FILLED", 0)
    text = "32x9x13: conv 32x3x3 pad 1 -> relu -> conv 48x3x3 pad 1 -> gap"
    trial = Trial(spec(text, everywhere=False), Mse(), batch=1, dtype="float64")
    assert "fill(" in trial.engine.plan("infer", 1).source
    (one,) = (array.copy() for array in trial.engine.forward(trial.inputs))
    (several,) = trial.engine.forward({name: np.repeat(x, 2, axis=0) for name, x in trial.inputs.items()})
    close(np.repeat(one, 2, axis=0), several)


def test_filters_are_transformed_once():
    graph = one_image(N3)
    (filters,) = of(WinogradFilters, graph)
    assert not filters.type.batched and filters.type.shape == (36, 32, 64)
    source = Trial(spec(N3, everywhere=False), Mse(), batch=1).engine.plan("infer", 1).source
    prepare, forward = source.split("def forward")
    assert "transform_filters_at_once" in prepare and "transform_filters_at_once" not in forward


def test_a_layer_that_is_judged_goes_the_same_way():
    words = judged(spec(N3, everywhere=False), Mse())
    assert of(WinogradOneImage, run(replace(words, images=1), MEASURE, check=verify))


def test_few_squares_are_shared_by_filters_with_the_same_bits():
    """8x8 pixels are two strips of squares, whose product would be cut in two: workers have some filters."""
    text = "64x8x8: conv 128x3x3 pad 1 -> relu -> conv 128x3x3 pad 1 -> maxpool 2 -> relu -> gap"
    bands = [one_image(text, (k, 2)) for k in (0, 1)]
    for k, graph in enumerate(bands):
        assert [node.type["c"] for node in of(WinogradOneImage, graph)] == [64, 64]
        assert {node.op for node in of(Filters, graph)} == {Filters(k, k + 1)}
    assert not of(Filters, one_image(text, (0, 4))), "two pieces for four"
    assert not of(Filters, one_image(text.replace("128", "96"), (0, 2))), "no whole pieces"
    assert not of(Filters, one_image("8x8x8: conv 128x3x3 pad 1 -> relu -> gap", (0, 2))), "soon made"
    engine = Engine(spec(text, everywhere=False), (), Sgd(), shards=2)
    x = {"input": np.random.default_rng(0).normal(size=(1, 64, 8, 8)).astype("float32")}
    alone, plan = engine.forward(x)[0].copy(), engine.plan("infer", 1, 2)
    plan.feeds["input"][...] = x["input"]
    first, second = (plan.shards[k] for k in (0, 1))
    first.prepare(first.b, first.p)
    running = [bound.forward(bound.b, bound.p) for bound in (second, first)]
    for _ in range(plan.programs[0].barriers[0]):
        for part in running:
            next(part)
    next(running[1], None)
    np.testing.assert_array_equal(plan.outputs[0], alone)


def test_bands_begin_with_a_strip_of_squares():
    whole, (first, second) = one_image(PAIR), [one_image(PAIR, (k, 2)) for k in range(2)]
    assert shared_work(whole, first)
    for graph in (first, second):
        assert [node.type["h"] for node in of(WinogradOneImage, graph)] == [8, 8]
        assert len(of(AllGather, graph)) == 2
    text = PAIR.replace("conv 96x3x3 pad 1", "relu")
    assert [node.type["h"] for node in of(WinogradOneImage, one_image(text, (2, 4)))] == [4]  # two strips, pooled
    uneven = [one_image("32x28x28: conv 64x3x3 pad 1 -> gap", (k, 2)) for k in range(2)]  # seven strips
    assert [node.type["h"] for graph in uneven for node in of(WinogradOneImage, graph)] == [16, 12]


def test_products_are_a_half_or_a_quarter_of_the_strips():
    """The fewer, the better for BLAS; but workers begin with a product."""
    for size, together in (((8, 8), 0), ((4, 64), 0), ((16, 16), 2), ((24, 24), 3), ((28, 28), 4), ((56, 56), 4)):
        assert strips_together(data(8, *size)) == together
    whole = one_image("64x8x8: conv 64x3x3 pad 1 -> gap", (0, 2))
    assert [node.type["h"] for node in of(WinogradOneImage, whole)] == [8] and not of(AllGather, whole)
