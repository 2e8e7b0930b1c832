"""Bands: workers who share an image make every row of it as one alone does, to the last bit."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracles.nets import spec
from oracles.random_nets import random_net
from oracles.trial import Trial

import cnnspec
from cnnspec.data.dataset import Scaling, Stored
from cnnspec.ir import data
from cnnspec.ir.geometry import Geometry
from cnnspec.ir.verify import verify
from cnnspec.passes import INFERENCE, bands, run
from cnnspec.passes.bands import LONG, shared_work
from cnnspec.primitives.bands import AllGather, Filters, Rows
from cnnspec.primitives.convolution.convolve import Convolve
from cnnspec.primitives.convolution.im2col import Im2col, Im2colGemm
from cnnspec.primitives.convolution.pooled import PooledConvolve
from cnnspec.primitives.convolution.squares import ConvolveSquares
from cnnspec.primitives.convolution.winograd_1d import WinogradConvolve
from cnnspec.primitives.convolution.winograd_one import WinogradOneImage
from cnnspec.primitives.dense import Multiply
from cnnspec.runtime import processes
from cnnspec.runtime.engine import Engine
from cnnspec.runtime.plans import give
from cnnspec.runtime.processes import Processes, possible
from cnnspec.settings.optimisers.sgd import Sgd

SPECS = Path(__file__).parents[2] / "specs"
CHAIN = "3x12x12: conv 4x3x3 pad 1 -> relu -> conv 4x3x3 pad 1 -> maxpool 2 -> flatten -> dense 3"


def graphs(text, count=2, **how):
    words = replace(spec(text, everywhere=False), images=1, **how)
    return [run(replace(words, band=(k, count)), INFERENCE, check=verify) for k in range(count)]


@pytest.fixture
def nothing_again(monkeypatch):
    """No row is made by two bands."""
    monkeypatch.setattr(bands, "AGAIN", 0)


def of(kind, graph):
    return [node for node in graph if isinstance(node.op, kind)]


def alone(engine, arrays, count):
    """What the bands of one image give, their shards run by one worker."""
    plan = engine.plan("infer", 1, count)
    task = engine._call("infer", plan, give(plan, arrays, engine.dtype, engine.turn.lanes[0]))
    first = plan.shards[0]
    if first.prepare is not None:
        first.prepare(first.b, first.p)
    for array in plan.fetches.values():
        array[...] = np.nan
    task(0)
    return [plan.fetches[value].copy() for value in plan.graph.outputs]


def same_bits(engine, arrays, several):
    """Where one product makes a convolution and its pooling, bands have other sums: such an image is not shared."""
    whole, shared = (alone(engine, arrays, count) for count in (1, several))
    other_sums = bool(of(PooledConvolve, engine.graph("infer", 1)))
    assert not other_sums or not shared_work(engine.graph("infer", 1), engine.graph("infer", 1, (0, several)))
    for a, b in zip(whole, shared, strict=True):
        if other_sums:
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        else:
            np.testing.assert_array_equal(a, b)


def test_each_band_makes_its_rows_and_sees_those_around_them(nothing_again):
    first, second = graphs(CHAIN)
    for graph in (first, second):
        assert [node.type["h"] for node in graph if node.name in ("conv1.products", "conv2.products")] == [6, 6]
    assert [node.op.geometry.pad[0] for node in of(Im2col, first)] == [(1, 0), (1, 0)]
    assert [node.op.geometry.pad[0] for node in of(Im2col, second)] == [(0, 1), (0, 1)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, first)] == [(0, 7), (0, 7)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, second)] == [(5, 12), (5, 12)]


def test_all_bands_meet_at_the_same_places(nothing_again):
    """With stride 2 the first band needs no row of the second, and yet waits for it."""
    text = "3x12x12: conv 4x3x3 pad 1 -> conv 4x3x3 stride 2 pad 1 -> conv 4x1x1 -> gap"
    first, second = graphs(text)
    partials = [[node.inputs for node in of(AllGather, graph)] for graph in (first, second)]
    assert partials[0] == partials[1] and len(partials[0]) == 2
    reads = {value for node in first for value in node.inputs}
    assert of(AllGather, first)[0].name not in reads


def test_what_follows_the_last_meeting_is_done_once():
    first, second = graphs(CHAIN)
    assert "dense1" in first.nodes and first.outputs
    assert "dense1" not in second.nodes and not second.outputs
    assert isinstance(list(second)[-1].op, AllGather) or not list(second)[-1].type.batched


def test_rows_that_are_soon_made_every_band_makes_for_itself():
    first, second = graphs(CHAIN)
    assert [node.type["h"] for node in first if node.name in ("conv1.products", "conv2.products")] == [7, 6]
    assert [node.inputs for node in of(AllGather, first)] == [("maxpool1",)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, first)] == [(0, 8)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, second)] == [(4, 12)]


def test_further_rows_only_as_long_as_they_cost_little():
    """Of many layers each makes a row more than the next, until waiting is cheaper."""
    text = "4x32x32: " + " -> ".join(["conv 16x3x3 pad 1"] * 8) + " -> gap"
    first, second = graphs(text)
    heights = [node.type["h"] for node in first if node.name.endswith(".products")]
    assert heights == [17, 16, 18, 17, 16, 18, 17, 16]
    for graph in (first, second):
        assert [node.inputs for node in of(AllGather, graph)] == [("conv2",), ("conv5",), ("conv8",)]


def test_a_residual_is_read_where_it_was_made():
    text = "3x12x12: conv 4x3x3 pad 1 -> relu -> add(conv 4x3x3 pad 1 -> bn | id) -> relu -> gap -> dense 2"
    first, second = graphs(text)
    assert [node.inputs for node in of(AllGather, first)] == [node.inputs for node in of(AllGather, second)]
    assert len(of(AllGather, first)) == 1
    trial_of(text, 2)
    trial_of(text, 3)


def test_a_large_dense_layer_is_made_in_parts():
    text = "4096: dense 160 -> relu -> dense 10"
    for count, height in ((2, 80), (5, 32)):
        every = graphs(text, count)
        parts = [of(Multiply, graph)[0] for graph in every]
        assert [part.op.part for part in parts] == [(k * height, (k + 1) * height) for k in range(count)]
        assert all(part.type["c"] == height for part in parts)
        assert [len(of(Multiply, graph)) for graph in every] == [2] + [1] * (count - 1)
        trial_of(text, count)
    assert not of(AllGather, graphs(text, 3)[0])  # ten pieces for three


def test_a_layer_whose_rows_are_made_at_once_is_made_by_filters():
    text = "64x6x6: conv 512x5x5 pad 2 bias off -> bn -> relu -> conv 192x1x1 -> relu -> conv 8x3x3 -> gap"
    for count in (2, 4):
        every = graphs(text, count)
        height = 512 // count
        parts = [of(Filters, graph) for graph in every]
        assert [part.op for part, _ in parts] == [Filters(k * height, (k + 1) * height) for k in range(count)]
        assert all(part.type["f"] == 192 // count for _, part in parts)
        gathers = [[node.op.count for node in of(AllGather, graph) if node.op.axis == "c"] for graph in every]
        assert gathers == [[512, 192]] * count
        trial_of(text, count)
    assert not of(Filters, graphs(text, 3)[0])  # four pieces for three


def test_a_layer_by_squares_of_one_image_is_made_by_filters():
    text = "256x7x7: conv 256x3x3 pad 1 -> relu -> gap"
    for graph in graphs(text):
        (layer,) = of(ConvolveSquares, graph)
        assert layer.op.at_once == 64 and layer.type["c"] == 128
    trial_of(text, 2)
    trial_of(text, 4)


def test_not_where_there_is_less_to_do_than_waiting_takes():
    assert not of(AllGather, graphs("64x5x7: conv 128x3x3 -> gap")[0])


def trial_of(text, several):
    engine = Engine(spec(text, everywhere=False), (), Sgd())
    shape = engine.words.type("input").shape
    x = np.random.default_rng(1).normal(size=(1, *shape)).astype("float32")
    same_bits(engine, {"input": x}, several)


@pytest.mark.parametrize("text", ["3x3x8: conv 4x3x3 -> relu -> gap", "8: dense 4 -> relu", "3x12: conv 4x3"])
def test_not_where_there_are_fewer_rows_than_bands_or_none(text):
    for graph in graphs(text):
        assert not of(AllGather, graph) and not of(Rows, graph)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_shares_of_any_height(step, count):
    """All rows in order, which begin at steps; where there are not enough steps, some band has none."""
    for height in range(1, 40):
        parts = bands.shared_evenly(height, step, count)
        assert [row for part in parts for row in part] == list(range(height))
        assert all(part.start % step == 0 or not part for part in parts) and len(parts[0]) == max(map(len, parts))
        assert all(parts) == (-(-height // step) >= count)


@pytest.mark.parametrize("count", [2, 3])
def test_bands_of_unequal_heights(count, monkeypatch, nothing_again):
    text = (
        "3x14x15: conv 4x3x3 pad 1 -> relu -> conv 4x3x3 stride 2 pad 1 -> add(dwconv 3x3 pad 1 | id) -> conv 2x1x1"
    )
    heights = [[n.type["h"] for n in graph if isinstance(n.op, Im2colGemm)] for graph in graphs(text, count)]
    assert heights == {2: [[7, 4], [7, 3]], 3: [[5, 3], [5, 2], [4, 2]]}[count]
    trial_of(text, count)
    monkeypatch.setattr(Convolve, "rows_together", 4)  # some op makes four rows together, of the first image
    heights = [[n.type["h"] for n in graph if isinstance(n.op, Im2colGemm)] for graph in graphs(text, count)]
    assert heights == {2: [[8, 4], [6, 3]], 3: [[8, 7], [4], [2]]}[count]
    trial_of(text, count)


def test_one_band_is_the_graph_itself():
    (graph,) = graphs(CHAIN, count=1)
    assert not of(AllGather, graph) and not of(Rows, graph)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize("dilate", [1, 2])
def test_rows_seen(kernel, stride, pad, dilate):
    """For any rows of the output: the rows that they see, with the padding left, make just so many rows."""
    whole = Geometry((kernel, 1), (stride, 1), ((pad, pad), (0, 0)), (dilate, 1))
    height = 13
    for start in range(whole.out(height, 1)[0]):
        for stop in range(start + 1, whole.out(height, 1)[0] + 1):
            rows, (above, below) = whole.rows(range(start, stop), height)
            taps = [i * stride - pad + u * dilate for i in range(start, stop) for u in range(kernel)]
            assert (min(taps), max(taps) + 1) == (rows.start - above, rows.stop + below)
            assert {tap for tap in taps if 0 <= tap < height} <= set(rows)
            if rows:
                assert whole.padded((above, below)).out(len(rows), 1)[0] == stop - start


@pytest.mark.parametrize("seed", range(150))
def test_random_nets_keep_their_bits(seed):
    words, costs = random_net(seed)
    trial = Trial(words, *costs, batch=1, record=False)
    same_bits(trial.engine, trial.inputs, 2 + seed % 2)


NAMES = ("autoencoder", "bench/n4-cifar-vgg", "bench/x1-mobilenetv2", "dcgan", "lenet5", "resnet20", "sequence",
         "shufflenetv2", "siamese", "squeezenet", "two-heads", "bench/x2-unet")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_networks_keep_their_bits(name):
    with cnnspec.compile(SPECS / f"{name}.cnn", batch=1, workers=1) as model:
        random = np.random.default_rng(0)
        arrays = {
            value: random.normal(size=(1, *model.graph.type(value).shape)).astype("float32")
            for value in model.graph.inputs
        }
        same_bits(model.engine, arrays, 2)
        same_bits(model.engine, arrays, 3)


@pytest.mark.usefixtures("winograd_everywhere")
def test_winograds_rows_too():
    """An image so wide that Winograd's method takes it alone."""
    text = "16x8x256: conv 16x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 -> relu -> maxpool 2 -> conv 4x1x1"
    words = spec(text, everywhere=False)
    assert [len(of(WinogradConvolve, graph)) for graph in graphs(text)] == [2, 2]
    assert all(node.type["h"] == 4 for graph in graphs(text) for node in of(WinogradConvolve, graph))
    engine = Engine(words, (), Sgd())
    x = np.random.default_rng(1).normal(size=(1, 16, 8, 256)).astype("float32")
    same_bits(engine, {"input": x}, 2)


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("3x64x64: conv 32x3x3 -> conv 32x3x3", True),
        ("3x8x8: conv 32x3x3 -> conv 32x3x3", False),
        (
            "8x2x2: conv 128x3x3 pad 1" + " -> conv 128x3x3 pad 1" * 20,
            False,
        ),  # much in all, little between barriers
        ("1024: dense 8192", True),
        ("1024: dense 8190", False),  # nothing to share
        # a pooling that is one product with its convolution has other sums in bands
        ("3x32x32: conv 16x3x3 pad 1 -> maxpool 2 -> conv 64x3x3 -> conv 160x3x3", False),
        ("3x32x32: conv 16x3x3 pad 1 -> avgpool 2 -> conv 64x3x3 -> conv 160x3x3", True),
    ],
)
def test_worth_it_where_there_is_much_to_do_between_two_meetings(text, worth):
    (whole,), (first, _) = graphs(text, 1), graphs(text)
    assert bool(shared_work(whole, first)) == worth


@pytest.mark.skipif(not possible(), reason="workers are threads here")
@pytest.mark.parametrize(("depth", "large"), [(32, True), (8, False)])
def test_an_image_that_takes_long_is_shared_by_workers_who_sleep(depth, large, monkeypatch):
    """They would sleep again before it is made alone, each time."""
    text = f"3x64x64: conv {depth}x3x3 pad 1 -> relu -> conv {2 * depth}x3x3 pad 1 -> relu -> gap"
    engine = Engine(spec(text, everywhere=False), (), Sgd(), shards=2, workers_wanted=2, parallel="processes")
    try:
        assert engine._shared_work and (engine._shared_work >= LONG) == large
        monkeypatch.setattr(engine.workers, "_wake", lambda: True)  # whoever is asked was asleep
        monkeypatch.setattr(engine.workers, "asked", time.monotonic())
        assert engine.share_an_image() == large
        engine.workers.alone = 1
        assert not engine.share_an_image() and engine.share_an_image() == large
    finally:
        engine.close()


@pytest.mark.parametrize("several", [2, 4])
@pytest.mark.parametrize("last", ["conv 64x3x3 pad 1 -> gap", "conv 64x3x3 -> maxpool 2 -> dense 160"])
def test_winograds_squares_too(last, several):
    text = f"3x32x32: conv 32x3x3 pad 1 -> relu -> conv 48x3x3 pad 1 -> relu -> maxpool 2 -> {last}"
    assert len(of(WinogradOneImage, graphs(text, several)[0])) == 2
    trial_of(text, several)


@pytest.mark.skipif(not possible(), reason="workers are threads here")
@pytest.mark.parametrize("workers", [2, 3])
def test_processes_share_an_image(workers, monkeypatch):
    monkeypatch.setattr(Processes, "awake", lambda self, patient=False: True)
    monkeypatch.setattr(processes, "PATIENCE", (60.0, 60.0))  # on a busy machine too they are there in the end
    monkeypatch.setattr(processes, "LONGEST", 60.0)
    text = "3x48x48: conv 32x3x3 pad 1 -> relu -> conv 64x3x3 pad 1 -> relu -> maxpool 2 -> dense 4"
    words = spec(text, everywhere=False)
    stored = np.random.default_rng(1).integers(0, 256, (1, 3, 48, 48), dtype="uint8")
    x = Stored(stored, Scaling((1 / 255,), (-0.5,)))
    given = {"scaled": {"input": np.asarray(x)}, "stored": {"input": x}}
    found = {}
    for parallel, count in (("threads", 1), ("threads", workers), ("processes", workers)):
        engine = Engine(words, (), Sgd(), shards=workers, workers_wanted=count, parallel=parallel)
        try:
            results = [engine.forward(given[how])[0].copy() for how in ("scaled", "stored") * 2]
            shared = any(bands == workers for _, _, bands, _ in engine.turn.lanes[0].plans)
            assert shared == (parallel == "processes")
        finally:
            engine.close()
        assert all((result == results[0]).all() for result in results)
        found[parallel, count] = results[0]
    for result in found.values():
        np.testing.assert_array_equal(result, found["threads", 1])


def test_a_band_of_a_type():
    assert data(3, 8, 6).sized("h", 2) == data(3, 2, 6)
    assert AllGather("h", 0, 2, 8).type(data(3, 2, 6)) == data(3, 8, 6)
    assert AllGather("c", 4, 8, 16).type(data(4, 2, 6)) == data(16, 2, 6)
    assert AllGather("c", 4, 8, 16).type(data(4)) == data(16)
