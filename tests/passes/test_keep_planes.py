"""The planes of a convolution's input are made once in a training step, and not kept where nobody comes back."""

from dataclasses import replace

import numpy as np
import pytest
from oracles.graphs import judged
from oracles.nets import spec

from cnnspec.ir import data
from cnnspec.ir.verify import verify
from cnnspec.kernels.winograd import Band, see
from cnnspec.lang.costs import implied
from cnnspec.ops.geometry import Geometry
from cnnspec.ops.norm import BatchNorm
from cnnspec.ops.winograd import (
    Residues,
    WinogradConvolve,
    WinogradConvolveGradient,
    in_residues,
    planes_of,
    seen_in,
)
from cnnspec.passes import INFERENCE, MEASURE, TRAINING, run
from cnnspec.plan.emit import Emitter
from cnnspec.plan.engine import Engine
from cnnspec.settings.optimisers import Sgd

NET = "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 16x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 -> gap"
TWO_READERS = "16x8x8: relu -> concat( conv 16x3x3 pad 1 | conv 16x3x3 pad 1 ) -> gap"


def nodes(text, passes=TRAINING, images=64):
    words = spec(text, everywhere=False)
    graph = run(replace(words if passes is INFERENCE else judged(words), images=images), passes, check=verify)
    forward = [node for node in graph if isinstance(node.op, WinogradConvolve)]
    backward = [node for node in graph if isinstance(node.op, WinogradConvolveGradient)]
    return forward, backward


@pytest.mark.parametrize(("text", "count"), [(NET, 3), (TWO_READERS, 2)])
def test_each_gradient_reads_what_its_convolution_kept(text, count):
    forward, backward = nodes(text)
    assert len(forward) == len(backward) == count
    assert all(node.op.keep and "planes" in node.extras for node in forward)
    assert all(node.op.kept for node in backward)
    assert {node.inputs[1] for node in backward} == {f"{node.name}:planes" for node in forward}
    weights = {node.name: node.inputs[1] for node in forward}
    assert all(weights[node.inputs[1].partition(":")[0]] == node.inputs[2] for node in backward)


def test_what_a_normalisation_made_lasts_no_longer_than_its_readers_on_the_way_forward():
    """Its relu is kept as bools, its planes by the convolutions: the way back reads neither value nor input."""
    text = (
        "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu"
        " -> concat( conv 16x3x3 pad 1 | conv 16x3x3 pad 1 ) -> gap"
    )
    graph = run(replace(judged(spec(text, everywhere=False)), images=64), TRAINING, check=verify)
    (norm,) = (node for node in graph if isinstance(node.op, BatchNorm))
    assert [type(reader.op) for reader in graph.readers()[norm.name]] == [WinogradConvolve] * 2
    buffers = {buffer.name: buffer for buffer in Emitter(graph, 64, 64, "float32").run().buffers}
    value, won = buffers["relu1"], buffers["relu1_won"]
    assert won.bytes * 4 == value.bytes and value.last < won.last


@pytest.mark.parametrize("passes", [INFERENCE, MEASURE])
def test_without_a_gradient_nothing_is_kept(passes):
    forward, backward = nodes(NET, passes)
    assert forward and not backward
    assert not any(node.op.keep or "planes" in node.extras for node in forward)


@pytest.mark.parametrize("pad", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 1), (1, 1)), ((0, 2), (0, 0))])
def test_the_kernel_s_planes_are_those_of_the_definition(pad):
    rng = np.random.default_rng(3)
    width = 8 if pad[1][0] else 10  # without padding a tile reaches into the next one
    x = rng.normal(size=(5, 3, 6, width))
    geometry = Geometry((3, 3), pad=pad)
    tiles = -(-geometry.out(6, width)[1] // 4)
    length = tiles * 5
    rows = np.ascontiguousarray(in_residues(x).transpose(2, 3, 1, 4, 0)).reshape(6, 4, 3, -1)
    height = 6 + sum(pad[0])
    band = Band(np.full((6, height * 3 * length), np.nan), 3, length)
    see(rows, band, height, 0, pad, 2, 5, a=np.empty((2, 2, 3, length)), c=np.empty((2, 3, length)))
    expected = planes_of(x, geometry, tiles).transpose(2, 3, 1, 4, 0).reshape(6, height, 3, -1)
    np.testing.assert_allclose(band.rows, expected, rtol=1e-13, atol=1e-13)
    again = seen_in(planes_of(x, geometry, tiles), geometry, Residues().type(data(3, 6, width)))
    seen = 4 * tiles if pad[1][0] == 0 else width
    np.testing.assert_allclose(again[..., : seen // 4], in_residues(x)[..., : seen // 4], rtol=1e-12, atol=1e-12)


def drawn(text, images=64):
    """The graph, and the normalisations that are made as they are read: whether their value lasts."""
    graph = run(replace(judged(spec(text, everywhere=False)), images=images), TRAINING, check=verify)
    norms = (node for node in graph if isinstance(node.op, BatchNorm) and node.op.by_rows)
    return graph, {node.name: node.op.lasts for node in norms}


def test_a_normalisation_that_one_convolution_reads_has_no_memory():
    graph, found = drawn(NET)
    assert found == {"relu1": False}
    names = {buffer.name for buffer in Emitter(graph, 64, 64, "float32").run().buffers}
    assert "relu1" not in names and {"relu1_block", "relu1_won"} <= names


BLOCK = "16x8x8: conv 16x3x3 pad 1 bias off -> bn -> relu"


@pytest.mark.parametrize(
    "then",
    [
        "concat( conv 16x3x3 pad 1 | conv 16x3x3 pad 1 ) -> gap",
        "add( conv 16x3x3 pad 1 | id ) -> gap",
    ],
)
def test_where_others_read_it_later_it_is_made_in_its_own_memory(then):
    """In the first convolution; what that makes it of lives as long, and no longer for its sake."""
    graph, found = drawn(f"{BLOCK} -> {then}")
    assert found == {"relu1": True}
    program = Emitter(graph, 64, 64, "float32").run()
    assert "relu1_by_rows = Normalised(" in program.source and "out=b.relu1)" in program.source
    calls = [line for line in program.source.splitlines() if "winograd(b.relu1" in line]
    assert sum("relu1_by_rows" in call for call in calls) == 1 and "relu1_by_rows" in calls[0]


@pytest.mark.parametrize(
    ("why", "text", "images"),
    [
        ("columns read it", f"{BLOCK} -> conv 16x5x5 pad 2 -> gap", 64),
        ("columns read it first", f"{BLOCK} -> concat( conv 16x5x5 pad 2 | conv 16x3x3 pad 1 ) -> gap", 64),
        ("the images are few", NET, 2),
    ],
)
def test_it_is_made_at_once_where(why, text, images):
    _, found = drawn(text, images)
    assert found == {}


RESIDUALS = (
    f"{BLOCK} -> add( conv 16x3x3 pad 1 bias off -> bn | id ) -> relu"
    " -> add( conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 16x3x3 pad 1 bias off -> bn | id ) -> relu"
    " -> conv 16x3x3 pad 1 -> gap"
)


def test_residuals_come_in_as_they_are_read():
    """Against shards of two images, too few for any of this; what is added has to be there until then."""
    text = RESIDUALS
    _, found = drawn(text)
    assert found == {"relu1": True, "relu2": True, "relu3": False, "relu4": False}
    words = spec(text, everywhere=False)
    random = np.random.default_rng(0)
    (output,) = words.outputs
    arrays = {"input": random.normal(size=(70, 16, 8, 8)), f"{output}.target": random.normal(size=(70, 16))}
    costs = (implied(words, output)(),)
    engines = [Engine(words, costs, Sgd(), shards=shards, dtype="float64", seed=1) for shards in (1, 35)]
    (one, mine), (two, theirs) = (engine.differentiate(arrays) for engine in engines)
    assert one == pytest.approx(two, rel=1e-12)
    for name, value in theirs.items():
        assert np.abs(mine[name] - value).max() <= 1e-10 * max(np.abs(value).max(), 1e-3), name
