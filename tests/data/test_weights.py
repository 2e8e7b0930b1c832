"""Classes that are rare, images that count more: their cost is multiplied, or an epoch takes them more often."""

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
from cnnspec.settings.augment.mixes import Mixup
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
    split = Split(X[: len(weights)], Y[: len(weights)], weights=weights, oversample=True)
    order = split.order(7, epoch, shuffle)
    wanted = weights / weights.sum() * len(weights)
    found = np.bincount(order, minlength=len(weights))
    assert len(order) == len(weights) and (abs(found - wanted) < 1 + 1e-6).all() and not found[weights == 0].any()
    assert (split.order(7, epoch, shuffle) == order).all()


def test_over_many_epochs_the_shares_are_exact_and_the_order_mixes():
    weights = np.random.default_rng(0).random(20) + 0.1
    split = Split(X[:20], Y[:20], weights=weights, oversample=True)
    np.testing.assert_allclose(taken(split, 3000) / 3000, weights / weights.mean(), atol=0.03)
    assert not (np.diff(split.order(0, 0)) >= 0).all()


def archive(folder, **arrays):
    np.savez(folder / "a.npz", **{"x": X, "y": Y, **arrays})


@pytest.mark.parametrize("balance, share", [(True, 0.5), ("1 19", 0.5), ("1 38", 2 / 3), ("1 0", 0.0)])
def test_an_epoch_has_as_many_of_a_class_as_is_told(tmp_path, balance, share):
    archive(tmp_path)
    settings = Data(source=Npz("a.npz", test=0.0), validation=0.0, balance=balance, oversample=True)
    found = load(settings, root=tmp_path)
    answers = np.concatenate([y for _, y in found.train.batches(16, shuffle=True)])
    assert len(answers) == COUNT and answers.mean() == pytest.approx(share, abs=0.02)
    assert found.validation.weights is None and found.test.weights is None


@pytest.mark.parametrize(
    "balance, rare, common", [(True, 10.0, 10 / 19), ("1 19", 19.0, 1.0), ("1 0, 0 2", 0.0, 2.0)]
)
def test_or_the_cost_of_each_is_multiplied_and_an_epoch_takes_all_once(tmp_path, balance, rare, common):
    archive(tmp_path)
    found = load(Data(source=Npz("a.npz", test=0.0), validation=0.0, balance=balance), root=tmp_path)
    batches = [y for _, y in found.train.batches(16, shuffle=True)]
    answers, weights = (np.concatenate([getattr(y, name) for y in batches]) for name in ("y", "weights"))
    assert sorted(answers.tolist()) == sorted(Y.tolist())
    np.testing.assert_allclose(weights, np.where(answers == 1, rare, common))


def test_weights_of_mixed_images_are_mixed_by_their_shares():
    x = np.arange(8, dtype=np.float32)[:, None]
    split = Split(x, np.arange(8), weights=np.arange(8) ** 2.0)
    ((_, found),) = split.batches(8, shuffle=True, seed=3, augment=(Mixup(),))
    own, other, share = found.y.y, found.y.other, found.y.weight
    assert (own != other).any() and ((share > 0) & (share < 1)).any()
    np.testing.assert_allclose(found.weights, share * own**2.0 + (1 - share) * other**2.0)
    how = {"shuffle": True, "seed": 3, "augment": (Mixup(),)}
    whole, later = (
        np.concatenate([y.weights for _, y in split.batches(3, start=start, **how)]) for start in (0, 1)
    )
    assert (whole == found.weights).all() and (later == whole[3:]).all()


def test_weights_of_images_follow_them_into_the_parts(tmp_path):
    weights = np.arange(COUNT) % 3
    archive(tmp_path, w=weights)
    for source in (Npz("a.npz", weights="w"), Npz("a.npz", weights="w", test=0.0)):
        found = load(Data(source=source, limit=90), root=tmp_path)
        assert (found.train.weights == found.train.x[:, 0] % 3).all() and len(found.train) < 90
    np.savez(tmp_path / "b.npz", x_train=X, y_train=Y, x_test=X, y_test=Y, w_train=weights, w=[1])
    both = load(Data(source=Npz("b.npz", weights="w"), balance=True, validation=0.0), root=tmp_path)
    np.testing.assert_allclose(both.train.weights, weights * COUNT / 2 / np.bincount(Y)[Y])
    plain = load(Data(source=Npz("b.npz"), validation=0.0), root=tmp_path)
    often = load(
        Data(source=Npz("b.npz", weights="w"), balance=True, oversample=True, validation=0.0), root=tmp_path
    )
    assert len({str(fingerprint(found)["train"]) for found in (plain, both, often)}) == 3


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


def test_oversampling_wants_weights():
    for ask in (load, describe):
        with pytest.raises((SpecError, Fault), match="CNN436.*nothing says them|nothing says them"):
            ask(Data(source=Digits(), oversample=True))


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


def told(model, x, y, **how):
    """The weights of all images that `fit` tells a model, in the order of x (whose numbers count them)."""
    seen = {}
    learn = model.learn

    def listen(x, y):
        seen.update(zip(np.asarray(x)[:, 0].round(4).tolist(), y.weights.tolist(), strict=True))
        return learn(x, y)

    model.learn = listen
    model.fit(x, y, epochs=1, **how)
    model.learn = learn
    return [seen[key] for key in sorted(seen)]


def test_fit_weighs_classes_and_images():
    model = cnnspec.compile(text="input 1\ndense 2 -> softmax", batch=20)
    x = (X / COUNT).round(4)
    for how, wanted in (
        ({"class_weight": {1: 19}}, 1 + 18 * Y),
        ({"class_weight": {"1": 19}}, 1 + 18 * Y),
        ({"class_weight": "balanced"}, np.where(Y, 10, 10 / 19)),
        ({"sample_weight": 1 + X[:, 0]}, 1 + X[:, 0]),
        ({"sample_weight": 1 + X, "class_weight": {0: 2}}, (1 + X[:, 0]) * (2 - Y)),
    ):
        np.testing.assert_allclose(told(model, x, Y, **how), wanted)
    for wrong in ({"class_weight": {1: -1}}, {"class_weight": 3}, {"class_weight": {1: "2"}}):
        with pytest.raises(ValueError, match="class_weight"):
            model.fit(X, Y, epochs=1, **wrong)
    with pytest.raises(SpecError, match="CNN436.*class `7`"):
        model.fit(X, Y, epochs=1, class_weight={7: 2})


def test_fit_weighs_stored_images_by_the_names_of_their_classes():
    model = cnnspec.compile(text="input 1\ndense 2 -> softmax", batch=20)
    names = np.where(Y, "rare", "often")
    x = (X / COUNT).round(4)
    for how in ({"class_weight": {"rare": 3.0}}, {"class_weight": {1: 3.0}}, {"sample_weight": 1 + 2 * Y}):
        found = told(model, x, names, prepare=True, validation=0.0, **how)
        assert found == (1.0 + 2 * Y).tolist()
    balanced = cnnspec.compile(text="input 1\ndata { balance on }\ndense 2 -> softmax")
    with pytest.raises(ValueError, match="`balance` of the data block says already"):
        balanced.fit(x, names, prepare=True, class_weight={"rare": 3.0})
    with pytest.raises(SpecError, match="CNN436.*class `scarce`"):
        model.fit(x, names, prepare=True, class_weight={"scarce": 3.0})


def test_of_several_outputs_images_are_weighed_and_classes_are_not(tmp_path):
    model = cnnspec.compile(text="input 1 as x\nnet a = @x -> dense 2 -> softmax\nnet b = @x -> dense 1")
    answers = {"a": Y, "b": X}
    assert len(model.fit(X, answers, epochs=1, sample_weight=1 + X).rows) == 1
    with pytest.raises(SpecError, match="CNN436.*there are 2"):
        model.fit(X, answers, epochs=1, class_weight={1: 2})
    np.savez(tmp_path / "a.npz", x=X, a=Y, b=X, w=1 + X)
    text = (
        "input 1 as x\nnet a = @x -> dense 2 -> softmax\nnet b = @x -> dense 1\n"
        'data { source npz "a.npz" weights "w" }\ntrain { epochs 1 }\n'
    )
    (tmp_path / "net.cnn").write_text(text)
    assert cnnspec.check(tmp_path / "net.cnn").ok
    cnnspec.run(tmp_path / "net.cnn", out=tmp_path / "runs", workers=1)
    (tmp_path / "net.cnn").write_text(text.replace('weights "w"', "; balance on"))
    assert [found.code for found in cnnspec.check(tmp_path / "net.cnn").errors] == ["CNN436"]
