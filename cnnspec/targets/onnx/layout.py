"""Numbers moved to where a word takes them: forms of operators for which there is no word, made of several.

A value of any axes is one row of numbers, so `reshape` gives it any others, and `shuffle` turns two axes round:
(a, b, rest) becomes (b, a, rest). With these an operator along any axis is one along the channels, and an axis of
size 1 is repeated as pixels are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from math import prod
from typing import Protocol

from ...ir import TensorType
from ...ir.op import Op
from .steps import Step, refuse
from .values import Pads, Seen, Shape, seen, word

Axes = Sequence[int]


class Maker(Protocol):
    """What makes words of values: a reader. `lead` is how many axes of the model are the batch's."""

    lead: int

    def add(self, op: Op, *inputs: str) -> str: ...

    def type(self, value: str) -> TensorType: ...

    def plain(self, value: Seen) -> str: ...


def viewed(r: Maker, value: str, shape: Shape) -> str:
    """The same numbers in the same order, in other axes."""
    return r.plain(seen(value, shape))


def turned(r: Maker, value: Seen, axes: Axes) -> Seen:
    """The value with its numbers in the order of these axes of ours."""
    name, order = value.value, list(axes)
    blocks = together([axis for axis in range(len(value.shape)) if value.shape[axis] > 1], order)
    sizes = [prod(value.shape[axis] for axis in block) for block in blocks]
    for first, end in swaps([order.index(block[0]) for block in blocks]):
        before, next_to, behind = (prod(part) for part in (sizes[:first], sizes[first:end], sizes[end:]))
        name = r.add(word("shuffle", before), viewed(r, name, (before * next_to, behind)))
        sizes = [*sizes[first:end], *sizes[:first], *sizes[end:]]
    return Seen(name, tuple(value.shape[axis] for axis in axes), tuple(order.index(axis) for axis in value.perm))


def swaps(places: Axes) -> list[tuple[int, int]]:
    """The fewest exchanges of a first part [:i] and the next one [i:j] that sort numbers, as pairs (i, j).

    [0, 2, 1]: (2, 3) makes it [1, 0, 2], (1, 2) then [0, 1, 2].
    """
    start, goal = tuple(places), tuple(sorted(places))
    ways: dict[tuple[int, ...], list[tuple[int, int]]] = {start: []}
    open_orders = deque([start])
    while goal not in ways:
        order = open_orders.popleft()
        for i, j in combinations(range(1, len(order) + 1), 2):
            made = (*order[i:j], *order[:i], *order[j:])
            if made not in ways:
                ways[made] = [*ways[order], (i, j)]
                open_orders.append(made)
    return ways[goal]


def together(axes: Axes, wanted: Axes) -> list[tuple[int, ...]]:
    """Axes as they lie, those that follow each other in both orders as one block."""
    order = [axis for axis in wanted if axis in axes]
    blocks: list[tuple[int, ...]] = []
    for axis in axes:
        at = order.index(axis)
        if blocks and at and order[at - 1] == blocks[-1][-1]:
            blocks[-1] += (axis,)
        else:
            blocks.append((axis,))
    return blocks


def straightened(r: Maker, value: Seen) -> Seen:
    """The value with its numbers in the model's order."""
    if value.ravel:
        shape = r.type(value.value).shape
        image = turned(r, Seen(value.value, shape, value.ravel), value.ravel)
        return Seen(image.value, value.shape, value.perm)
    return turned(r, value, value.perm)


def fronted(r: Maker, value: Seen, axes: Axes) -> tuple[str, Seen]:
    """The value with these axes of ours before all others; and as a sequence with them as its channels."""
    axes = sorted(axes)
    front = turned(r, value, (*axes, *(axis for axis in range(len(value.shape)) if axis not in axes)))
    many = prod(value.shape[axis] for axis in axes)
    return viewed(r, front.value, (many, prod(value.shape) // many)), front


def repeated(r: Maker, value: Seen, sizes: Shape) -> Seen:
    """The value repeated along its axes of size 1, to these sizes in the model's order."""
    wanted = tuple(sizes[value.perm.index(axis)] for axis in range(len(sizes)))
    if any(have not in (1, size) for have, size in zip(value.shape, wanted, strict=True)):
        refuse("CNN504", case="unequal sizes", sizes=value.sizes, wanted=sizes)
    end = len(sizes)
    while end:  # axes that follow each other at once
        start = end - 1
        while start and (value.shape[start] == wanted[start]) == (value.shape[start - 1] == wanted[start - 1]):
            start -= 1
        if value.shape[start:end] != wanted[start:end]:
            before, behind = prod(value.shape[:start]), prod(value.shape[end:])
            shape = (prod(wanted[start:end]), behind)
            made = r.add(word("resize", shape), viewed(r, value.value, (before, 1, behind)))
            value = replace(value, value=made, shape=(*value.shape[:start], *wanted[start:end], *value.shape[end:]))
        end = start
    return value


def broadcast(r: Maker, values: Sequence[Seen]) -> list[Seen]:
    """Values of one shape and all in one order, those of size 1 along an axis repeated, as the standard does."""
    values = [straightened(r, value) if value.ravel else value for value in values]
    rank = max(len(value.shape) for value in values)
    if not r.lead:
        values = [with_rank(value, rank) for value in values]
    if any(len(value.shape) != rank for value in values):
        refuse("CNN504", case="unequal sizes", sizes=values[0].sizes, wanted=values[-1].sizes)
    sizes = tuple(max(kinds) for kinds in zip(*(value.sizes for value in values), strict=True))
    first, *others = (repeated(r, value, sizes) for value in values)
    return [first, *(turned(r, value, [value.perm[first.perm.index(k)] for k in range(rank)]) for value in others)]


def with_rank(value: Seen, rank: int) -> Seen:
    """A value with as many axes, those of size 1 before its own in the model."""
    own = len(value.shape)
    return replace(value, shape=(*value.shape, *[1] * (rank - own)), perm=(*range(own, rank), *value.perm))


def padded(r: Maker, step: Step, x: str, channels: int, pads: Pads, mode: str = "zeros") -> str:
    """The image with so much more before and after each side, or less of it where a number is negative.

    `crop` takes the middle, and cuts an odd pixel off below.
    """
    more = [(max(before, 0), max(after, 0)) for before, after in pads]
    less = [(max(-before, 0), max(-after, 0)) for before, after in pads]
    if any(before != (before + after) // 2 for before, after in less):
        refuse("CNN504", case="padding without a word", step=step, pads=pads)
    left = tuple(n + before + after for n, (before, after) in zip(r.type(x).spatial, pads, strict=True))
    if any(map(any, more)) or channels:
        x = r.add(word("pad", sides_of(more), channels=channels, mode=mode), x)
    return x if r.type(x).spatial == left else r.add(word("crop", left), x)


def sides_of(pads: Pads) -> int | tuple[int, ...]:
    """As short as a setting can say it: one number, one for each direction, or one for each side."""
    if any(before != after for before, after in pads):
        return tuple(side for pair in pads for side in pair)
    sizes = [before for before, _ in pads]
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)
