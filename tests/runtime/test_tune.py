"""`--tune`: convolutions timed, remembered, and the same numbers whatever was chosen."""

import json
from itertools import count

import numpy as np
import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.model import Model
from cnnspec.passes.decompose import attach_costs
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
    assert gradients == [{"flipping", "col2im", "col2im width"}] * 2  # nobody wants that of the first layer
    once = [set(times) for name, times in train.items() if name.startswith("filter")]
    assert once == [{"rows", "at once"}] * 4
    assert all(set(train[name]) == {"im2col", "Winograd", "Winograd 2d"} for name in layers)


def test_what_is_measured_is_what_runs_a_network():
    """Each small graph of a layer makes what a network's own plan does: no way in or out is timed."""
    found = read_spec(text=NET)
    graph = tune.run(attach_costs(found.graph, found.train.cost), tune.TRAINING, "hoist_pooling")
    for _, plans in tune.questions(graph, learns=True):
        for name, plan in plans.items():
            ops = [type(node.op).__name__ for node in plan()]
            assert "ToPolyphase" not in ops and "FromPolyphase" not in ops
            assert ("WinogradConvolveGradient" in ops) == (name == "Winograd")
            assert ("Winograd2dConvolveGradient" in ops) == (name == "Winograd 2d")


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
        {"im2col", "col2im width", "rows"},
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


def test_medians_of_rounds_after_one_that_warms_up(monkeypatch):
    """Two plans in turn; the first round of each takes a thousand times as long."""
    taken = iter([1000, 2000, *[1, 2] * 4, *[9, 2] * 3])
    now = [0.0]
    monkeypatch.setattr(tune, "step", lambda *arguments: lambda: now.__setitem__(0, now[0] + next(taken)))
    found = tune.measure({"a": None, "b": None}, 1, "float32", lambda: now[0])
    assert found == {"a": 1, "b": 2}
