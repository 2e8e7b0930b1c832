"""Classes that are rare, and images that count more: an epoch takes them more often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnnspec
from cnnspec.data.dataset import Split
from cnnspec.data.fingerprint import fingerprint
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Csv, Data, Digits, Npz

COUNT = 200
Y = (np.arange(COUNT) % 20 == 0).astype(np.int64)  # one of twenty
X = np.arange(COUNT, dtype=np.float32)[:, None]


def taken(split, epochs=1):
    """How often each image comes in some epochs."""
    counts = np.zeros(len(split), int)
    for epoch in range(epochs):
        np.add.at(counts, split.order(0, epoch), 1)
    return counts


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=50).filter(any), st.integers(0, 99), st.booleans())
def test_each_image_comes_as_often_as_its_share_rounded_up_or_down(weights, epoch, shuffle):
    weights = np.array(weights)
    split = Split(X[: len(weights)], Y[: len(weights)], weights=weights)
    order = split.order(7, epoch, shuffle)
    wanted = weights / weights.sum() * len(weights)
    found = np.bincount(order, minlength=len(weights))
    assert len(order) == len(weights) and (abs(found - wanted) < 1 + 1e-6).all() and not found[weights == 0].any()
    assert (split.order(7, epoch, shuffle) == order).all()


def test_over_many_epochs_the_shares_are_exact_and_the_order_mixes():
    weights = np.random.default_rng(0).random(20) + 0.1
    split = Split(X[:20], Y[:20], weights=weights)
    np.testing.assert_allclose(taken(split, 3000) / 3000, weights / weights.mean(), atol=0.03)
    assert not (np.diff(split.order(0, 0)) >= 0).all()


def archive(folder, **arrays):
    np.savez(folder / "a.npz", **{"x": X, "y": Y, **arrays})


@pytest.mark.parametrize(
    "balance, share", [(True, 0.5), ("1 19", 0.5), ("1 38", 2 / 3), ("1 0", 0.0), (False, 0.05)]
)
def test_an_epoch_has_as_many_of_a_class_as_is_told(tmp_path, balance, share):
    archive(tmp_path)
    found = load(Data(source=Npz("a.npz", test=0.0), validation=0.0, balance=balance), root=tmp_path)
    answers = np.concatenate([y for _, y in found.train.batches(16, shuffle=True)])
    assert len(answers) == COUNT and answers.mean() == pytest.approx(share, abs=0.02)
    assert found.validation.weights is None and found.test.weights is None


def test_weights_of_images_follow_them_into_the_parts(tmp_path):
    weights = np.arange(COUNT) % 3
    archive(tmp_path, w=weights)
    for source in (Npz("a.npz", weights="w"), Npz("a.npz", weights="w", test=0.0)):
        found = load(Data(source=source, limit=90), root=tmp_path)
        assert (found.train.weights == found.train.x[:, 0] % 3).all() and len(found.train) < 90
    np.savez(tmp_path / "b.npz", x_train=X, y_train=Y, x_test=X, y_test=Y, w_train=weights, w=[1])
    both = load(Data(source=Npz("b.npz", weights="w"), balance=True, validation=0.0), root=tmp_path)
    assert (both.train.weights == weights / np.bincount(Y)[Y]).all()
    plain = load(Data(source=Npz("b.npz"), validation=0.0), root=tmp_path)
    assert fingerprint(plain)["train"] != fingerprint(both)["train"]


@pytest.mark.parametrize(
    "w", [-np.ones(COUNT), np.zeros(COUNT), np.full(COUNT, np.nan), np.ones(3), np.ones((COUNT, 2))]
)
def test_weights_that_are_none(tmp_path, w):
    archive(tmp_path, w=w)
    with pytest.raises(SpecError, match="CNN436"):
        load(Data(source=Npz("a.npz", weights="w")), root=tmp_path)
    with pytest.raises(SpecError, match="CNN413.*has no v"):
        load(Data(source=Npz("a.npz", weights="v")), root=tmp_path)
    with pytest.raises(SpecError, match="CNN436"):
        cnnspec.compile(text="input 1\ndense 2 -> softmax").fit(X, Y, sample_weight=w, epochs=1)


@pytest.mark.parametrize(
    "source, balance",
    [(Digits(), "zebra 5"), (Csv("t.csv", target="numbers"), True), (Npz("a.npz"), "2 5")],
)
def test_check_and_a_run_refuse_what_cannot_be_balanced(tmp_path, source, balance):
    archive(tmp_path)
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n3,5\n" * 6)
    data = Data(source=source, balance=balance)
    with pytest.raises(SpecError, match="CNN436"):
        load(data, root=tmp_path)
    with pytest.raises(Fault) as caught:
        describe(data, tmp_path)
    assert caught.value.code == "CNN436"


@pytest.mark.parametrize("wrong", ['"rare"', '"rare -1"', '"a 1, a 2"', '"5"', "5", '"a nan"'])
def test_what_a_spec_says_of_weights_is_read_strictly(wrong):
    report = cnnspec.check(text=f"dense 10 -> softmax\ndata {{ balance {wrong} }}")
    assert [found.code for found in report.errors] == ["CNN203"]


def test_a_rare_class_is_learnt(tmp_path):
    random = np.random.default_rng(0)
    y = (np.arange(400) % 40 == 0).astype(int)
    x = (random.normal(size=(400, 2)) + 1.5 * y[:, None]).astype(np.float32)
    archive(tmp_path, x=x, y=y)
    recalls = {}
    for balance in ("off", "on"):
        (tmp_path / "net.cnn").write_text(
            f'dense 2 -> softmax\ndata {{ source npz "a.npz" test 50% ; validation 0 ; balance {balance} }}\n'
            "train { optimiser sgd lr 0.5 ; batch 20 ; epochs 10 }\n"
        )
        assert cnnspec.check(tmp_path / "net.cnn").ok
        run = cnnspec.run(tmp_path / "net.cnn", out=tmp_path / "runs", workers=1)
        recalls[balance] = run.summary["test"]["classes"][1]["recall"]
    assert recalls["on"] > recalls["off"] and recalls["on"] >= 0.6


def test_fit_weighs_classes_and_images():
    model = cnnspec.compile(text="input 1\ndense 2 -> softmax", batch=20)
    seen = []
    learn = model.learn
    model.learn = lambda x, y: seen.append(np.asarray(y)) or learn(x, y)
    for how in ({"class_weight": {1: 19}}, {"class_weight": "balanced"}, {"sample_weight": 1 + 18 * Y}):
        seen.clear()
        model.fit(X / COUNT, Y, epochs=1, **how)
        assert np.concatenate(seen).mean() == pytest.approx(0.5, abs=0.02)
    for wrong in ({"class_weight": {1: -1}}, {"class_weight": 3}, {"class_weight": {1: 2}, "prepare": True}):
        with pytest.raises(ValueError, match="class_weight"):
            model.fit(X, Y, epochs=1, **wrong)
    with pytest.raises(SpecError, match="CNN436.*class `7`"):
        model.fit(X, Y, epochs=1, class_weight={7: 2})
