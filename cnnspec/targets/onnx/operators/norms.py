"""ONNX operators that normalise, and those with a number for each channel."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from ....diagnostics import SpecError
from ..layout import straightened, viewed
from ..page import WORD
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, seen, word
from . import Operator
from .affine import Affine, affine, by_channel, by_number
from .axes import identity


def shortest(value: float) -> float:
    """The number that was written before it became a float32: 1e-05 rather than 9.999999747378752e-06."""
    return float(f"{value:.7g}")


def eps_of(step: Step) -> float:
    return shortest(step.get("epsilon", 1e-5))


def straight(r: Reader, step: Step) -> Seen:
    """The first input, with its channels first."""
    x = r.loose(step)
    if not x.straight:
        refuse("CNN504", case="channels", step=step)
    return x


def bn(r: Reader, step: Step) -> Seen:
    if step.get("training_mode", 0) or not step.get("spatial", 1):
        refuse("CNN504", case="norm in training", step=step)
    x = straight(r, step)
    names = ("weight", "bias", "running_mean", "running_var")
    arrays = {name: r.array(step, index, name) for index, name in enumerate(names, 1)}
    op = word("bn", eps=eps_of(step), momentum=shortest(1 - shortest(step.get("momentum", 0.9))))
    return r.like(x, r.learnt(step, op, x.value, arrays, tuple(step.inputs[1:5])).value)


def layernorm(r: Reader, step: Step) -> Seen | Affine:
    x = r.at(step.input(0), step) if r.model.free else r.loose(step)
    rank = len(x.sizes)
    first = step.get("axis", -1) % (rank + r.lead)
    weight, bias = r.array(step, 1, "scale"), r.optional(step, 2, "bias")
    bias = np.zeros_like(weight) if bias is None else bias
    more = any(name and r.readers.get(name) for name in step.outputs[1:])
    own = not more and (not r.model.free or r.type(x.value).shape == x.shape)
    if first == rank + r.lead - 1 and x.perm[-1] == 0 and own:
        return normed(r, step, x, word("layernorm", eps=eps_of(step)), weight, bias)
    channels = r.type(x.value)["c"]
    if first == r.lead and x.straight and own:
        broadcast = [np.broadcast_to(array, x.shape).reshape(channels, -1) for array in (weight, bias)]
        if all((array == array[:, :1]).all() for array in broadcast):
            weight, bias = (array[:, 0] for array in broadcast)
            return normed(r, step, x, word("groupnorm", (1,), eps=eps_of(step)), weight, bias)
    if r.model.free and first >= r.lead:
        return standardised(r, step, straightened(r, x), first - r.lead, weight, bias)
    refuse("CNN504", case="normalised axes", step=step, first=first, rank=rank, sizes=", ".join(map(str, x.sizes)))


def standardised(r: Reader, step: Step, x: Seen, first: int, weight: np.ndarray, bias: np.ndarray) -> Affine:
    """Normalised along the axes from `first` on, for each of the others alone; a scale and a shift by number."""
    groups, size = prod(x.shape[:first]), prod(x.shape[first:])
    table = viewed(r, x.value, (groups, size))
    op = word("groupnorm", (groups,), eps=eps_of(step))
    ones = {"weight": np.ones(groups, "f4"), "bias": np.zeros(groups, "f4")}
    made = r.learnt(step, op, table, ones, (step.outputs[0],))
    deviations(r, step, x, first, table)
    inner = f"{step.outputs[0]}/standardised"
    r.hold(inner, r.like(x, made.value))
    return affine(r, Step(step.op, step.name, [inner], step.outputs, {}, step.notes), 0, scale=weight, shift=bias)


def deviations(r: Reader, step: Step, x: Seen, first: int, table: str) -> None:
    """The further outputs: the mean of each group, and one by the root of its variance and epsilon."""
    kept = (*x.shape[:first], *[1] * (len(x.shape) - first))
    mean, root = (name if name and r.readers.get(name) else "" for name in (*step.outputs[1:3], "", "")[:2])
    if not (mean or root):
        return
    means = r.add(word("gap"), table)
    if mean:
        r.hold(mean, seen(means, kept))
    if root:
        groups, size = r.type(table).shape
        spread = r.add(word("resize", (size,)), viewed(r, means, (groups, 1)))
        apart = r.add(word("sub"), table, spread)
        variance = r.add(word("gap"), r.add(word("mul"), apart, apart))
        inner = f"{root}/variance"
        r.hold(inner, seen(variance, kept))
        shifted = affine(
            r, Step(step.op, step.name, [inner], [root]), 0, shift=np.float64(step.get("epsilon", 1e-5))
        )
        below = shifted.settled(r)
        made = r.add(word("reciprocal"), r.add(word("sqrt"), below.value))
        r.hold(root, r.like(below, made))


def groupnorm(r: Reader, step: Step) -> Seen:
    """GroupNormalization; and InstanceNormalization, of each channel alone or of channels put into groups."""
    x = r.at(step.input(0), step)
    channels = r.type(x.value)["c"]
    weight, bias = r.array(step, 1, "scale"), r.array(step, 2, "bias")
    groups = step.get("num_groups", x.shape[0])
    if not x.straight or channels % groups or ("num_groups" in step.attributes and x.shape[0] != channels):
        refuse("CNN504", case="channels", step=step)
    if len(weight) == groups:
        weight, bias = (np.repeat(array, channels // groups) for array in (weight, bias))
    return normed(r, step, x, word("groupnorm", (groups,), eps=eps_of(step)), weight, bias)


def grouped(r: Reader, step: Step) -> Seen:
    """Channels put into groups, each standardised as one channel; then a scale and a shift for each channel."""
    x = straight(r, step)
    _, bias, groups, shape, weight = (step.input(k) for k in range(5))
    count, (_, *after) = r.known[groups].tolist()[1], r.known[shape].tolist()
    channels = r.type(x.value)["c"]
    if after != list(x.shape) or count < 1 or channels % count:
        refuse("CNN504", case="groups", step=step)
    arrays = {"weight": of_channels(r, step, x, r.known[weight]),
              "bias": of_channels(r, step, x, r.known[bias])}  # fmt: skip
    op = word("groupnorm", (count,), eps=eps_of(step))
    return r.like(x, r.learnt(step, op, x.value, arrays, (weight, bias)).value)


def normed(r: Reader, step: Step, x: Seen, op: Any, weight: np.ndarray, bias: np.ndarray) -> Seen:
    arrays = {"weight": weight, "bias": bias}
    return r.like(x, r.learnt(step, op, x.value, arrays, tuple(step.inputs[1:])).value)


def lrn(r: Reader, step: Step) -> Seen:
    size = step.get("size")
    if size % 2 == 0:
        refuse("CNN504", case="even lrn", step=step)
    x = straight(r, step)
    settings = {"alpha": ("alpha", 1e-4), "beta": ("beta", 0.75), "k": ("bias", 1.0)}
    found = {name: shortest(step.get(*attribute)) for name, attribute in settings.items()}
    return r.like(x, r.add(word("lrn", size, **found), x.value))


def prelu(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    slope = r.array(step, 1, "slope")
    if r.opset < 7 and slope.ndim == 1 and r.lead:  # one slope a channel, in any shape
        slope = slope.reshape(-1, *[1] * (len(x.shape) - 1))
    try:
        learnt = {"weight": of_channels(r, step, x, slope)}
    except SpecError:
        if not r.model.free:
            raise
        x, (slope,) = by_number(r, step, x, [slope])
        learnt = {"weight": slope}
    return r.like(x, r.learnt(step, word("prelu"), x.value, learnt, (step.input(1),)).value)


def of_channels(r: Reader, step: Step, x: Seen, array: np.ndarray) -> np.ndarray:
    """A constant as one number for each channel."""
    return np.broadcast_to(by_channel(r, step, x, array), r.type(x.value)["c"])


def dropout(r: Reader, step: Step) -> Seen:
    given = r.optional(step, 1, "ratio")
    rate = shortest(float(step.get("ratio", 0.5) if given is None else given))
    training = r.optional(step, 2, "training mode")
    if training is not None and bool(training):
        refuse("CNN504", case="training", step=step)
    x = r.loose(step, any_order=True)
    return r.like(x, r.add(word("dropout", rate), x.value))


def same(r: Reader, step: Step) -> Seen:
    """Nothing, or a word that only training knows, which our own models note."""
    found = re.fullmatch(r"droppath(?: (\d*\.?\d+(?:e-\d+)?))?", step.notes.get(WORD, ""))
    if not found:
        return identity(r, step)
    rate = float(found[1] or 0.1)
    if rate >= 1:
        return identity(r, step)
    x = r.loose(step, any_order=True)
    return r.like(x, r.add(word("droppath", rate), x.value))


OPERATORS: dict[str, Operator] = {
    "Identity": same,
    "PRelu": prelu,
    "BatchNormalization": bn,
    "LayerNormalization": layernorm,
    "GroupNormalization": groupnorm,
    "InstanceNormalization": groupnorm,
    f"{GROUP}groupnorm": grouped,
    "LRN": lrn,
    "Dropout": dropout,
}
