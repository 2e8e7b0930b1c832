"""A compiled network in a run: stopped after any step it goes on to the same bits, on other workers too."""

from __future__ import annotations

import numpy as np
import pytest

import cnnspec
from cnnspec.data.dataset import Split
from cnnspec.diagnostics import SpecError
from cnnspec.train.checkpoints import Stamp, load_state, save_state
from cnnspec.train.folder import RunFolder
from cnnspec.train.history import Progress
from cnnspec.train.loop import SaveDue, TrainingConfig, fit, training
from cnnspec.train.runs import run

SPEC = """\
input 2x7x8
conv 4x3x2 pad same bias off -> bn -> relu -> maxpool 2 -> dropout 30% -> dense 3 -> softmax
train { optimiser adam lr 0.01 clip 1 ; schedule cosine warmup 0.5 ; shards 2 }
"""
STAMP = Stamp(SPEC)
COURSE = TrainingConfig(epochs=5, batch=8, seed=3, interval=1 / 10)
STEPS = 50


def images(count, seed):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, count)
    x = generator.normal(size=(count, 2, 7, 8)).astype(np.float32)
    x[np.arange(count), 0, y] += 2
    return Split(x, y)


TRAIN, VALIDATION = images(76, 1), images(11, 2)


def model(**parts):
    return cnnspec.compile(text=SPEC, batch=8, **parts)


def stranger(**parts):
    """A model that has gone another way."""
    other = model(**parts)
    other.fit(VALIDATION.x, VALIDATION.y, epochs=2)
    return other


def bits(model):
    return {name: values.tobytes() for name, values in {**model.parameters, **model.state}.items()}


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """The bits of a training left alone, and a state for each of its steps."""
    states, trained, progress = tmp_path_factory.mktemp("states"), model(), Progress()
    for event in training(trained, TRAIN, COURSE, VALIDATION, progress):
        if isinstance(event, SaveDue):
            save_state(states / f"{event.step}", trained, STAMP, event.progress, event.step)
    return bits(trained), progress, states


def test_stopping_at_each_of_fifty_steps_and_going_on_gives_the_same_bits(straight):
    wanted, whole, states = straight
    assert sorted(int(path.name) for path in states.iterdir()) == list(range(1, STEPS + 1))
    other = stranger()
    for step in range(1, STEPS + 1):
        progress = load_state(states / f"{step}", other, STAMP)
        history = fit_on(other, progress)
        assert bits(other) == wanted, f"stopped after step {step}"
        assert history["validation_cost"] == [row.validation_cost for row in whole.rows]
        assert history["cost"] == [row.cost for row in whole.rows]


def fit_on(other, progress):
    for _ in training(other, TRAIN, COURSE, VALIDATION, progress):
        pass
    return progress.history()


@pytest.mark.parametrize("parallel", ["threads", "processes"])
def test_going_on_with_other_workers_gives_the_same_bits(straight, parallel):
    wanted, _, states = straight
    with stranger(workers=2, parallel=parallel) as other:
        fit_on(other, load_state(states / "23", other, STAMP))
        assert bits(other) == wanted


def test_a_run_writes_weights_that_load_into_a_model(tmp_path):
    folder, trained = RunFolder.create(tmp_path, "net"), model()
    folder.describe(tmp_path / "net.cnn", STAMP.source, {"set": [], "shards": 1})
    summary = run(trained, TRAIN, COURSE, folder, STAMP, parameters=1, validation=VALIDATION, test=VALIDATION)
    other = model(seed=99)
    other.load(folder.best)
    found = other.evaluate(VALIDATION.x, VALIDATION.y)
    assert found["cost"] == pytest.approx(summary["test_cost"], rel=1e-6)
    assert found["accuracy"] == summary["test_accuracy"]


def test_another_optimiser_cannot_go_on(straight):
    _, _, states = straight
    text = SPEC.replace("adam lr 0.01 clip 1", "sgd lr 0.01 momentum 0.9")
    with pytest.raises(SpecError) as error:
        load_state(states / "10", cnnspec.compile(text=text), Stamp(text))
    assert error.value.diagnostics[0].code == "CNN461"
    with pytest.raises(SpecError) as error:
        load_state(states / "10", cnnspec.compile(text=text), STAMP)
    assert error.value.diagnostics[0].code == "CNN460"


def test_a_rate_far_too_high_names_the_layer():
    text = "input 2x7x8\nconv 4x3x2 -> relu -> dense 3 -> softmax\ntrain { optimiser sgd lr 1e12 }"
    with pytest.raises(SpecError) as error, np.errstate(all="ignore"):
        fit(cnnspec.compile(text=text), TRAIN, COURSE)
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN302" and "at step " in finding.message and "smaller `lr`" in finding.help
    assert "conv1" in finding.message or "dense1" in finding.message
