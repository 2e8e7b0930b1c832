"""Batches are made where the plan reads them, and nothing about a training shows it."""

import numpy as np
import pytest

import cnnspec
from cnnspec.data import Scaling, Split
from cnnspec.settings.augment import Crop, Flip
from cnnspec.train.loop import Course, StepDone, measure, training

NET = """
input 1x16x16
conv 3x3x3 -> bn -> relu -> maxpool 2 -> dropout 20% -> dense 4 -> softmax
train { optimiser adam ; batch 8 }
"""
COURSE = Course(epochs=2, batch=8, seed=2, augment=(Flip(), Crop(2)))


def images(count=37):  # a short batch at the end
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (count, 1, 16, 16), dtype=np.uint8)
    return Split(x, generator.integers(0, 4, count), Scaling((1 / 255,), (-0.5,)))


class Elsewhere:
    """The same images, each batch in an array of its own."""

    def __init__(self, split):
        self.split = split

    def __len__(self):
        return len(self.split)

    def batches(self, batch, *, out=None, **how):
        return self.split.batches(batch, **how)


def trained(fed, between=lambda model: None, **how):
    with cnnspec.compile(text=NET, seed=1, **how) as model:
        for event in training(model, fed, COURSE, fed):
            if isinstance(event, StepDone):
                between(model)
        score = measure(model, fed, 8)
        rows = [(row.cost, row.accuracy, row.validation_cost) for row in event.history.rows]
        return rows, score, [array.copy() for array in model.parameters.values()]


def same(a, b):
    assert a[:2] == b[:2]
    for x, y in zip(a[2], b[2], strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("how", [{}, {"workers": 2}, {"workers": 2, "parallel": "processes"}])
def test_the_bits_are_those_of_batches_that_are_copied(how):
    same(trained(images(), **how), trained(Elsewhere(images()), **how))


def test_a_model_that_is_asked_between_steps_goes_on_to_the_same_bits():
    x, y = images().arrays()

    def asked(model):
        model.gradients(x[:8], y[:8])  # in the place of the batch
        model.predict(np.repeat(x, 1 + model.steps, axis=0))  # takes more memory: every plan anew

    state = trained(images(), asked)
    same(state, trained(images()))


def test_whole_batches_are_made_where_the_plan_reads_them(monkeypatch):
    model = cnnspec.compile(text=NET)
    room = model.room("train", 8)
    copied = []
    copyto = np.copyto

    def watched(to, *given, **how):
        copied.append(to)
        return copyto(to, *given, **how)

    for x, y in images().batches(8, out=room):
        monkeypatch.setattr(np, "copyto", watched)
        model.learn(x, y)
        monkeypatch.undo()
        assert np.shares_memory(x, room) and (x is room) == (len(x) == 8)
        assert not any(array is room for array in copied)
    assert any(array is model.room("train", 5) for array in copied), "the short one has a plan of its own"
