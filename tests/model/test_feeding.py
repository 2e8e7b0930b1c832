"""Batches come as they are stored and the workers scale them, and nothing about a training shows it."""

from dataclasses import replace

import numpy as np
import pytest

import cnnspec
from cnnspec.data.dataset import Scaling, Split, Stored
from cnnspec.settings.augment import Crop, Cutout, Flip, Mixup, Noise, Rotate, Zoom
from cnnspec.train.loop import StepDone, TrainingConfig, measure, training

NET = """
input 1x16x16
conv 3x3x3 -> bn -> relu -> maxpool 2 -> dropout 20% -> dense 4 -> softmax
train { optimiser adam ; batch 8 }
"""
COURSE = TrainingConfig(epochs=2, batch=8, seed=2, augment=(Flip(), Crop(2)))
SLOW = (Flip(), Noise(), Rotate(30), Crop(2)), (Mixup(), Zoom(0.5), Cutout(4))


def images(count=37):  # a short batch at the end
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (count, 1, 16, 16), dtype=np.uint8)
    return Split(x, generator.integers(0, 4, count), Scaling((1 / 255,), (-0.5,)))


class Elsewhere:
    """The same images, scaled before a model sees them."""

    def __init__(self, split):
        self.split = split

    def __len__(self):
        return len(self.split)

    def batches(self, batch, *, stored=False, **how):
        return self.split.batches(batch, **how)


def trained(fed, between=lambda model: None, augment=COURSE.augment, text=NET, **how):
    with cnnspec.compile(text=text, seed=1, **how) as model:
        for event in training(model, fed, replace(COURSE, augment=augment), fed):
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
def test_the_bits_are_those_of_batches_that_come_scaled(how):
    same(trained(images(), **how), trained(Elsewhere(images()), **how))


@pytest.mark.parametrize(
    ("how", "augment"),
    [({}, SLOW[1]), ({"workers": 2, "parallel": "threads"}, SLOW[0]), ({"workers": 2, "shards": 3}, SLOW[0])],
)
def test_the_bits_are_those_of_batches_that_come_augmented(how, augment):
    same(trained(images(), augment=augment, **how), trained(Elsewhere(images()), augment=augment, **how))


@pytest.mark.parametrize("stored", ["uint8", "float32"])  # and put where they are scaled
@pytest.mark.parametrize("shape", [(1, 16, 16), (4, 8, 8)])
def test_the_bits_are_those_of_batches_that_are_taken_elsewhere(stored, shape):
    found = images()
    split = Split(found.x.astype(stored).repeat(4, axis=1)[:, : shape[0], : shape[1], : shape[2]], found.y)
    text = NET.replace("1x16x16", "x".join(map(str, shape)))
    same(*(trained(fed, augment=(), text=text, shards=2) for fed in (split, Elsewhere(split))))


def test_images_of_a_step_in_several_goes_are_augmented_each_by_its_own_numbers():
    text = NET.replace("batch 8", "batch 8 ; accumulate 3")
    same(*(trained(fed, augment=SLOW[0], text=text) for fed in (images(), Elsewhere(images()))))


def test_a_model_that_is_asked_between_steps_goes_on_to_the_same_bits():
    x, y = images().arrays()

    def asked(model):
        model.gradients(x[:8], y[:8])  # in the place of the batch
        model.predict(np.repeat(x, 1 + model.steps, axis=0))  # takes more memory: every plan anew

    state = trained(images(), asked)
    same(state, trained(images()))


@pytest.mark.parametrize("stored", ["uint8", "float32", "float64"])
def test_images_of_every_type_are_scaled_by_the_workers(stored):
    def split():
        found = images()
        return Split(found.x.astype(stored), found.y, found.scaling)

    same(trained(split(), shards=3), trained(Elsewhere(split()), workers=2, parallel="processes", shards=3))


@pytest.mark.parametrize("parallel", ["threads", "processes"])
def test_batches_may_come_as_stored_and_scaled_in_turn(parallel):
    """Workers that were forked for one kind know how the other is fed as well."""
    scaled, shown = [], []
    for turn in (0, 1):
        with cnnspec.compile(text=NET, seed=1, workers=2, parallel=parallel) as model:
            for k, (x, y) in enumerate(images().batches(8, stored=True)):
                scaled.append(model.learn(x if (k + turn) % 2 else np.asarray(x), y))
            x, y = next(images().batches(8, stored=True))
            gradients = model.gradients(x, y)["dense1.bias"]
            shown.append([*model.evaluate(x, y).values(), *model.predict(x).ravel(), *gradients])
    assert scaled[:5] == scaled[5:] and shown[0] == shown[1]


def test_stored_images_of_another_shape_are_refused():
    model = cnnspec.compile(text=NET)
    with pytest.raises(cnnspec.SpecError, match=r"shape \(n, 1, 16, 16\), got uint8 \(2, 1, 4, 4\)"):
        model.learn(Stored(np.zeros((2, 1, 4, 4), np.uint8), Scaling()), np.zeros(2, int))


def test_a_cost_that_is_not_finite_is_blamed_on_the_scaled_images():
    x = np.zeros((8, 1, 16, 16), np.float32)
    x[3, 0, 5, 5] = np.inf
    split, course = Split(x, np.zeros(8, int)), TrainingConfig(epochs=1, batch=8, shuffle=False)
    with pytest.raises(cnnspec.SpecError, match=r"the images hold .* not finite \(number 3 of the batch\)"):
        list(training(cnnspec.compile(text=NET), split, course))
