"""ONNX operators of several values, and constants beside a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from math import prod

import numpy as np

from ..layout import broadcast, fronted, turned, viewed
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, seen, word
from . import Operator
from .affine import Affine, affine
from .norms import shortest
from .parts import gated, in_a_row
from .resample import Expanded
from .response import Response, multiplied, responded, shared


def join(name: str) -> Callable[[Reader, Step], Seen]:
    """Values of one shape, number by number."""

    def read(r: Reader, step: Step) -> Seen:
        return joined(r, name, operands(r, step))

    return read


def operands(r: Reader, step: Step) -> list[Seen]:
    """All inputs, with any axes that can be put in order."""
    if r.model.free:
        return [r.at(name, step) for name in step.inputs]
    return [r.loose(step, k) for k in range(len(step.inputs))]


def joined(r: Reader, name: str, values: list[Seen]) -> Seen:
    first = values[0]
    if len(values) == 1:
        return first
    alike = all((v.shape, v.perm, v.ravel) == (first.shape, first.perm, first.ravel) for v in values)
    if alike and len({r.type(v.value).axes for v in values}) == 1:
        return r.like(first, r.add(word(name), *(v.value for v in values)))
    if r.model.free:
        first, *others = broadcast(r, values)
        shape = r.type(first.value).shape
        return r.like(first, r.add(word(name), first.value, *(viewed(r, v.value, shape) for v in others)))
    if alike and not first.ravel:
        return r.like(first, r.add(word(name), *(r.upright(v) for v in values)))
    return r.made(word(name), *(r.plain(v) for v in values))


def constants_of(r: Reader, step: Step) -> list[int]:
    """Which inputs are known; at least one is not."""
    found = [k for k, name in enumerate(step.inputs) if name in r.known]
    if len(found) == len(step.inputs):
        refuse("CNN504", case="late constant", step=step)
    return found


def constant(r: Reader, step: Step, index: int, like: int) -> np.ndarray:
    """A known input, its axes those that it has beside the input `like`; before opset 7 a step says which."""
    array = r.known[step.input(index)]
    if r.opset < 7 and step.get("broadcast") and "axis" in step.attributes:
        name = step.input(like)
        value = r.waiting[name].value if name in r.waiting else r.at(name, step)
        behind = len(value.perm) + r.lead - step.get("axis") - array.ndim
        array = array.reshape(*array.shape, *[1] * max(behind, 0))
    return array


def add(r: Reader, step: Step) -> Seen | Affine | Response:
    known = constants_of(r, step)
    values = [k for k in range(len(step.inputs)) if k not in known]
    if not known:
        return responded(r, step) or join("add")(r, step)
    waits = r.waiting.get(step.input(values[0]))
    if isinstance(waits, Response) and len(values) == len(known) == 1:
        return waits.plus(step, r.known[step.input(known[0])])
    if len(values) > 1:
        refuse("CNN504", case="added constant", step=step)
    return affine(r, step, values[0], shift=total(constant(r, step, k, values[0]) for k in known))


def total(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return reduce(np.add, (np.asarray(array, np.float64) for array in arrays))


def subtract(r: Reader, step: Step) -> Seen | Affine:
    known = constants_of(r, step)
    if known == [1]:
        return affine(r, step, 0, shift=-np.asarray(constant(r, step, 1, 0), np.float64))
    if known == [0]:
        return affine(r, step, 1, scale=-1.0, shift=constant(r, step, 0, 1))
    return joined(r, "sub", operands(r, step))


def negate(r: Reader, step: Step) -> Affine:
    return affine(r, step, 0, scale=-1.0)


def mul(r: Reader, step: Step) -> Seen | Affine:
    known = constants_of(r, step)
    if known:
        (value,) = {0, 1} - set(known)
        factor = constant(r, step, known[0], value)
        made: Seen | Affine | None = averaged(r, step, value, factor)
        return made or affine(r, step, value, scale=factor)
    found = multiplied(r, step) or gated(r, *(r.at(name, step) for name in step.inputs if name not in r.waiting))
    if found:
        return found
    waiting = [r.waiting.get(step.input(k)) for k in range(2)]
    for gate, other in ((0, 1), (1, 0)):
        pixel = waiting[gate]
        if isinstance(pixel, Expanded) and waiting[other] is None and r.loose(step, other).sizes == pixel.sizes:
            values = {gate: pixel.value, other: r.loose(step, other)}
            return product(r, values[0], values[1])
    return product(r, *operands(r, step))


def product(r: Reader, a: Seen, b: Seen) -> Seen:
    gates = a.perm == b.perm and a.sizes != b.sizes and not (a.ravel or b.ravel)
    if gates and not (r.model.free and not gated_by(r, a, b)):
        made = r.add(word("mul"), *(gate(r, v) for v in (a, b)))
        return Seen(made, r.type(made).shape, a.perm)
    return joined(r, "mul", [a, b])


def gated_by(r: Reader, a: Seen, b: Seen) -> bool:
    """Whether one of two values has a number for each channel, or each pixel, of the other."""
    if any(v.shape[:1] != r.type(v.value).shape[:1] for v in (a, b)):
        return False
    small, large = sorted((a.shape, b.shape), key=prod)
    ones = (1,) * (len(large) - 1)
    return len(small) == len(large) > 1 and small in ((large[0], *ones), (1, *large[1:]))


def div(r: Reader, step: Step) -> Seen | Affine | Response:
    """By constants: a product; a sum divided by how many there are is their mean."""
    response = shared(r, step)
    if response:
        return response
    known = constants_of(r, step)
    if known != [1]:
        if not r.model.free:
            refuse("CNN504", case="quotient", step=step)
        below = r.at(step.input(1), step)
        share = r.like(below, r.add(word("reciprocal"), below.value))
        if not known:
            return joined(r, "mul", [r.at(step.input(0), step), share])
        inner = f"{step.outputs[0]}/reciprocal"
        r.hold(inner, share)
        r.readers[inner] = 1
        return affine(r, replace(step, inputs=[step.input(0), inner]), 1, scale=r.known[step.input(0)])
    by = np.asarray(constant(r, step, 1, 0), np.float64)
    if not by.all():
        refuse("CNN504", case="zero", step=step)
    made: Seen | Affine | None = averaged(r, step, 0, 1 / by)
    return made or affine(r, step, 0, scale=1 / by)


def averaged(r: Reader, step: Step, index: int, factor: np.ndarray) -> Seen | None:
    """The mean of the branches of a sum, if the sum is read once and `factor` is one by their number."""
    if factor.size != 1 or step.input(index) in r.waiting:
        return None
    value = r.loose(step, index)
    parts = r.summands(value.value)
    if len(parts) < 2 or not np.isclose(float(factor.reshape(())) * len(parts), 1, rtol=1e-6):
        return None
    return r.like(value, r.add(word("mean"), *parts))


def gate(r: Reader, value: Seen) -> str:
    """A factor of one number for each channel may stay the vector that it is."""
    kind = r.type(value.value)
    if kind.kind == "vector" and set(value.shape[1:]) == {1}:
        return value.value
    return r.upright(value)


def extreme(name: str) -> Operator:
    """The largest or smallest of values; beside one number a bound."""

    def read(r: Reader, step: Step) -> Seen:
        known = constants_of(r, step)
        values = [k for k in range(len(step.inputs)) if k not in known]
        if not known:
            return joined(r, name, operands(r, step))
        bounds = [r.known[step.input(k)] for k in known]
        if len(values) > 1 or any(bound.size != 1 for bound in bounds):
            refuse("CNN504", case="one number", step=step)
        numbers = [float(bound.reshape(())) for bound in bounds]
        bound = max(numbers) if name == "max" else min(numbers)
        x = r.loose(step, values[0], any_order=True)
        if name == "max" and bound == 0:
            return r.like(x, r.add(word("relu"), x.value))
        limits = (
            {"low": shortest(bound), "high": "none"} if name == "max" else {"low": "none", "high": shortest(bound)}
        )
        return r.like(x, r.add(word("clip", **limits), x.value))

    return read


def in_a_line(r: Reader, step: Step) -> Seen:
    """Values put one after the other along any axis: as the channels of sequences."""
    first, *others = operands(r, step)
    rank = len(first.perm)
    axis = r.axis(first, step.get("axis", 1))
    if axis < 0 or any(len(value.perm) != rank for value in others):
        refuse("CNN504", case="joined axis", step=step)
    alike = [turned(r, v, [v.perm[first.perm.index(k)] for k in range(rank)]) for v in others]
    rows, fronts = zip(*(fronted(r, value, [axis]) for value in (first, *alike)), strict=True)
    made = r.add(word("concat"), *rows)
    return replace(fronts[0], value=made, shape=(r.type(made)["c"], *fronts[0].shape[1:]))


def concat(r: Reader, step: Step) -> Seen:
    if constants_of(r, step):
        refuse("CNN504", case="joined constant", step=step)
    if r.model.free and len(step.inputs) > 1:
        return in_a_line(r, step)
    found = in_a_row(r, step, [r.at(name, step) for name in step.inputs])
    if found:
        return found
    values = [r.loose(step, k) for k in range(len(step.inputs))]
    if any(r.axis(value, step.get("axis", 1)) != 0 for value in values):
        refuse("CNN504", case="joined axis", step=step)
    if len(values) == 1:
        return values[0]
    first = values[0]
    vectors = all(r.type(v.value).kind == "vector" and v.perm == first.perm for v in values)
    if vectors and len({v.shape[1:] for v in values}) == 1:
        made = r.add(word("concat"), *(v.value for v in values))
        return Seen(made, (r.type(made)["c"], *first.shape[1:]), first.perm)
    if len({v.perm for v in values}) == 1:
        made = r.add(word("concat"), *(r.upright(v) for v in values))
        return Seen(made, r.type(made).shape, first.perm)
    return r.made(word("concat"), *(r.plain(v) for v in values))


def focus(r: Reader, step: Step) -> Seen:
    """Every nth pixel as a piece of the channels; in another order than `pixelunshuffle` a `take` each."""
    image, *names = step.inputs
    value, pieces = r.at(image, step), step.get("pieces")
    kind = r.type(value.value)
    if not r.lead or kind.kind != "image" or kind.shape != value.shape or not value.straight:
        return concat(r, Step("Concat", step.name, names, step.outputs, step.attributes, step.notes))
    down, across = (pieces[0].get(axis, (0, 1))[1] for axis in (2, 3))
    made = r.add(word("pixelunshuffle", down if down == across else (down, across)), value.value)
    if kind["c"] > 1:
        made = r.add(word("shuffle", kind["c"]), made)
    places = [phases.get(2, (0, 1))[0] * across + phases.get(3, (0, 1))[0] for phases in pieces]
    if places != sorted(places):
        parts = [r.add(word("take", kind["c"], start=place * kind["c"]), made) for place in places]
        made = r.add(word("concat"), *parts)
    return seen(made, r.type(made).shape)


OPERATORS: dict[str, Operator] = {
    "Add": add,
    "Sum": add,
    "Mul": mul,
    "Sub": subtract,
    "Neg": negate,
    "Div": div,
    "Max": extreme("max"),
    "Min": extreme("min"),
    "Mean": join("mean"),
    "Concat": concat,
    f"{GROUP}focus": focus,
}
