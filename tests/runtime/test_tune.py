"""`--tune`: convolutions timed, remembered, and the same numbers whatever was chosen."""

import json
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.ir import data
from cnnspec.ir.geometry import Geometry
from cnnspec.model import Model
from cnnspec.passes.decompose import attach_costs
from cnnspec.passes.methods import PHASES, Convolution
from cnnspec.primitives.convolution.winograd_1d import WinogradConvolve
from cnnspec.runtime import remember, tune

NET = """input 3x8x8
conv 16x3x3 pad 1 -> relu -> conv 16x3x3 pad 1 bias off -> bn -> relu -> conv 12x3x2 -> relu
  -> upconv 4x2x2 stride 2 -> gap -> dense 3 -> softmax
train { batch 32 }
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(remember.cache, "folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "tuned.json"


def clock():
    """Every look takes a second longer than the last: what is timed first seems quickest."""
    ticks = count()
    return lambda: float(next(ticks) ** 2)


def tuned(images=32, by=None):
    found = read_spec(text=NET)
    return tune.tune(found.graph, found.train.cost, images, clock=by or clock())


def test_every_choice_is_timed_once_in_both_ways():
    found = tuned()
    train, infer = found["train"], found["infer"]
    layers = [name for name in train if name.startswith("conv")]
    assert set(layers) == set(infer)
    assert [name.split()[1] for name in layers] == ["16x3x3", "16x3x3"]  # 3x2 kernels leave no choice
    assert layers[0].endswith("first") and not layers[1].endswith("first")
    gradients = [set(times) for name, times in train.items() if name.startswith("input")]
    spread = {"flipping", "col2im", "col2im width"}
    assert gradients == [spread, spread, {"col2im", "phases"}]  # nobody wants that of the first layer
    once = [set(times) for name, times in train.items() if name.startswith("filter")]
    assert once == [{"rows", "at once"}] * 4
    assert all(set(train[name]) == {"im2col", "Winograd", "Winograd 2d"} for name in layers)


def test_what_is_measured_is_what_runs_a_network():
    """Each small graph of a layer makes what a network's own plan does, into polyphase rows too where it has to."""
    found = read_spec(text=NET)
    graph = tune.run(attach_costs(found.graph, found.train.cost), tune.TRAINING, "hoist_pooling")
    for key, plans in tune.questions(graph, learns=True):
        for name, plan in plans.items():
            ops = [type(node.op).__name__ for node in plan()]
            by_winograd = name in ("Winograd", "Winograd 2d")
            assert ops.count("ToPolyphase") == (by_winograd and key.endswith("first"))
            assert "FromPolyphase" not in ops
            assert ("WinogradConvolveGradient" in ops) == (name == "Winograd")
            assert ("Winograd2dConvolveGradient" in ops) == (name == "Winograd 2d")


@pytest.mark.parametrize("word", ["conv", "upconv"])
def test_phases_are_timed_with_their_gradients(word):
    found = read_spec(text=f"input 8x8x8\n{word} 8x4x4 stride 2 pad 1\ntrain {{ cost mse }}\n")
    graph = replace(attach_costs(found.graph, found.train.cost), images=4)
    asked = dict(tune.questions(tune.run(graph, tune.TRAINING, "hoist_pooling"), learns=True))
    (plans,) = (plans for plans in asked.values() if PHASES in plans)
    products = {"ConvolvePhases", "PhasesFilterGradient"} | ({"SpreadPhases"} if word == "upconv" else set())
    for name, plan in plans.items():
        ops = {type(node.op).__name__ for node in plan()}
        assert (products <= ops) if name == PHASES else not products & ops
    assert set(tune.measure({name: plan() for name, plan in plans.items()}, 4, "float32")) == {"im2col", PHASES}


@pytest.mark.parametrize("method", ["Winograd", "Winograd 2d"])
def test_the_ways_of_a_half_empty_tile_are_timed(method):
    """Where four does not divide the width, images come and leave in their own order, and their gradients."""
    c = Convolution(Geometry((3, 3), (1, 1), ((1, 1), (1, 1))), data(4, 7, 7), 4, 1, 8)
    for learns, ways in ((False, 1), (True, 2)):
        ops = [type(node.op).__name__ for node in tune.layer_graph(c, method, learns)]
        assert ops.count("ToPolyphase") == ops.count("FromPolyphase") == ways
    assert tune.measure({method: tune.layer_graph(c, method, True)}, 8, "float32")[method] > 0


def test_of_one_image_the_squares_are_timed_too():
    found = tuned(images=1)["infer"]
    assert [set(times) for times in found.values()] == [{"im2col", "Winograd of one", "squares"}] * 2
    for filters in (4, 600):
        c = Convolution(Geometry((3, 3), (1, 1), ((1, 1), (1, 1))), data(40, 7, 7), filters, 1, 1, learns=False)
        plans = {name: tune.layer_graph(c, name, False) for name in ("im2col", "Winograd of one", "squares")}
        made = [{type(node.op).__name__ for node in graph} for graph in plans.values()]
        assert "Im2colGemm" in made[0]
        assert {"WinogradOneImage", "WinogradFilters"} < made[1]
        assert {"ConvolveSquares", "TransformFiltersOfSquares"} < made[2]
        assert any(getattr(node.op, "at_once", 0) for node in plans["im2col"]) == (filters == 600)
        assert min(tune.measure(plans, 1, "float32").values()) > 0


def test_times_are_read_back_and_not_measured_again(cache):
    first = tuned()
    assert json.loads(cache.read_text())

    def refuse():
        raise AssertionError("measured again")

    assert tuned(by=refuse) == first
    with pytest.raises(AssertionError, match="measured again"):
        tuned(images=40, by=refuse)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1, 2]", '{"KEY": 3}', '{"KEY": {"conv": 1}}', '{"KEY": {"conv": {"im2col": "x"}}}', "[" * 100_000,
     '{"KEY": {"conv": {"im2col": NaN}}}', '{"KEY": {"conv": {"im2col": -1.0}}}'],
)  # fmt: skip
def test_a_broken_file_is_ignored_and_rewritten(cache, text):
    cache.parent.mkdir()
    cache.write_text(text.replace("KEY", "key"))
    assert remember.recall("key") == {}
    remember.remember("key", {"conv": {"im2col": 1.0}})
    assert remember.recall("key") == {"conv": {"im2col": 1.0}}


def test_bytes_that_are_no_text_are_ignored(cache):
    cache.parent.mkdir()
    cache.write_bytes(b"\xff\xfe\x00")
    assert remember.recall("key") == {}


def test_what_cannot_be_written_is_not_remembered(cache):
    cache.parent.write_text("a file where the folder should be")
    remember.remember("key", {"conv": {"im2col": 1.0}})
    assert remember.recall("key") == {}


def test_others_keep_what_they_remember(cache):
    remember.remember("one", {"conv": {"im2col": 1.0}})
    remember.remember("two", {"conv": {"im2col": 2.0}})
    remember.remember("one", {"more": {"im2col": 3.0}})
    assert remember.recall("one") == {"conv": {"im2col": 1.0}, "more": {"im2col": 3.0}}
    assert remember.recall("two") == {"conv": {"im2col": 2.0}}
    assert [path.name for path in cache.parent.iterdir()] == ["tuned.json"]


def test_another_numpy_blas_or_processor_is_another_machine(monkeypatch):
    import threadpoolctl

    def blas(version="0.3.31", architecture="Haswell"):
        return [{"user_api": "blas", "internal_api": "openblas", "version": version, "architecture": architecture}]

    names = [remember.machine()]
    monkeypatch.setattr(np, "__version__", "9.9")
    names.append(remember.machine())
    for pools in (blas(), blas("0.3.32"), blas(architecture="SkylakeX")):
        monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda pools=pools: pools)
        names.append(remember.machine())
    monkeypatch.setattr(remember, "processor", lambda: "Abacus 1")
    names.append(remember.machine())
    assert len(set(names)) == len(names)


def gradients(measured):
    model = Model(read_spec(text=NET), dtype="float64", seed=1, measured=measured)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 3, 8, 8)), random.integers(0, 3, 32)
    graph = model.engine.graph("train", 32)
    used = [node.name for node in graph if isinstance(node.op, WinogradConvolve)]
    return used, model.gradients(x, y), model.predict(x)


def test_forced_choices_give_the_same_numbers():
    times = tuned()
    usual = gradients({})
    for best in (
        {"Winograd", "flipping", "at once"},
        {"im2col", "col2im", "at once"},
        {"im2col", "col2im width", "phases", "rows"},
    ):
        forced = {
            mode: {name: {m: 1.0 + (m not in best) for m in found} for name, found in every.items()}
            for mode, every in times.items()
        }
        used, found, answers = gradients(forced)
        assert len(used) == (2 if "Winograd" in best else 0)
        assert np.abs(answers - usual[2]).max() < 1e-10
        for name, value in usual[1].items():
            assert np.abs(found[name] - value).max() < 1e-10, name


def test_compile_tunes_on_request(monkeypatch):
    monkeypatch.setattr(tune, "ROUNDS", 1)
    assert cnnspec.compile(text=NET).measured == {}
    model = cnnspec.compile(text=NET, tune=True)
    assert set(model.measured) == {"train", "infer"}
    assert "(measured: im2col " in model.engine.plan("train", 32).source
    assert "(measured: im2col " in model.engine.plan("infer", 32).source


def test_jax_has_nothing_to_tune():
    with pytest.raises(ValueError, match="tuned for the engine numpy, and this is jax"):
        cnnspec.compile(text=NET, tune=True, engine="jax")


@pytest.mark.parametrize("unit, rounds", [(1.0, tune.ROUNDS), (1e-9, tune.MOST_ROUNDS), (tune.ENOUGH / 60, 14)])
def test_the_fewest_seconds_of_rounds_after_one_that_warms_up(monkeypatch, unit, rounds):
    """Two plans in turn, each lengthened by others in all rounds but one; short ones take more rounds."""
    now, took = [0.0], {"a": [], "b": []}

    def step(graph, *arguments):
        def once():
            own = {"a": 1, "b": 2}[graph]
            calls = took[graph]
            calls.append(own if len(calls) in (0, 5) else own + own / 2)
            now[0] += unit * calls[-1]

        return once

    monkeypatch.setattr(tune, "step", step)
    found = tune.measure({"a": "a", "b": "b"}, 1, "float32", lambda: now[0])
    assert found == pytest.approx({"a": unit, "b": 2 * unit})
    assert len(took["a"]) == len(took["b"]) == 1 + rounds
