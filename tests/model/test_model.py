"""The Model object as its users call it."""

import numpy as np
import pytest
from allocated import allocated

import cnnspec

CARD = "input 1x12x12\nconv 4x3x3 -> relu -> maxpool 2 -> dense 3 -> softmax"
NOISY = "input 2x9x9\nconv 4x3x3 pad same bias off -> bn -> relu -> dropout 30% -> maxpool 2 -> dense 3 -> softmax"
TWO = """
input 1x8x8 as left
input 1x8x8 as right
net a = concat( @left | @right ) -> conv 4x3x3 -> relu -> dense 3 -> softmax
net b = @left -> dense 2 -> sigmoid
train { cost cross_entropy of a ; cost binary_cross_entropy of b weight 0.5 }
"""


def batch(model, n=7, seed=0):
    generator = np.random.default_rng(seed)
    kind = model.graph.type(model.graph.inputs[0])
    x = generator.normal(size=(n, *kind.shape))
    return x, generator.integers(0, 3, n)


def test_training_lowers_the_cost_and_reaches_the_answers():
    model = cnnspec.compile(text=CARD, batch=32, seed=3)
    x, y = batch(model, 60)
    x[np.arange(60), 0, y, :] += 4  # a bright row tells the class
    before = model.cost(x, y)
    history = model.fit(x, y, epochs=60)
    assert len(history) == 60
    assert model.cost(x, y) < before / 3
    assert model.evaluate(x, y)["accuracy"] > 0.95
    assert (model.predict(x).argmax(axis=1) == y).mean() == model.evaluate(x, y)["accuracy"]


@pytest.mark.parametrize("n", [1, 2, 5, 64, 65])
def test_batches_of_any_size_are_taken(n):
    model = cnnspec.compile(text=CARD, workers=2, batch=64)
    x, y = batch(model, n)
    assert np.isfinite(model.train_step(x, y))
    assert model.predict(x).shape == (n, 3)
    np.testing.assert_allclose(model.predict(x).sum(axis=1), 1, rtol=1e-5)


def test_classes_and_one_hot_rows_mean_the_same():
    model = cnnspec.compile(text=CARD, dtype="float64")
    x, y = batch(model)
    by_class, by_row = model.gradients(x, y), model.gradients(x, np.eye(3)[y])
    assert all(np.array_equal(by_class[name], by_row[name]) for name in model.parameters)


def test_gradients_are_those_of_the_cost():
    """A step against the gradient lowers the cost by its squared length, to first order."""
    model = cnnspec.compile(text=CARD, dtype="float64")
    x, y = batch(model)
    gradients, cost = model.gradients(x, y), model.cost(x, y)
    square = sum(float((g * g).sum()) for g in gradients.values())
    for name, gradient in gradients.items():
        model.parameters[name] = model.parameters[name] - 1e-6 * gradient
    assert (cost - model.cost(x, y)) / 1e-6 == pytest.approx(square, rel=1e-3)


def test_parameters_are_set_and_read_in_pytorchs_layout():
    model = cnnspec.compile(text=CARD)
    shapes = {name: values.shape for name, values in model.parameters.items()}
    assert shapes == {
        "conv1.weight": (4, 1, 3, 3), "conv1.bias": (4,), "dense1.weight": (3, 100), "dense1.bias": (3,),
    }  # fmt: skip
    weight = np.arange(300.0).reshape(3, 100)
    model.parameters["dense1.weight"] = weight
    assert np.array_equal(model.parameters["dense1.weight"], weight)
    with pytest.raises(ValueError, match="dense1.weight has shape"):
        model.parameters["dense1.weight"] = weight.T
    with pytest.raises(KeyError, match="conv1.weight"):
        model.parameters["conv9.weight"] = weight


def test_activations_are_every_value_even_where_dropout_is_gone():
    model = cnnspec.compile(text=NOISY)
    x, _ = batch(model)
    found = model.activations(x)
    assert list(found) == [node.name for node in model.graph]
    assert np.array_equal(found["dropout1"], found["relu1"])
    np.testing.assert_allclose(found["softmax1"], model.predict(x), rtol=1e-5)


def test_several_inputs_and_outputs_go_by_name():
    model = cnnspec.compile(text=TWO, dtype="float64")
    generator = np.random.default_rng(0)
    x = {name: generator.normal(size=(5, 1, 8, 8)) for name in model.graph.inputs}
    outputs = model.predict(x)
    assert [values.shape for values in outputs.values()] == [(5, 3), (5, 2)]
    y = dict(zip(outputs, (generator.integers(0, 3, 5), generator.random((5, 2))), strict=True))
    first, *_, last = [model.train_step(x, y) for _ in range(30)]
    assert last < first
    with pytest.raises(cnnspec.SpecError, match="no array for the input"):
        model.predict({"left": x["left"]})


@pytest.mark.parametrize(
    "y, told",
    [
        (np.array([0, 1, 3]), "class 3"),
        (np.array([0, -1, 2]), "class -1"),
        (np.array([0.5, 1, 2]), "whole numbers"),
        (np.zeros((3, 4)), "do not fit"),
        (np.zeros(2, int), "3 images, but 2"),
        (np.array(["a", "b", "c"]), "numbers"),
    ],
)
def test_answers_that_do_not_fit_are_told(y, told):
    model = cnnspec.compile(text=CARD)
    with pytest.raises(cnnspec.SpecError, match=told):
        model.train_step(np.zeros((3, 1, 12, 12)), y)


def test_images_that_do_not_fit_are_told():
    model = cnnspec.compile(text=CARD)
    with pytest.raises(cnnspec.SpecError, match=r"\(n, 1, 12, 12\)"):
        model.predict(np.zeros((3, 12, 12)))


def test_a_spec_that_is_wrong_raises_every_finding():
    with pytest.raises(cnnspec.SpecError) as caught:
        cnnspec.compile(text="input 1x8x8\ncnv 4x3x3 -> relu\n-> conv 4x9x9 sride 2")
    assert {d.code for d in caught.value.diagnostics} >= {"CNN201", "CNN202"}


def test_logits_of_any_size_have_a_cost():
    model = cnnspec.compile(text="input 2\ndense 2 -> softmax", dtype="float32")
    model.parameters["dense1.weight"] = np.array([[1e4, 0], [0, 1e4]])
    model.parameters["dense1.bias"] = np.zeros(2)
    x = np.array([[1.0, -1.0], [1.0, 0.0]])
    assert model.cost(x, np.array([0, 0])) == 0
    assert model.cost(x, np.array([1, 1])) == pytest.approx(1.5e4)
    assert all(np.isfinite(g).all() for g in model.gradients(x, np.array([1, 1])).values())


def test_bits_depend_on_the_shards_and_not_on_the_workers():
    x, y = batch(cnnspec.compile(text=NOISY), 13)
    ends = []
    for workers, parallel in ((1, "threads"), (2, "threads"), (4, "threads"), (2, "processes"), (1, "processes")):
        with cnnspec.compile(text=NOISY, workers=workers, shards=4, parallel=parallel, seed=5) as model:
            for _ in range(3):
                model.train_step(x, y)
            ends.append({name: values.tobytes() for name, values in model.parameters.items()})
    assert all(end == ends[0] for end in ends)
    with cnnspec.compile(text=NOISY, shards=2, seed=5) as model:
        model.train_step(x, y)


def test_a_state_goes_on_to_the_same_bits():
    one, two = (cnnspec.compile(text=NOISY, seed=1) for _ in range(2))
    x, y = batch(one)
    for _ in range(3):
        one.train_step(x, y)
    for name, values in one.parameters.items():
        two.parameters[name] = values
    two.load_state(one.state)
    for model in (one, two):
        model.train_step(x, y)
    assert all(np.array_equal(one.parameters[name], two.parameters[name]) for name in one.parameters)


def test_weights_survive_a_file(tmp_path):
    one, two = cnnspec.compile(text=NOISY, seed=1), cnnspec.compile(text=NOISY, seed=2)
    x, y = batch(one)
    one.train_step(x, y)
    one.save(tmp_path / "w.safetensors")
    two.load(tmp_path / "w.safetensors")
    assert np.array_equal(one.predict(x), two.predict(x))


def test_a_cost_that_is_not_finite_leaves_the_parameters_as_they_were():
    model = cnnspec.compile(text=CARD)
    x, y = batch(model)
    before = {name: values for name, values in model.parameters.items()}
    assert not np.isfinite(model.train_step(np.full_like(x, np.inf), y))
    assert all(np.array_equal(before[name], values) for name, values in model.parameters.items())


@pytest.mark.parametrize("text", [CARD, NOISY])
def test_a_steady_step_allocates_nothing_that_grows_with_the_batch(text):
    grown = []
    for n in (2048, 4096):
        model = cnnspec.compile(text=text, batch=n)
        kind = model.graph.type("input")
        x, y = np.zeros((n, *kind.shape), np.float32), np.zeros((n, 3), np.float32)
        y[:, 0] = 1
        for _ in range(3):
            model.train_step(x, y)
        grown.append(allocated(lambda model=model, x=x, y=y: model.train_step(x, y)))
    # what may grow are a few numbers an image, for `which class is it`; an image itself takes 576 bytes
    assert grown[1] - grown[0] < 48 * 2048


def test_predicted_memory_is_what_the_plan_holds():
    model = cnnspec.compile(text=NOISY, batch=128, workers=2)
    predicted = sum(model.engine.memory(128).values())
    x, y = batch(model, 128)
    model.train_step(x, y)
    engine, plan = model.engine, model.plan
    if engine.workers.memory.shared:  # the other worker has an arena of its own, as large as this one's
        assert engine.arena.nbytes == plan.programs[0].arena_bytes == plan.programs[1].arena_bytes
        other = engine.arena.nbytes
    else:
        other = 0
    blocks = [engine.arena, engine.p.flat, engine.s.flat, *engine.moments.values()]
    blocks += [g.flat for g in engine.gradients]
    held = sum(block.nbytes for block in [*blocks, *plan.feeds.values(), *plan.fetches.values()])
    assert held + other == pytest.approx(predicted, rel=0.05)
