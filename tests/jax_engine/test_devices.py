"""Several devices compute what one does: the batch is cut, parameters and statistics are of all."""

import numpy as np
import pytest

import cnnspec

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

NET = """input 3x6x6
conv 6x3x3 pad 1 bias off -> bn -> relu -> maxpool 2 -> dropout 20% -> dense 4 -> softmax
train { optimiser adam lr 1e-2 clip 1 ; batch 8 }
"""


def train(devices, steps=20):
    model = cnnspec.compile(text=NET, engine="jax", devices=devices)
    generator = np.random.default_rng(0)
    costs = []
    for _ in range(steps):
        costs.append(model.train_step(generator.normal(size=(8, 3, 6, 6)), generator.integers(0, 4, 8)))
    uneven = generator.normal(size=(6, 3, 6, 6)), generator.integers(0, 4, 6)  # four devices cannot share six
    return model, [*costs, model.measure(*uneven)[0]]


def test_one_two_and_four_devices_reach_the_same_costs():
    (one, costs), *others = (train(devices) for devices in (1, 2, 4))
    assert one.engine.workers.count == 1 and others[1][0].engine.workers.count == 4
    for model, others_costs in others:
        np.testing.assert_allclose(others_costs, costs, atol=1e-5)
        for name, values in one.parameters.items():
            np.testing.assert_allclose(model.parameters[name], values, atol=1e-4)


def test_more_devices_than_there_are():
    with pytest.raises(cnnspec.SpecError) as refused:
        cnnspec.compile(text=NET, engine="jax", devices=64)
    assert refused.value.diagnostics[0].code == "CNN312"


def test_what_is_held_is_known_before_a_step():
    model = cnnspec.compile(text=NET, engine="jax", devices=2)
    memory = model.engine.memory(8)
    parameters = sum(values.nbytes for values in model.parameters.values())
    assert memory["parameters"] == parameters and memory["arena"] > 0
    assert "2 devices (CPU)" in model.engine.described and "tolerance" in model.engine.described


def test_each_process_reads_its_own_rows():
    """Of a batch that is cut among two processes, the first reads the first half; of an odd one, all."""
    from cnnspec.data.dataset import Split
    from cnnspec.jax.processes import ProcessSplit
    from cnnspec.settings.augment import Flip, Mixup

    class Halves:
        def rows(self, n):
            return slice(0, n // 2) if n % 2 == 0 else slice(0, n)

    generator = np.random.default_rng(0)
    split = Split(generator.integers(0, 255, (13, 1, 4, 4)).astype("uint8"), np.arange(13))
    course = {"seed": 3, "epoch": 2, "shuffle": True, "augment": (Flip(),)}
    whole, own = (list(images.batches(4, **course)) for images in (split, ProcessSplit(split, Halves())))
    for (x, y), (mine, labels) in zip(whole, own, strict=True):
        cut = Halves().rows(len(x))
        assert np.array_equal(mine[cut], x[cut]) and np.array_equal(labels, y)
        assert not mine[cut.stop :].any()
    again = list(ProcessSplit(split, Halves()).batches(4, start=2, **course))
    assert np.array_equal(again[0][0], own[2][0])
    course["augment"] = (Mixup(1.0), Flip())
    whole, own = (list(images.batches(4, **course)) for images in (split, ProcessSplit(split, Halves())))
    for (x, y), (mine, mixed) in zip(whole, own, strict=True):
        cut = Halves().rows(len(x))
        assert np.array_equal(mine[cut], x[cut]) and len(mixed) == len(y)
        for part in ("y", "other", "weight"):
            assert np.array_equal(getattr(mixed, part)[cut], getattr(y, part)[cut])
    split = Split(split.x, split.y, weights=np.arange(13.0))
    whole, own = (list(images.batches(4, **course)) for images in (split, ProcessSplit(split, Halves())))
    for (_, y), (_, mixed) in zip(whole, own, strict=True):  # of all rows, as the answers are
        assert np.array_equal(mixed.weights, y.weights) and len(mixed.y) == len(y)


def test_and_of_several_inputs_and_outputs():
    from cnnspec.data.dataset import Named, Scaling
    from cnnspec.jax.processes import ProcessSplit

    class Halves:
        def rows(self, n):
            return slice(n // 2, n)

    generator = np.random.default_rng(0)
    x = {
        "left": generator.integers(0, 255, (10, 1, 3, 3)).astype("uint8"),
        "right": generator.normal(size=(10, 4)).astype("f4"),
    }
    named = Named(x, {"same": np.arange(10), "far": generator.random((10, 2))}, {"left": Scaling((0.5,), (1.0,))})
    for split in (named, Named(named.x, named.y, named.scaling, np.arange(10.0))):
        course = {"seed": 1, "epoch": 3, "shuffle": True, "start": 1}
        whole, own = (list(images.batches(4, **course)) for images in (split, ProcessSplit(split, Halves())))
        assert len(whole) == 2
        for (x, y), (mine, answers) in zip(whole, own, strict=True):
            cut = len(x["left"]) // 2
            for name, values in x.items():
                assert np.array_equal(mine[name][cut:], values[cut:]) and not mine[name][:cut].any()
            if split.weights is not None:
                assert np.array_equal(answers.weights, y.weights)
                y, answers = y.y, answers.y
            for name, values in y.items():
                assert np.array_equal(answers[name], values)


def test_mixed_answers_cost_what_they_do_on_numpy():
    from cnnspec.data.dataset import Split
    from cnnspec.settings.augment import Cutmix

    generator = np.random.default_rng(1)
    split = Split(generator.normal(size=(8, 1, 6, 6)).astype("f4"), np.arange(8) % 3)
    ((x, y),) = split.batches(8, augment=(Cutmix(),))
    costs = []
    text = "input 1x6x6\nconv 2x3x3 -> relu -> dense 3 -> softmax"
    for engine in ("numpy", "jax"):
        model = cnnspec.compile(text=text, engine=engine, batch=8)
        costs.append(model.learn(x, y))
    assert costs[0][0] == pytest.approx(costs[1][0], rel=1e-5) and costs[0][1] is costs[1][1] is None
