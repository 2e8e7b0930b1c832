"""Layers of many weights and their gradients are made by all shards together: the same sums, on any workers."""

import numpy as np
import pytest

import cnnspec
from cnnspec.codegen.program import Program
from cnnspec.ir import Builder, data
from cnnspec.ir.leaves import Input
from cnnspec.passes import methods
from cnnspec.passes.methods import FILTERS, INPUT, LAYER, convolution
from cnnspec.primitives import together
from cnnspec.primitives.convolution import winograd_2d
from cnnspec.runtime.engine import Engine
from cnnspec.runtime.processes import possible
from cnnspec.settings.optimisers.adam import Adam
from cnnspec.settings.tuning import PLAIN, Tuning
from cnnspec.words import WORDS
from cnnspec.words.costs import CrossEntropy

PARALLEL = ["threads", pytest.param("processes", marks=pytest.mark.skipif(not possible(), reason="no processes"))]


@pytest.fixture(params=[True, False], ids=["a few rows at a time", "packed"])
def joint(request, monkeypatch):
    monkeypatch.setattr("cnnspec.kernels.gemm.WITHOUT_PACKING", request.param)
    monkeypatch.setattr(together, "SHARED", 100)  # all layers have more; a bias has not


@pytest.fixture
def layers_too(request, monkeypatch):
    """Whether layers and the gradients of what they read are made together as well."""
    if request.param:
        monkeypatch.setattr(together, "READ", 100)
        monkeypatch.setattr(together, "LIGHT", 0)
        for module in (convolution, winograd_2d):
            monkeypatch.setattr(module, "TRANSFORMED_LIGHT", 1e-9)
        monkeypatch.setattr(methods, "RUN", 1)
    return request.param


DENSE = {"flat": WORDS["flatten"](), "one": WORDS["dense"]((23,)), "relu": WORDS["relu"]()}
CONVOLUTIONS = {  # with one tap and several, of fewer pixels than filters; the last has groups, and is not made so
    "one": WORDS["conv"]((170, 3, 3), stride=2, pad=1),
    "two": WORDS["conv"]((86, 2, 3), dilate=2, pad=1),
    "three": WORDS["conv"]((44, 1, 1)),
    "four": WORDS["conv"]((30, 1, 1), groups=2),
    "flat": WORDS["flatten"](),
}


TAPS = {name: word for name, word in CONVOLUTIONS.items() if name in ("one", "two", "flat")}

WINOGRAD = {  # the first has channels that three shards cannot share alike
    "one": WORDS["conv"]((6, 3, 3), pad=1, bias=False),
    "bn": WORDS["bn"](),
    "relu": WORDS["relu"](),
    "two": WORDS["conv"]((9, 3, 3), pad=1, bias=False),
    "bn2": WORDS["bn"](),
    "three": WORDS["conv"]((33, 3, 3), pad=1),
    "relu3": WORDS["relu"](),
    "flat": WORDS["flatten"](),
}
METHODS = {id(TAPS): "tap by tap", id(WINOGRAD): "Winograd 2d"}


class By(dict):
    """Measured times by which every convolution is computed by one method, if it can be."""

    def __init__(self, method):
        self.method = method

    def get(self, key, default=None):
        return {method.name: float(method.name != self.method) for method in (*LAYER, *INPUT, *FILTERS)}


def engine(layers=DENSE, **settings):
    if id(layers) in METHODS:
        settings["measured"] = {"train": By(METHODS[id(layers)])}
    b = Builder()
    value = b.add(Input(data(2, 4, 5)), name="input")
    for name, word in layers.items():
        value = b.add(word, value, name=name)
    value = b.add(WORDS["softmax"](), b.add(WORDS["dense"]((8,)), value, name="end"), name="p")
    graph = b.graph(("input",), (value,))
    return Engine(graph, (CrossEntropy(),), **{"optimiser": Adam(clip=0.5), "seed": 3, **settings})


def batch(n):
    random = np.random.default_rng(n)
    target = np.eye(8, dtype="float32")[random.integers(0, 8, n)]
    return {"input": random.normal(size=(n, 2, 4, 5)).astype("float32"), "p.target": target}


PARTS = Tuning(frozen={"one": 2}, rates={"end": 0.2}, ema=0.5, accumulate=2)
SIZES = (7, 6, 2, 1, 7)  # shards of unequal sizes, fewer images than shards, and one


@pytest.mark.usefixtures("joint")
@pytest.mark.parametrize(
    ("layers", "names", "accumulate", "layers_too"),
    [
        (DENSE, ["one", "end"], 1, False),
        (DENSE, ["one", "end"], 2, True),
        (CONVOLUTIONS, ["one", "two", "three", "end"], 1, False),
        (TAPS, ["one", "two", "end"], 1, True),
        (WINOGRAD, ["two", "three", "end"], 1, True),
    ],
    indirect=["layers_too"],
)
def test_the_gradient_is_that_of_one_shard(layers, names, accumulate, layers_too):
    tuning = Tuning(accumulate=accumulate)
    one, three = (engine(layers, shards=shards, dtype="float64", tuning=tuning) for shards in (1, 3))
    assert not one.plan("train", 7).joint
    assert {*three.plan("train", 7).programs[0].joint} == {f"{name}.weight" for name in names}
    forward, _ = three.plan("train", 7).programs[0].barriers
    sums = 2 * (layers is WINOGRAD)  # of two normalisations
    assert forward == sums + (2 * len(names) if layers_too else 0)  # before a layer and after it
    for n in SIZES:
        ours, theirs = three.differentiate(batch(n)), one.differentiate(batch(n))
        assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
        for name, gradient in theirs[1].items():
            np.testing.assert_allclose(ours[1][name], gradient, rtol=0, atol=1e-13 * np.abs(gradient).max())


@pytest.mark.usefixtures("joint")
@pytest.mark.parametrize("parallel", PARALLEL)
@pytest.mark.parametrize(
    ("layers", "tuning", "layers_too"),
    [
        (DENSE, PLAIN, False),
        (DENSE, PARTS, True),
        (CONVOLUTIONS, PLAIN, False),
        (TAPS, PLAIN, True),
        (WINOGRAD, PLAIN, True),
    ],
    ids=["plain", "parts", "convolutions", "taps", "Winograd"],
    indirect=["layers_too"],
)
def test_no_bit_depends_on_the_workers_nor_on_what_was_computed_before(parallel, layers, tuning, layers_too):
    alone = engine(layers, shards=3, tuning=tuning)
    several = engine(layers, shards=3, tuning=tuning, workers_wanted=2, parallel=parallel)
    for epoch, n in enumerate(SIZES):
        assert alone.learn(batch(n), 0.1, epoch) == several.learn(batch(n), 0.1, epoch)
        np.testing.assert_array_equal(alone.p.flat, several.p.flat)
    several.close()


@pytest.mark.usefixtures("joint")
def test_only_the_first_shard_has_memory_for_it(monkeypatch):
    made = engine(shards=3, optimiser=Adam())
    told = made.memory(7)["gradients"]
    made.learn(batch(7), 0.1)
    first, *others = made.gradients
    assert all(first.arrays[name].any() for name in made.trained)
    for other in others:
        assert {name for name in made.trained if not other.arrays[name].any()} == {"one.weight", "end.weight"}
    monkeypatch.setattr(together, "SHARED", 1 << 21)
    apart = engine(shards=3, optimiser=Adam()).memory(7)["gradients"]
    assert apart - told == 2 * sum(made.arrays[name].nbytes for name in ("one.weight", "end.weight"))


def test_shards_of_one_image_and_of_two_make_a_layer_together():
    """One image alone is multiplied in pieces, and a shard of one was not there when the others waited for it."""
    text = "input 512\ndense 512 -> relu -> dense 512 -> relu -> dense 4 -> softmax"
    x, y = np.random.default_rng(0).normal(size=(3, 512)), np.arange(3)
    found = []
    for shards in (1, 2):
        with cnnspec.compile(text=text, batch=4, shards=shards, seed=0, dtype="float64") as model:
            found.append(model.gradients(x, y))
            assert (model.engine.plan("train", 3).programs[0].barriers[0] > 0) is (shards == 2)
    for name, gradient in found[0].items():
        np.testing.assert_allclose(found[1][name], gradient, rtol=0, atol=1e-13)


def test_programs_that_do_not_meet_are_refused(monkeypatch):
    monkeypatch.setattr(Program, "meeting", property(id))
    made = engine(shards=2)
    made.plan("train", 1)
    with pytest.raises(AssertionError, match="same barriers"):
        made.plan("train", 2 + 1)
