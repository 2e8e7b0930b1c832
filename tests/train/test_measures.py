"""Measures against their definitions, counted one by one, and against scikit-learn where it is installed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.train.measure_tables import by_class, confused, line, whole
from cnnspec.train.measures import Confusion, Errors, LabelCounts, area

RANDOM = np.random.default_rng(0)


def counted(counter, y, outputs, batch=7):
    for k in range(0, len(y), batch):
        counter.add(y[k : k + batch], outputs[k : k + batch])
    return counter.measures()


def one_by_one(truth, said, k):
    """Precision, recall, F1 and IoU of class k, and how often it is there, from pairs."""
    pairs = list(zip(truth, said, strict=True))
    both = sum(t == k and s == k for t, s in pairs)
    answered, there = sum(s == k for _, s in pairs), sum(t == k for t, _ in pairs)
    if not answered and not there:
        return 0, None, None, None, None
    precision = both / answered if answered else 0.0
    recall = both / there if there else 0.0
    either = sum(t == k or s == k for t, s in pairs)
    return there, precision, recall, 2 * both / (answered + there), both / either


def close(found, wanted):
    if wanted is None:
        return found is None
    return found == pytest.approx(wanted, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 8), st.integers(1, 30), st.integers(0, 10**6))
def test_classes_are_counted_as_defined(classes, count, seed):
    generator = np.random.default_rng(seed)
    y = generator.integers(0, classes, count)
    outputs = generator.integers(0, 4, (count, classes)) / 4  # many ties
    said = [max(range(classes), key=lambda k: (row[k], -k)) for row in outputs.tolist()]
    found = counted(Confusion(classes, masks=False), y, outputs)
    assert found["accuracy"] == pytest.approx(sum(a == b for a, b in zip(y, said, strict=True)) / count)
    wanted = [one_by_one(y.tolist(), said, k) for k in range(classes)]
    for each, (there, precision, recall, f1, _) in zip(found.each, wanted, strict=True):
        assert each.count == there and each.iou is None
        assert close(each.precision, precision) and close(each.recall, recall) and close(each.f1, f1)
    for place, name in enumerate(("precision", "recall", "f1"), 1):
        known = [row[place] for row in wanted if row[place] is not None]
        assert close(found[name], sum(known) / len(known))
    for i, j in itertools.product(range(classes), repeat=2):
        assert found.confusion[i][j] == sum(a == i and b == j for a, b in zip(y, said, strict=True))
    if classes > 5:
        top = [
            truth in sorted(range(classes), key=lambda k: (-row[k], k))[:5]
            for truth, row in zip(y.tolist(), outputs.tolist(), strict=True)
        ]
        assert found["top5"] == pytest.approx(sum(top) / count)
    else:
        assert "top5" not in found.values


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=25))
def test_the_area_is_the_share_of_pairs_in_order(images):
    given_, second = np.array([g for g, _ in images], float), np.array([s for _, s in images])
    pairs = list(itertools.product(given_[second], given_[~second]))
    wanted = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs) if pairs else None
    assert close(area(given_, second), wanted)


def test_an_area_of_what_is_no_number_is_none():
    assert area(np.array([0.1, np.nan]), np.array([True, False])) is None


@pytest.mark.parametrize("shape", [(20, 2), (20, 1), (20, 2, 1, 1)])
def test_two_classes_have_an_area_by_one_output_or_by_two(shape):
    outputs, y = RANDOM.random(shape).astype("f4"), np.arange(20) % 2
    found = counted(Confusion(2, masks=False), y, outputs.reshape(20, shape[1]))
    flat = outputs.reshape(20, -1).astype(float)
    given_ = flat[:, 0] if shape[1] == 1 else flat[:, 1] - flat[:, 0]
    assert found["auc"] == area(given_, y == 1)
    said = (flat[:, 0] > 0.5) if shape[1] == 1 else flat.argmax(axis=1)
    assert found["accuracy"] == np.mean(said == y)


def test_exactly_a_half_says_no_and_of_equals_the_first_is_answered():
    for outputs in (1, 2):
        found = counted(Confusion(2, False), np.array([0, 1]), np.full((2, outputs), 0.5))
        assert found.confusion == ((1, 0), (1, 0))


@pytest.mark.parametrize("outputs", [1, 2, 4])
def test_masks_are_counted_pixel_by_pixel(outputs):
    classes = max(2, outputs)
    y, given_ = RANDOM.integers(0, classes, (6, 3, 5)), RANDOM.random((6, outputs, 3, 5))
    said = (given_[:, 0] > 0.5).astype(int) if outputs == 1 else given_.argmax(axis=1)
    found = counted(Confusion(classes, masks=True), y, given_, batch=4)
    two = {"auc"} if classes == 2 else set()
    assert set(found.values) == {"accuracy", "precision", "recall", "f1", "iou"} | two
    wanted = [one_by_one(y.ravel().tolist(), said.ravel().tolist(), k) for k in range(classes)]
    for each, row in zip(found.each, wanted, strict=True):
        assert each.count == row[0] and close(each.iou, row[4]) and close(each.f1, row[3])
    assert close(found["iou"], sum(row[4] for row in wanted) / classes)


@pytest.mark.parametrize("kind", ["one probability", "two", "logits", "sure"])
def test_the_area_of_pixels_is_that_of_as_many_images(kind):
    y = RANDOM.integers(0, 2, (6, 9, 11))
    score = RANDOM.normal(size=y.shape) * (40 if kind == "sure" else 2) + y
    second = 1 / (1 + np.exp(-score))
    logits = np.stack([RANDOM.normal(size=y.shape), score * 1e3], 1)
    outputs = {"one probability": second[:, None], "logits": logits}
    given_ = outputs.get(kind, np.stack([1 - second, second], 1)).astype("f4")
    flat = given_[:, -1].astype(float) - (0 if len(given_[0]) == 1 else given_[:, 0])
    found = counted(Confusion(2, masks=True), y, given_, batch=4)
    assert found["auc"] == pytest.approx(area(flat.ravel(), y.ravel() == 1), abs=1e-3)
    assert counted(Confusion(2, masks=True), np.zeros_like(y), given_)["auc"] is None
    given_[0, 0, 0, 0] = np.nan
    assert counted(Confusion(2, masks=True), y, given_)["auc"] is None


@pytest.mark.parametrize("shape", [(9, 3), (9, 3, 2, 2)])
def test_labels_are_counted_one_by_one(shape):
    y, given_ = RANDOM.integers(0, 2, shape), RANDOM.random(shape)
    found = counted(LabelCounts(3, masks=len(shape) > 2), y, given_, batch=4)
    assert found["accuracy"] == np.mean((given_ > 0.5) == y) and found.confusion is None
    for k, each in enumerate(found.each):
        truth, said = y[:, k].ravel().tolist(), (given_[:, k] > 0.5).astype(int).ravel().tolist()
        there, precision, recall, f1, iou = one_by_one(truth, said, 1)
        assert each.count == there and close(each.precision, precision) and close(each.recall, recall)
        assert close(each.f1, f1) and close(each.iou, iou if len(shape) > 2 else None)


@pytest.mark.parametrize("shape", [(23, 1), (23, 3), (23, 2, 4, 3)])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_errors_of_numbers_are_those_of_all_images_at_once(shape, offset):
    y, given_ = RANDOM.normal(size=shape) + offset, RANDOM.normal(size=shape) + offset
    found = counted(Errors(shape[1]), y, given_, batch=5)
    over = (0, *range(2, len(shape)))
    deviation = ((y - y.mean(axis=over, keepdims=True)) ** 2).sum(axis=over)
    squared = ((given_ - y) ** 2).sum(axis=over)
    assert found["mae"] == pytest.approx(np.abs(given_ - y).mean(), rel=1e-12)
    assert found["rmse"] == pytest.approx(np.sqrt(((given_ - y) ** 2).mean()), rel=1e-12)
    assert found["r2"] == pytest.approx(1 - squared.sum() / deviation.sum(), rel=1e-8)
    for k, error in enumerate(found.errors):
        assert error.mae == pytest.approx(np.abs(given_ - y)[:, k].mean(), rel=1e-12)
        assert error.r2 == pytest.approx(1 - squared[k] / deviation[k], rel=1e-8)


def test_numbers_that_are_all_the_same_have_no_variance_to_explain():
    found = counted(Errors(1), np.full((5, 1), 3.0), np.full((5, 1), 2.0))
    assert found.values == {"mae": 1.0, "rmse": 1.0, "r2": None}


def test_scikit_learn_says_the_same():
    metrics = pytest.importorskip("sklearn.metrics")
    y, outputs = RANDOM.integers(0, 7, 200), RANDOM.random((200, 7))
    found, said = counted(Confusion(7, False), y, outputs), outputs.argmax(axis=1)
    precision, recall, f1, count = metrics.precision_recall_fscore_support(y, said, zero_division=0)
    for k, each in enumerate(found.each):
        told = (each.count, each.precision, each.recall, each.f1)
        assert told == pytest.approx((count[k], precision[k], recall[k], f1[k]))
    assert found["f1"] == pytest.approx(metrics.f1_score(y, said, average="macro"))
    assert found["top5"] == pytest.approx(metrics.top_k_accuracy_score(y, outputs, k=5))
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(y, said))
    two, chance = y % 2, np.round(RANDOM.random(200), 1)
    assert area(chance, two == 1) == pytest.approx(metrics.roc_auc_score(two, chance))
    truth, guess = RANDOM.normal(size=(50, 3)), RANDOM.normal(size=(50, 3))
    errors = counted(Errors(3), truth, guess)
    assert errors["mae"] == pytest.approx(metrics.mean_absolute_error(truth, guess))
    assert errors["r2"] == pytest.approx(metrics.r2_score(truth, guess, multioutput="variance_weighted"))
    assert [e.r2 for e in errors.errors] == pytest.approx(metrics.r2_score(truth, guess, multioutput="raw_values"))
    iou = counted(Confusion(7, True), y[:, None, None], outputs[:, :, None, None]).values["iou"]
    assert iou == pytest.approx(metrics.jaccard_score(y, said, average="macro"))


def test_of_very_many_classes_no_pairs_are_counted():
    y = np.arange(30) * 600
    outputs = np.zeros((30, 20_000), np.float32)
    outputs[np.arange(30), np.where(y == 600, 1200, y)] = 1
    found = counted(Confusion(20_000, False), y, outputs)
    assert found["accuracy"] == 29 / 30 and found.confusion is None and "classes" not in found.to_json()
    assert found.each[1200].precision == 0.5 and found.each[600].recall == 0 and found.each[7].recall is None


# ---- as text ------------------------------------------------------------------------------------------------

DOGS = counted(Confusion(2, False), np.array([0] * 5 + [1] * 5), np.eye(2)[[0] * 4 + [1] + [1] * 5])


def test_the_text_of_classes():
    assert (
        whole(DOGS, ("cat", "dog"))
        == """\
accuracy 90.00%  precision 91.67%  recall 90.00%  F1 89.90%  ROC AUC 0.9

class  images  precision   recall      F1
-----------------------------------------
cat         5    100.00%   80.00%  88.89%
dog         5     83.33%  100.00%  90.91%

is \\ answered  cat  dog
cat              4    1
dog              0    5
"""
    )


def test_names_of_classes_stay_text_and_in_their_column():
    names = ("猫\x1b[31m\n" + "x" * 50, "犬")
    for lines in (by_class(DOGS, names), confused(DOGS, names)):
        assert not any("\x1b" in text or "\n" in text for text in lines)
    table = by_class(DOGS, ("猫", "dog"))
    assert table[2].startswith("猫          5") and table[3].startswith("dog         5")


def test_many_classes_are_told_by_their_commonest_mistakes():
    y = np.arange(40)
    found = counted(Confusion(40, False), y, np.eye(40)[np.where(y == 7, 9, y)])
    assert confused(found) == ["is  answered  times", "7          9      1"]


def test_numbers_have_a_line_and_several_a_table():
    found = counted(Errors(2), np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[1.0, 1.0], [2.0, 3.0]]))
    assert line(found) == "MAE 0.25  RMSE 0.5  R² 0.75"
    assert by_class(found)[2:] == ["0       0.5  0.7071  0.5", "1         0       0    1"]
    assert confused(found) == []
