"""ONNX operators that slide a window: convolutions and pools."""

from __future__ import annotations

import re
from math import inf
from typing import Any

import numpy as np

from ....ir.geometry import slide
from ....ir.op import Op
from ....words.resample import Resize
from ..layout import padded
from ..page import WORD
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Pads, Seen, Waiting, seen, word
from . import Operator
from .axes import axes_of
from .parts import dropped, reduced, together
from .response import mean


def pads_of(step: Step, sizes: tuple[int, ...], extent: list[int], stride: list[int]) -> Pads | str:
    """The padding of each side, or `same` where the model says so itself."""
    rank = len(sizes)
    auto = step.get("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        return "same"
    if auto == "SAME_LOWER":
        totals = [max((-(-n // s) - 1) * s + e - n, 0) for n, s, e in zip(sizes, stride, extent, strict=True)]
        return [(total - total // 2, total // 2) for total in totals]
    flat = step.get("pads") or [0] * (2 * rank)
    if auto == "VALID":
        flat = [0] * (2 * rank)
    if len(flat) != 2 * rank or min(flat) < 0:
        refuse("CNN504", case="pads", step=step, pads=list(flat))
    return list(zip(flat[:rank], flat[rank:], strict=True))


def pad_setting(step: Step, what: str, x: Any, kernel: Any, stride: Any, dilate: Any, pads: Pads | str) -> Any:
    """The `pad` setting that means these pads, or None where no setting does."""
    if isinstance(pads, str):
        return pads
    if not any(map(any, pads)):
        return "valid"
    if all(before == after for before, after in pads):
        return setting([before for before, _ in pads])
    names = ("include", "same") if step.get("ceil_mode") else ("same", "include")
    for name in names:
        if slide(what, x, kernel, stride, name, dilate).pad[-len(pads) :] == tuple(pads):
            return name
    if min(map(min, pads)) < 0:
        return None
    return tuple(side for pair in pads for side in pair)


def setting(sizes: Any) -> int | tuple[int, ...]:
    """A setting for each direction: one number where all are equal."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


def window(
    r: Reader, step: Step, x: str, kernel: list[int], margin: Pads | None = None
) -> tuple[list[int], list[int], Pads | str]:
    """Stride, dilation and pads of a step whose windows have that kernel; `margin` is padding made before it."""
    kind = r.type(x)
    rank = len(kind.spatial)
    if not rank or len(kernel) != rank:
        refuse("CNN504", case="slides", step=step, kind=kind)
    stride = list(step.get("strides") or [1] * rank)
    dilate = list(step.get("dilations") or [1] * rank)
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilate, strict=True)]
    sides = margin or [(0, 0)] * rank
    grown_sizes = tuple(n + before + after for n, (before, after) in zip(kind.spatial, sides, strict=True))
    pads = pads_of(step, grown_sizes, extent, stride)
    if margin and isinstance(pads, str):
        refuse("CNN504", case="padded twice", step=step)
    if not isinstance(pads, str):
        pads = [(b + before, a + after) for (b, a), (before, after) in zip(pads, sides, strict=True)]
    if step.get("ceil_mode") and not isinstance(pads, str):
        pads = [grown(n, e, s, p) for n, e, s, p in zip(kind.spatial, extent, stride, pads, strict=True)]
    return stride, dilate, pads


def grown(size: int, extent: int, stride: int, pad: tuple[int, int]) -> tuple[int, int]:
    """Pads under ceil_mode: a last window more where pixels are left, unless it would see none of the image."""
    total = size + sum(pad) - extent
    count = -(-total // stride)
    if count * stride >= size + pad[0]:
        count -= 1
    return pad[0], pad[1] + max(count * stride - total, 0)


def conv(r: Reader, step: Step) -> Seen:
    x, margin = r.with_margin(step, 0.0)
    weight, bias = r.array(step, 1, "kernel"), r.optional(step, 2, "bias")
    filters, _, *kernel = weight.shape
    groups = step.get("group", 1)
    stride, dilate, pads = window(r, step, x, kernel, margin)
    kind = r.type(x)
    pad = pad_setting(step, "kernel", kind, tuple(kernel), setting(stride), setting(dilate), pads)
    if pad is None and not isinstance(pads, str):
        x = padded(r, step, x, 0, pads)
        pad = "valid"
    common = {"stride": setting(stride), "pad": pad, "dilate": setting(dilate), "bias": bias is not None}
    op: Op
    if groups == kind["c"] == filters and groups > 1:
        op = word("dwconv", tuple(kernel), **common)
    else:
        op = word("conv", (filters, *kernel), groups=groups, **common)
    arrays = {"weight": weight, **({} if bias is None else {"bias": bias})}
    return r.learnt(step, op, x, arrays, tuple(step.inputs[1:]))


def conv_transpose(r: Reader, step: Step) -> Seen:
    x = r.image(step)
    kind = r.type(x)
    weight, bias = r.array(step, 1, "kernel"), r.optional(step, 2, "bias")
    _, filters, *kernel = weight.shape
    groups, rank = step.get("group", 1), len(kernel)
    if len(kind.spatial) != rank:
        refuse("CNN504", case="slides", step=step, kind=kind)
    stride = list(step.get("strides") or [1] * rank)
    dilate = list(step.get("dilations") or [1] * rank)
    sizes = zip(kind.spatial, kernel, stride, dilate, strict=True)
    full = [(n - 1) * s + d * (k - 1) + 1 for n, k, s, d in sizes]  # before anything is cut off
    cuts = cuts_of(step, kind.spatial, full, stride)
    pad, more = cut_setting(step, cuts, stride)
    op = word(
        "upconv",
        (filters * groups, *kernel),
        stride=setting(stride),
        pad=pad,
        output_pad=more,
        dilate=setting(dilate),
        groups=groups,
        bias=bias is not None,
    )
    arrays = {"weight": weight, **({} if bias is None else {"bias": bias})}
    return r.learnt(step, op, x, arrays, tuple(step.inputs[1:]))


def cut_setting(step: Step, cuts: Pads, stride: list[int]) -> tuple[Any, Any]:
    """`pad` and `output_pad` that cut so much off before and after each side: less after, as further pixels."""
    if any(before < 0 for before, _ in cuts):
        refuse("CNN504", case="cuts", step=step, cuts=cuts)
    added = [before - after for before, after in cuts]
    if all(0 <= extra < step_ or extra == 0 for extra, step_ in zip(added, stride, strict=True)):
        return setting([before for before, _ in cuts]), setting(added)
    more = [max(-after, 0) for _, after in cuts]
    return tuple(side for before, after in cuts for side in (before, max(after, 0))), setting(more)


def cuts_of(step: Step, sizes: tuple[int, ...], full: list[int], stride: list[int]) -> Pads:
    """How much of each side of the full output is cut off; further output pixels count as less cut off below.

    Of a kernel below its stride `SAME` cuts off nothing, and a larger `output_shape` adds pixels below, as in
    ONNX Runtime.
    """
    rank = len(sizes)
    added = list(step.get("output_padding") or [0] * rank)
    auto = step.get("auto_pad", "NOTSET")
    wanted = step.get("output_shape")
    if auto in ("SAME_UPPER", "SAME_LOWER") and wanted is None:
        sides = zip(sizes, full, stride, added, strict=True)
        wanted = [min(n * s, whole + extra) for n, whole, s, extra in sides]
    if wanted is None:
        flat = [0] * (2 * rank) if auto == "VALID" else step.get("pads") or [0] * (2 * rank)
        return [(flat[k], flat[rank + k] - added[k]) for k in range(rank)]
    found = []
    for size, target, extra in zip(full, wanted, added, strict=True):
        total = size + extra - target
        cut = max(total, 0)
        before = cut // 2 if auto == "SAME_UPPER" else cut - cut // 2
        found.append((before, total - before - extra))
    return found


def maxpool(r: Reader, step: Step) -> Seen:
    x, margin = r.with_margin(step, -inf)
    return pool(r, step, x, "maxpool", {}, margin)


def avgpool(r: Reader, step: Step) -> Seen:
    counted = bool(step.get("count_include_pad"))
    if not any(step.get("pads") or ()):
        counted = counted or step.input(0) in r.margins  # zeros put there before count like pixels
    x, margin = r.with_margin(step, 0.0) if counted else (r.image(step), None)
    return pool(r, step, x, "avgpool", {"count_pad": counted} if counted else {}, margin)


def lppool(r: Reader, step: Step) -> Seen:
    x, margin = r.with_margin(step, 0.0)
    p = step.get("p", 2)
    if not 1 <= p <= 64:
        refuse("CNN504", case="range", step=step, setting="p", value=p, word="lppool", least=1, most=64)
    return pool(r, step, x, "lppool", {"p": p}, margin)


def pool(r: Reader, step: Step, x: str, name: str, more: dict[str, Any], margin: Pads | None = None) -> Seen:
    kernel = list(step.get("kernel_shape") or [])
    stride, dilate, pads = window(r, step, x, kernel, margin)
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilate, strict=True)]
    if "count_pad" in more and step.get("ceil_mode") and pads != pads_of(step, r.type(x).spatial, extent, stride):
        refuse("CNN504", case="ceil_mode", step=step)
    kind = r.type(x)
    pad = pad_setting(step, "window", kind, tuple(kernel), setting(stride), setting(dilate), pads)
    if (
        pad is None and more and not isinstance(pads, str)
    ):  # zeros that count, or add nothing, are zeros like any others
        x = padded(r, step, x, 0, pads)
        pad = "valid"
    if pad is None:
        refuse("CNN504", case="padding", step=step, pads=pads)
    size = tuple(kernel[:1]) if len(set(kernel)) == 1 else tuple(kernel)
    chosen = None if stride == kernel else setting(stride)
    return r.made(word(name, size, stride=chosen, pad=pad, dilate=setting(dilate), **more), x)


def gap(r: Reader, step: Step) -> Seen:
    return pooled(r, r.image(step), "gap")


def pooled(r: Reader, x: str, name: str) -> Seen:
    """A global pool: a vector here, one pixel of each channel there."""
    shape = r.type(x).shape
    if not r.type(x).spatial:
        return seen(x, shape)
    value = r.add(word(name), x)
    return seen(value, (shape[0], *[1] * (len(shape) - 1)))


def over_pixels(name: str, of_channels: str) -> Operator:
    """A mean or maximum over all pixels is a global pool, over all channels a map, over pieces of them `maxout`."""

    def read(r: Reader, step: Step) -> Seen | Waiting | None:
        response = mean(r, step) if name == "gap" else None
        if response:
            return response
        value = r.at(step.input(0), step)
        along, keepdims = axes_of(r, step), step.get("keepdims", 1)
        pixels = set(range(1, len(value.perm)))
        if along == pixels and pixels and not value.ravel:
            made = pooled(r, r.plain(seen(value.value, value.shape)), name)
            return Seen(made.value, made.shape, value.perm) if keepdims else seen(made.value, made.shape[:1])
        if name == "gmp" and along == {1} and value.straight and not keepdims:
            left, piece, *rest = value.shape
            if r.type(value.value).shape == (left * piece, *rest):
                return r.made(word("maxout", piece), value.value)
        apart = together(r, step, value, "mean") if name == "gap" else None
        if apart:
            return apart
        if not along:
            return value
        if along == {0} and not value.ravel and r.type(value.value).shape == value.shape:
            made = r.made(word(of_channels), value.value)
            if keepdims:
                return Seen(made.value, made.shape, value.perm)
            return dropped(made.value, made.shape, value.perm, along) if pixels or r.model.exact else made
        if r.model.free and -1 not in along:
            return reduced(r, step, value, {"gap": "mean", "gmp": "max"}[name])
        refuse("CNN504", case="pooled axes", step=step)

    return read


def area(r: Reader, step: Step) -> Seen:
    """`resize` by means of areas, as our own models note it: the matrices or the pool must be those."""
    x = r.image(step)
    kind = r.type(x)
    found = re.fullmatch(r"resize (\d+(?:x\d+)?) mode area", step.notes[WORD])
    if not found or not kind.spatial:
        refuse("CNN502", case="note", step=step, word=step.notes[WORD])
    op = Resize(tuple(map(int, found[1].split("x"))), mode="area")
    made = op.type(kind)
    if step.get("op") == "AveragePool":
        sizes = [n // w for n, w in zip(kind.spatial, made.spatial, strict=True)]
        same = step.get("kernel_shape") == sizes == step.get("strides") and not any(step.get("pads") or ())
    else:
        down, across = op.blends(kind)
        *left, right = (r.array(step, k, "matrix") for k in range(1, len(step.inputs)))
        wanted = [np.array(down), np.array(across).T][-len(kind.spatial) :]
        same = all(
            ours.shape == theirs.shape and np.allclose(ours, theirs, atol=1e-6)
            for ours, theirs in zip(wanted, [*left, right], strict=True)
        )
    if not same:
        refuse("CNN502", case="note", step=step, word=step.notes[WORD])
    return r.made(op, x)


def gmp(r: Reader, step: Step) -> Seen:
    return pooled(r, r.image(step), "gmp")


def minpool(r: Reader, step: Step) -> Seen:
    return pool(r, step, r.image(step), "minpool", {})


OPERATORS: dict[str, Operator] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": maxpool,
    "AveragePool": avgpool,
    "LpPool": lppool,
    f"{GROUP}minpool": minpool,
    "GlobalAveragePool": gap,
    "GlobalMaxPool": gmp,
    "ReduceMean": over_pixels("gap", "channelmean"),
    "ReduceMax": over_pixels("gmp", "channelmax"),
    f"{GROUP}area": area,
}
