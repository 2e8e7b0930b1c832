"""Arguments of `fit`: what is kept back, when it stops, whose weights are left, what rate, and arrays as stored."""

import pickle

import numpy as np
import pytest

import cnnspec

TEXT = "input 1x6x5\nconv 3x3x2 -> relu -> dense 2 -> softmax\ntrain { epochs 3 ; batch 8 }"
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 1, 6, 5)).astype(np.float32)
Y = np.arange(40) % 4 // 3  # one of four


def fresh(text=TEXT, **how):
    return cnnspec.compile(text=text, seed=1, **how)


# ---- validation, batches ---------------------------------------------------------------------------------


def test_a_share_is_kept_back_of_every_class_alike():
    model, seen = fresh(), []
    learn = model.learn
    model.learn = lambda x, y: seen.append((np.array(x), np.array(y))) or learn(x, y)
    history = model.fit(X, Y, epochs=1, validation=0.25)
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    assert len(x) == 30 and (y == 1).sum() in (7, 8)
    assert history.rows[0].validation_cost is not None
    again, told = fresh(), []
    rest = [k for k in range(40) if any((X[k] == image).all() for image in x)]
    held = [k for k in range(40) if k not in rest]
    told = again.fit(X[rest], Y[rest], epochs=1, validation=(X[held], Y[held])).rows[0]
    assert told.validation_cost == pytest.approx(history.rows[0].validation_cost, rel=1e-5)


@pytest.mark.parametrize("share", [0, 0.0, 0.01])
def test_a_share_that_takes_no_image_validates_nothing(share):
    history = fresh().fit(X, Y, epochs=1, validation=share)
    assert history.rows[0].validation_cost is None and len(history) == 1


def test_a_share_of_several_inputs_is_kept_back_too():
    text = "input 2 as a\ninput 3 as b\nconcat(@a | @b) -> dense 2 -> softmax\n"
    x = {"a": RANDOM.normal(size=(20, 2)), "b": RANDOM.normal(size=(20, 3))}
    history = fresh(text).fit(x, np.arange(20) % 2, epochs=1, validation=0.5)
    assert history.rows[0].validation_accuracy is not None


def test_a_batch_has_two_names():
    for how in ({"batch": 5}, {"batch_size": 5}, {"batch_size": np.int64(5)}):
        steps = []
        fresh().fit(X, Y, epochs=1, on_batch=lambda step, steps=steps: steps.append(step.images), **how)
        assert steps == [5] * 8
    with pytest.raises(ValueError, match="batch and batch_size are one"):
        fresh().fit(X, Y, batch=5, batch_size=5)


# ---- patience --------------------------------------------------------------------------------------------


def test_patience_stops_and_leaves_the_best_weights():
    """Labels of the validation are those of another world, so that what is learnt makes it worse soon."""
    model, kept = fresh(), {}
    held = (X, 1 - Y)

    def keep(row):
        kept[row.epoch] = {name: np.array(values) for name, values in model.parameters.items()}

    history = model.fit(X, Y, epochs=60, validation=held, patience=3, on_epoch=keep)
    assert history.stopped_early and len(history) == history.best_epoch + 3
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(values, kept[history.best_epoch][name])
    best = history.rows[history.best_epoch - 1]
    assert model.evaluate(*held)["cost"] == pytest.approx(best.validation_cost, rel=1e-5)


def test_without_patience_the_last_weights_are_left():
    model, last = fresh(), {}
    model.fit(X, Y, epochs=5, validation=(X, 1 - Y), on_epoch=lambda row: last.update(
        {name: np.array(values) for name, values in model.parameters.items()}))  # fmt: skip
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(values, last[name])


def test_the_patience_of_the_spec_holds_where_none_is_given():
    model = fresh(TEXT.replace("epochs 3", "epochs 60 ; patience 2"))
    history = model.fit(X, Y, validation=(X, 1 - Y))
    assert history.stopped_early and len(history) == history.best_epoch + 2
    assert len(model.fit(X, Y, validation=(X, 1 - Y), patience=4)) >= 5


# ---- rate ------------------------------------------------------------------------------------------------


def test_a_rate_can_be_set_while_it_trains():
    model, rates = fresh(), []

    def on_batch(step):
        rates.append(step.rate)
        model.rate = 0.5 / step.step
        if step.step == 4:
            model.rate = None

    scheduled = model.rate
    model.fit(X, Y, epochs=1, batch=6, on_batch=on_batch)
    assert rates == [scheduled, 0.5, 0.25, 0.5 / 3, scheduled, 0.1, 0.5 / 6]


def test_a_rate_that_is_set_is_that_of_the_step():
    one, other = fresh("input 4\ndense 2\ntrain { optimiser sgd lr 0.3 }"), fresh("input 4\ndense 2")
    other.rate = 0.3
    x, y = RANDOM.normal(size=(8, 4)), RANDOM.normal(size=(8, 2))
    sgd = fresh("input 4\ndense 2\ntrain { optimiser sgd lr 9 }")
    sgd.rate = 0.3
    for model in (one, sgd):
        model.train_step(x, y)
    np.testing.assert_array_equal(one.parameters["dense1.weight"], sgd.parameters["dense1.weight"])
    assert pickle.loads(pickle.dumps(sgd)).rate == 0.3
    sgd.rate = 0
    before = np.array(sgd.parameters["dense1.weight"])
    sgd.train_step(x, y)
    np.testing.assert_array_equal(before, sgd.parameters["dense1.weight"])


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), "0.1", True, [0.1]])
def test_what_is_no_rate_is_refused(rate):
    model = fresh()
    before = model.rate
    with pytest.raises(ValueError, match="a rate is a number"):
        model.rate = rate
    assert model.rate == before


# ---- measures --------------------------------------------------------------------------------------------


def test_measures_are_asked_for_by_name():
    model = fresh()
    found = model.evaluate(X, Y, metrics=["f1", "recall", "auc"])
    assert list(found) == ["cost", "accuracy", "f1", "recall", "auc"]
    said = model.predict(X).argmax(1)
    recalls = [(said[k == Y] == k).mean() for k in (0, 1)]
    assert found["recall"] == pytest.approx(np.mean(recalls))
    assert {k: found[k] for k in ("cost", "accuracy")} == model.evaluate(X, Y)
    with pytest.raises(ValueError, match="no measure 'rmse'; they have accuracy"):
        model.evaluate(X, Y, metrics=["rmse"])
    with pytest.raises(ValueError, match="a sequence of names"):
        model.evaluate(X, Y, metrics="f1")
    numbers = fresh("input 4\ndense 1")
    x, y = RANDOM.normal(size=(9, 4)), RANDOM.normal(size=9)
    rmse = np.sqrt(np.square(numbers.predict(x)[:, 0] - y).mean())
    assert numbers.evaluate(x, y, metrics=("rmse",))["rmse"] == pytest.approx(rmse, rel=1e-5)


# ---- arrays as they are stored ---------------------------------------------------------------------------

STORED = TEXT.replace("input 1x6x5\n", "input 1x6x5\ndata { normalise on ; validation 20% }\n")


def pictures(count=60):
    """Bytes, dark or light, and their names."""
    y = np.array(["dark", "light"])[np.arange(count) % 2]
    x = RANDOM.integers(0, 90, (count, 1, 6, 5)) + 120 * (y == "light")[:, None, None, None]
    return x.astype(np.uint8), y


def test_stored_arrays_are_prepared_by_the_data_block(tmp_path):
    x, y = pictures()
    model = fresh(STORED)
    history = model.fit(x, y, epochs=25, prepare=True)
    assert history.rows[-1].validation_accuracy == 1
    assert model.preparation.classes == ("dark", "light") and model.preparation.stored == "bytes"
    assert [next(iter(best)) for best in model.classify(x[:4], top=1)] == ["dark", "light"] * 2
    model.save(tmp_path / "w.safetensors")
    again = cnnspec.open(tmp_path / "w.safetensors")
    assert again.classify(x[:4]) == model.classify(x[:4])


def test_the_numbers_are_those_of_a_run_on_the_same_archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = pictures()
    np.savez("d.npz", x=x, y=y)
    text = STORED.replace("data {", 'data { source npz "d.npz" test 0 ;').replace("batch 8", "batch 8 ; shards 1")
    (tmp_path / "n.cnn").write_text(text)
    ran = cnnspec.run("n.cnn", workers=1, overrides=["train.seed=1"])
    model = cnnspec.compile(text=text, seed=1)
    history = model.fit(x, y, prepare=True)
    weights = cnnspec.compile(text=text)
    weights.load(ran.folder / "weights" / "last.safetensors")
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(values, weights.parameters[name])
    assert history.rows[-1].validation_cost is not None
    assert model.preparation.scaling == weights.preparation.scaling


def test_a_model_that_knows_its_preparation_goes_on_with_it():
    x, y = pictures()
    model = fresh(STORED)
    model.fit(x, y, epochs=1, prepare=True)
    kept = model.preparation
    darker, fewer = x // 2, y[:10]
    model.fit(darker[:10], fewer, epochs=1, prepare=True)
    assert model.preparation is kept
    with pytest.raises(cnnspec.SpecError, match="CNN429"):
        model.fit(x, np.where(y == "dark", "dim", y), epochs=1, prepare=True)


def test_names_of_numbered_classes_are_kept():
    x, y = pictures()
    model = fresh(STORED)
    held = (x[:6], y[:6] == "light")
    model.fit(x, (y == "light").astype(int), epochs=1, prepare=True, classes=["dark", "light"], validation=held)
    assert model.preparation.classes == ("dark", "light")
    axes = fresh(STORED.replace("data {", 'data { source npz "any.npz" axes nhw ;'))
    axes.fit(x[:, 0], y, epochs=1, prepare=True)
    assert axes.preparation.axes == "nhw" and len(axes.classify(x[0, 0])) == 1


# ---- mistakes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x, y, how, code, told",
    [
        (X[:0], Y[:0], {}, "CNN303", "x: "),
        (X, Y[:5], {}, "CNN410", "y: 40 images, but 5 targets for `softmax1`"),
        (X[:, :, :3], Y, {}, "CNN408", r"x: `input` takes numbers of shape \(n, 1, 6, 5\)"),
        (X, Y + 7, {}, "CNN410", "y: class 8"),
        (X, None, {}, "CNN408", "y: `softmax1` takes an array"),
        (None, Y, {}, "CNN408", "x: `input` takes an array"),
        (X, ["a"] * 40, {}, "CNN410", "y: targets must be numbers, got texts"),
        (X, Y, {"validation": (X[:0], Y[:0])}, "CNN303", "validation: x: "),
        (X, Y, {"validation": (X, Y[:3])}, "CNN410", "validation: y: 40 images, but 3 targets"),
        (X, Y, {"validation": (X[..., :2], Y)}, "CNN408", "validation: x: "),
        (X[:0], Y[:0], {"prepare": True}, "CNN303", "x holds no images"),
        (X, Y[:5], {"prepare": True}, "CNN410", "y holds 5 answers, and x 40 images"),
        (X[:, :, :3], Y, {"prepare": True}, "CNN408", "x: the network takes 1x6x5"),
        (X, None, {"prepare": True}, "CNN426", "y holds object"),
        (X, Y, {"prepare": True, "validation": (X, Y[:3])}, "CNN410", "validation: y holds 3 answers"),
        (X, Y, {"prepare": True, "classes": ["a"]}, "CNN410", "label"),
        (X * np.nan, Y, {"prepare": True}, "CNN411", "nan"),
    ],
)
def test_arrays_that_do_not_fit_are_told_by_the_argument(x, y, how, code, told):
    model = fresh()
    with pytest.raises(cnnspec.SpecError, match=told) as refused:
        model.fit(x, y, **how)
    assert {finding.code for finding in refused.value.diagnostics} == {code} and model.steps == 0
    assert model.preparation is None


@pytest.mark.parametrize(
    "how, told",
    [
        ({"batch": 0}, "batch is a whole number from 1"),
        ({"batch_size": 2.5}, "batch_size is a whole number from 1"),
        ({"batch": "8"}, "batch is a whole number"),
        ({"batch": True}, "batch is a whole number"),
        ({"epochs": -1}, "epochs is a whole number from 0"),
        ({"epochs": 1.5}, "epochs is a whole number"),
        ({"patience": 0}, "patience is a whole number from 1"),
        ({"validation": 1.0}, "validation is a share"),
        ({"validation": -0.1}, "validation is a share"),
        ({"validation": float("nan")}, "validation is a share"),
        ({"validation": X}, "validation is a share .* got one ndarray"),
        ({"validation": (X,)}, "got one tuple"),
        ({"on_batch": 3}, "on_batch is called"),
        ({"on_epoch": "print"}, "on_epoch is called"),
        ({"classes": ["a", "b"]}, "prepare=True"),
    ],
)
def test_an_argument_that_is_none_of_its_values_is_named(how, told):
    model = fresh()
    with pytest.raises(ValueError, match=told):
        model.fit(X, Y, **how)
    assert model.steps == 0


def test_questions_name_their_arguments_too():
    model = fresh()
    for ask in (model.predict, model.activations):
        with pytest.raises(cnnspec.SpecError, match="x: `input` takes numbers of shape"):
            ask(X[0])
    for ask in (model.evaluate, model.gradients, model.train_step):
        with pytest.raises(cnnspec.SpecError, match="x: there are no images"):
            ask(X[:0], Y[:0])
        with pytest.raises(cnnspec.SpecError, match="y: 40 images, but 3 targets"):
            ask(X, Y[:3])


# ---- weights to begin with -------------------------------------------------------------------------------

BEGINS = """input 1x6x5
conv 3x3x2 -> relu -> dense 2 -> softmax
train { weights "first.safetensors" ; freeze conv1 ; epochs 1 ; batch 8 ; optimiser sgd lr 0.1 }
"""


@pytest.fixture
def beside(tmp_path):
    """A spec in a file, and weights beside it."""
    first = cnnspec.compile(text=TEXT, seed=7)
    first.save(tmp_path / "first.safetensors")
    (tmp_path / "net.cnn").write_text(BEGINS, encoding="utf-8")
    return tmp_path, dict(first.parameters)


def test_fit_begins_with_the_weights_of_train(beside):
    folder, first = beside
    model = cnnspec.compile(folder / "net.cnn", seed=1)
    model.fit(X, Y)
    assert (model.parameters["conv1.weight"] == first["conv1.weight"]).all()  # which is frozen
    moved = model.parameters["dense1.weight"]
    model.fit(X, Y, epochs=0)
    assert (model.parameters["dense1.weight"] == moved).all()  # they are loaded once


def test_weights_that_were_loaded_stay(beside):
    folder, _ = beside
    other = cnnspec.compile(text=TEXT, seed=9)
    other.save(folder / "other.safetensors")
    model = cnnspec.compile(folder / "net.cnn", seed=1)
    model.load(folder / "other.safetensors")
    again = pickle.loads(pickle.dumps(model))
    for one in (model, again):
        one.fit(X, Y)
        assert (one.parameters["conv1.weight"] == other.parameters["conv1.weight"]).all()


def test_weights_that_are_not_there_are_refused_before_a_step(beside):
    folder, _ = beside
    (folder / "first.safetensors").unlink()
    model = cnnspec.compile(folder / "net.cnn", seed=1)
    with pytest.raises(cnnspec.SpecError, match="first.safetensors"):
        model.fit(X, Y)
    assert model.steps == 0
