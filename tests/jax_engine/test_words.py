"""Each word for JAX against the same word on NumPy: outputs and gradients in float64.

JAX derives its own gradients, so this is a second witness for ours. Words share a network where they can,
since XLA takes its time over each.
"""

import numpy as np
import pytest
from agreement import agree, worst

from cnnspec.ir.op import Op
from cnnspec.primitives.activation import Activation
from cnnspec.words import OPS
from cnnspec.words.costs import COSTS
from cnnspec.words.pool import OfFormula

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

RANDOM = ("dropout", "droppath")
CASES = {  # beside the words' own examples: odd sizes, sequences, every setting
    "3x7x8": [
        "conv 4x3x2 stride 2x1 pad same dilate 1x2",
        "conv 6x2x3 groups 3 bias off pad 1x2 -> leaky slope 0.3",
        "conv 4x3x3 stride 2 pad include",
        "upconv 6x3x2 stride 2x3 pad 1x0 output_pad 1x2 groups 3 dilate 2x1",
        "crop 4x5",
        "dwconv 3x2 stride 2 pad same dilate 2x1",
        "maxpool 3x2 stride 2x1 pad 1",
        "maxpool 2 -> minpool 1x3",
        "minpool 3 stride 2 pad include",
        "avgpool 3 stride 2 pad 1",
        "lppool 3x2 stride 2 pad 1 p 3",
        "relu -> lppool 2 -> lppool 2 p 1",
        "avgpool 3 stride 2 pad 1 count_pad on",
        "conv 4x3x3 -> flatten -> dense 6 -> reshape 3x1x2",
        "mul( id | gap -> sigmoid )",
        "max( id | tanh | avgpool 1 )",
        "conv 4x1x1 bias off -> bn eps 1e-2 momentum 0.3",
        "conv 4x2x2 -> softmax",
        "gelu form tanh -> elu alpha 0.7 -> celu alpha 0.3",
        "pad 1x2 channels 1 -> upsample 2x1",
        "resize 5x11 -> lrn 4 alpha 0.3 k 2",
        "resize 9x3 mode bilinear -> layernorm",
        "resize 3x11 mode area -> resize 5x4 mode bilinear align_corners on",
        "upconv 4x3x2 stride 2x3 pad 1x0x0x1 output_pad 1x2",
        "maxpool 2 stride 2x1 dilate 3x2 pad 1 -> minpool 2 dilate 2x1",
        "avgpool 2 dilate 3 stride 2 pad 0x1x2x0 -> lppool 2 stride 1 dilate 1x2 p 3",
        "conv 8x1x1 -> pixelshuffle 2x1 -> pixelunshuffle 7x2",
        "mul( id | conv 1x3x3 pad same -> sigmoid | gap -> dense 1 )",
        "min( id | tanh | sub( id | tanh ) -> abs )",
        "conv 6x2x2 -> radixsoftmax 3 -> relu -> grn -> channelmax",
    ],
    "4x11": [
        "conv 6x3 stride 2 pad same -> bn",
        "dwconv 3 dilate 2",
        "upconv 2x3 stride 2",
        "maxpool 3 stride 2",
        "maxpool 3 -> minpool 2",
        "shuffle 2 -> gap",
        "pad 2 -> resize 7 -> gmp",
        "pixelshuffle 2 -> resize 5 mode area -> grn",
        "pixelunshuffle 11 -> radixsoftmax 2 -> channelmean",
        "lppool 2 dilate 3",
    ],
    "9": ["dense 8 -> bn -> maxout 2 -> softmax"],
}


def examples():
    """Chains by the input they are tried on."""
    found = {on: list(chains) for on, chains in CASES.items()}
    for op in OPS:
        if op.word not in RANDOM:
            found.setdefault(op.on, []).append(op.example)
    return found


def network(on, chains):
    lines = [f"input {on} as x", *(f"net n{k} = @x -> {chain}" for k, chain in enumerate(chains))]
    return "\n".join([*lines, "train {", *(f"cost mse of n{k}" for k in range(len(chains))), "}"]) + "\n"


def test_every_word_and_cost_has_one():
    from cnnspec.targets.jax import WORDS

    by_formula = {
        op.word for op in OPS if issubclass(op, (Activation, OfFormula)) or op.in_words is not Op.in_words
    }
    assert {op.word for op in (*OPS, *COSTS)} == set(WORDS) | by_formula


@pytest.mark.parametrize("on", examples())
def test_words(on, engines, numbers):
    chains = [chain.replace("dropout 50%", "id") for chain in examples()[on]]
    ours, other = engines(network(on, chains))
    agree(ours, other, *numbers(ours))


COSTS_ON = {
    "cross_entropy": ["dense 5 -> softmax", "dense 5 -> logsoftmax", "dense 5 -> sigmoid", "conv 3x1x1 -> softmax"],
    "cross_entropy smoothing 0.1 weight 0.3": ["dense 5 -> softmax", "dense 5 -> sigmoid"],
    "binary_cross_entropy": ["dense 4 -> sigmoid", "dense 4 -> softmax"],
    "mse": ["dense 4"],
    "mae weight 2": ["dense 4"],
    "huber delta 0.5": ["dense 4"],
    "hinge margin 2": ["dense 4"],
}


def test_costs(engines, numbers):
    nets = [(cost, "flatten -> " * ("dense" in net) + net) for cost, chains in COSTS_ON.items() for net in chains]
    lines = ["input 2x3x4 as x", *(f"net n{k} = @x -> {net}" for k, (_, net) in enumerate(nets)), "train {"]
    for k, (cost, _) in enumerate(nets):
        word, *rest = cost.split(" ", 1)
        lines.append(f"cost {word} of n{k} {' '.join(rest)}")
    ours, other = engines("\n".join([*lines, "}"]) + "\n")
    agree(ours, other, *numbers(ours))


def test_logits_of_any_size_have_a_finite_cost(engines):
    ours, other = engines("input 3\ndense 3 -> softmax\n")
    x, y = 1e4 * np.eye(3), np.array([1, 2, 0])
    assert np.isclose(ours.cost(x, y), other.cost(x, y), rtol=1e-12) and other.cost(x, y) > 100
    assert worst(ours.gradients(x, y), other.gradients(x, y))[0] < 1e-10


@pytest.mark.parametrize("pool", ["maxpool 2", "maxpool 3 stride 2", "maxpool 2x3", "gmp"])
def test_of_equal_numbers_the_first_has_the_gradient(pool, engines):
    """Two channels with weights of one: pixels (0, 1) and (1, 0) are equal after the convolution, not before."""
    ours, other = engines(f"input 2x6x6\nconv 1x1x1 bias off as c -> {pool} -> flatten -> dense 2 -> softmax\n")
    x = np.zeros((3, 2, 6, 6))
    place = np.random.default_rng(0).integers(0, 2, size=(3, 6, 6))
    x[:, 0], x[:, 1] = place, 1 - place
    ours.parameters["c.weight"] = other.parameters["c.weight"] = np.ones((1, 2, 1, 1))
    agree(ours, other, x, np.array([0, 1, 0]))


@pytest.mark.parametrize(
    ("kernel", "stride", "pad"), [((3, 3), (2, 2), ((1, 1), (1, 1))), ((2, 3), (3, 1), ((0, 1), (2, 0)))]
)
def test_the_largest_of_windows_is_what_jax_finds(kernel, stride, pad):
    """Of small whole numbers, so that most windows have several largest ones, and with a NaN."""
    import jax
    from jax import lax

    from cnnspec.ir.geometry import Geometry
    from cnnspec.targets.jax.pooling import largest_of_windows

    def windows(x):
        return largest_of_windows(x, Geometry(kernel, stride, pad), x.shape[1:-1])

    def reduced(x):
        sizes, steps, sides = (1, *kernel, 1), (1, *stride, 1), ((0, 0), *pad, (0, 0))
        return lax.reduce_window(x, np.float32(-np.inf), lax.max, sizes, steps, sides)

    generator = np.random.default_rng(0)
    x = generator.integers(0, 4, (2, 8, 7, 3)).astype("float32")
    (y, back), (expected, expected_back) = jax.vjp(windows, x), jax.vjp(reduced, x)
    np.testing.assert_array_equal(y, expected)
    dy = generator.normal(size=y.shape).astype("float32")
    np.testing.assert_allclose(back(dy)[0], expected_back(dy)[0], rtol=0, atol=1e-6)
    x[0, 3, 3, 1] = np.nan
    np.testing.assert_array_equal(windows(x), reduced(x))


def test_normalised_far_from_zero_in_float32():
    """The variance of numbers around a million, one image of them elsewhere; and no gradient of what is told."""
    from cnnspec.targets.jax.normalise import normalised

    z = np.random.default_rng(0).normal(size=(6, 5, 4, 3))
    z[0] += 4.0
    x = (2.0**20 + np.round(z * 64)).astype("float32")
    weight, bias = np.float32([1, 2, 3]), np.float32([0, 1, 2])
    y, mean, var = normalised(x, weight, bias, 1e-5)
    wide = x.astype("float64")
    expected = (wide - wide.mean((0, 1, 2))) / np.sqrt(wide.var((0, 1, 2)) + 1e-5) * weight + bias
    np.testing.assert_allclose(var, wide.var((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(mean, wide.mean((0, 1, 2)), rtol=1e-7)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_dropout_zeroes_its_share_keeps_the_mean_and_repeats():
    import cnnspec

    text = "input 2000\ndropout 30% -> dense 1 bias off\ntrain { cost mse ; optimiser sgd lr 1e-9 }\n"
    models = [cnnspec.compile(text=text, engine="jax", devices=1, seed=seed) for seed in (5, 5, 6)]
    x, y = np.ones((4, 2000)), np.full((4, 1), -1e4)
    for model in models:
        model.steps = 1
        model.parameters["dense1.weight"] = np.zeros((1, 2000))
    masks = [model.gradients(x[:1], y[:1])["dense1.weight"] for model in models]
    kept = masks[0] > 0  # d/dw = 2 (0 + 1e4) x, x either 0 or 1 / 0.7
    assert 0.65 < kept.mean() < 0.75 and np.allclose(masks[0][kept], 2e4 / 0.7)
    assert np.array_equal(masks[0], masks[1]) and not np.array_equal(masks[0], masks[2])
    models[1].steps = 2
    assert not np.array_equal(masks[0], models[1].gradients(x[:1], y[:1])["dense1.weight"])
    assert np.array_equal(models[0].predict(x), models[2].predict(x)), "nothing is dropped in use"


def test_running_statistics_are_those_of_numpy(engines, numbers):
    ours, other = engines("input 3x4x5\nbn momentum 0.3 -> gap -> dense 2 -> softmax\n")
    x, y = numbers(ours)
    for model in (ours, other):
        model.learn(x, y)
        model.learn(x, y)
    assert worst(dict(ours.parameters), dict(other.parameters))[0] < 1e-10


@pytest.mark.parametrize("words", ["bn", "layernorm", "groupnorm 2"])
def test_a_mean_far_from_zero_is_taken_off_exactly(words):
    """In float32, in steps of 2^-9 so that the inputs lose nothing: a number added to all of them is nothing."""
    import cnnspec

    text = f"input 4x6x5\n{words} -> dense 2 -> softmax\n"
    model = cnnspec.compile(text=text, engine="jax", devices=1, seed=1, batch=32)
    near = (np.random.default_rng(0).normal(size=(32, 4, 6, 5)) * 512).round().astype("float32") / 512
    one, two = (model.gradients(x, np.arange(32) % 2) for x in (near, near + np.float32(8192)))
    for name, value in one.items():
        assert np.abs(value - two[name]).max() < 1e-5 * max(1e-2, np.abs(value).max()), name
    if words == "bn":
        model.train_step(near + np.float32(8192), np.arange(32) % 2)
        wanted = 0.9 + 0.1 * near.astype("float64").var(axis=(0, 2, 3), ddof=1)
        assert np.allclose(model.parameters["bn1.running_var"], wanted, rtol=1e-5)
