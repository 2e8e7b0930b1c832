"""What is done in training only: noise, statistics of the batch, and running means of them."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.nets import spec
from oracles.trial import Trial, close

from cnnspec.words.costs import Mse


def trial(text: str, **settings) -> Trial:
    return Trial(spec(text, everywhere=False), Mse(), **settings)


@pytest.mark.parametrize("shape", ["4", "4x5", "4x3x5"])
@pytest.mark.parametrize("shards", [1, 3])
def test_running_means_are_those_of_pytorch(shape, shards):
    """Four steps without learning; the variance that is kept is the unbiased one of the whole batch."""
    torch = pytest.importorskip("torch")
    made = trial(f"{shape}: bn momentum 0.3", batch=7, shards=shards)
    rank = made.arrays["input"].ndim
    layer = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[rank](4, momentum=0.3)
    layer = layer.double()
    for name in ("running_mean", "running_var"):
        getattr(layer, name)[...] = torch.tensor(made.parameters[f"bn1.{name}"])
    generator = np.random.default_rng(0)
    for _ in range(4):
        made.arrays["input"][...] = generator.normal(3, 2, made.arrays["input"].shape)
        made.engine.learn(made.arrays, 0.0)
        layer(torch.tensor(made.arrays["input"]))
    for name in ("running_mean", "running_var"):
        close(made.parameters[f"bn1.{name}"], getattr(layer, name).numpy(), name, 1e-12)


def test_measuring_and_showing_leave_running_means_alone():
    made = trial("4x3x5: bn")
    before = made.parameters
    made.engine.measure(made.arrays)
    _ = made.shown, made.learnt
    assert all(np.array_equal(before[name], array) for name, array in made.parameters.items())


def test_a_batch_of_one_number_has_no_unbiased_variance():
    """One vector alone: the biased variance, 0, is kept rather than infinity."""
    made = trial("4: bn momentum 1", batch=1)
    made.engine.learn(made.arrays, 0.0)
    close(made.parameters["bn1.running_var"], np.zeros(4))
    close(made.parameters["bn1.running_mean"], made.arrays["input"][0])


@pytest.mark.parametrize("words", ["dropout 30%", "droppath 30%"])
def test_noise_is_there_in_training_only(words):
    made = trial(f"200: {words}", batch=200)
    (mask,) = made.learnt and made.masks.values()
    kept = np.unique(mask)
    assert np.allclose(kept, [0, 1 / 0.7]) and mask.mean() == pytest.approx(1, abs=0.15)
    (output,) = made.words.outputs
    assert np.array_equal(made.shown[output], made.arrays["input"])
    cost, _ = made.engine.measure(made.arrays)
    difference = made.arrays["input"] - made.arrays[f"{output}.target"]
    close(cost, (difference**2).mean())


def test_droppath_keeps_or_drops_whole_images():
    made = trial("2x3x4: droppath 50%", batch=64)
    (mask,) = made.learnt and made.masks.values()
    assert mask.shape == (64, 1)
    assert 16 < np.count_nonzero(mask) < 48


def test_dropout_keeps_or_drops_each_number():
    made = trial("2x3x4: dropout 50%", batch=64)
    (mask,) = made.learnt and made.masks.values()
    assert mask.shape == (64, 2, 3, 4)
    assert 0 < np.count_nonzero(mask[0]) < mask[0].size


@pytest.mark.parametrize("words", ["dropout 50%", "droppath 50%"])
def test_every_step_and_shard_and_word_draws_anew(words):
    """The same words twice, two shards, two steps: four masks, none like another; the same again from the start."""
    made = trial(f"40: {words} -> {words}", batch=80, shards=2)

    def drawn():
        made.drawn.clear()
        made.engine.learn(made.arrays, 0.0)
        return {key: mask.tobytes() for key, mask in made.drawn.items()}

    first, second = drawn(), drawn()
    assert len({*first.values(), *second.values()}) == 8
    made.engine.steps = 0
    assert drawn() == first


def test_bits_of_dropout_do_not_depend_on_the_workers():
    found = []
    for workers in (1, 2):
        made = trial("40: dense 30 -> dropout 50% -> dense 3", batch=31, shards=4, workers=workers, dtype="float32")
        for _ in range(3):
            made.engine.learn(made.arrays, 0.1)
        found.append({name: array.tobytes() for name, array in made.parameters.items()})
        made.engine.close()
    assert found[0] == found[1]
