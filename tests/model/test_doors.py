"""What comes in at the model's doors: dictionaries and tuples of arrays, lengths that differ, no images at all."""

from itertools import chain

import numpy as np
import pytest

import cnnspec

OUTPUTS = """
input 1x8x8
conv 4x3x3 -> relu -> dense 8 -> relu as trunk
net digit = @trunk -> dense 3 -> softmax
net angle = @trunk -> dense 2 -> tanh
train { cost cross_entropy of digit ; cost mse of angle weight 0.5 ; batch 6 ; epochs 3 }
"""
INPUTS = """
input 1x8x8 as left
input 1x8x8 as right
mul( @left | @right ) -> dense 1 -> sigmoid
train { batch 6 ; epochs 3 }
"""
PLAIN = "input 1x8x8\ndense 3 -> softmax\ntrain { batch 4 }"
G = np.random.default_rng(0)
X = G.normal(size=(20, 1, 8, 8))
ANSWERS = {"digit.softmax1": np.arange(20) % 3, "angle.tanh1": G.normal(size=(20, 2))}
IMAGES = {"left": X, "right": X[::-1]}


def seen(monkeypatch):
    """The batches that `fit` shows, as the first number of each image."""
    taken = []
    learn = cnnspec.Model.learn

    def watched(self, x, y):
        first = next(iter(x.values())) if isinstance(x, dict) else np.asarray(x)
        taken.append(np.array(first).reshape(len(first), -1)[:, 0].tolist())
        return learn(self, x, y)

    monkeypatch.setattr(cnnspec.Model, "learn", watched)
    return taken


@pytest.mark.parametrize("text, x, y", [(OUTPUTS, X, ANSWERS), (INPUTS, IMAGES, np.arange(20) % 2)])
def test_fit_is_the_same_as_its_steps(text, x, y):
    def part(given, taken):
        return {n: a[taken] for n, a in given.items()} if isinstance(given, dict) else given[taken]

    fitted, stepped = (cnnspec.compile(text=text, seed=2) for _ in range(2))
    history = fitted.fit(x, y, shuffle=False, validation=(x, y))
    costs = [[stepped.train_step(part(x, s), part(y, s)) for s in slices(20, 6)] for _ in range(3)]
    for name, values in fitted.parameters.items():
        np.testing.assert_array_equal(values, stepped.parameters[name])
    assert history["cost"] == pytest.approx([np.average(each, weights=[6, 6, 6, 2]) for each in costs])
    score = fitted.evaluate(x, y)
    assert history.rows[-1].validation_cost == pytest.approx(score["cost"])
    assert history.rows[-1].validation_accuracy == pytest.approx(score["accuracy"])


def slices(count, size):
    return [slice(at, at + size) for at in range(0, count, size)]


def test_fit_takes_tuples_in_the_order_of_the_inputs():
    by_name, in_order = (cnnspec.compile(text=INPUTS, seed=2) for _ in range(2))
    by_name.fit(IMAGES, np.arange(20) % 2)
    in_order.fit((X, X[::-1]), np.arange(20) % 2)
    assert all(np.array_equal(a, in_order.parameters[n]) for n, a in by_name.parameters.items())


@pytest.mark.parametrize(
    "text, x, y, told",
    [
        (INPUTS, {"left": X, "right": X[:5]}, np.arange(20) % 2, "20 images for `left`, but 5 for `right`"),
        (INPUTS, {"left": X}, np.arange(20) % 2, "no array for the input `right`"),
        (INPUTS, IMAGES, np.arange(19) % 2, "20 images, but 19 targets"),
        (OUTPUTS, X, {**ANSWERS, "angle.tanh1": np.zeros((7, 2))}, "20 images, but 7 targets for `angle.tanh1`"),
        (OUTPUTS, X, {"digit.softmax1": np.arange(20) % 3}, "no array for the output `angle.tanh1`"),
        (PLAIN, X, np.arange(21) % 3, "20 images, but 21 targets"),
        (PLAIN, X, np.r_[np.zeros(19, int), 3], "class 3 is not one of the 3"),
        (PLAIN, X, np.r_[np.ones(19, int), 3], "count classes from 0: give y - 1"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_the_first_step(text, x, y, told):
    model = cnnspec.compile(text=text)
    for ask in (model.fit, model.evaluate, model.train_step, model.gradients):
        with pytest.raises(cnnspec.SpecError, match=told):
            ask(x, y)
    assert model.steps == 0


LABELS = np.arange(20) % 3
BARE = "nothing says how to tell 3 classes apart.*-> softmax.*cost mse"


@pytest.mark.parametrize(
    "form", [list, np.float64, np.uint8, lambda y: {"last": y}], ids=["list", "float", "u8", "name"]
)
@pytest.mark.parametrize(
    "end, told",
    [
        ("dense 3 as last", BARE),
        ("dense 3 -> relu as last", BARE),
        ("conv 3x8x8 as last", BARE),
        ("dense 3 as last\ntrain { cost cross_entropy }", "takes logarithms of shares"),
    ],
)
def test_numbers_of_classes_are_refused_where_no_cost_tells_classes_apart(end, told, form):
    model = cnnspec.compile(text=f"input 1x8x8\n{end}")
    for ask in (model.fit, model.evaluate, model.train_step, model.gradients, model.learn, model.measure):
        with pytest.raises(cnnspec.SpecError, match=f"(?s)CNN241.*{told}"):
            ask(X, form(LABELS))
    with pytest.raises(cnnspec.SpecError, match="CNN241"):
        model.fit(X, np.eye(3)[LABELS], validation=(X, LABELS))
    assert model.steps == 0


def test_a_map_of_classes_is_refused_by_the_name_of_its_output():
    text = OUTPUTS.replace("train { cost cross_entropy of digit ; cost mse of angle weight 0.5 ;", "train {")
    model = cnnspec.compile(text=text)
    model.train_step(X, ANSWERS)
    with pytest.raises(cnnspec.SpecError, match="CNN241.*2 classes apart: the network ends in `tanh`"):
        model.train_step(X, {**ANSWERS, "angle.tanh1": np.arange(20) % 2})
    pixels = cnnspec.compile(text="input 1x8x8\nconv 3x3x3")
    with pytest.raises(cnnspec.SpecError, match="CNN241"):
        pixels.fit(X, np.ones((20, 6, 6), int))


@pytest.mark.parametrize(
    "end, y",
    [
        ("dense 3", np.eye(3)[LABELS]),
        ("dense 3", np.eye(3, dtype=int)[LABELS]),
        ("dense 3", G.normal(size=(20, 3))),
        ("dense 1", LABELS),
        ("dense 3\ntrain { cost mse }", LABELS),
        ("dense 3\ntrain { cost hinge }", LABELS),
        ("dense 3 -> softmax", LABELS),
    ],
)
def test_what_says_how_it_is_met_is_learnt(end, y):
    model = cnnspec.compile(text=f"input 1x8x8\n{end}", seed=0)
    before = model.cost(X, y)
    history = model.fit(X, y, epochs=3, batch=7, validation=(X, y))
    assert model.evaluate(X, y)["cost"] < before and len(history.rows) == 3
    if "train" not in end and "softmax" not in end:  # the squared error, as it is for numbers
        assert model.cost(X, y) == pytest.approx(
            np.mean((model.predict(X) - np.reshape(y, (20, -1))) ** 2), rel=1e-4
        )


def test_rows_whose_cost_becomes_infinite_are_told_as_such():
    model = cnnspec.compile(text="input 1x8x8\ndense 3\ntrain { optimiser sgd lr 1e15 ; batch 4 }", seed=0)
    with pytest.raises(cnnspec.SpecError) as refused:
        model.fit(1e15 * X, np.eye(3)[LABELS], epochs=9)
    assert "CNN241" not in str(refused.value)


def test_inputs_of_different_lengths_are_refused_wherever_they_are_asked():
    model = cnnspec.compile(text=INPUTS)
    for ask in (model.predict, model.activations):
        with pytest.raises(cnnspec.SpecError, match="20 images for `left`, but 5 for `right`"):
            ask({"left": X, "right": X[:5]})


@pytest.mark.parametrize("how", [{}, {"workers": 2}, {"engine": "jax"}], ids=str)
def test_no_images_are_no_mean_and_no_outputs(how):
    if "engine" in how:
        pytest.importorskip("jax")
    with cnnspec.compile(text=PLAIN, **how) as model:
        for ask in (model.evaluate, model.cost, model.gradients, model.train_step, model.measure, model.fit):
            with pytest.raises(cnnspec.SpecError, match="CNN303"):
                ask(X[:0], np.zeros(0, int))
        assert model.steps == 0
        assert model.predict(X[:0]).shape == (0, 3)
        shapes = {name: values.shape for name, values in model.activations(X[:0]).items()}
        assert shapes == {name: (0, *values.shape[1:]) for name, values in model.activations(X[:2]).items()}


def test_something_that_is_no_batch_is_refused():
    model = cnnspec.compile(text=PLAIN)
    for x in (np.float64(1), np.array(1.0), [], X[0], "abc", None, [[1], [1, 2]]):
        with pytest.raises(cnnspec.SpecError, match="CNN408"):
            model.predict(x)
    for y in (1, np.array(1), [[1], [1, 2]], "a", None):
        with pytest.raises(cnnspec.SpecError, match="CNN408"):
            model.evaluate(X, y)
    for how in ({"batch": -1}, {"epochs": -1}):
        with pytest.raises(ValueError, match="is a whole number from"):
            model.fit(X, np.arange(20) % 3, **how)


@pytest.mark.parametrize("count", [20, 18, 17])
def test_the_order_of_the_images_goes_on_from_one_fit_to_the_next(monkeypatch, count):
    x, y = np.arange(count * 64.0).reshape(-1, 1, 8, 8), np.arange(count) % 3
    taken = seen(monkeypatch)
    once = cnnspec.compile(text=PLAIN, seed=0)
    once.fit(x, y, epochs=3)
    straight = taken[:]
    taken.clear()
    model = cnnspec.compile(text=PLAIN, seed=0)
    for _ in range(3):
        model.fit(x, y, epochs=1)
    assert taken == straight
    steps = len(taken) // 3
    epochs = [tuple(chain(*taken[at : at + steps])) for at in range(0, len(taken), steps)]
    assert len(set(epochs)) == 3 and len({tuple(sorted(epoch)) for epoch in epochs}) == 1


def test_the_order_goes_on_in_a_model_that_took_over_a_state(monkeypatch):
    x, y = np.arange(20 * 64.0).reshape(-1, 1, 8, 8), np.arange(20) % 3
    taken = seen(monkeypatch)
    first = cnnspec.compile(text=PLAIN, seed=0)
    first.fit(x, y, epochs=2)
    straight = taken[len(taken) // 2 :]
    taken.clear()
    first = cnnspec.compile(text=PLAIN, seed=0)
    first.fit(x, y, epochs=1)
    second = cnnspec.compile(text=PLAIN, seed=0)
    second.load_state(first.state)
    taken.clear()
    second.fit(x, y, epochs=1)
    assert taken == straight


def test_batches_of_another_size_never_show_the_first_order_again(monkeypatch):
    x, y = np.arange(20 * 64.0).reshape(-1, 1, 8, 8), np.arange(20) % 3
    taken = seen(monkeypatch)
    model = cnnspec.compile(text=PLAIN, seed=0)
    orders = []
    for size in (10, 1, 4, 20):
        taken.clear()
        model.fit(x, y, epochs=1, batch=size)
        orders.append(tuple(chain(*taken)))
    assert len(set(orders)) == 4


@pytest.mark.parametrize(
    "argument, value, said",
    [
        ("workers", 0, "workers is a whole number from 1 on, got 0"),
        ("batch", 0, "batch is a whole number from 1 on, got 0"),
        ("shards", 1.5, "shards is a whole number from 1 on, got 1.5"),
        ("seed", -1, "seed is a whole number from 0 on, got -1"),
        ("parallel", "fibres", "parallel is processes or threads, got 'fibres'"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_by_name(argument, value, said):
    with pytest.raises(ValueError, match=said):
        cnnspec.compile(text=PLAIN, **{argument: value})


def test_what_lies_below_a_mask_is_no_number():
    model, masked = cnnspec.compile(text=PLAIN), np.ma.masked_greater(X, 1)
    for attempt in (lambda: model.predict(masked), lambda: model.fit(masked, np.arange(20) % 3)):
        with pytest.raises(cnnspec.SpecError, match="values of this one are masked"):
            attempt()
    whole = np.ma.masked_greater(X, np.inf)
    np.testing.assert_array_equal(model.predict(whole), model.predict(X))


def test_a_text_given_as_a_path_is_told_where_it_belongs():
    with pytest.raises(cnnspec.SpecError, match="given as `text=`"):
        cnnspec.compile(PLAIN)
