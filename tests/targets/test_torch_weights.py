"""A ResNet-18 as PyTorch's users write it: its weights, under its own names, give the same logits here."""

from __future__ import annotations

import numpy as np
import pytest
from networks import ROOT

import cnnspec
from cnnspec.diagnostics import Source
from cnnspec.train import names, weights

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Basic(nn.Module):
    """The basic block of torchvision, by its names."""

    def __init__(self, before, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """As torchvision's, without its weights."""

    def __init__(self, w=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, w, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(w)
        self.layer1 = nn.Sequential(Basic(w, w, 1), Basic(w, w, 1))
        self.layer2 = nn.Sequential(Basic(w, 2 * w, 2), Basic(2 * w, 2 * w, 1))
        self.layer3 = nn.Sequential(Basic(2 * w, 4 * w, 2), Basic(4 * w, 4 * w, 1))
        self.layer4 = nn.Sequential(Basic(4 * w, 8 * w, 2), Basic(8 * w, 8 * w, 1))
        self.fc = nn.Linear(8 * w, 1000)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def mapping(model):
    """What each of our parameters is called there: the blocks stand in the same order."""
    stages = ["basic1", "basic2", "down1", "basic3", "down2", "basic4", "down3", "basic5"]
    blocks = {ours: f"layer{k // 2 + 1}.{k % 2}" for k, ours in enumerate(stages)}
    layers = {"cb1.conv1": "conv1", "cb1.bn1": "bn1", "dense1": "fc"}
    for ours, theirs in blocks.items():
        for k in (1, 2):
            layers |= {f"{ours}.cb{k}.conv1": f"{theirs}.conv{k}", f"{ours}.cb{k}.bn1": f"{theirs}.bn{k}"}
        layers |= {f"{ours}.cb3.conv1": f"{theirs}.downsample.0", f"{ours}.cb3.bn1": f"{theirs}.downsample.1"}
    found = {}
    for name in model.parameters:
        layer, _, own = name.rpartition(".")
        found[name] = f"{layers[layer]}.{own}"
    return found


def same_logits(width, side, tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(4)
    net = ResNet18(width)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):  # as after some training
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.1)
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    save_file(net.state_dict(), tmp_path / "theirs.safetensors")

    text = (ROOT / "specs" / "resnet18.cnn").read_text()
    text = text.replace("let w = 64", f"let w = {width}").replace("3x224x224", f"3x{side}x{side}")
    text = text.replace(" :: ?x7x7", "").replace(" -> softmax", "").partition("expect")[0]
    model = cnnspec.compile(text=text)
    found = mapping(model)
    noticed = cnnspec.compile(text=text)
    noticed.load(tmp_path / "theirs.safetensors")  # torchvision's layout, found without a map
    lines = "\n".join(f"{ours} {theirs}" for ours, theirs in found.items())
    weights.load(
        tmp_path / "theirs.safetensors",
        model.parameters,
        names=names.read(Source("names.txt", lines), model.parameters),
    )
    x = np.random.default_rng(1).normal(size=(2, 3, side, side)).astype("f4")
    with torch.no_grad():
        theirs = net.eval()(torch.tensor(x)).numpy()
    ours = model.predict(x)
    np.testing.assert_array_equal(ours, noticed.predict(x))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_a_narrow_one_gives_the_same_logits(tmp_path):
    same_logits(16, 64, tmp_path)


@pytest.mark.slow
def test_the_whole_gives_the_same_logits(tmp_path):
    same_logits(64, 224, tmp_path)
