"""Numbers whose mean is large beside their deviation: nothing that normalises them cancels."""

import numpy as np
import pytest

import cnnspec

NUMBERS = np.random.default_rng(0)
MEANS = (0, 10, 100, 300, 1_000, 10_000)
FIRST = {
    "image": ("2x8x8", "bn"),
    "sequence": ("3x20", "bn"),
    "vector": ("3", "bn"),
    "layernorm": ("6x4x5", "layernorm"),
    "groupnorm": ("6x5x4", "groupnorm 2"),
    "instance": ("4x6x6", "groupnorm 4"),
}
FUSED = (  # 64 images a shard, for which Winograd's method and its fused forms are chosen
    "16x8x8\nconv 16x3x3 pad 1 -> bn -> relu -> conv 16x3x3 pad 1 -> bn -> relu -> gap",
    "16x8x8\nconv 16x3x3 pad 1 -> bn -> relu -> add( conv 16x3x3 pad 1 -> bn -> relu -> conv 16x3x3 pad 1 -> bn"
    " | id ) -> relu -> gap",
    "16x16x16\nconv 16x3x3 pad 1 -> bn -> maxpool 2 -> relu -> conv 16x3x3 pad 1 -> bn -> relu -> maxpool 2 -> gap",
    "16x8x8\nconv 16x3x3 pad 1 -> bn -> maxpool 2 -> conv 16x3x3 pad 1 -> bn -> gap",
    "3x9x11\nconv 5x3x3 stride 2 -> bn -> tanh -> conv 5x3x3 groups 5 pad 1 -> bn -> maxpool 2 -> gap",
    "4x20\nconv 6x3 -> bn -> relu -> maxpool 2 -> conv 5x3 -> bn -> gap",
    "7\ndense 6 -> bn -> relu -> dense 5 -> bn",
)


def far(shape, mean, images=64):
    """Inputs in float32; a quarter of their deviation apart from class to class."""
    x = NUMBERS.normal(size=(images, *map(int, shape.split("x"))))
    return (mean + x).astype("float32"), np.arange(images) % 2


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("kind", ["image", "sequence", "vector"])
def test_running_statistics(kind, mean, shards):
    """After one step, against float64; PyTorch's are as good."""
    shape, word = FIRST[kind]
    x, y = far(shape, mean)
    model = cnnspec.compile(text=f"input {shape}\n{word} -> dense 2 -> softmax", batch=64, shards=shards)
    model.train_step(x, y)
    axes, wide = (0, *range(2, x.ndim)), x.astype("float64")
    assert np.allclose(model.parameters["bn1.running_var"], 0.9 + 0.1 * wide.var(axis=axes, ddof=1), rtol=1e-6)
    assert np.allclose(model.parameters["bn1.running_mean"], 0.1 * wide.mean(axis=axes), rtol=1e-6, atol=1e-8)


def test_running_statistics_are_pytorch_s():
    torch = pytest.importorskip("torch")
    x, y = far("3x5x6", 10_000)
    model = cnnspec.compile(text="input 3x5x6\nbn -> dense 2 -> softmax", batch=64)
    model.train_step(x, y)
    witness = torch.nn.BatchNorm2d(3)
    witness(torch.tensor(x))
    for name in ("running_mean", "running_var"):
        assert np.allclose(model.parameters[f"bn1.{name}"], getattr(witness, name).numpy(), rtol=1e-6)


def moved(x, by):
    """x in steps of 2^-9, with a large number added that loses none of them: the same to what takes means off."""
    x = np.round(x * 512) / 512
    near, there = x.astype("float32"), (x + by).astype("float32")
    assert (there.astype("float64") == near.astype("float64") + by).all()
    return near, there


@pytest.mark.parametrize("shards", [1, 2, 3])
@pytest.mark.parametrize("kind", FIRST)
def test_a_number_added_to_every_input_changes_nothing(kind, shards):
    """Costs, gradients and outputs of float32 within 1e-5, in training; after it where no statistics run."""
    shape, word = FIRST[kind]
    head = "conv 8x3x3 pad 1 -> bn -> relu -> maxpool 2 -> " if shape.count("x") == 2 else ""
    text = f"input {shape}\n{word} -> {head}dense 2 -> softmax"
    near, there = moved(far(shape, 0, 50)[0], -8192)
    y = np.arange(50) % 2
    model = cnnspec.compile(text=text, batch=50, shards=shards, seed=3)
    one, two = model.gradients(near, y), model.gradients(there, y)
    for name, value in one.items():
        assert np.abs(value - two[name]).max() < 1e-5 * max(1e-2, np.abs(value).max()), name
    if word != "bn":
        assert np.abs(model.predict(near) - model.predict(there)).max() < 1e-5


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("text", FUSED)
def test_a_bias_before_it_changes_nothing(text, shards):
    """In every fused form, in float64, where nothing but a step left out could make a difference."""
    images = 65 * shards
    x = far(text.partition("\n")[0], 0, images)[0]
    model = cnnspec.compile(text=f"input {text}", batch=images, shards=shards, seed=1, dtype="float64")
    y = NUMBERS.normal(size=model.predict(x).shape)
    found = []
    for bias in (0.0, 3e4):
        for name in sorted({"conv1.bias", "conv2.bias", "dense1.bias"} & {*model.parameters}):
            size = model.parameters[name].size
            model.parameters[name] = np.where(np.arange(size) > 1, bias, 0)
        found.append(model.gradients(x, y))
    for name, value in found[0].items():
        if name.startswith("bn") or name.endswith("weight"):
            assert np.abs(value - found[1][name]).max() < 1e-8 * np.abs(value).max(), name


def test_these_are_the_fused_forms():
    plans = []
    for text in FUSED:
        model = cnnspec.compile(text=f"input {text}", batch=65, seed=1)
        x = far(text.partition("\n")[0], 0, 65)[0]
        model.gradients(x, model.predict(x))
        plans.append(model.plan.source)
    for kernel in ("moments=", "normalise_pooled(", "pooled_gradient(", "epilogue=", ".write(", "gradient_sums("):
        assert any(kernel in plan for plan in plans), kernel


@pytest.mark.parametrize("mean", [0, 100, 10_000])
def test_folded_into_a_convolution_it_is_as_exact_as_pytorch_s(mean):
    """What the convolution rounds of such numbers, both lose; bringing the scale into its filters adds little."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    x = far("3x16x16", 0)[0]
    x[:, 0] += np.float32(mean)
    model = cnnspec.compile(text="input 3x16x16\nconv 8x3x3 -> bn", batch=64)
    p = {name: np.array(values) for name, values in model.parameters.items()}
    exact = F.conv2d(*(torch.tensor(a).double() for a in (x, p["conv1.weight"], p["conv1.bias"]))).numpy()
    model.parameters["bn1.running_mean"] = p["bn1.running_mean"] = exact.mean(axis=(0, 2, 3)).astype("float32")
    model.parameters["bn1.running_var"] = p["bn1.running_var"] = exact.var(axis=(0, 2, 3)).astype("float32")
    names = [f"bn1.{name}" for name in ("running_mean", "running_var", "weight", "bias")]

    def judged(kind):
        given = [torch.tensor(a).to(kind) for a in (x, p["conv1.weight"], p["conv1.bias"])]
        return F.batch_norm(F.conv2d(*given), *(torch.tensor(p[name]).to(kind) for name in names)).numpy()

    true, theirs, ours = judged(torch.float64), judged(torch.float32), model.predict(x)

    def error(y):
        return np.sqrt(np.square(y - true).mean())

    assert error(ours) < 2 * error(theirs)


def test_one_image_is_normalised_alone():
    """What is taken off a second time is its own: no other image of the batch changes a bit."""
    x = far("6x4x5", 0, 4)[0]
    beside = x.copy()
    beside[1:] += 10_000
    for text, name in (("layernorm", "layernorm1"), ("groupnorm 2", "groupnorm1")):
        model = cnnspec.compile(text=f"input 6x4x5\n{text} -> dense 2 -> softmax", batch=4)
        alone = model.activations(x)[name][0].copy()
        assert np.array_equal(alone, model.activations(beside)[name][0])
