"""ONNX operators that give an image more or fewer pixels or channels: Pad, Slice, Split, Resize."""

from __future__ import annotations

from math import ceil, floor, inf, isclose
from typing import Any

import numpy as np

from ..reader import Reader, padded, sayable
from ..steps import Step, refuse
from ..values import Margin, Seen, axis_of, word


def pad(r: Reader, step: Step) -> Seen:
    x = r.image(step)
    rank = len(r.type(x).shape) + 1
    flat = step.get("pads") if r.opset < 11 else r.array(step, 1, "pads").tolist()
    value = step.get("value", 0.0) if r.opset < 11 else r.optional(step, 2, "value")
    axes = r.optional(step, 3, "axes")
    along = list(range(rank)) if axes is None else [int(axis) % rank for axis in axes]
    filler = 0.0 if value is None else float(np.asarray(value).reshape(()))
    if step.get("mode", "constant") != "constant":
        refuse("CNN504", f"{step} pads by pixels of the image ({step.get('mode')})")
    both = dict(zip(along, zip(flat[: len(along)], flat[len(along) :], strict=True), strict=True))
    (_, channels), *sides = ((both.get(axis, (0, 0))) for axis in range(1, rank))
    if any(both.get(0, (0, 0))) or both.get(1, (0, 0))[0] != channels or channels < 0:
        refuse("CNN504", f"{step} pads the batch, or by more channels on one side than on the other")
    if not channels and (filler == -inf or not sayable(sides)):  # a window that comes next may say it itself
        value_before = r.at(step.input(0), step)
        r.margins[step.outputs[0]] = Margin(step, tuple(sides), filler)
        return value_before
    if filler:
        refuse("CNN504", f"{step} pads by {filler:g}; `pad` does by zeros")
    made = padded(r, step, x, channels, sides)
    return Seen(made, r.type(made).shape, tuple(range(rank - 1)))


def slice_of(r: Reader, step: Step) -> Seen:
    """Channels in a row are `take`, the middle of the image `crop`, every second pixel a pool of one pixel."""
    x = r.image(step)
    shape = r.type(x).shape
    if r.opset < 10:
        starts, ends = list(step.get("starts")), list(step.get("ends"))
        axes, by = list(step.get("axes") or range(len(starts))), [1] * len(starts)
    else:
        starts, ends = (r.array(step, k, "ends").tolist() for k in (1, 2))
        given, steps = r.optional(step, 3, "axes"), r.optional(step, 4, "steps")
        axes = list(range(len(starts))) if given is None else given.tolist()
        by = [1] * len(starts) if steps is None else steps.tolist()
    cuts: list[tuple[int, int, int]] = [(0, size, 1) for size in shape]
    for axis, start, end, stride in zip(axes, starts, ends, by, strict=True):
        axis %= len(shape) + 1
        if axis == 0:
            if (start, stride) != (0, 1) or end < 1 << 31:
                refuse("CNN504", f"{step} leaves images out")
            continue
        cuts[axis - 1] = slice(start, end, stride).indices(shape[axis - 1])
    return cut(r, step, x, cuts)


def cut(r: Reader, step: Step, x: str, cuts: list[tuple[int, int, int]]) -> Seen:
    """Start, end and stride along each axis."""
    (first, last, stride), *sides = cuts
    if stride != 1 or last <= first or any(by < 1 or end <= start for start, end, by in sides):
        refuse("CNN504", f"{step} takes a part for which there is no word")
    if (first, last) != (0, r.type(x)["c"]):
        x = r.add(word("take", last - first, start=first), x)
    kind = r.type(x)
    middle = [((n - (end - start)) // 2, n) for (start, end, _), n in zip(sides, kind.spatial, strict=True)]
    strides = [by for _, _, by in sides]
    whole = all((start, end) == (0, n) for (start, end, _), n in zip(sides, kind.spatial, strict=True))
    if not whole:
        if any(start != centre for (start, _, _), (centre, _) in zip(sides, middle, strict=True)):
            refuse("CNN504", f"{step} takes a part that is not the middle of the image")
        x = r.add(word("crop", tuple(end - start for start, end, _ in sides)), x)
    if any(by > 1 for by in strides):
        one = strides[0] if len(set(strides)) == 1 else tuple(strides)
        x = r.add(word("maxpool", (1,), stride=one), x)
    shape = r.type(x).shape
    return Seen(x, shape, tuple(range(len(shape))))


def split(r: Reader, step: Step) -> Seen:
    """Pieces of the channels are one `take` each."""
    value = r.at(step.input(0), step)
    if axis_of(value, step.get("axis", 0)) != 0:
        refuse("CNN504", f"{step} splits along an axis that is not that of the channels")
    x = r.plain(value)
    channels, count = r.type(x)["c"], len(step.outputs)
    given = r.optional(step, 1, "sizes")
    sizes = step.get("split") if given is None else given.tolist()
    if sizes is None:
        piece = ceil(channels / count)
        sizes = [min(piece, channels - k * piece) for k in range(count)]
    if sum(sizes) != channels or min(sizes) < 1:
        refuse("CNN504", f"{step} splits {channels} channels into {sizes}")
    start = 0
    for name, size in zip(step.outputs, sizes, strict=True):
        if name and r.readers.get(name):
            r.values[name] = r.made(word("take", size, start=start), x)
        start += size
    return r.values.get(step.outputs[0], value)


# ---- enlarging ---------------------------------------------------------------------------------------


def resize(r: Reader, step: Step) -> Seen:
    x = r.image(step)
    kind = r.type(x)
    rank = len(kind.spatial)
    old = step.op == "Upsample" or r.opset < 11
    scales, sizes = targets(r, step, rank + 2, 1 if old else 2)
    wanted = (
        tuple(floor(n * s) for n, s in zip(kind.spatial, scales[2:], strict=True)) if scales else tuple(sizes[2:])
    )
    unchanged = scales[:2] == [1, 1] if scales else sizes[1] == kind["c"]
    if not unchanged or min(wanted) < 1:
        refuse("CNN504", f"{step} changes the number of images or channels")
    if step.get("keep_aspect_ratio_policy", "stretch") != "stretch" or step.get("exclude_outside", 0):
        refuse("CNN504", f"{step} chooses its size or its pixels in a way for which there is no word")
    ratios = scales[2:] if scales else [want / have for have, want in zip(kind.spatial, wanted, strict=True)]
    modes = ("asymmetric", "floor") if old else (
        step.get("coordinate_transformation_mode", "half_pixel"),
        step.get("nearest_mode", "round_prefer_floor"),
    )  # fmt: skip
    mode = step.get("mode", "nearest")
    if mode not in ("nearest", "linear") or (step.get("antialias", 0) and min(ratios) < 1):
        refuse("CNN504", f"{step} blends pixels ({mode}) in a way for which there is no word")
    for have, want, ratio in zip(kind.spatial, wanted, ratios, strict=True):
        if not same_places(have, want, ratio, mode, *modes):
            refuse("CNN504", f"{step} takes other pixels ({', '.join(modes)}) than `resize` does")
    factors = [want // have for have, want in zip(kind.spatial, wanted, strict=True)]
    if mode == "nearest" and all(n * f == w for n, f, w in zip(kind.spatial, factors, wanted, strict=True)):
        return r.made(word("upsample", factors[0] if len(set(factors)) == 1 else tuple(factors)), x)
    return r.made(word("resize", wanted, mode="nearest" if mode == "nearest" else "bilinear"), x)


def targets(r: Reader, step: Step, rank: int, first: int) -> tuple[list[float], list[int]]:
    """The scales or the sizes for all axes, whichever the step gives."""
    axes = [axis % rank for axis in step.get("axes") or range(rank)]
    if "scales" in step.attributes:
        return list(step.get("scales")), []
    scales = r.optional(step, first, "scales")
    if scales is not None and scales.size:
        found = dict(zip(axes, scales.tolist(), strict=True))
        return [found.get(axis, 1) for axis in range(rank)], []
    sizes = r.array(step, first + 1, "sizes")
    given = dict(zip(axes, sizes.tolist(), strict=True))
    channels = r.type(r.image(step))["c"]
    return [], [given.get(axis, channels if axis == 1 else 0) for axis in range(rank)]


def same_places(have: int, want: int, ratio: float, mode: str, coordinates: str, rounding: str) -> bool:
    """Whether each new pixel is made of the old ones of which `resize` makes it."""
    for i in range(want):
        at = place(i, have, want, ratio, coordinates)
        if at is None:
            return False
        if mode == "nearest":
            if min(max(rounded(at, rounding), 0), have - 1) != i * have // want:
                return False
        elif not isclose(min(max(at, 0), have - 1), blended(i, have, want), abs_tol=1e-5):
            return False
    return True


def blended(i: int, have: int, want: int) -> float:
    return min(max((i + 0.5) * have / want - 0.5, 0), have - 1)


def place(i: int, have: int, want: int, ratio: float, coordinates: str) -> float | None:
    """Where the new pixel i lies among the old ones, as the standard's modes say."""
    match coordinates:
        case "half_pixel":
            return (i + 0.5) / ratio - 0.5
        case "pytorch_half_pixel":
            return (i + 0.5) / ratio - 0.5 if want > 1 else 0.0
        case "asymmetric":
            return i / ratio
        case "align_corners":
            return i * (have - 1) / (want - 1) if want > 1 else 0.0
    return None


def rounded(at: float, how: str) -> int:
    match how:
        case "round_prefer_floor":
            return ceil(at - 0.5)
        case "round_prefer_ceil":
            return floor(at + 0.5)
        case "ceil":
            return ceil(at)
    return floor(at)


RESAMPLING: dict[str, Any] = {
    "Pad": pad,
    "Slice": slice_of,
    "Split": split,
    "Resize": resize,
    "Upsample": resize,
}
