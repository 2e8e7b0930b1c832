"""Whole trainings on JAX follow those on NumPy, and one engine goes on where the other stopped."""

import re
from pathlib import Path

import numpy as np
import pytest
from agreement import agree, worst

from cnnspec.settings.optimisers import OPTIMISERS
from cnnspec.train.loop import StepDone, TrainingConfig, training

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

SPECS = Path(__file__).parents[2] / "specs"
RESIDUAL = """input 3x8x8
conv 8x3x3 pad 1 bias off -> bn -> relu
  -> add( conv 8x3x3 pad 1 bias off -> bn -> relu -> conv 8x3x3 pad 1 bias off -> bn | id ) -> relu
  -> add( conv 12x3x3 stride 2 pad 1 bias off -> bn | conv 12x1x1 stride 2 bias off -> bn ) -> relu
  -> gap -> dense 5 -> softmax
train { optimiser sgd lr 0.05 momentum 0.9 nesterov on weight_decay 1e-4 ; schedule cosine warmup 1 ; batch 16 }
"""
SMALL = "input 6\ndense 5 -> tanh -> dense 3 -> softmax\ntrain { optimiser %s ; batch 8 }\n"
QUICK = ("card", "digits", "iris", "lenet5", "mnist-cnn", "sequence", "siamese", "two-heads")


def without_budgets(text):
    """Without what is stated of the whole, budgets and `:: shape`; with smaller images and narrower layers."""
    text = re.sub(r"^expect .*| *:: *\S+", "", text, flags=re.MULTILINE)
    text = text.replace("224x224", "64x64").replace("572x572", "188x188").replace("let w = 64", "let w = 16")
    return re.sub(r"crop \d+x\d+", "crop 8x8", text) + "\n"  # what the U-Net then meets on its way up


def specs():
    """Every spec of the repository; XLA takes up to minutes over the larger ones."""
    paths = sorted(SPECS.rglob("*.cnn"))
    return [pytest.param(p.read_text(), id=p.stem, marks=[pytest.mark.slow] * (p.stem not in QUICK)) for p in paths]


@pytest.mark.parametrize("text", specs())
def test_specs(text, engines, numbers):
    input = None if "\ninput" in "\n" + text else "3x16x16"
    ours, other = engines(quiet(text), input=input)
    agree(ours, other, *numbers(ours, batch=2))


def quiet(text):
    """Without dropout's chance, which is drawn in other ways."""
    return re.sub(r"(dropout|droppath)( [\d.]+%?| \{.*?\})?", r"\1 0", without_budgets(text))


def batches(shape, classes, count, n=16, seed=3):
    generator = np.random.default_rng(seed)
    for _ in range(count):
        y = generator.integers(0, classes, n)
        yield generator.normal(size=(n, *shape)) + y.reshape(-1, *[1] * len(shape)) / classes, y


@pytest.mark.parametrize(
    ("net", "dtype", "tolerance"),
    [
        ("residual", "float64", 1e-8),
        ("residual", "float32", 1e-4),
        ("lenet5", "float32", 1e-4),
        pytest.param("lenet5", "float64", 1e-8, marks=pytest.mark.slow),  # half a minute without float32's kernels
    ],
)
def test_fifty_steps_cost_the_same(net, dtype, tolerance, engines):
    text = RESIDUAL if net == "residual" else without_budgets((SPECS / "lenet5.cnn").read_text())
    ours, other = engines(text, dtype)
    for model in (ours, other):
        model.total_steps, model.steps_per_epoch = 50, 10
    shape, classes = ours.graph.type(ours.graph.inputs[0]).shape, ours.graph.type(ours.graph.outputs[0])["c"]
    costs = [(ours.train_step(x, y), other.train_step(x, y)) for x, y in batches(shape, classes, 50)]
    apart = max(abs(a - b) / max(1, abs(a)) for a, b in costs)
    assert apart < tolerance, apart
    assert costs[-1][0] < costs[0][0], "it learns"


@pytest.mark.parametrize("settings", ["", " weight_decay 0.1 clip 0.3"])
@pytest.mark.parametrize("optimiser", [f"{o.word}{m}" for o in OPTIMISERS for m in ("", " momentum 0.8")
                                       if not m or o.word in ("sgd", "rmsprop")])  # fmt: skip
def test_optimisers_move_alike_and_keep_the_same_moments(optimiser, settings, engines):
    ours, other = engines(SMALL % f"{optimiser} lr 0.01{settings}")
    for x, y in batches((6,), 3, 4, n=8):
        ours.learn(x, y)
        other.learn(x, y)
    assert worst(dict(ours.parameters), dict(other.parameters))[0] < 1e-10
    assert worst(ours.state, other.state)[0] < 1e-10


def test_a_training_goes_on_with_the_other_engine_and_back(engines):
    ours, other = engines(RESIDUAL)
    alone, _ = engines(RESIDUAL)
    for model in (alone, ours):
        model.total_steps = 12
    for step, (x, y) in enumerate(batches((3, 8, 8), 5, 12)):
        if step in (4, 8):  # hand over
            for name, values in ours.parameters.items():
                other.parameters[name] = values
            other.load_state(ours.state)
            ours, other = other, ours
        assert np.isclose(alone.train_step(x, y), ours.train_step(x, y), rtol=1e-10)
        assert ours.rate == alone.rate and ours.steps == alone.steps


def test_repeats_are_the_same_bits():
    import cnnspec

    found = []
    for _ in range(2):
        model = cnnspec.compile(text=RESIDUAL, engine="jax", devices=2)
        found.append([model.train_step(x, y) for x, y in batches((3, 8, 8), 5, 3)] + [dict(model.parameters)])
    assert found[0][:3] == found[1][:3]
    assert all(np.array_equal(found[0][3][k], found[1][3][k]) for k in found[0][3])


def test_steps_that_begin_before_a_cost_is_read_have_the_bits_of_steps_one_by_one(engines, numbers):
    _, other = engines(SMALL % "adam", dtype="float32")
    _, ahead = engines(SMALL % "adam", dtype="float32")
    batches = [other.arrays(*numbers(other, batch=8, seed=seed)) for seed in range(4)]
    told = [other.engine.learn(batch, 0.01) for batch in batches]
    begun = [ahead.engine.start(batch, 0.01) for batch in batches]
    assert [learned() for learned in begun] == told and ahead.engine.steps == 4
    assert all(np.array_equal(values, ahead.parameters[name]) for name, values in other.parameters.items())
    held = ahead.engine.hold(batches[0])
    assert ahead.engine.learn(held, 0.01) == other.engine.learn(batches[0], 0.01)


def test_a_training_that_makes_batches_meanwhile_has_the_bits_of_steps_one_by_one():
    """Shuffled and augmented, on a device that computes while the next batch is made."""
    import cnnspec
    from cnnspec.data.dataset import Split
    from cnnspec.settings.augment import Shift

    text = "input 1x6x6\nconv 3x3x3 -> relu -> gap -> dense 2 -> softmax\ntrain { optimiser adam ; batch 8 }\n"
    fed, plain = (cnnspec.compile(text=text, engine="jax", devices=1) for _ in range(2))
    random = np.random.default_rng(0)
    images = Split(random.integers(0, 256, (44, 1, 6, 6)).astype("uint8"), random.integers(0, 2, 44))
    config = TrainingConfig(epochs=2, batch=8, augment=(Shift(1),))
    costs = [event.cost for event in training(fed, images, config) if isinstance(event, StepDone)]
    expected = []
    for epoch in (0, 1):
        for x, y in images.batches(8, epoch=epoch, shuffle=True, augment=config.augment):
            expected.append(plain.learn(x, y)[0])
    assert costs == expected and len(costs) == 12
    assert all(np.array_equal(values, plain.parameters[name]) for name, values in fed.parameters.items())


def test_a_cost_that_is_not_finite_leaves_all_as_it_was(engines):
    _, other = engines(RESIDUAL)
    before = {**other.parameters, **other.state}
    x, y = next(batches((3, 8, 8), 5, 1))
    x[3, 0, 2, 2] = np.nan
    assert np.isnan(other.train_step(x, y))
    after = {**other.parameters, **other.state}
    assert all(np.array_equal(before[k], after[k]) for k in before if k != "steps")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_halves_compute_and_parameters_stay_whole(precision):
    import cnnspec

    text = RESIDUAL.replace("batch 16", f"batch 16 ; precision {precision}")
    half = cnnspec.compile(text=text, engine="jax", devices=1)
    whole = cnnspec.compile(text=RESIDUAL, engine="jax", devices=1)
    assert f"{'bf16' if precision == 'bfloat16' else 'f16'}>" in half.plan.source
    steps = [(half.train_step(x, y), whole.train_step(x, y)) for x, y in batches((3, 8, 8), 5, 20)]
    assert {a.dtype for a in half.parameters.values()} == {np.dtype("float32")}
    assert all(abs(a - b) < 0.1 for a, b in steps) and steps != [(b, b) for _, b in steps]


def test_numpy_refuses_halves_and_says_what_does():
    import cnnspec

    with pytest.raises(cnnspec.SpecError) as refused:
        cnnspec.compile(text=SMALL % "sgd ; precision bfloat16")
    (finding,) = refused.value.diagnostics
    assert finding.code == "CNN310" and "--engine jax" in finding.help
