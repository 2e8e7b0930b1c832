"""What a model counts over batches of images, by the kind of its answers."""

import numpy as np
import pytest

import cnnspec
from cnnspec.data.dataset import Labels, Split
from cnnspec.train.loop import measure

RANDOM = np.random.default_rng(3)
CLASSES = {"accuracy", "precision", "recall", "f1"}


def measured(text, y, batch=4, **how):
    """The score of images in batches, and the outputs of all at once."""
    model = cnnspec.compile(text=text, seed=2, batch=batch, **how)
    x = RANDOM.normal(size=(len(y), *model.graph.type(model.graph.inputs[0]).shape)).astype("f4")
    score = measure(model, Split(x, y), batch)
    whole = model.evaluate(x, y)
    assert score.cost == pytest.approx(whole["cost"], rel=1e-6)
    assert score.accuracy == (None if whole["accuracy"] is None else pytest.approx(whole["accuracy"]))
    assert score.measures["accuracy"] == score.accuracy
    return score.measures, model.predict(x)


@pytest.mark.parametrize(
    "end, y, names",
    [
        ("dense 3 -> softmax", RANDOM.integers(0, 3, 10), CLASSES),
        ("dense 3\ntrain { cost mse }", RANDOM.integers(0, 3, 10), CLASSES),
        ("dense 3 -> softmax", np.eye(3)[RANDOM.integers(0, 3, 10)], CLASSES),
        ("dense 7 -> softmax", RANDOM.integers(0, 7, 10), CLASSES | {"top5"}),
        ("dense 2 -> softmax", np.arange(10) % 2, CLASSES | {"auc"}),
        ("dense 1 -> sigmoid", np.arange(10) % 2, CLASSES | {"auc"}),
        ("conv 3x5x5 -> softmax", RANDOM.integers(0, 3, 10), CLASSES),
        ("dense 3 -> sigmoid", RANDOM.integers(0, 2, (10, 3)).view(Labels), CLASSES),
        ("conv 3x3x3 -> softmax", RANDOM.integers(0, 3, (10, 3, 3)), CLASSES | {"iou"}),
        ("conv 1x3x3 -> sigmoid", RANDOM.integers(0, 2, (10, 3, 3)), CLASSES | {"iou", "auc"}),
        ("dense 3\ntrain { cost mse }", np.zeros((10, 3)).view(Labels), {"mae", "rmse", "r2"}),
        ("dense 1", RANDOM.normal(size=10), {"mae", "rmse", "r2"}),
        ("dense 3", RANDOM.normal(size=(10, 3)), {"mae", "rmse", "r2"}),
        ("conv 2x3x3", RANDOM.normal(size=(10, 2, 3, 3)), {"mae", "rmse", "r2"}),
    ],
)
def test_what_there_is_depends_on_the_answers(end, y, names):
    found, outputs = measured(f"input 1x5x5\n{end}", y)
    assert set(found.values) == names
    if found.confusion is not None:
        said = outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        truth = y.argmax(axis=1) if y.shape == outputs.shape and y.dtype.kind == "f" else y
        assert found["accuracy"] == pytest.approx(np.mean(said.reshape(truth.shape) == truth))
        assert np.sum(found.confusion) == truth.size
    if "mae" in names:
        assert found["mae"] == pytest.approx(np.abs(outputs.reshape(y.shape) - y).mean(), rel=1e-5)


def test_a_batch_of_numbers_that_are_all_0_or_1_makes_no_labels_of_them():
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.25, 0.5])
    found, outputs = measured("input 3\ndense 1 -> sigmoid", y)
    assert set(found.values) == {"mae", "rmse", "r2"} and found.confusion is None
    assert found["mae"] == pytest.approx(np.abs(outputs[:, 0] - y).mean(), rel=1e-6)


def test_shards_and_workers_measure_the_same():
    y = RANDOM.integers(0, 3, 11)
    x = RANDOM.normal(size=(11, 2, 6, 6)).astype("f4")
    text = "input 2x6x6\nconv 4x3x3 -> bn -> relu -> dropout 0.4 -> dense 3 -> softmax"
    found = []
    for how in ({}, {"shards": 2}, {"shards": 2, "workers": 2, "parallel": "threads"}):
        with cnnspec.compile(text=text, seed=2, batch=4, **how) as model:
            found.append(measure(model, Split(x, y), 4).measures.to_json(("a", "b", "c")))
    assert found[0] == found[1] == found[2]
    assert [one["name"] for one in found[0]["classes"]] == ["a", "b", "c"]


def test_of_several_outputs_the_first_that_is_judged_is_measured():
    text = "input 4 as a\nnet first = @a -> dense 3 -> softmax\nnet second = @a -> dense 1\n"
    model = cnnspec.compile(text=text, batch=4)
    x = RANDOM.normal(size=(6, 4)).astype("f4")
    y = {model.judged[0]: np.arange(6) % 3, model.judged[1]: RANDOM.normal(size=6)}
    tally = model.tally()
    tally.add(x, y)
    assert set(tally.measures().values) == CLASSES


def test_nothing_counted_is_nothing_measured():
    assert cnnspec.compile(text="input 4\ndense 2 -> softmax").tally().measures() is None
