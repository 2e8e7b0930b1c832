"""What runs at the same time: a step on its device, and the next batch being made and brought there."""

import re

import numpy as np
import pytest

import cnnspec
from cnnspec.data.dataset import Split
from cnnspec.train.loop import StepDone, TrainingConfig, training

jax = pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

NET = "input 1x6x6\nconv 3x3x3 -> relu -> dense 2 -> softmax\ntrain { optimiser adam ; batch 8 }\n"


def model_of(text=NET):
    return cnnspec.compile(text=text, engine="jax", devices=1)


def test_the_next_batch_is_made_and_on_its_way_before_a_cost_is_read(monkeypatch):
    model, happened = model_of(), []
    engine = model.engine
    start, hold, batches = engine.start, engine.hold, Split.batches

    def made(*given, **more):
        for batch in batches(*given, **more):
            happened.append("made")
            yield batch

    def begun(arrays, *given):
        happened.append("begun")
        assert all(isinstance(each, jax.Array) for each in arrays.values()), "the step copies nothing"
        learned = start(arrays, *given)
        return lambda: happened.append("read") or learned()

    monkeypatch.setattr(Split, "batches", made)
    monkeypatch.setattr(engine, "start", begun)
    monkeypatch.setattr(engine, "hold", lambda arrays: happened.append("held") or hold(arrays))
    random = np.random.default_rng(0)
    images = Split(random.integers(0, 256, (24, 1, 6, 6)).astype("uint8"), random.integers(0, 2, 24))
    for event in training(model, images, TrainingConfig(epochs=1, batch=8)):
        if isinstance(event, StepDone):
            happened.append("told")
    while_one_runs = ["begun", "made", "held", "read", "told"]
    assert happened == ["made", "held", *while_one_runs, *while_one_runs, "begun", "read", "told"]


def test_steps_are_begun_without_waiting_for_their_batch_or_for_one_another():
    """Two are under way when `start` returns: the first has to wait for images that come only then."""
    model, random = model_of(), np.random.default_rng(0)
    held = dict(model.engine.hold(model.arrays(random.normal(size=(8, 1, 6, 6)), random.integers(0, 2, 8))))
    model.engine.learn(held, 0.01)  # compiled by now
    (name,) = model.graph.inputs

    def slowly(x):  # most of a second later
        wide = jax.numpy.ones((300, 300), x.dtype)
        return x + 0 * jax.lax.fori_loop(0, 400, lambda _, y: jax.numpy.tanh(y @ wide), wide)[0, 0]

    late = jax.jit(slowly, out_shardings=held[name].sharding).lower(held[name]).compile()
    images = held | {name: late(held[name])}
    begun = [model.engine.start(images, 0.01) for _ in range(2)]
    under_way = not any(each.is_ready() for each in model.engine.parameters.arrays.values())
    costs = [learned()[0] for learned in begun]
    assert under_way and costs[1] < costs[0] and model.engine.steps == 3


@pytest.mark.parametrize("optimiser", ["sgd momentum 0.9", "adam"])
def test_moments_are_written_where_they_are(optimiser):
    """What a step is given becomes what it returns, and no moment is copied first."""
    wide = "input 1x6x6\nflatten -> dense 47 -> relu -> dense 53 -> relu -> dense 2 -> softmax\n"
    engine = model_of(f"{wide}train {{ optimiser {optimiser} ; batch 8 }}\n").engine
    compiled = engine.executable("learn", 8)
    held = sum(each.nbytes for arrays in (engine.parameters, *engine.moments.values()) for each in arrays.values())
    assert compiled.memory_analysis().alias_size_in_bytes >= held
    copies = re.findall(r"f32\[53,47\]\S* copy\(", compiled.as_text())
    assert len(copies) <= 1, "the parameter's own, which the way back reads"
