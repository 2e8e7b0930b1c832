"""Attention within images as PyTorch's exporter writes it: CBAM, gates, GRN, radix groups; pixel shuffles."""

from __future__ import annotations

import io

import numpy as np
import pytest
from networks import engine_for, graph_of

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")
rt = pytest.importorskip("onnxruntime")
from onnx_models import agrees  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from cnnspec.targets.onnx.importer import as_spec  # noqa: E402


class ChannelAttention(nn.Module):
    """The first half of CBAM (Woo et al. 2018)."""

    def __init__(self, channels):
        super().__init__()
        self.mlp = nn.Sequential(nn.Conv2d(channels, 2, 1), nn.ReLU(), nn.Conv2d(2, channels, 1))

    def forward(self, x):
        mean, most = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        return x * torch.sigmoid(self.mlp(mean) + self.mlp(most))


class SpatialAttention(nn.Module):
    """The second half of CBAM."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x):
        maps = torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)
        return x * torch.sigmoid(self.conv(maps))


class Gate(nn.Module):
    """An attention gate of a U-Net (Oktay et al. 2018): a map of one channel weighs the skip."""

    def __init__(self, channels):
        super().__init__()
        self.skip, self.deep, self.one = nn.Conv2d(channels, 3, 1), nn.Conv2d(channels, 3, 1), nn.Conv2d(3, 1, 1)
        self.down = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x):
        deep = F.interpolate(self.down(x), size=x.shape[2:], mode="bilinear", align_corners=True)
        return x * torch.sigmoid(self.one(F.relu(self.skip(x) + self.deep(deep))))


class Response(nn.Module):
    """Global response normalisation as timm writes it."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(channels)), nn.Parameter(torch.randn(channels))

    def forward(self, x):
        norm = x.norm(p=2, dim=(2, 3), keepdim=True)
        share = norm / (norm.mean(dim=1, keepdim=True) + 1e-6)
        return x + torch.addcmul(self.bias.view(1, -1, 1, 1), self.weight.view(1, -1, 1, 1), x * share)


class Split(nn.Module):
    """Split attention with radix 2 (ResNeSt, Zhang et al. 2020), the parts one behind the other."""

    def __init__(self, channels):
        super().__init__()
        self.conv, self.less = nn.Conv2d(channels, 2 * channels, 3, padding=1, groups=2), nn.Conv2d(channels, 3, 1)
        self.more = nn.Conv2d(3, 2 * channels, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        parts = F.relu(self.conv(x)).reshape(n, 2, c, h, w)
        logits = self.more(F.relu(self.less(parts.sum(1).mean((2, 3), keepdim=True))))
        shares = F.softmax(logits.view(n, 1, 2, c).transpose(1, 2), dim=1).reshape(n, -1)
        return (parts * shares.reshape(n, 2, c, 1, 1)).sum(1)


class Selective(nn.Module):
    """Two kernels, of which each channel takes its share (SKNet, Li et al. 2019), stacked."""

    def __init__(self, channels):
        super().__init__()
        self.near, self.far = (
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.Conv2d(channels, channels, 5, padding=2),
        )
        self.logits = nn.Conv2d(channels, 2 * channels, 1, bias=False)

    def forward(self, x):
        both = torch.stack([self.near(x), self.far(x)], 1)
        logits = self.logits(both.sum(1).mean((2, 3), keepdim=True))
        return (both * F.softmax(logits.view(len(x), 2, x.shape[1], 1, 1), 1)).sum(1)


class Shuffles(nn.Module):
    """ESPCN's last layers, between pixels put into channels and back."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(4 * channels, 9 * channels, 3, padding=1)

    def forward(self, x):
        return F.pixel_shuffle(self.first(F.pixel_unshuffle(x, 2)), 3)


class Numbers(nn.Module):
    """What looks at one number, or a few, at a time."""

    def forward(self, x):
        y = torch.abs(x - F.max_pool2d(x, 2, stride=1, padding=1, dilation=2))
        return torch.minimum(torch.minimum(y, x), torch.tensor(0.7)) + x.sum(1, keepdim=True) * y


NETS = {
    "cbam": (lambda c: nn.Sequential(ChannelAttention(c), SpatialAttention()), "channelmax"),
    "gate": (Gate, "align_corners on"),
    "grn": (lambda c: nn.Sequential(Response(c), nn.GELU(), Response(c)), "grn"),
    "split": (Split, "radixsoftmax 2"),
    "selective": (Selective, "radixsoftmax 2"),
    "shuffles": (Shuffles, "pixelshuffle 3"),
    "numbers": (lambda c: Numbers(), "dilate 2"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NETS)
def test_a_module_of_attention_comes_in_as_words(name):
    torch.manual_seed(0)
    make, says = NETS[name]
    net, x, file = make(4).eval(), torch.randn(1, 4, 6, 8), io.BytesIO()
    torch.onnx.export(net, (x,), file, dynamo=False, opset_version=17)
    found = as_spec(onnx.load_from_string(file.getvalue()), "net.onnx")
    assert says in found.text
    graph = graph_of(found.text)
    engine = engine_for(graph, dtype="float32")
    for weight, values in found.weights.items():
        engine.parameters[weight] = values
    session = rt.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    (ours,) = engine.forward({graph.inputs[0]: x.numpy()})
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.filterwarnings("ignore")
def test_norms_that_are_no_global_response_normalisation_are_roots_of_sums():
    class Other(Response):
        def forward(self, x):
            return x * x.norm(p=2, dim=(2, 3), keepdim=True)

    file = io.BytesIO()
    torch.onnx.export(Other(3).eval(), (torch.randn(1, 3, 4, 5),), file, dynamo=False, opset_version=17)
    assert "sqrt" in agrees(onnx.load_from_string(file.getvalue()))
