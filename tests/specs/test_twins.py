"""A training step of every network, narrow and on small images, against PyTorch with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cnnspec

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from oracles import networks_in_torch as in_torch  # noqa: E402

SPECS = Path(__file__).parents[2] / "specs"
QUIET = {"dropout 50%": "dropout 0%", "dropout 20%": "dropout 0%", "dropout 30%": "dropout 0%", "{drop}": "0%"}
SMALL = {"224x224": "64x64", "dense 1000": "dense 10"}

# what is made smaller, by the text of the spec
CLASSIFIERS = {
    "lenet5": ("lenet5", {}),
    "alexnet": (
        "alexnet",
        {
            "224x224": "63x63",
            "64x11": "4x11",
            "192x": "6x",
            "384x": "5x",
            "256x": "7x",
            "4096": "9",
            "dense 1000": "dense 10",
        },
    ),
    "vgg16": (
        "vgg16",
        {"224x224": "32x32", "?x7x7": "?x1x1", "w = 64": "w = 3", "= 4096": "= 11", "dense 1000": "dense 10"},
    ),
    "googlenet": ("googlenet", {**SMALL, "480x14x14": "?x?x?", "832x7x7": "?x?x?"}),
    "resnet18": ("resnet18", {**SMALL, "w = 64": "w = 4", "?x7x7": "?x2x2"}),
    "resnet50": ("resnet50", {**SMALL, "w = 64": "w = 3", "?x7x7": "?x2x2"}),
    "resnet20": ("resnet20", {"3x32x32": "3x16x16", "w = 16": "w = 4"}),
    "squeezenet": ("squeezenet", {"224x224": "63x63", "w = 16": "w = 4", "conv 1000": "conv 10"}),
    "densenet121": ("densenet121", {**SMALL, "k = 32": "k = 4"}),
    "mobilenetv2": ("mobilenetv2", {**SMALL, "320x7x7": "?x2x2", "1280": "40"}),
    "shufflenetv2": (
        "shufflenetv2",
        {**SMALL, "464x7x7": "?x2x2", "58": "6", "116": "12", "232": "24", "1024": "40"},
    ),
    "efficientnet-b0": ("efficientnet", {**SMALL, "320x7x7": "?x2x2", "1280": "40"}),
    "convnext-tiny": ("convnext", {**SMALL, "w = 96": "w = 6", "?x7x7": "?x2x2"}),
    "unet": (
        "unet",
        {
            "572x572": "204x204",
            "?x28x28": "?x5x5",
            "56x56": "10x10",
            "104x104": "12x12",
            "200x200": "16x16",
            "392x392": "24x24",
            "388x388": "20x20",
            "w = 64": "w = 2",
        },
    ),
    "autoencoder": (
        "autoencoder",
        {"3x64x64": "3x16x24", "?x8x8": "?x2x3", "{k}x64x64": "{k}x16x24", "w = 16": "w = 4"},
    ),
    "sequence": ("sequence", {"3x128": "3x32"}),
    "iris": ("iris", {}),
}


def reduced(name: str, changes: dict[str, str]) -> str:
    text = (SPECS / f"{name}.cnn").read_text()
    for old, new in changes.items():
        assert old in text, f"{name}.cnn does not say {old}"
        text = text.replace(old, new)
    for old, new in QUIET.items():
        text = text.replace(old, new)
    return text.partition("\nexpect")[0]


def model_of(name: str, changes: dict[str, str]):
    """The reduced network with parameters that are anything but how they begin, and torch's copies of them."""
    model = cnnspec.compile(text=reduced(name, changes), dtype="float64", seed=5)
    generator = np.random.default_rng(7)
    for key, array in model.parameters.items():
        if "running" not in key:
            model.parameters[key] = array + 0.1 * generator.normal(size=array.shape)
    tensors = {
        key: torch.tensor(np.array(array)).requires_grad_()
        for key, array in model.parameters.items()
        if "running" not in key
    }
    return model, tensors, generator


def agree(model, tensors, x, y, cost) -> None:
    cost.backward()
    found = model.gradients(x, y)
    assert found.keys() == tensors.keys()
    assert not [key for key, tensor in tensors.items() if tensor.grad is None]
    for key, tensor in tensors.items():
        np.testing.assert_allclose(found[key], tensor.grad.numpy(), rtol=1e-9, atol=1e-9, err_msg=key)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name):
    function, changes = CLASSIFIERS[name]
    model, tensors, generator = model_of(name, changes)
    graph = model.graph
    x = generator.normal(size=(3, *graph.type(graph.inputs[0]).shape))
    made = graph.type(graph.outputs[0])
    y = generator.integers(0, made["c"], size=(3, *made.spatial))
    logits = getattr(in_torch, function)(in_torch.Weights(tensors), torch.tensor(x))
    agree(model, tensors, x, y, F.cross_entropy(logits, torch.tensor(y)))


def test_a_generator():
    model, tensors, generator = model_of("dcgan", {"input 100": "input 6", "100x1x1": "6x1x1", "w = 64": "w = 3"})
    x, y = generator.normal(size=(3, 6)), generator.normal(size=(3, 3, 64, 64))
    made = in_torch.dcgan(in_torch.Weights(tensors), torch.tensor(x))
    agree(model, tensors, x, y, F.mse_loss(made, torch.tensor(y)))


def test_shared_weights():
    model, tensors, generator = model_of("siamese", {"16x5x5": "4x5x5", "32x3x3": "5x3x3"})
    left, right = generator.normal(size=(2, 3, 1, 28, 28))
    y = generator.integers(0, 2, size=(3, 1)).astype(float)
    same = in_torch.siamese(in_torch.Weights(tensors), torch.tensor(left), torch.tensor(right))
    agree(model, tensors, {"left": left, "right": right}, y, F.binary_cross_entropy(same, torch.tensor(y)))


def test_two_outputs():
    model, tensors, generator = model_of("two-heads", {"28x28": "12x12", "dense 64": "dense 9"})
    x, digit = generator.normal(size=(3, 1, 12, 12)), generator.integers(0, 10, size=3)
    angle = generator.normal(size=(3, 2))
    logits, turned = in_torch.two_heads(in_torch.Weights(tensors), torch.tensor(x))
    cost = F.cross_entropy(logits, torch.tensor(digit)) + 0.5 * F.mse_loss(turned, torch.tensor(angle))
    outputs = dict(zip(model.graph.outputs, (digit, angle), strict=True))
    agree(model, tensors, x, outputs, cost)
