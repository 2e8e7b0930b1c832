"""Words that slide a window, and `dense`, in PyTorch."""

from __future__ import annotations

from ...ir import Node
from ...ir.geometry import Geometry, each
from ...words.conv import Conv, DwConv
from ...words.dense import Dense
from ...words.pool import AvgPool, LpPool, MaxPool, MinPool
from ...words.upconv import UpConv
from .page import Page, Writer, numbers, padding, symmetric


def sliding(geometry: Geometry, rank: int) -> str:
    """Stride, padding and dilation as arguments, where they are not what PyTorch takes for granted."""
    parts = []
    if set(geometry.stride[-rank:]) != {1}:
        parts.append(f"stride={numbers(geometry.stride, rank)}")
    before = tuple(pair[0] for pair in geometry.pad)
    if symmetric(geometry) and any(before):
        parts.append(f"padding={numbers(before, rank)}")
    if set(geometry.dilate[-rank:]) != {1}:
        parts.append(f"dilation={numbers(geometry.dilate, rank)}")
    return "".join(f", {part}" for part in parts)


def conv(page: Page, node: Node[Conv], x: str) -> str:
    kind = page.kind(node)
    return convolution(page, node, x, kind["c"], node.op.filters, node.op.groups)


def dwconv(page: Page, node: Node[DwConv], x: str) -> str:
    channels = page.kind(node)["c"]
    return convolution(page, node, x, channels, channels, channels)


def convolution(page: Page, node: Node[Conv | DwConv], x: str, channels: int, filters: int, groups: int) -> str:
    op = node.op
    rank = len(node.type.spatial)
    geometry = op.geometry(page.kind(node))
    more = sliding(geometry, rank) + (f", groups={groups}" if groups > 1 else "")
    more += "" if op.bias else ", bias=False"
    kernel = numbers(geometry.kernel, rank)
    layer = page.layer(node, f"nn.Conv{rank}d({channels}, {filters}, {kernel}{more})")
    begin(page, node)
    if not symmetric(geometry):
        x = f"F.pad({x}, {padding(geometry, rank)})"
    return f"{layer}({x})"


def upconv(page: Page, node: Node[UpConv], x: str) -> str:
    op = node.op
    kind = page.kind(node)
    rank = len(kind.spatial)
    geometry = op.geometry(kind)
    more = sliding(geometry, rank)
    added = each(op.output_pad, rank, "output_pad", fill=0)[-rank:]
    more += f", output_padding={numbers(added, rank)}" if any(added) else ""
    more += (f", groups={op.groups}" if op.groups > 1 else "") + ("" if op.bias else ", bias=False")
    kernel = numbers(geometry.kernel, rank)
    layer = page.layer(node, f"nn.ConvTranspose{rank}d({kind['c']}, {op.size[0]}, {kernel}{more})")
    begin(page, node)
    if symmetric(geometry):
        return f"{layer}({x})"
    sides = zip(geometry.pad[-rank:], node.type.spatial, strict=True)  # the layer cuts off nothing then
    return f"{layer}({x})[:, :, {', '.join(f'{first}:{first + size}' for (first, _), size in sides)}]"


def dense(page: Page, node: Node[Dense], x: str) -> str:
    op = node.op
    more = "" if op.bias else ", bias=False"
    layer = page.layer(node, f"nn.Linear({page.kind(node)['c']}, {op.outputs}{more})")
    begin(page, node)
    return f"{layer}({x})"


BEGINNINGS = {
    "kaiming_uniform": "",  # what PyTorch does by itself
    "kaiming_normal": 'nn.init.kaiming_normal_({{}}.weight, nonlinearity="relu")',
    "xavier_uniform": "nn.init.xavier_uniform_({{}}.weight)",
    "xavier_normal": "nn.init.xavier_normal_({{}}.weight)",
    "lecun_normal": "nn.init.normal_({{}}.weight, std={fan_in} ** -0.5)",
    "orthogonal": "nn.init.orthogonal_({{}}.weight)",
    "zeros": "nn.init.zeros_({{}}.weight)",
}


def begin(page: Page, node: Node[Conv | DwConv | UpConv | Dense]) -> None:
    """How the weights begin, where that is not PyTorch's own way; biases then begin at zero."""
    op = node.op
    weight = op.parameters(page.kind(node))[0]
    code = BEGINNINGS[op.init]
    if code:
        page.begin(node, code.format(fan_in=weight.fan_in))
        if op.bias:
            page.begin(node, "nn.init.zeros_({}.bias)")


# ---- pooling -----------------------------------------------------------------------------------------


def maxpool(page: Page, node: Node[MaxPool], x: str) -> str:
    return largest(page, node, x)


def minpool(page: Page, node: Node[MinPool], x: str) -> str:
    return f"-{largest(page, node, f'-{x}')}"


def largest(page: Page, node: Node[MaxPool | MinPool], x: str) -> str:
    """F.max_pool2d, which pads with minus infinity itself where both sides get alike and not too much."""
    rank = len(node.type.spatial)
    geometry = node.op.geometry(page.kind(node))
    if not takes_padding(geometry):
        x = f'F.pad({x}, {padding(geometry, rank)}, value=float("-inf"))'
    return f"F.max_pool{rank}d({x}, {window(geometry, rank)})"


def window(geometry: Geometry, rank: int) -> str:
    """Kernel, stride and padding as F.max_pool2d and F.avg_pool2d take them."""
    parts = [numbers(geometry.kernel, rank)]
    if geometry.stride[-rank:] != geometry.kernel[-rank:]:
        parts.append(f"stride={numbers(geometry.stride, rank)}")
    if takes_padding(geometry) and any(map(any, geometry.pad)):
        parts.append(f"padding={numbers(tuple(pair[0] for pair in geometry.pad), rank)}")
    if set(geometry.dilate) != {1}:
        parts.append(f"dilation={numbers(geometry.dilate, rank)}")
    return ", ".join(parts)


def takes_padding(geometry: Geometry) -> bool:
    """Whether PyTorch's pooling pads so itself: alike on both sides, and at most half a window."""
    small = all(2 * before <= extent for (before, _), extent in zip(geometry.pad, geometry.kernel, strict=True))
    return symmetric(geometry) and small


MEAN_OF_PIXELS = '''
def mean_of_pixels(x, pad, kernel, stride):
    """Average pooling in which padding does not count."""
    pool = F.avg_pool2d if x.dim() == 4 else F.avg_pool1d
    counted = pool(F.pad(torch.ones_like(x[:1, :1]), pad), kernel, stride)
    return pool(F.pad(x, pad), kernel, stride) / counted
'''


def avgpool(page: Page, node: Node[AvgPool], x: str) -> str:
    op = node.op
    rank = len(node.type.spatial)
    geometry = op.geometry(page.kind(node))
    padded = any(map(any, geometry.pad))
    if set(geometry.dilate) != {1}:
        name = page.piece("mean_of_apart", MEAN_OF_APART)
        dilate = numbers(geometry.dilate, rank)
        how = f"{padding(geometry, rank)}, {geometry.kernel[-rank:]}, {numbers(geometry.stride, rank)}, {dilate}"
        return f"{name}({x}, {how}{', count_pad=True' if op.count_pad else ''})"
    if padded and not takes_padding(geometry):
        kernel, stride = numbers(geometry.kernel, rank), numbers(geometry.stride, rank)
        if op.count_pad:
            return f"F.avg_pool{rank}d(F.pad({x}, {padding(geometry, rank)}), {kernel}, {stride})"
        name = page.piece("mean_of_pixels", MEAN_OF_PIXELS)
        return f"{name}({x}, {padding(geometry, rank)}, {kernel}, {stride})"
    counted = ", count_include_pad=False" if padded and not op.count_pad else ""
    return f"F.avg_pool{rank}d({x}, {window(geometry, rank)}{counted})"


MEAN_OF_APART = '''
def mean_of_apart(x, pad, kernel, stride, dilation, count_pad=False):
    """Average pooling whose window's pixels are apart: a convolution with ones."""
    conv = F.conv2d if x.dim() == 4 else F.conv1d
    ones = torch.ones(x.shape[1], 1, *kernel, dtype=x.dtype, device=x.device)

    def sums(x, ones):
        return conv(F.pad(x, pad), ones, stride=stride, dilation=dilation, groups=x.shape[1])

    return sums(x, ones) / (ones[0].sum() if count_pad else sums(torch.ones_like(x[:1, :1]), ones[:1]))
'''


NORM_OF_WINDOWS = '''
def norm_of_windows(x, p, kernel, stride, dilation):
    """Power-average pooling: the p-norm of each window; where all of it is 0, its gradient is 0."""
    for axis, (size, step, apart) in enumerate(zip(kernel, stride, dilation), 2):
        x = x.unfold(axis, (size - 1) * apart + 1, step)[..., ::apart]
    return torch.linalg.vector_norm(x.flatten(2 + len(kernel)), p, dim=-1)
'''


def lppool(page: Page, node: Node[LpPool], x: str) -> str:
    op = node.op
    rank = len(node.type.spatial)
    geometry = op.geometry(page.kind(node))
    if any(map(any, geometry.pad)):
        x = f"F.pad({x}, {padding(geometry, rank)})"
    name = page.piece("norm_of_windows", NORM_OF_WINDOWS)
    return f"{name}({x}, {op.p}, {geometry.kernel[-rank:]}, {geometry.stride[-rank:]}, {geometry.dilate[-rank:]})"


def gap(page: Page, node: Node, x: str) -> str:
    return f"{x}.mean({pixels(page, node)})"


def gmp(page: Page, node: Node, x: str) -> str:
    return f"{x}.amax({pixels(page, node)})"


def pixels(page: Page, node: Node) -> str:
    """The axes of the pixels."""
    return "(2, 3)" if page.kind(node).kind == "image" else "2"


WORDS: dict[str, Writer] = {
    "conv": conv,
    "dwconv": dwconv,
    "upconv": upconv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "minpool": minpool,
    "lppool": lppool,
    "gap": gap,
    "gmp": gmp,
    "dense": dense,
}
