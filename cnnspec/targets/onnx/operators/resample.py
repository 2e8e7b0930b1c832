"""ONNX operators that give an image more or fewer pixels or channels: Pad, Slice, Split, Resize."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf, isclose, prod
from typing import Any

import numpy as np

from ..layout import fronted, padded, repeated, sides_of, straightened, viewed, with_rank
from ..page import WORD
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Margin, Seen, word
from . import Operator
from .axes import reshape as plain_reshape
from .axes import target


def pad(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    rank = len(value.perm) + r.lead
    flat = step.get("pads") if r.opset < 11 else r.array(step, 1, "pads").tolist()
    filler = step.get("value", 0.0) if r.opset < 11 else r.optional(step, 2, "value")
    filler = 0.0 if filler is None else float(np.asarray(filler).reshape(()))
    axes = r.optional(step, 3, "axes")
    along = list(range(rank)) if axes is None else [int(axis) % rank for axis in axes]
    mode = step.get("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        refuse("CNN504", case="wrapped padding", step=step, mode=mode)
    both = dict(zip(along, zip(flat[: len(along)], flat[len(along) :], strict=True), strict=True))
    ours = {r.axis(value, axis): sides for axis, sides in both.items()}
    before, channels = ours.get(0, (0, 0))
    sides = [ours.get(axis, (0, 0)) for axis in range(1, len(value.perm))]
    if any(ours.get(-1, (0, 0))) or before != channels or channels < 0:
        refuse("CNN504", case="padded batch", step=step)
    if not channels and not any(map(any, sides)):
        return value
    if mode != "constant":
        if channels or min(map(min, sides)) < 0:
            refuse("CNN504", case="padded channels", step=step, mode=mode)
        made = padded(r, step, r.upright(value), 0, sides, mode)
        return Seen(made, r.type(made).shape, value.perm)
    lopsided = any(before != after for before, after in sides) and not step.notes.get(WORD)
    if not channels and (filler == -inf or lopsided):  # for a window that comes next
        r.margins[step.outputs[0]] = Margin(step, tuple(sides), filler)
        return Seen(r.upright(value), value.shape, value.perm)
    if filler:
        refuse("CNN504", case="padding by a number", step=step, filler=filler)
    made = padded(r, step, r.upright(value), channels, sides)
    return Seen(made, r.type(made).shape, value.perm)


def slice_of(r: Reader, step: Step) -> Seen:
    """Channels in a row are `take`, the middle of the image `crop`, every second pixel a pool of one pixel."""
    value = r.at(step.input(0), step)
    own = r.type(value.value).shape == value.shape and not value.ravel
    shape = value.shape if r.model.free else r.type(r.upright(value)).shape
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
        axis %= len(shape) + r.lead
        if r.lead and axis == 0:
            whole = end >= (1 << 31) - 1 or (r.model.batch is not None and end >= r.model.batch)
            if (start, stride) != (0, 1) or not whole:
                refuse("CNN504", case="images left out", step=step)
            continue
        ours = value.perm[axis - r.lead]
        cuts[ours] = slice(start, end, stride).indices(shape[ours])
    if r.model.free and not (own and cuts[0][2] == 1):
        return pieces(r, step, value, dict(enumerate(cuts)))
    made = cut(r, step, r.upright(value), cuts)
    return Seen(made.value, made.shape, value.perm)


def cut(r: Reader, step: Step, x: str, cuts: list[tuple[int, int, int]]) -> Seen:
    """Start, end and stride along each axis."""
    (first, last, stride), *sides = cuts
    if stride != 1 or last <= first or any(by < 1 or end <= start for start, end, by in sides):
        refuse("CNN504", case="part", step=step)
    if (first, last) != (0, r.type(x)["c"]):
        x = r.add(word("take", last - first, start=first), x)
    kind = r.type(x)
    middle = [((n - (end - start)) // 2, n) for (start, end, _), n in zip(sides, kind.spatial, strict=True)]
    strides = [by for _, _, by in sides]
    whole = all((start, end) == (0, n) for (start, end, _), n in zip(sides, kind.spatial, strict=True))
    if not whole:
        if any(start != centre for (start, _, _), (centre, _) in zip(sides, middle, strict=True)):
            x = centred(r, x, [(start, n - end) for (start, end, _), n in zip(sides, kind.spatial, strict=True)])
        x = r.add(word("crop", tuple(end - start for start, end, _ in sides)), x)
    if any(by > 1 for by in strides):
        one = strides[0] if len(set(strides)) == 1 else tuple(strides)
        x = r.add(word("maxpool", (1,), stride=one), x)
    shape = r.type(x).shape
    return Seen(x, shape, tuple(range(len(shape))))


def centred(r: Reader, x: str, cuts: list[tuple[int, int]]) -> str:
    """The image with more beside it, so that what is left of these cuts before and after is its middle."""
    more = [(max(after - before, 0), max(before - after, 0)) for before, after in cuts]
    return r.add(word("pad", sides_of(more)), x)


def pieces(r: Reader, step: Step, value: Seen, cuts: dict[int, tuple[int, int, int]]) -> Seen:
    """Start, end and stride along some of our axes of a value of any axes: channels in a row, and every nth row."""
    value = straightened(r, value) if value.ravel else value
    for axis, (start, end, stride) in cuts.items():
        if (start, end, stride) == (0, value.shape[axis], 1):
            continue
        if stride < 1 or end <= start:
            refuse("CNN504", case="part", step=step)
        name, front = fronted(r, value, [axis])
        size = end - start
        if size < front.shape[0]:
            name = r.add(word("take", size, start=start), name)
        if stride > 1:
            rest = prod(front.shape[1:])
            name = r.add(word("maxpool", (1,), stride=(stride, 1)), viewed(r, name, (1, size, rest)))
            size = -(-size // stride)
        value = Seen(name, (size, *front.shape[1:]), front.perm)
    return value


def split(r: Reader, step: Step) -> Seen:
    """Pieces of the channels are one `take` each."""
    value = r.at(step.input(0), step)
    axis = r.axis(value, step.get("axis", 0))
    moved = r.model.free and axis >= 0 and (axis != 0 or r.type(value.value).shape != value.shape)
    if axis != 0 and not moved:
        refuse("CNN504", case="split axis", step=step)
    if moved:
        x, value = fronted(r, straightened(r, value) if value.ravel else value, [axis])
    else:
        x = r.upright(value)
    channels, count = r.type(x)["c"], len(step.outputs)
    given = r.optional(step, 1, "sizes")
    sizes = step.get("split") if given is None else given.tolist()
    if sizes is None:
        piece = ceil(channels / count)
        sizes = [min(piece, channels - k * piece) for k in range(count)]
    if sum(sizes) != channels or min(sizes) < 1:
        refuse("CNN504", case="split", step=step, channels=channels, sizes=sizes)
    start = 0
    for name, size in zip(step.outputs, sizes, strict=True):
        if name and r.readers.get(name):
            made = r.add(word("take", size, start=start), x)
            r.hold(name, Seen(made, (size, *value.shape[1:]), value.perm))
        start += size
    return r.values.get(step.outputs[0], value)


# ---- enlarging ---------------------------------------------------------------------------------------


def resize(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    x = r.upright(value)
    kind = r.type(x)
    old = step.op == "Upsample" or r.opset < 11
    scales, sizes = targets(r, step, value, 1 if old else 2)
    wanted = (
        tuple(floor(n * s) for n, s in zip(kind.spatial, scales[2:], strict=True)) if scales else tuple(sizes[2:])
    )
    unchanged = scales[:2] == [1, 1] if scales else sizes[1] == kind["c"]
    if not unchanged or min(wanted) < 1:
        refuse("CNN504", case="resized batch", step=step)
    if step.get("keep_aspect_ratio_policy", "stretch") != "stretch" or step.get("exclude_outside", 0):
        refuse("CNN504", case="resize", step=step)
    ratios = scales[2:] if scales else [want / have for have, want in zip(kind.spatial, wanted, strict=True)]
    modes = ("asymmetric", "floor") if old else (
        step.get("coordinate_transformation_mode", "half_pixel"),
        step.get("nearest_mode", "round_prefer_floor"),
    )  # fmt: skip
    mode = step.get("mode", "nearest")
    if mode not in ("nearest", "linear") or (step.get("antialias", 0) and min(ratios) < 1):
        refuse("CNN504", case="blend", step=step, mode=mode)
    sides = list(zip(kind.spatial, wanted, ratios, strict=True))
    ways = (False, True) if mode == "linear" else (False,)
    how = (mode, *modes)
    corners = next((way for way in ways if all(same_places(side, how, way) for side in sides)), None)
    if corners is None:
        refuse("CNN504", case="nearest", step=step, modes=", ".join(modes))
    factors = [want // have for have, want in zip(kind.spatial, wanted, strict=True)]
    if mode == "nearest" and all(n * f == w for n, f, w in zip(kind.spatial, factors, wanted, strict=True)):
        made = r.add(word("upsample", factors[0] if len(set(factors)) == 1 else tuple(factors)), x)
    else:
        blend: dict[str, Any] = {"mode": "bilinear", "align_corners": corners} if mode == "linear" else {}
        made = r.add(word("resize", wanted, **blend), x)
    return Seen(made, r.type(made).shape, value.perm)


def targets(r: Reader, step: Step, value: Seen, first: int) -> tuple[list[float], list[int]]:
    """The scales or the sizes of n, c and the pixels, whichever the step gives; a batch of any size is 0."""
    rank = len(value.perm) + 1
    order = [0, *(1 + value.perm.index(axis) for axis in range(rank - 1))]  # where ours stand in the model
    axes = [axis % rank for axis in step.get("axes") or range(rank)]
    if "scales" in step.attributes:
        return [step.get("scales")[axis] for axis in order], []
    if step.op == "Upsample" and "height_scale" in step.attributes:
        return [1, 1, step.get("height_scale"), step.get("width_scale")], []
    scales = r.optional(step, first, "scales")
    if scales is not None and scales.size:
        found = dict(zip(axes, scales.tolist(), strict=True))
        return [found.get(axis, 1) for axis in order], []
    sizes = r.array(step, first + 1, "sizes")
    given = dict(zip(axes, sizes.tolist(), strict=True))
    if given.get(0, -1) not in (0, -1, r.model.batch):
        refuse("CNN504", case="number of images", step=step)
    return [], [given.get(axis, value.sizes[axis - 1] if axis else 0) for axis in order]


def same_places(side: tuple[int, int, float], how: tuple[str, str, str], corners: bool) -> bool:
    """Whether each new pixel is made of the old ones of which `resize` makes it.

    `side` is how many pixels there are and are wanted, and the scale; `how` the mode, the places and the rounding.
    """
    (have, want, ratio), (mode, coordinates, rounding) = side, how
    for i in range(want):
        at = place(i, have, want, ratio, coordinates)
        if at is None:
            return False
        if mode == "nearest":
            if min(max(rounded(at, rounding), 0), have - 1) != i * have // want:
                return False
        elif not isclose(min(max(at, 0), have - 1), blended(i, have, want, corners), abs_tol=1e-5):
            return False
    return True


def blended(i: int, have: int, want: int, corners: bool = False) -> float:
    if corners:
        return i * (have - 1) / (want - 1) if want > 1 else 0.0
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
        case "align_corners" if isclose(ratio * have, want):  # of other sizes runtimes disagree
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


def depth_to_space(r: Reader, step: Step) -> Seen:
    """Channels to pixels: those of a block outermost in the channels (DCR), or innermost, as in `pixelshuffle`."""
    size = step.get("blocksize")
    x = r.image(step)
    need_image(r, step, x)
    if step.get("mode", "DCR") == "DCR":
        x = r.add(word("shuffle", size * size), x)
    return r.made(word("pixelshuffle", size), x)


def space_to_depth(r: Reader, step: Step) -> Seen:
    """Pixels to channels, the pixels of a block outermost (DCR), or innermost, as in `pixelunshuffle`."""
    size = step.get("blocksize")
    x = r.image(step)
    channels = need_image(r, step, x)
    made = r.made(word("pixelunshuffle", size), x)
    return r.made(word("shuffle", channels), made.value) if step.get("mode", "DCR") == "DCR" else made


def need_image(r: Reader, step: Step, x: str) -> int:
    """The channels of an image."""
    if r.type(x).kind != "image":
        refuse("CNN504", case="no image", step=step, kind=r.type(x))
    return r.type(x)["c"]


@dataclass(frozen=True)
class Expanded:
    """One pixel that is to fill an image: a product takes it as it is, to others it is resized."""

    step: Step
    value: Seen
    sizes: tuple[int, ...]  # of one image, in the model's order

    def settled(self, r: Reader) -> Seen:
        if r.model.free:
            return repeated(r, self.value, self.sizes)
        x = r.upright(self.value)
        wanted = {ours: size for ours, size in zip(self.value.perm, self.sizes, strict=True)}
        kind = r.type(x)
        if set(kind.spatial) != {1} or wanted[0] != kind["c"]:
            refuse("CNN504", case="repeated", step=self.step)
        made = r.add(word("resize", tuple(wanted[axis] for axis in range(1, len(wanted)))), x)
        return Seen(made, r.type(made).shape, self.value.perm)


def reshape(r: Reader, step: Step) -> Seen:
    """Reshape; where each row or column was repeated in an axis of its own before, it is `upsample`."""
    waits = r.waiting.get(step.input(0))
    if isinstance(waits, Expanded):
        before, after, kind = waits.value.sizes, waits.sizes, r.type(waits.value.value)
        grown = [k for k, (n, m) in enumerate(zip(before, after, strict=True)) if n != m]
        rank = len(kind.shape)
        if len(grown) == 1 and grown[0] and len(before) == rank + 1 and waits.value.shape[:rank] == kind.shape:
            (k,) = grown
            axis, factor = waits.value.perm[k - 1], after[k]
            merged = (*after[: k - 1], after[k - 1] * factor, *after[k + 1 :])
            if 1 <= axis < rank and target(r, step, after) == merged:
                factors = tuple(factor if own == axis else 1 for own in range(1, rank))
                made = r.made(word("upsample", factors if len(set(factors)) > 1 else factor), waits.value.value)
                perm = tuple(own for j, own in enumerate(waits.value.perm) if j != k)
                return Seen(made.value, made.shape, perm)
    return plain_reshape(r, step)


def expand(r: Reader, step: Step) -> Seen | Expanded:
    value = r.at(step.input(0), step)
    if len(value.shape) <= len(r.type(value.value).shape) and not r.model.free:
        value = r.loose(step)
    asked = r.array(step, 1, "shape").tolist()
    rank = len(value.perm) + r.lead
    if r.model.free and not r.lead:
        value = with_rank(value, max(len(asked), rank))
        rank = len(value.perm)
    if len(asked) > rank:
        refuse("CNN504", case="more axes", step=step)
    batch, *wanted = [1] * (rank + 1 - r.lead - len(asked)) + asked
    if batch not in (1, -1, r.model.batch):
        refuse("CNN504", case="number of images", step=step)
    if any(1 not in pair and len(set(pair)) > 1 for pair in zip(value.sizes, wanted, strict=True)):
        refuse("CNN502", case="repeat", step=step, sizes=value.sizes, wanted=tuple(wanted))
    sizes = tuple(max(pair) for pair in zip(value.sizes, wanted, strict=True))
    return value if sizes == value.sizes else Expanded(step, value, sizes)


OPERATORS: dict[str, Operator] = {
    "Pad": pad,
    "Slice": slice_of,
    "Split": split,
    "Resize": resize,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Expand": expand,
    "Reshape": reshape,
    "Upsample": resize,
}
