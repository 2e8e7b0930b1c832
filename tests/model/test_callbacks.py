"""Callbacks of `fit`: what they hear, and that False, and nothing else, stops a training."""

import signal

import numpy as np
import pytest

import cnnspec

TEXT = "input 1x6x5\nconv 3x3x2 -> relu -> dense 2 -> softmax\ntrain { epochs 3 ; batch 8 }"
X = np.random.default_rng(0).normal(size=(20, 1, 6, 5)).astype(np.float32)
Y = np.arange(20) % 2
STEPS = 3  # of an epoch, the last one of 4 images


def fresh():
    return cnnspec.compile(text=TEXT, seed=1)


def test_each_step_and_each_epoch_is_heard():
    steps, rows = [], []
    history = fresh().fit(X, Y, on_batch=steps.append, on_epoch=rows.append)
    assert [(step.step, step.epoch, step.images) for step in steps] == [
        (3 * epoch + k + 1, epoch + 1, (8, 8, 4)[k]) for epoch in range(3) for k in range(STEPS)
    ]
    assert tuple(rows) == history.rows
    costs = np.array([step.cost for step in steps]).reshape(3, STEPS)
    assert costs @ [0.4, 0.4, 0.2] == pytest.approx(history["cost"])


def test_false_after_an_epoch_stops_there():
    one, whole = fresh(), fresh()
    history = one.fit(X, Y, on_epoch=lambda row: row.epoch < 2)
    assert len(history) == 2 and history.stopped_early and one.steps == 2 * STEPS
    assert "2 epochs" in repr(history) and "stopped early" in repr(history)
    rows = whole.fit(X, Y).rows
    assert [row.cost for row in history.rows] == [row.cost for row in rows[:2]]


def test_false_after_a_step_stops_there():
    """What is left of the epoch is not made, and makes no row."""
    model = fresh()
    history = model.fit(X, Y, on_batch=lambda step: step.step < STEPS + 1)
    assert model.steps == STEPS + 1 and len(history) == 1 and history.stopped_early
    assert len(model.fit(X, Y, epochs=1)) == 1  # and it learns on


@pytest.mark.parametrize("answer", [None, 0, "", [], True, np.False_])
def test_another_answer_does_not_stop(answer):
    history = fresh().fit(X, Y, on_batch=lambda step: answer, on_epoch=lambda row: answer)
    assert len(history) == 3 and not history.stopped_early


def test_a_stop_before_anything_was_learnt_has_no_rows():
    history = fresh().fit(X, Y, on_batch=lambda step: False)
    assert len(history) == 0 and history.best_epoch == 0 and repr(history)


def test_ctrl_c_is_not_lost_where_the_callback_stops():
    """Both at one step: whoever pressed it ends the program, not this training alone."""
    model, before = fresh(), signal.getsignal(signal.SIGINT)

    def press(step):
        signal.raise_signal(signal.SIGINT)
        return False

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, on_batch=press)
    assert model.steps == 1 and signal.getsignal(signal.SIGINT) is before


def test_what_a_callback_raises_goes_on():
    model, before = fresh(), signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, on_batch=lambda step: 1 / 0)
    assert model.steps == 1 and signal.getsignal(signal.SIGINT) is before
