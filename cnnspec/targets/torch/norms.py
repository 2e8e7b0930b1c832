"""Normalisation and regularisation in PyTorch."""

from __future__ import annotations

from ...ir import Node
from ...words.affine import ChannelScale
from ...words.norm import Bn
from ...words.regularise import Dropout, DropPath
from ...words.standardise import Grn, GroupNorm, LayerNorm, Lrn
from .page import Page, Writer


def bn(page: Page, node: Node[Bn], x: str) -> str:
    op = node.op
    rank = 2 if page.kind(node).kind == "image" else 1
    more = with_eps(op) + ("" if op.momentum == 0.1 else f", momentum={op.momentum!r}")
    layer = page.layer(node, f"nn.BatchNorm{rank}d({node.type['c']}{more})")
    return f"{layer}({x})"


CHANNEL_NORM = '''
class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
'''

SCALE = '''
class Scale(nn.Module):
    """A learnt factor for each channel, and with a bias a number that is added."""

    def __init__(self, channels, init=1.0, bias=False):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x):
        pixels = [1] * (x.dim() - 2)
        y = x * self.weight.reshape(-1, *pixels)
        return y if self.bias is None else y + self.bias.reshape(-1, *pixels)
'''

RESPONSE_NORM = '''
class ResponseNorm(nn.Module):
    """Global response normalisation (ConvNeXt V2)."""

    def __init__(self, channels, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        pixels = [1] * (x.dim() - 2)
        norm = torch.linalg.vector_norm(x, dim=tuple(range(2, x.dim())), keepdim=True)
        share = norm / (norm.mean(1, keepdim=True) + self.eps)
        return x + x * share * self.weight.reshape(-1, *pixels) + self.bias.reshape(-1, *pixels)
'''

DROP_PATH = '''
def drop_path(x, rate, training):
    """In training the whole value of an image is zero with this probability, and else grows to keep the mean."""
    if not training:
        return x
    return x * F.dropout(torch.ones(len(x), *[1] * (x.dim() - 1), dtype=x.dtype, device=x.device), rate)
'''


def with_eps(op: LayerNorm | GroupNorm | Bn) -> str:
    return "" if op.eps == 1e-5 else f", eps={op.eps!r}"


def layernorm(page: Page, node: Node[LayerNorm], x: str) -> str:
    kind = "nn.LayerNorm" if node.type.kind == "vector" else page.piece("ChannelNorm", CHANNEL_NORM)
    layer = page.layer(node, f"{kind}({node.type['c']}{with_eps(node.op)})")
    return f"{layer}({x})"


def groupnorm(page: Page, node: Node[GroupNorm], x: str) -> str:
    (groups,) = node.op.size
    layer = page.layer(node, f"nn.GroupNorm({groups}, {node.type['c']}{with_eps(node.op)})")
    return f"{layer}({x})"


def grn(page: Page, node: Node[Grn], x: str) -> str:
    eps = "" if node.op.eps == 1e-6 else f", eps={node.op.eps!r}"
    layer = page.layer(node, f"{page.piece('ResponseNorm', RESPONSE_NORM)}({node.type['c']}{eps})")
    return f"{layer}({x})"


def lrn(page: Page, node: Node[Lrn], x: str) -> str:
    op = node.op
    settings = f"{op.size}, alpha={op.alpha!r}, beta={op.beta!r}, k={op.k!r}"
    if node.type.kind == "vector":  # PyTorch wants a pixel to each channel
        return f"F.local_response_norm({x}[:, :, None], {settings})[:, :, 0]"
    return f"F.local_response_norm({x}, {settings})"


def scale(page: Page, node: Node[ChannelScale], x: str) -> str:
    op = node.op
    settings = ("" if op.init == 1 else f", init={op.init!r}") + (", bias=True" if op.bias else "")
    layer = page.layer(node, f"{page.piece('Scale', SCALE)}({node.type['c']}{settings})")
    return f"{layer}({x})"


def droppath(page: Page, node: Node[DropPath], x: str) -> str:
    rate = node.op.rate
    return f"{page.piece('drop_path', DROP_PATH)}({x}, {rate!r}, self.training)"


def dropout(page: Page, node: Node[Dropout], x: str) -> str:
    return f"F.dropout({x}, {node.op.rate!r}, self.training)"


WORDS: dict[str, Writer] = {
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "grn": grn,
    "scale": scale,
    "dropout": dropout,
    "droppath": droppath,
}
