"""Words that move, enlarge or take apart pixels and channels, in PyTorch."""

from __future__ import annotations

from ...ir import Node
from ...words.resample import Crop, Pad, PixelShuffle, PixelUnshuffle, Resize, Upsample
from ...words.shape import Shuffle
from ...words.take import Take
from .page import Page, Writer, numbers


def flatten(page: Page, node: Node, x: str) -> str:
    return f"{x}.flatten(1)"


def reshape(page: Page, node: Node, x: str) -> str:
    return f"{x}.reshape(-1, {', '.join(map(str, node.type.shape))})"


def shuffle(page: Page, node: Node[Shuffle], x: str) -> str:
    groups = node.op.size
    if node.type.kind == "vector":
        return f"{x}.unflatten(1, ({groups}, -1)).transpose(1, 2).flatten(1)"
    return f"F.channel_shuffle({x}, {groups})"


def pad(page: Page, node: Node[Pad], x: str) -> str:
    op = node.op
    pairs = list(op.sides(page.kind(node)))[-len(node.type.spatial) :]
    if op.channels:
        pairs = [(op.channels, op.channels), *pairs]
    mode = {"zeros": "", "reflect": ', mode="reflect"', "edge": ', mode="replicate"'}[op.mode]
    return f"F.pad({x}, {tuple(side for pair in reversed(pairs) for side in pair)}{mode})"


def crop(page: Page, node: Node[Crop], x: str) -> str:
    op = node.op
    rank = len(node.type.spatial)
    starts = op.before(page.kind(node))[-rank:]
    cut = [f"{start}:{start + size}" for start, size in zip(starts, node.type.spatial, strict=True)]
    return f"{x}[:, :, {', '.join(cut)}]"


def upsample(page: Page, node: Node[Upsample], x: str) -> str:
    factors = node.op.factors(page.kind(node))
    return f"F.interpolate({x}, scale_factor={numbers(factors, len(node.type.spatial))})"


def resize(page: Page, node: Node[Resize], x: str) -> str:
    size = numbers(node.type.spatial, len(node.type.spatial))
    if node.op.mode == "area":
        return f"F.adaptive_avg_pool{len(node.type.spatial)}d({x}, {size})"
    if node.op.mode == "nearest":
        return f"F.interpolate({x}, {size})"
    mode = "bilinear" if node.type.kind == "image" else "linear"
    corners = ", align_corners=True" if node.op.align_corners else ""
    return f'F.interpolate({x}, {size}, mode="{mode}"{corners})'


def pixelshuffle(page: Page, node: Node[PixelShuffle], x: str) -> str:
    factors = node.op.factors(page.kind(node))[-len(node.type.spatial) :]
    if len(set(factors)) == 1 and len(factors) == 2:
        return f"F.pixel_shuffle({x}, {factors[0]})"
    rank = len(factors)
    order = [axis for k in range(rank) for axis in (2 + rank + k, 2 + k)]
    return rearranged(x, f"unflatten(1, ({node.type['c']}, {', '.join(map(str, factors))}))", order, node)


def pixelunshuffle(page: Page, node: Node[PixelUnshuffle], x: str) -> str:
    kind = page.kind(node)
    factors = node.op.factors(kind)[-len(node.type.spatial) :]
    if len(set(factors)) == 1 and len(factors) == 2:
        return f"F.pixel_unshuffle({x}, {factors[0]})"
    rank = len(factors)
    split = [size for pair in zip(node.type.spatial, factors, strict=True) for size in pair]
    order = [*(3 + 2 * k for k in range(rank)), *(2 + 2 * k for k in range(rank))]
    return rearranged(x, f"reshape(-1, {kind['c']}, {', '.join(map(str, split))})", order, node)


def rearranged(x: str, apart: str, order: list[int], node: Node) -> str:
    """Axes taken apart, put in another order, and together again."""
    shape = ", ".join(map(str, node.type.shape))
    return f"{x}.{apart}.permute(0, 1, {', '.join(map(str, order))}).reshape(-1, {shape})"


def take(page: Page, node: Node[Take], x: str) -> str:
    op = node.op
    return f"{x}[:, {op.start}:{op.start + op.size}]"


WORDS: dict[str, Writer] = {
    "flatten": flatten,
    "reshape": reshape,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixelshuffle,
    "pixelunshuffle": pixelunshuffle,
    "shuffle": shuffle,
    "take": take,
}
