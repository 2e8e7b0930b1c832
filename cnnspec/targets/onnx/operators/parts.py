"""ONNX operators on channels that are taken apart: (n, radix, c, h, w), as split attention has them.

The first axis of a value, if it is not all of its channels, counts parts of them: number k is channels k * C / R
up to (k + 1) * C / R, however the axes behind it are cut.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..layout import straightened, turned, viewed
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, Shape, word
from . import Operator
from .affine import Affine, affine
from .axes import axes_of


def count(r: Reader, value: Seen, axis: int) -> int:
    """How many parts of the channels one of our axes counts; 0 where it does not, or counts all channels."""
    kind = r.type(value.value)
    if value.ravel or axis < 0 or prod(value.shape[:axis]) > 1 or value.shape[:1] == kind.shape[:1]:
        return 0
    parts = value.shape[axis]
    return parts if 1 < parts < kind["c"] and kind["c"] % parts == 0 else 0


def softmax(r: Reader, value: Seen, axis: int) -> Seen | None:
    """Softmax between parts of the channels."""
    found = count(r, value, r.axis(value, axis))
    return r.like(value, r.add(word("radixsoftmax", found), value.value)) if found else None


def pieces(r: Reader, value: Seen, parts: int) -> list[str]:
    """The parts of the channels, a `take` each."""
    size = r.type(value.value)["c"] // parts
    return [r.add(word("take", size, start=k * size), value.value) for k in range(parts)]


def together(r: Reader, step: Step, value: Seen, name: str) -> Seen | None:
    """The sum or the mean of the parts of the channels, or None where the step does not go along them."""
    (axis,) = axes if len(axes := axes_of(r, step)) == 1 else (-1,)
    parts = count(r, value, axis)
    if not parts:
        return None
    made = r.add(word(name), *pieces(r, value, parts))
    shape = tuple(1 if k == axis else size for k, size in enumerate(value.shape))
    if step.get("keepdims", 1):
        return Seen(made, shape, value.perm)
    return dropped(made, shape, value.perm, {axis})


def total(r: Reader, step: Step) -> Seen | Affine:
    """ReduceSum: of parts of the channels, of all pixels, or of all channels; the latter two as so many means."""
    value = r.at(step.input(0), step)
    found = together(r, step, value, "add")
    if found:
        return found
    along, keepdims = axes_of(r, step), step.get("keepdims", 1)
    pixels = set(range(1, len(value.perm)))
    kind = r.type(value.value)
    if r.model.free and -1 not in along and along:
        return reduced(r, step, value, "sum")
    if not along:
        return value
    if along not in ({0}, pixels) or value.ravel or kind.shape != value.shape or not pixels:
        refuse("CNN504", case="summed axes", step=step)
    name, many = ("channelmean", kind["c"]) if along == {0} else ("gap", prod(kind.spatial))
    made = r.add(word(name), value.value)
    shape = tuple(1 if k in along else size for k, size in enumerate(value.shape))
    inner = f"{step.outputs[0]}/mean"
    r.hold(inner, Seen(made, shape, value.perm) if keepdims else dropped(made, shape, value.perm, along))
    factor = Step(step.op, step.name, [inner], step.outputs, {}, step.notes)
    return affine(r, factor, 0, scale=np.float64(many))


def reduced(r: Reader, step: Step, value: Seen, kind: str) -> Seen | Affine:
    """The mean, sum, largest or smallest along any axes."""
    along, kept = sorted(axes_of(r, step)), step.get("keepdims", 1)
    value = straightened(r, value) if value.ravel else value
    many, rank = prod(value.shape[axis] for axis in along), len(value.shape)
    value = turned(r, value, (*(axis for axis in range(rank) if axis not in along), *along))
    last = set(range(rank - len(along), rank))
    x = viewed(r, value.value, (prod(value.shape) // many, many))
    op = {"mean": word("gap"), "sum": word("gap"), "max": word("gmp"), "min": word("minpool", (many,))}[kind]
    made = r.add(op, x)
    shape = tuple(1 if axis in last else size for axis, size in enumerate(value.shape))
    found = Seen(made, shape, value.perm) if kept else dropped(made, shape, value.perm, last)
    if kind != "sum":
        return found
    inner = f"{step.outputs[0]}/mean"
    r.hold(inner, found)
    return affine(r, Step(step.op, step.name, [inner], step.outputs, {}, step.notes), 0, scale=np.float64(many))


def smallest(r: Reader, step: Step) -> Seen | Affine:
    along = axes_of(r, step)
    if not r.model.free or -1 in along:
        refuse("CNN504", case="pooled axes", step=step)
    value = r.at(step.input(0), step)
    return reduced(r, step, value, "min") if along else value


def dropped(made: str, shape: Shape, perm: Shape, axes: set[int]) -> Seen:
    """A value without some axes, which are of size 1."""
    rest = [k for k in range(len(shape)) if k not in axes]
    return Seen(made, tuple(shape[k] for k in rest), tuple(rest.index(k) for k in perm if k in rest))


def gated(r: Reader, *values: Seen) -> Seen | None:
    """The product of a value whose channels are taken apart and a gate whose channels are, too."""
    if len(values) != 2:
        return None
    full, gate = sorted(values, key=lambda value: -prod(value.shape))
    kinds = r.type(full.value), r.type(gate.value)
    apart = full.shape != kinds[0].shape and len(full.shape) > len(kinds[0].shape)
    if not apart or full.ravel or gate.ravel or full.perm != gate.perm or kinds[0]["c"] != kinds[1]["c"]:
        return None
    rank = len(kinds[0].spatial)
    channels, pixels = full.shape[: len(full.shape) - rank], full.shape[len(full.shape) - rank :]
    if pixels != kinds[0].spatial or gate.shape[: len(channels)] != channels:
        return None
    if gate.shape[len(channels) :] not in (pixels, (1,) * rank):
        return None
    return Seen(r.add(word("mul"), full.value, gate.value), full.shape, full.perm)


def in_a_row(r: Reader, step: Step, values: list[Seen]) -> Seen | None:
    """Values put one after the other along an axis that counts parts of channels, as `stack` does."""
    first = values[0]
    axis = r.axis(first, step.get("axis", 1))
    kinds = [r.type(value.value) for value in values]
    if axis < 0 or any(value.ravel or value.perm != first.perm for value in values):
        return None
    if any(len(value.shape) <= len(kind.shape) for value, kind in zip(values, kinds, strict=True)):
        return None
    if any(prod(v.shape[:axis]) > 1 or v.shape[axis + 1 :] != first.shape[axis + 1 :] for v in values):
        return None
    if len({kind.spatial for kind in kinds}) > 1:
        return None
    made = r.add(word("concat"), *(value.value for value in values))
    size = sum(value.shape[axis] for value in values)
    return Seen(made, (*first.shape[:axis], size, *first.shape[axis + 1 :]), first.perm)


OPERATORS: dict[str, Operator] = {
    "ReduceSum": total,
    "ReduceMin": smallest,
}
