"""What an accuracy counts: kinds of output by kinds of answers, each cell against NumPy on what `predict` gives.

`cnnspec.model.targets.ACCURACY` says it in words. A cell is right in every way that there is to it: `evaluate` with
batches of any size, `measure`, `learn`, the epochs of `fit`, shards, workers, and the engine on JAX.
"""

import numpy as np
import pytest

import cnnspec

N = 23  # images: an odd number, so that batches, shards and shares do not come out even
IMAGE = "input 2x5x5\n"
VECTOR = "dense 8 -> tanh -> dense 4"
PIXELS = "conv 4x3x3"
COST = "\ntrain { cost %s }"


def by_class(p, y):
    """The share of images, or pixels, whose class has the largest output."""
    return np.mean(p.argmax(axis=1) == y)


def by_label(p, y):
    """The share of outputs that are on the answer's side of a half."""
    return np.mean((p > 0.5) == (y.reshape(p.shape) > 0.5))


def nothing(p, y):
    """Numbers have no accuracy."""


def classes(g, p):
    return g.integers(0, p.shape[1], (len(p), *p.shape[2:]))


def one_hot(g, p):
    return np.moveaxis(np.eye(p.shape[1])[classes(g, p)], -1, 1)


def labels(g, p):
    return g.integers(0, 2, p.shape)


def yes_or_no(g, p):
    return g.integers(0, 2, len(p))


def numbers(g, p):
    return g.random(p.shape)


def shares(g, p):
    rows = g.random(p.shape)
    return rows / rows.sum(axis=1, keepdims=True)


def hottest(y):
    return y.argmax(axis=1)


TABLE = {  # output x answers: the end of the network, the answers, what is counted
    "softmax, classes": (f"{VECTOR} -> softmax", classes, by_class),
    "softmax, classes as floats": (f"{VECTOR} -> softmax", lambda g, p: classes(g, p).astype(float), by_class),
    "softmax, one-hot": (f"{VECTOR} -> softmax", one_hot, lambda p, y: by_class(p, hottest(y))),
    "softmax, one-hot of bools": (
        f"{VECTOR} -> softmax", lambda g, p: one_hot(g, p) > 0, lambda p, y: by_class(p, hottest(y)),
    ),
    "softmax, shares": (f"{VECTOR} -> softmax", shares, nothing),
    "logsoftmax, classes": (f"{VECTOR} -> logsoftmax", classes, by_class),
    "logsoftmax with smoothing, classes": (
        f"{VECTOR} -> logsoftmax{COST % 'cross_entropy smoothing 0.1'}", classes, by_class,
    ),
    "softmax, flattened, classes": ("conv 4x5x5 -> softmax -> flatten", classes, by_class),
    "hinge of scores, classes": (VECTOR + COST % "hinge", classes, by_class),
    "hinge of scores, one-hot": (VECTOR + COST % "hinge", one_hot, lambda p, y: by_class(p, hottest(y))),
    "mse of scores, classes": (VECTOR + COST % "mse", classes, by_class),
    "mse of scores, numbers": (VECTOR, numbers, nothing),
    "mae of scores, numbers": (VECTOR + COST % "mae", numbers, nothing),
    "mse of scores, many labels": (VECTOR + COST % "mse", labels, nothing),
    "sigmoids, classes": (f"{VECTOR} -> sigmoid", classes, by_class),
    "sigmoids, one-hot": (f"{VECTOR} -> sigmoid", one_hot, lambda p, y: by_class(p, hottest(y))),
    "sigmoids, one-hot of bools": (
        f"{VECTOR} -> sigmoid", lambda g, p: one_hot(g, p) > 0, lambda p, y: by_class(p, hottest(y)),
    ),
    "sigmoids, many labels": (f"{VECTOR} -> sigmoid", labels, by_label),
    "sigmoids, many labels as floats": (f"{VECTOR} -> sigmoid", lambda g, p: labels(g, p).astype(float), by_label),
    "sigmoids, many labels as bools": (f"{VECTOR} -> sigmoid", lambda g, p: labels(g, p) > 0, by_label),
    "sigmoids, probabilities": (f"{VECTOR} -> sigmoid", numbers, nothing),
    "one sigmoid, yes or no": ("dense 1 -> sigmoid", yes_or_no, by_label),
    "one sigmoid, yes or no as a column": ("dense 1 -> sigmoid", labels, by_label),
    "one sigmoid, yes or no as bools": ("dense 1 -> sigmoid", lambda g, p: yes_or_no(g, p) > 0, by_label),
    "one sigmoid, probabilities": ("dense 1 -> sigmoid", numbers, nothing),
    "one sigmoid by mse, yes or no": (f"dense 1 -> sigmoid{COST % 'mse'}", yes_or_no, by_label),
    "one hardsigmoid by mse, yes or no": (f"dense 1 -> hardsigmoid{COST % 'mse'}", yes_or_no, by_label),
    "one number by mse, yes or no": (f"dense 1{COST % 'mse'}", yes_or_no, nothing),
    "one number by mse, whole numbers": (f"dense 1{COST % 'mse'}", lambda g, p: g.integers(0, 90, len(p)), nothing),
    "one number by huber, numbers": (f"dense 1{COST % 'huber'}", lambda g, p: g.normal(size=len(p)), nothing),
    "pixels by softmax, classes": (f"{PIXELS} -> softmax", classes, by_class),
    "pixels by softmax, one-hot": (f"{PIXELS} -> softmax", one_hot, lambda p, y: by_class(p, hottest(y))),
    "pixels by sigmoids, classes": (f"{PIXELS} -> sigmoid", classes, by_class),
    "pixels by sigmoids, many labels": (f"{PIXELS} -> sigmoid", labels, by_label),
    "pixels by one sigmoid, yes or no": ("conv 1x3x3 -> sigmoid", labels, by_label),
    "pixels by mse, numbers": (f"{PIXELS} -> tanh", numbers, nothing),
    "one pixel by softmax, classes": ("conv 4x5x5 -> softmax", lambda g, p: g.integers(0, 4, len(p)), by_class),
    "one pixel by softmax, one-hot rows": (
        "conv 4x5x5 -> softmax",
        lambda g, p: np.eye(4)[g.integers(0, 4, len(p))],
        lambda p, y: by_class(p, hottest(y)),
    ),
    "one pixel by one sigmoid, yes or no": ("conv 1x5x5 -> sigmoid", yes_or_no, by_label),
}  # fmt: skip

THREADS = {"shards": 3, "workers": 2, "parallel": "threads"}  # which need no start of a program
each_cell = pytest.mark.parametrize("cell", TABLE)


def made(cell, **how):
    """A model, images, answers, and the accuracy that NumPy finds in what the model predicts."""
    end, answers, count = TABLE[cell]
    model = cnnspec.compile(text=IMAGE + end, **{"seed": 3, "batch": 5, **how})
    generator = np.random.default_rng(len(cell))
    x = generator.normal(size=(N, 2, 5, 5))
    p = model.predict(x)
    y = answers(generator, p)
    if count is nothing:
        return model, x, y, None
    flat = p.reshape(N, -1) if p[0, 0].size == 1 else p
    return model, x, y, count(flat, y)


@each_cell
@pytest.mark.parametrize("how", [{}, {"batch": 23}, {"batch": 1}, THREADS], ids=str)
def test_evaluate_counts_what_the_table_says(cell, how):
    model, x, y, wanted = made(cell, **how)
    with model:
        found = model.evaluate(x, y)["accuracy"]
    assert found == (None if wanted is None else pytest.approx(wanted, abs=1e-12))


@each_cell
def test_measure_and_learn_count_the_same_images(cell):
    model, x, y, wanted = made(cell, batch=N)
    for ask in (model.measure, model.learn):
        right = ask(x, y)[1]
        assert right == (None if wanted is None else pytest.approx(wanted * N))


@each_cell
def test_the_epochs_of_fit_count_the_same(cell):
    model, x, y, wanted = made(cell)
    row = model.fit(x, y, epochs=1, validation=(x, y)).rows[-1]
    after = model.evaluate(x, y)["accuracy"]
    assert row.validation_accuracy == (None if wanted is None else pytest.approx(after))
    assert (row.accuracy is None) == (wanted is None)
    assert row.accuracy is None or 0 <= row.accuracy <= 1


@each_cell
def test_jax_counts_the_same(cell):
    pytest.importorskip("jax")
    model, x, y, wanted = made(cell, engine="jax", batch=N)
    found = model.evaluate(x, y)["accuracy"]
    assert found == (None if wanted is None else pytest.approx(wanted, abs=1e-12))


SIGMOIDS = "input 3\ndense 4 -> sigmoid\ntrain { batch 2 ; epochs 1 ; optimiser sgd lr 1e-9 }"


def test_labels_are_counted_as_labels_in_a_batch_where_each_image_has_one():
    """Else an accuracy would depend on how the images fall into batches."""
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.eye(4)[[0, 1, 2, 3, 0, 1]]
    y[5] = [1, 1, 0, 1]
    model = cnnspec.compile(text=SIGMOIDS, seed=1)
    row = model.fit(x, y, validation=(x, y), shuffle=False).rows[0]
    wanted = by_label(model.predict(x), y)
    assert model.evaluate(x, y)["accuracy"] == wanted
    assert row.accuracy == row.validation_accuracy == pytest.approx(wanted)


@pytest.mark.parametrize("numbers_at", [0, 3, 5])
def test_numbers_have_no_accuracy_though_some_batches_look_like_classes(numbers_at):
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.eye(4)[[0, 1, 2, 3, 0, 1]]
    y[numbers_at] = 0.25
    model = cnnspec.compile(text="input 3\ndense 4\ntrain { batch 1 ; epochs 1 }")
    row = model.fit(x, y, validation=(x, y), shuffle=False).rows[0]
    assert row.accuracy is row.validation_accuracy is model.evaluate(x, y)["accuracy"] is None


def test_the_first_of_equal_outputs_and_no_at_exactly_a_half():
    model = cnnspec.compile(text="input 3\ndense 4 -> sigmoid")
    x = np.zeros((4, 3))
    for name in model.parameters:
        model.parameters[name] = np.zeros_like(model.parameters[name])
    assert model.evaluate(x, [0, 1, 2, 3])["accuracy"] == 0.25
    assert model.evaluate(x, np.ones((4, 4)))["accuracy"] == 0
    assert model.evaluate(x, np.zeros((4, 4)))["accuracy"] == 1


def test_several_costs_count_the_first():
    text = "input 3\nnet a = dense 4 -> sigmoid\nnet b = dense 2 -> softmax\ntrain { %s }"
    x, g = np.random.default_rng(0).normal(size=(9, 3)), np.random.default_rng(1)
    for first, second in (("a", "b"), ("b", "a")):
        model = cnnspec.compile(text=text % " ; ".join(f"cost {COSTS[name]} of {name}" for name in (first, second)))
        p = dict(zip("ab", model.predict(x).values(), strict=True))
        y = {"a": g.integers(0, 2, (9, 4)), "b": g.integers(0, 2, 9)}
        found = model.evaluate(x, dict(zip(model.graph.outputs, y.values(), strict=True)))["accuracy"]
        assert found == pytest.approx(by_label(p["a"], y["a"]) if first == "a" else by_class(p["b"], y["b"]))


COSTS = {"a": "binary_cross_entropy", "b": "cross_entropy"}


@pytest.mark.parametrize(
    "end, y, told",
    [
        ("dense 1 -> sigmoid", [0, 7, 1], r"from 0 \(no\) to 1 \(yes\), and number 1 for `sigmoid1` is 7"),
        ("dense 1 -> sigmoid", [0, -1, 1], "number 1 for `sigmoid1` is -1"),
        ("dense 2 -> sigmoid", [[0, 1], [0, 2], [0, 0]], r"number 1 for `sigmoid1` is \(0, 2\)"),
        ("dense 3 -> softmax", np.ones((3, 3)), r"shares that add up to 1, and number 0 .* \(1, 1, 1\)"),
        ("dense 3 -> softmax", [[0.5, 0.5, 0], [1, 0, 0], [1.5, -0.5, 0]], "number 2"),
        ("dense 3\ntrain { cost hinge }", [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], "`hinge` are classes, and number"),
    ],
)
def test_answers_that_a_cost_is_not_defined_for_are_refused(end, y, told):
    model = cnnspec.compile(text=f"input 2\n{end}")
    for ask in (model.train_step, model.evaluate, model.gradients, model.fit):
        with pytest.raises(cnnspec.SpecError, match=told):
            ask(np.zeros((3, 2)), np.array(y))
