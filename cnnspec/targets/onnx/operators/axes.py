"""ONNX operators that give the same numbers other axes, and those that look at shapes."""

from __future__ import annotations

from math import prod

import numpy as np

from ....ir import TensorType
from ....ir.op import Op
from ..layout import straightened
from ..reader import Reader
from ..steps import FLOATS, HALVES, Step, refuse
from ..values import Seen, seen, word
from . import Operator


def flatten(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    axis = step.get("axis", 1)
    if not r.lead:  # a table of numbers
        before = value.sizes[: axis if axis >= 0 else len(value.sizes) + axis]
        return reshaped(r, step, value, (prod(before), prod(value.sizes) // prod(before)))
    if axis not in (1, -len(value.shape)):
        refuse("CNN504", case="flatten", step=step, axis=step.get("axis"))
    return reshaped(r, step, value, (prod(value.shape),))


def reshape(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    shape = target(r, step, value.sizes)
    made = reshaped(r, step, value, shape)
    pooled = r.type(made.value).kind == "vector" and made.straight
    if pooled and 2 <= len(shape) <= 3:  # it says so itself: no pooled pixel
        return seen(r.plain(made), made.shape)
    return made


def target(r: Reader, step: Step, before: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of one image that a Reshape asks for, of a value that has those before."""
    asked = r.array(step, 1, "shape").tolist() if step.input(1) else list(step.get("shape") or [])
    sizes = [*[None] * r.lead, *before]
    if not step.get("allowzero", 0):
        asked = [sizes[k] if size == 0 and k < len(sizes) else size for k, size in enumerate(asked)]
    batch, *shape = asked or [1] if r.lead else [None, *asked]
    count = prod(before)
    rest = prod(size for size in shape if size != -1)
    if shape.count(-1) == 1 and rest and count % rest == 0 and batch in (None, r.model.batch, -1):
        shape[shape.index(-1)] = count // rest
    elif batch not in (None, -1, r.model.batch):
        refuse("CNN504", case="number of images", step=step)
    if prod(shape) != count or min(shape, default=1) < 1:
        refuse("CNN504", case="moved images", step=step)
    return tuple(shape)


def reshaped(r: Reader, step: Step, value: Seen, shape: tuple[int, ...]) -> Seen:
    """A value in other axes; `shuffle` where channels were split, turned and put together again."""
    kind = r.type(value.value)
    pixel = kind.kind == "vector" and (value.straight or value.shape[:1] == kind.shape)
    if pixel and not value.ravel and [size for size in shape if size > 1] == [kind["c"]]:
        others = [axis for axis in range(len(shape)) if shape[axis] == 1]  # one pixel, its channels anywhere
        perm = [0] * len(shape)
        for ours, axis in enumerate(others, 1):
            perm[axis] = ours
        return Seen(value.value, (kind["c"], *[1] * len(others)), tuple(perm))
    if value.straight and not value.ravel:
        return seen(value.value, shape)
    groups, each, *pixels = value.shape if len(value.shape) > 1 else (1, 1)
    turned = value.perm == (1, 0, *range(2, len(value.perm)))
    if turned and kind.shape == shape == (groups * each, *pixels):
        made = r.add(word("shuffle", groups), value.value)
        return seen(made, shape)
    if not value.ravel and sorted(axis for axis in value.perm if value.shape[axis] > 1) == [
        axis for axis in value.perm if value.shape[axis] > 1
    ]:  # only axes of size 1 have moved
        return seen(value.value, shape)
    if len(shape) == 1 and not value.ravel and kind.shape == value.shape:
        return Seen(value.value, shape, (0,), value.perm)
    more = with_ones(value, shape)
    if more:
        return more
    moved = pixels_moved(value, kind, shape)
    if moved:
        return r.made(moved, value.value)
    if r.model.free:
        return seen(straightened(r, value).value, shape)
    refuse("CNN504", case="order of numbers", step=step)


def with_ones(value: Seen, shape: tuple[int, ...]) -> Seen | None:
    """The value with other axes of size 1 among its own, in whichever order these are; None for another shape."""
    own = [axis for axis in value.perm if value.shape[axis] > 1]
    if value.ravel or value.shape[0] == 1 or [value.shape[axis] for axis in own] != [n for n in shape if n > 1]:
        return None
    own_axes = sorted(own)
    large, ones = iter(own), iter(range(len(own_axes), len(shape)))
    perm = tuple(own_axes.index(next(large)) if n > 1 else next(ones) for n in shape)
    return Seen(
        value.value, (*(value.shape[axis] for axis in own_axes), *(1,) * (len(shape) - len(own_axes))), perm
    )


def pixels_moved(value: Seen, kind: TensorType, shape: tuple[int, ...]) -> Op | None:
    """`pixelshuffle` or `pixelunshuffle`, if axes taken apart, turned and put together are one of them."""
    rank = len(kind.spatial)
    channels, *rest = value.shape
    if value.ravel or len(rest) != 2 * rank or not rank:
        return None
    if value.perm == (0, *(axis for k in range(rank) for axis in (1 + rank + k, 1 + k))):
        factors, sizes = rest[:rank], rest[rank:]
        made = (channels, *(n * f for n, f in zip(sizes, factors, strict=True)))
        if tuple(sizes) == kind.spatial and shape == made:
            return word("pixelshuffle", tuple(factors) if len(set(factors)) > 1 else factors[0])
    if value.perm == (0, *range(2, 2 * rank + 1, 2), *range(1, 2 * rank, 2)):
        sizes, factors = rest[::2], rest[1::2]
        if channels == kind["c"] and shape == (channels * prod(factors), *sizes):
            return word("pixelunshuffle", tuple(factors) if len(set(factors)) > 1 else factors[0])
    return None


def squeeze(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    given = r.optional(step, 1, "axes")
    axes = step.get("axes") if given is None else given.tolist()
    rank = len(value.sizes) + r.lead
    if axes is None:
        axes = [k for k, size in enumerate(value.sizes, r.lead) if size == 1]
    gone = {axis % rank for axis in axes}
    if r.lead and 0 in gone:
        refuse("CNN504", case="no batch", step=step)
    return reshaped(r, step, value, tuple(size for k, size in enumerate(value.sizes, r.lead) if k not in gone))


def unsqueeze(r: Reader, step: Step) -> Seen:
    value = r.at(step.input(0), step)
    given = r.optional(step, 1, "axes")
    axes = list(step.get("axes") or ()) if given is None else given.tolist()
    rank = len(value.sizes) + r.lead + len(axes)
    new = {axis % rank for axis in axes}
    if r.lead and 0 in new:
        refuse("CNN504", case="before the batch", step=step)
    sizes = iter(value.sizes)
    return reshaped(r, step, value, tuple(1 if k in new else next(sizes) for k in range(r.lead, rank)))


def transpose(r: Reader, step: Step) -> Seen:
    value = handed_on(r, step)
    rank = len(value.perm) + r.lead
    perm = [axis % rank for axis in step.get("perm") or range(rank)[::-1]]
    if sorted(perm) != list(range(rank)):
        refuse("CNN502", case="axes", step=step, rank=rank, axes=perm)
    if r.lead and perm[0] != 0:
        refuse("CNN504", case="moved batch", step=step)
    return Seen(value.value, value.shape, tuple(value.perm[axis - r.lead] for axis in perm[r.lead :]))


def handed_on(r: Reader, step: Step) -> Seen:
    """The first input, which stays as it is; padding that waits for a window waits on."""
    name = step.input(0)
    if name not in r.margins:
        return r.at(name, step)
    r.margins[step.outputs[0]] = r.margins[name]
    return r.values[name]


def identity(r: Reader, step: Step) -> Seen:
    return handed_on(r, step)


def cast(r: Reader, step: Step) -> Seen:
    if step.get("to") not in FLOATS:
        refuse("CNN504", case="not floats", step=step)
    if step.get("to") in HALVES and not r.model.halves:
        refuse("CNN504", case="half", step=step)
    return identity(r, step)


def shape_of(r: Reader, step: Step) -> None:
    """A shape becomes a constant, the batch standing there as -1."""
    value = r.at(step.input(0), step)
    sizes = [*[r.model.batch or -1] * r.lead, *value.sizes]
    found = sizes[step.get("start", 0) : step.get("end")]
    r.known[step.outputs[0]] = np.array(found, np.int64)
    if -1 in found:
        r.open_sizes.add(step.outputs[0])


def axes_of(r: Reader, step: Step) -> set[int]:
    """The axes that a step names, by an input or (older opsets) an attribute, as ours: 0 is c, -1 the batch."""
    value = r.at(step.input(0), step)
    given = r.optional(step, 1, "axes")
    found = step.get("axes") if given is None else given.tolist()
    every = found is None or (not found and not step.get("noop_with_empty_axes", 0))
    return {r.axis(value, axis) for axis in (range(len(value.sizes) + r.lead) if every else found)}


OPERATORS: dict[str, Operator] = {
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Cast": cast,
    "CastLike": identity,
    "Shape": shape_of,
}
