"""Bands: workers who share an image make every row of it as one alone does, to the last bit."""

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
from cnnspec.passes import INFERENCE, run
from cnnspec.passes.bands import worth_partitioning
from cnnspec.primitives.bands import AllGather, Rows
from cnnspec.primitives.convolution.im2col import Im2col
from cnnspec.primitives.convolution.winograd_1d import WinogradConvolve
from cnnspec.runtime.engine import Engine
from cnnspec.runtime.plans import give
from cnnspec.runtime.processes import possible
from cnnspec.settings.optimisers.sgd import Sgd

SPECS = Path(__file__).parents[2] / "specs"
CHAIN = "3x12x12: conv 4x3x3 pad 1 -> relu -> conv 4x3x3 pad 1 -> maxpool 2 -> flatten -> dense 3"


def graphs(text, bands=2, **how):
    words = replace(spec(text, everywhere=False), images=1, **how)
    return [run(replace(words, band=(k, bands)), INFERENCE, check=verify) for k in range(bands)]


def of(kind, graph):
    return [node for node in graph if isinstance(node.op, kind)]


def alone(engine, arrays, bands):
    """What the bands of one image give, their shards run by one worker."""
    plan = engine.plan("infer", 1, bands)
    task = engine._call("infer", plan, give(plan, arrays, engine.dtype, engine.turn.lanes[0]))
    first = plan.shards[0]
    if first.prepare is not None:
        first.prepare(first.b, first.p)
    for array in plan.fetches.values():
        array[...] = np.nan
    task(0)
    return [plan.fetches[value].copy() for value in plan.graph.outputs]


def same_bits(engine, arrays, bands):
    whole, shared = (alone(engine, arrays, count) for count in (1, bands))
    for a, b in zip(whole, shared, strict=True):
        np.testing.assert_array_equal(a, b)


def test_each_band_makes_its_rows_and_sees_those_around_them():
    first, second = graphs(CHAIN)
    for graph in (first, second):
        assert [node.type["h"] for node in graph if node.name in ("conv1.products", "conv2.products")] == [6, 6]
    assert [node.op.geometry.pad[0] for node in of(Im2col, first)] == [(1, 0), (1, 0)]
    assert [node.op.geometry.pad[0] for node in of(Im2col, second)] == [(0, 1), (0, 1)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, first)] == [(0, 7), (0, 7)]
    assert [(node.op.start, node.op.stop) for node in of(Rows, second)] == [(5, 12), (5, 12)]


def test_all_bands_meet_at_the_same_places():
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


@pytest.mark.parametrize("text", ["3x7x8: conv 4x3x3 pad 1 -> relu -> gap", "8: dense 4 -> relu", "3x12: conv 4x3"])
def test_not_where_the_bands_do_not_divide_the_rows_or_there_are_none(text):
    for graph in graphs(text):
        assert not of(AllGather, graph) and not of(Rows, graph)


def test_one_band_is_the_graph_itself():
    (graph,) = graphs(CHAIN, bands=1)
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
        ("3x64x64: conv 8x3x3 pad 1" + " -> conv 8x3x3 pad 1" * 20, False),  # much in all, little between partials
        ("1024: dense 8192", False),
    ],
)
def test_worth_it_where_there_is_much_to_do_between_two_meetings(text, worth):
    first, _ = graphs(text)
    assert worth_partitioning(spec(text, everywhere=False), first) == worth


@pytest.mark.skipif(not possible(), reason="workers are threads here")
@pytest.mark.parametrize("workers", [2, 3])
def test_processes_share_an_image(workers):
    text = "3x48x48: conv 16x3x3 pad 1 -> relu -> conv 32x3x3 pad 1 -> relu -> maxpool 2 -> dense 4"
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
    assert data(3, 8, 6).of_rows(2) == data(3, 2, 6)
