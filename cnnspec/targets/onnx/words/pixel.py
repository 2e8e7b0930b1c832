"""Words that move, enlarge or take apart pixels and channels, in ONNX."""

from __future__ import annotations

from collections.abc import Iterable

from ....ir import Node
from ....words.channels import Maxout, RadixSoftmax
from ....words.resample import Crop, Pad, PixelShuffle, PixelUnshuffle, Resize, Upsample
from ....words.shape import Shuffle
from ....words.take import Take
from ..page import WORD, OnnxPage, Writer


def pad(page: OnnxPage, node: Node[Pad], x: str) -> None:
    """Noted, so that no window behind it takes the padding as its own."""
    op = node.op
    kind = page.kind(node)
    sides = op.sides(kind)[-len(kind.spatial) :]
    before, after = ([0, op.channels, *(pair[k] for pair in sides)] for k in (0, 1))
    mode = "constant" if op.mode == "zeros" else op.mode
    page.add("Pad", node, x, page.constant(f"{node.name}.sides", before + after), mode=mode)
    page.note(WORD, "pad")


def crop(page: OnnxPage, node: Node[Crop], x: str) -> None:
    kind = page.kind(node)
    rank = len(kind.spatial)
    starts = node.op.before(kind)[-rank:]
    ends = [start + size for start, size in zip(starts, node.type.spatial, strict=True)]
    cut(page, node, x, starts, ends, range(2, 2 + rank))


def take(page: OnnxPage, node: Node[Take], x: str) -> None:
    op = node.op
    cut(page, node, x, [op.start], [op.start + op.size], [1])


def cut(page: OnnxPage, node: Node, x: str, *parts: Iterable[int]) -> None:
    """A part of the value; `parts` are starts, ends and axes."""
    named = zip(("starts", "ends", "axes"), parts, strict=True)
    page.add("Slice", node, x, *(page.constant(f"{node.name}.{name}", list(values)) for name, values in named))


def upsample(page: OnnxPage, node: Node[Upsample], x: str) -> None:
    factors = node.op.factors(page.kind(node))[-len(node.type.spatial) :]
    scales = page.constant(f"{node.name}.scales", [1, 1, *factors], "float32")
    page.add("Resize", node, x, "", scales, **NEAREST)


def resize(page: OnnxPage, node: Node[Resize], x: str) -> None:
    if node.op.mode == "area":
        area(page, node, x)
        return
    how = NEAREST if node.op.mode == "nearest" else {"mode": "linear"}
    if node.op.align_corners:
        how = {**how, "coordinate_transformation_mode": "align_corners"}
    if page.opset >= 18:
        sizes = page.constant(f"{node.name}.sizes", [*node.type.spatial])
        page.add("Resize", node, x, "", "", sizes, axes=list(range(2, 2 + len(node.type.spatial))), **how)
        return
    whole = page.add("Shape", node, x, part="whole")
    ends = [page.constant(f"{node.name}.{name}", [k]) for name, k in (("first", 0), ("second", 1))]
    images = page.add("Slice", node, whole, *ends, part="images")
    size = page.constant(f"{node.name}.size", [*node.type.shape])
    sizes = page.add("Concat", node, images, size, axis=0, part="sizes")
    page.add("Resize", node, x, "", "", sizes, **how)


def area(page: OnnxPage, node: Node[Resize], x: str) -> None:
    """Windows that lie side by side are a pool; others a product of matrices on either side, which a note tells."""
    have, want = page.kind(node).spatial, node.type.spatial
    if not any(n % w for n, w in zip(have, want, strict=True)):
        kernel = [n // w for n, w in zip(have, want, strict=True)]
        page.add("AveragePool", node, x, kernel_shape=kernel, strides=kernel)
    else:
        down, across = node.op.blends(page.kind(node))
        rows = x
        if len(have) == 2:
            rows = page.add("MatMul", node, page.constant(f"{node.name}.down", down, page.dtype), x, part="rows")
        columns = page.constant(f"{node.name}.across", list(zip(*across, strict=True)), page.dtype)
        page.add("MatMul", node, rows, columns)
    page.note(WORD, node.op.written())


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def shuffle(page: OnnxPage, node: Node[Shuffle], x: str) -> None:
    groups = node.op.size
    channels, *pixels = node.type.shape
    apart = page.constant(f"{node.name}.groups", [0, groups, channels // groups, *pixels])
    together = page.constant(f"{node.name}.shape", [0, channels, *pixels])
    rows = page.add("Reshape", node, x, apart, part="rows")
    order = [0, 2, 1, *range(3, 3 + len(pixels))]
    page.add("Reshape", node, page.add("Transpose", node, rows, part="columns", perm=order), together)


def pixelshuffle(page: OnnxPage, node: Node[PixelShuffle], x: str) -> None:
    kind = page.kind(node)
    rank = len(kind.spatial)
    factors = node.op.factors(kind)[-rank:]
    if rank == 2 and len(set(factors)) == 1:
        page.add("DepthToSpace", node, x, blocksize=factors[0], mode="CRD")
        return
    order = [axis for k in range(rank) for axis in (2 + rank + k, 2 + k)]
    rearranged(page, node, x, [node.type["c"], *factors, *kind.spatial], order)


def pixelunshuffle(page: OnnxPage, node: Node[PixelUnshuffle], x: str) -> None:
    kind = page.kind(node)
    rank = len(kind.spatial)
    factors = node.op.factors(kind)[-rank:]
    apart = [size for pair in zip(node.type.spatial, factors, strict=True) for size in pair]
    order = [*(3 + 2 * k for k in range(rank)), *(2 + 2 * k for k in range(rank))]
    rearranged(page, node, x, [kind["c"], *apart], order)


def rearranged(page: OnnxPage, node: Node, x: str, apart: list[int], order: list[int]) -> None:
    """Axes taken apart, put in another order, and together again."""
    parts = page.add("Reshape", node, x, page.constant(f"{node.name}.apart", [0, *apart]), part="parts")
    turned = page.add("Transpose", node, parts, part="turned", perm=[0, 1, *order])
    page.add("Reshape", node, turned, page.constant(f"{node.name}.shape", [0, *node.type.shape]))


def radixsoftmax(page: OnnxPage, node: Node[RadixSoftmax], x: str) -> None:
    channels, *pixels = node.type.shape
    parts = node.op.size
    apart = page.constant(f"{node.name}.parts", [0, parts, channels // parts, *(pixels or [1, 1])])
    found = page.add("Softmax", node, page.add("Reshape", node, x, apart, part="apart"), part="shares", axis=1)
    page.add("Reshape", node, found, page.constant(f"{node.name}.shape", [0, channels, *pixels]))


def maxout(page: OnnxPage, node: Node[Maxout], x: str) -> None:
    piece = node.op.size
    shape = page.constant(f"{node.name}.shape", [0, node.type["c"], piece, *node.type.spatial])
    pieces = page.add("Reshape", node, x, shape, part="pieces")
    if page.opset >= 18:
        page.add("ReduceMax", node, pieces, page.constant(f"{node.name}.axes", [2]), keepdims=0)
    else:
        page.add("ReduceMax", node, pieces, axes=[2], keepdims=0)


def reduced(
    page: OnnxPage, node: Node, kind: str, x: str, axes: list[int], part: str = "", keepdims: int = 1
) -> str:
    """A sum, a mean, a norm or a maximum along axes, which are an input from opset 18 on."""
    if page.opset >= 18:
        named = page.constant(f"{node.name}.{part}axes", axes)
        return page.add(kind, node, x, named, part=part, keepdims=keepdims)
    return page.add(kind, node, x, part=part, axes=axes, keepdims=keepdims)


# ---- all pixels, or all channels, together ---------------------------------------------------------------


def gap(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, page.add("GlobalAveragePool", node, x, part="pixel"))


def gmp(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, page.add("GlobalMaxPool", node, x, part="pixel"))


def channelmean(page: OnnxPage, node: Node, x: str) -> None:
    reduced(page, node, "ReduceMean", x, [1])


def channelmax(page: OnnxPage, node: Node, x: str) -> None:
    reduced(page, node, "ReduceMax", x, [1])


WORDS: dict[str, Writer] = {
    "gap": gap,
    "gmp": gmp,
    "channelmean": channelmean,
    "channelmax": channelmax,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixelshuffle,
    "pixelunshuffle": pixelunshuffle,
    "shuffle": shuffle,
    "take": take,
    "radixsoftmax": radixsoftmax,
    "maxout": maxout,
}
