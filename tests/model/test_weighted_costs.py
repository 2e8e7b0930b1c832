"""Weights of images multiply their costs, sum of w * cost / n as Keras has it: every cost, on every engine."""

from __future__ import annotations

import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import SpecError

ENDS = {
    "cross_entropy": "softmax",
    "cross_entropy smoothing 0.2": "softmax",
    "cross_entropy weight 2": "logsoftmax",
    "binary_cross_entropy": "sigmoid",
    "mse": "id",
    "mae": "id",
    "huber delta 0.3": "id",
    "hinge margin 1.5": "id",
}
APART = (  # costs that are not computed as one with what is before them
    ("cross_entropy smoothing 0.1", "sigmoid"),
    ("cross_entropy", "logsoftmax -> flatten"),
    ("binary_cross_entropy", "hardsigmoid"),
)
IMAGES = 7


def compiled(cost: str, end: str, pixels: bool = False, **how):
    last = "conv 3x1x1" if pixels else "conv 3x4x3" if "flatten" in end else "dense 3"
    train = f"train {{ cost {cost} ; {how.pop('train', '')} }}"
    text = f"input 2x4x3\nconv 4x3x3 pad same -> relu -> {last} -> {end}\n{train}"
    return cnnspec.compile(text=text, **{"dtype": "float64", "batch": IMAGES, "seed": 3, **how})


def answers(cost: str, pixels: bool, random) -> np.ndarray:
    sides = (4, 3) if pixels else ()
    if cost.startswith(("cross", "hinge")):
        return random.integers(0, 3, (IMAGES, *sides))
    if cost.startswith("binary"):
        return random.integers(0, 2, (IMAGES, 3, *sides))
    return random.normal(size=(IMAGES, 3, *sides)) * 2


def one_by_one(model, x, y, w):
    """The cost and the gradient of each image alone, times its weight, divided by the number of images."""
    cost, total = 0.0, {}
    for k in range(len(x)):
        cost += model.cost(x[k : k + 1], y[k : k + 1]) * w[k] / len(x)
        for name, g in model.gradients(x[k : k + 1], y[k : k + 1]).items():
            total[name] = total.get(name, 0) + g * w[k] / len(x)
    return cost, total


@pytest.mark.parametrize("pixels", [False, True], ids=["images", "pixels"])
@pytest.mark.parametrize("cost, end", [*ENDS.items(), *APART])
def test_every_cost_is_the_sum_of_weighted_costs_by_the_images(cost, end, pixels):
    if pixels and "flatten" in end:
        end = "logsoftmax"
    random = np.random.default_rng(0)
    x, y, w = random.normal(size=(IMAGES, 2, 4, 3)), answers(cost, pixels, random), random.random(IMAGES) * 3
    w[2] = 0
    model = compiled(cost, end, pixels)
    wanted_cost, wanted = one_by_one(model, x, y, w)
    found = model.gradients(x, y, sample_weight=w)
    assert set(found) == set(wanted)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-12)
    plain, alike = (compiled(cost, end, pixels).train_step(x, y, sample_weight=w) for w in (None, np.ones(IMAGES)))
    assert plain == pytest.approx(alike, rel=1e-12)
    assert model.train_step(x, y, sample_weight=w) == pytest.approx(wanted_cost, rel=1e-9)


@pytest.mark.parametrize(
    "how", [{"shards": 3}, {"shards": 2, "workers": 2, "parallel": "threads"}, {"train": "accumulate 3"}]
)
def test_shards_and_goes_add_up_to_the_same(how):
    random = np.random.default_rng(1)
    x, y, w = random.normal(size=(IMAGES, 2, 4, 3)), random.integers(0, 3, IMAGES), random.random(IMAGES)
    one, other = compiled("cross_entropy", "softmax"), compiled("cross_entropy", "softmax", **how)
    for name, g in one.gradients(x, y, sample_weight=w).items():
        np.testing.assert_allclose(other.gradients(x, y, sample_weight=w)[name], g, rtol=1e-9, atol=1e-12)
    assert one.train_step(x, y, sample_weight=w) == pytest.approx(other.train_step(x, y, sample_weight=w), rel=1e-9)
    for name, values in one.parameters.items():
        np.testing.assert_allclose(other.parameters[name], values, rtol=1e-9, atol=1e-12)
    other.close()


def test_class_weights_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(2)
    x, y, weights = random.normal(size=(40, 5)), random.integers(0, 3, 40), np.array([1.0, 4.0, 0.5])
    text = "input 5\ndense 3 -> softmax\ntrain { optimiser sgd lr 0.1 ; batch 10 ; epochs 3 }\ndata { shuffle off }"
    model = cnnspec.compile(text=text, dtype="float64", seed=0)
    layer = torch.nn.Linear(5, 3, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:] = torch.tensor(np.array(model.parameters["dense1.weight"]))
        layer.bias[:] = torch.tensor(np.array(model.parameters["dense1.bias"]))
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=model.spec.train.optimiser.momentum)
    judge = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights), reduction="sum")
    for _ in range(3):
        for k in range(0, 40, 10):
            optimiser.zero_grad()
            (judge(layer(torch.tensor(x[k : k + 10])), torch.tensor(y[k : k + 10])) / 10).backward()
            optimiser.step()
    model.fit(x, y, class_weight=dict(enumerate(weights.tolist())), shuffle=False, batch=10, epochs=3)
    np.testing.assert_allclose(model.parameters["dense1.weight"], layer.weight.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize(
    "cost",
    [c if c in ("cross_entropy smoothing 0.2", "mae") else pytest.param(c, marks=pytest.mark.slow) for c in ENDS],
)
def test_jax_weighs_as_numpy_does(cost):
    pytest.importorskip("jax")
    random = np.random.default_rng(0)
    x, y, w = random.normal(size=(IMAGES, 2, 4, 3)), answers(cost, False, random), random.random(IMAGES) * 3
    one, other = (compiled(cost, ENDS[cost], dtype="float32", engine=engine) for engine in ("numpy", "jax"))
    found = other.gradients(x, y, sample_weight=w)
    for name, g in one.gradients(x, y, sample_weight=w).items():
        np.testing.assert_allclose(found[name], g, rtol=2e-4, atol=2e-5)
    costs = [model.train_step(x, y, sample_weight=w) for model in (one, other)]
    assert costs[0] == pytest.approx(costs[1], rel=1e-4)
    assert one.train_step(x, y) == pytest.approx(other.train_step(x, y), rel=1e-3)  # and the next step without


def test_costs_of_several_outputs_are_all_weighed():
    text = """input 3 as x
net a = @x -> dense 2 -> softmax
net b = @x -> dense 1
train { cost cross_entropy of a ; cost mse of b weight 0.5 }"""
    model = cnnspec.compile(text=text, dtype="float64", seed=1)
    random = np.random.default_rng(4)
    x, w = random.normal(size=(6, 3)), random.random(6)
    y = {"a": random.integers(0, 2, 6), "b": random.normal(size=(6, 1))}
    found = model.gradients(x, y, sample_weight=w)
    for name, g in found.items():
        parts = [
            model.gradients(x[k : k + 1], {n: a[k : k + 1] for n, a in y.items()})[name] * w[k] / 6
            for k in range(6)
        ]
        np.testing.assert_allclose(g, sum(parts), rtol=1e-9, atol=1e-12)


def test_what_is_measured_is_not_weighted():
    random = np.random.default_rng(5)
    x, y = random.normal(size=(30, 4)), random.integers(0, 2, 30)
    model = cnnspec.compile(text="input 4\ndense 2 -> softmax", dtype="float64", seed=0)
    history = model.fit(x, y, epochs=1, validation=(x, y), class_weight={1: 50})
    assert history.rows[0].validation_cost == pytest.approx(model.cost(x, y))
    assert history.rows[0].cost > 3 * history.rows[0].validation_cost


def test_weights_that_do_not_fit_a_batch():
    model = cnnspec.compile(text="input 4\ndense 2 -> softmax")
    x, y = np.zeros((3, 4)), np.zeros(3, int)
    for wrong in ([1, 2], 1, [1, 2, -1], [1, 2, np.nan], [[1, 2, 3]], "abc"):
        for ask in (model.train_step, model.gradients):
            with pytest.raises(SpecError, match="sample_weight"):
                ask(x, y, sample_weight=wrong)
