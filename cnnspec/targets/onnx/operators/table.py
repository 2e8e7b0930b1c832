"""What each ONNX operator is in our words.

A function takes the reader and the step and returns the value that it makes; where an operator's form has no
word it refuses, by name. To add an operator: a function here and its entry in OPERATORS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..page import WORD
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, axis_of, word
from . import axes as axes
from . import norms as norms
from . import windows as windows
from .affine import Affine, affine
from .norms import shortest
from .resample import RESAMPLING, Expanded

FAR = 3e38  # a bound beyond it is none

Operator = Callable[[Reader, Step], Seen | Affine]


# ---- dense -----------------------------------------------------------------------------------------------


def gemm(r: Reader, step: Step) -> Seen:
    if step.get("transA", 0):
        refuse("CNN504", f"{step} turns the images (transA)")
    weight = r.array(step, 1, "matrix") * step.get("alpha", 1.0)
    bias = r.optional(step, 2, "bias")
    weight = weight if step.get("transB", 0) else weight.T
    if bias is not None:
        bias = spread(step, bias * step.get("beta", 1.0), len(weight))
    return dense(r, step, weight, bias)


def spread(step: Step, bias: np.ndarray, outputs: int) -> np.ndarray:
    """One number for each output, from what broadcasts to it."""
    if bias.size not in (1, outputs) or (bias.size == outputs > 1 and bias.shape[-1] != outputs):
        refuse("CNN504", f"{step} adds another number to each image")
    return np.broadcast_to(bias.reshape(-1), (outputs,))


def dense(r: Reader, step: Step, weight: np.ndarray, bias: np.ndarray | None) -> Seen:
    x = r.at(step.input(0), step)
    arrays = {"weight": weight, **({} if bias is None else {"bias": bias})}
    sources = (*step.inputs[1:], str(step.get("transB", 0)), str(step.get("alpha")), str(step.get("beta")))
    if len(x.shape) == 1:
        op = word("dense", (len(weight),), bias=bias is not None)
        if x.ravel:
            arrays["weight"] = weight[:, places(r, x)]
            x, sources = Seen(x.value, x.shape, x.perm), (*sources, str(x.ravel))
        return r.learnt(step, op, r.plain(x), arrays, sources)
    if x.perm[-1] == 0 and r.type(x.value).shape == x.shape:  # over the channels of every pixel: a 1x1 convolution
        ones = [1] * (len(x.shape) - 1)
        op = word("conv", (len(weight), *ones), bias=bias is not None)
        arrays["weight"] = weight.reshape(*weight.shape, *ones)
        made = r.learnt(step, op, x.value, arrays, sources)
        return Seen(made.value, made.shape, x.perm)
    refuse("CNN504", f"{step} multiplies along the last axis of {x.sizes}, which is not that of the channels")


def places(r: Reader, x: Seen) -> np.ndarray:
    """Where each of our numbers stands in the model's row of them."""
    shape = r.type(x.value).shape
    theirs = np.arange(prod(shape)).reshape([shape[axis] for axis in x.ravel])
    return theirs.transpose(np.argsort(x.ravel)).reshape(-1)


def matmul(r: Reader, step: Step) -> Seen:
    if step.input(1) not in r.known:
        said = "multiplies two values of the network; attention over tokens is no part of the language"
        refuse("CNN509", f"{step} {said}")
    weight = r.array(step, 1, "matrix")
    if weight.ndim != 2:
        refuse("CNN504", f"{step} multiplies by {weight.ndim} axes of weights")
    return dense(r, step, weight.T, None)


# ---- activations -----------------------------------------------------------------------------------------


def each_number(name: str, **settings: tuple[str, Any]) -> Operator:
    """A word that looks at one number at a time; settings by attribute and the attribute's default."""

    def read(r: Reader, step: Step) -> Seen:
        x = r.loose(step, any_order=True)
        found = {key: shortest(step.get(*attribute)) for key, attribute in settings.items()}
        return r.like(x, r.add(word(name, **found), x.value))

    return read


def over_channels(name: str) -> Operator:
    """A word that looks along the channels."""

    def read(r: Reader, step: Step) -> Seen:
        x = r.loose(step)
        axis = step.get("axis", 1 if r.opset < 13 else -1)
        channel = axis_of(x, axis)
        trailing = prod(x.sizes[axis % (len(x.sizes) + 1) :])
        if channel != 0 or (r.opset < 13 and trailing > 1):
            refuse("CNN504", f"{step} works along axis {axis}, which is not that of the channels")
        return r.like(x, r.add(word(name), x.value))

    return read


def clip(r: Reader, step: Step) -> Seen:
    bounds = []
    for index, name in ((1, "min"), (2, "max")):
        given = r.optional(step, index, name)
        bounds.append(step.get(name) if given is None else float(given))
    low, high = bounds
    x = r.loose(step, any_order=True)
    low = None if low is None or low < -FAR else low
    high = None if high is None or high > FAR else high
    ours = step.notes.get(WORD, "").startswith("clip")
    if low is None and high is None:
        return x
    if (low, high) == (0, None) and not ours:
        return r.like(x, r.add(word("relu"), x.value))
    if (low, high) == (0, 6) and not ours:
        return r.like(x, r.add(word("relu6"), x.value))
    bounds = ["none" if bound is None else shortest(bound) for bound in (low, high)]
    return r.like(x, r.add(word("clip", low=bounds[0], high=bounds[1]), x.value))


def hardsigmoid(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    slope, offset = step.get("alpha", 0.2), step.get("beta", 0.5)
    if slope <= 0:
        refuse("CNN504", f"{step} has alpha {slope:g}; the slope of `hardsigmoid` is above 0")
    settings = {"offset": shortest(offset)}
    if not np.isclose(slope, 1 / 6, rtol=1e-6):
        settings["slope"] = shortest(slope)
    return r.like(x, r.add(word("hardsigmoid", **settings), x.value))


def fixed(name: str, **expected: tuple[float, float]) -> Operator:
    """A word without settings; each attribute must be what the word means: what it should be, and its default."""

    def read(r: Reader, step: Step) -> Seen:
        for attribute, (wanted, default) in expected.items():
            found = step.get(attribute, default)
            if not np.isclose(found, wanted, rtol=1e-5):
                refuse("CNN504", f"{step} has {attribute} {shortest(found):g}, where `{name}` has {wanted:g}")
        x = r.loose(step, any_order=True)
        return r.like(x, r.add(word(name), x.value))

    return read


def formula(r: Reader, step: Step) -> Seen:
    """An activation of ours that ONNX has no operator for."""
    x = r.loose(step)
    return r.like(x, r.add(step.attributes["word"], x.value))


def gelu(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    form = "tanh" if step.get("approximate", "none") == "tanh" else "exact"
    return r.like(x, r.add(word("gelu", form=form), x.value))


def gelu_tanh(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    return r.like(x, r.add(word("gelu", form="tanh"), x.value))


# ---- joins -----------------------------------------------------------------------------------------------


def join(name: str) -> Operator:
    """Values of one shape, number by number."""

    def read(r: Reader, step: Step) -> Seen:
        return joined(r, name, [r.loose(step, k) for k in range(len(step.inputs))])

    return read


def joined(r: Reader, name: str, values: list[Seen]) -> Seen:
    first = values[0]
    if len(values) == 1:
        return first
    alike = all((v.shape, v.perm, v.ravel) == (first.shape, first.perm, first.ravel) for v in values)
    if alike and len({r.type(v.value).axes for v in values}) == 1:
        return r.like(first, r.add(word(name), *(v.value for v in values)))
    if alike and not first.ravel:
        return r.like(first, r.add(word(name), *(r.upright(v) for v in values)))
    return r.made(word(name), *(r.plain(v) for v in values))


def constants_of(r: Reader, step: Step) -> list[int]:
    """Which inputs are known; at least one is not."""
    found = [k for k, name in enumerate(step.inputs) if name in r.known]
    if len(found) == len(step.inputs):
        refuse("CNN504", f"{step} makes a constant that is not computed beforehand")
    return found


def constant(r: Reader, step: Step, index: int, like: int) -> np.ndarray:
    """A known input, its axes those that it has beside the input `like`; before opset 7 a step says which."""
    array = r.known[step.input(index)]
    if r.opset < 7 and step.get("broadcast") and "axis" in step.attributes:
        name = step.input(like)
        value = r.waiting[name].value if name in r.waiting else r.at(name, step)
        behind = len(value.perm) + 1 - step.get("axis") - array.ndim
        array = array.reshape(*array.shape, *[1] * max(behind, 0))
    return array


def add(r: Reader, step: Step) -> Seen | Affine:
    known = constants_of(r, step)
    values = [k for k in range(len(step.inputs)) if k not in known]
    if not known:
        return join("add")(r, step)
    if len(values) > 1:
        refuse("CNN504", f"{step} adds a constant to several values at once")
    return affine(r, step, values[0], shift=total(constant(r, step, k, values[0]) for k in known))


def total(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return reduce(np.add, (np.asarray(array, np.float64) for array in arrays))


def subtract(r: Reader, step: Step) -> Seen | Affine:
    known = constants_of(r, step)
    if known == [1]:
        return affine(r, step, 0, shift=-np.asarray(constant(r, step, 1, 0), np.float64))
    if known == [0]:
        return affine(r, step, 1, scale=-1.0, shift=constant(r, step, 0, 1))
    return joined(r, "add", [r.loose(step, 0), affine(r, step, 1, scale=-1.0).settled(r)])


def negate(r: Reader, step: Step) -> Affine:
    return affine(r, step, 0, scale=-1.0)


def mul(r: Reader, step: Step) -> Seen | Affine:
    known = constants_of(r, step)
    if known:
        (value,) = {0, 1} - set(known)
        factor = constant(r, step, known[0], value)
        made: Seen | Affine | None = averaged(r, step, value, factor)
        return made or affine(r, step, value, scale=factor)
    waiting = [r.waiting.get(step.input(k)) for k in range(2)]
    for gate, other in ((0, 1), (1, 0)):
        pixel = waiting[gate]
        if isinstance(pixel, Expanded) and waiting[other] is None and r.loose(step, other).sizes == pixel.sizes:
            values = {gate: pixel.value, other: r.loose(step, other)}
            return product(r, values[0], values[1])
    return product(r, *(r.loose(step, k) for k in range(2)))


def product(r: Reader, a: Seen, b: Seen) -> Seen:
    if a.perm == b.perm and a.sizes != b.sizes and not (a.ravel or b.ravel):
        made = r.add(word("mul"), *(gate(r, v) for v in (a, b)))
        return Seen(made, r.type(made).shape, a.perm)
    return joined(r, "mul", [a, b])


def div(r: Reader, step: Step) -> Seen | Affine:
    """By constants: a product; a sum divided by how many there are is their mean."""
    if constants_of(r, step) != [1]:
        refuse("CNN504", f"{step} divides by a value of the network, which no word does")
    by = np.asarray(constant(r, step, 1, 0), np.float64)
    if not by.all():
        refuse("CNN504", f"{step} divides by zero")
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


def maximum(r: Reader, step: Step) -> Seen:
    constants = [name for name in step.inputs if name in r.known]
    if len(step.inputs) == 2 and len(constants) == 1 and not r.known[constants[0]].any():
        x = next(r.at(name, step) for name in step.inputs if name not in r.known)
        return r.like(x, r.add(word("relu"), x.value))
    return joined(r, "max", [r.loose(step, k) for k in range(len(step.inputs))])


def concat(r: Reader, step: Step) -> Seen:
    values = [r.loose(step, k) for k in range(len(step.inputs))]
    if any(axis_of(value, step.get("axis", 1)) != 0 for value in values):
        refuse("CNN504", f"{step} puts values one after the other along an axis that is not that of the channels")
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


OPERATORS: dict[str, Any] = {
    **RESAMPLING,
    "Conv": windows.conv,
    "ConvTranspose": windows.conv_transpose,
    "MaxPool": windows.maxpool,
    "AveragePool": windows.avgpool,
    "LpPool": windows.lppool,
    f"{GROUP}formula": formula,
    f"{GROUP}minpool": windows.minpool,
    "GlobalAveragePool": windows.gap,
    "GlobalMaxPool": windows.gmp,
    "ReduceMean": windows.over_pixels("gap"),
    "Gemm": gemm,
    "MatMul": matmul,
    "Flatten": axes.flatten,
    "Reshape": axes.reshape,
    "Squeeze": axes.squeeze,
    "Unsqueeze": axes.unsqueeze,
    "Transpose": axes.transpose,
    "Identity": norms.same,
    "Cast": axes.cast,
    "Shape": axes.shape_of,
    "Relu": fixed("relu"),
    "Clip": clip,
    "PRelu": norms.prelu,
    "LeakyRelu": each_number("leaky", slope=("alpha", 0.01)),
    "Elu": each_number("elu", alpha=("alpha", 1.0)),
    "Celu": each_number("celu", alpha=("alpha", 1.0)),
    "Selu": fixed("selu", alpha=(1.6732632, 1.6732632), gamma=(1.050701, 1.050701)),
    "Gelu": gelu,
    f"{GROUP}gelu": fixed("gelu"),
    f"{GROUP}gelu_tanh": gelu_tanh,
    "Swish": fixed("swish", alpha=(1.0, 1.0)),
    f"{GROUP}swish": fixed("swish"),
    "HardSwish": fixed("hardswish"),
    f"{GROUP}hardswish": fixed("hardswish"),
    "Mish": fixed("mish"),
    f"{GROUP}mish": fixed("mish"),
    "Sigmoid": fixed("sigmoid"),
    "HardSigmoid": hardsigmoid,
    f"{GROUP}hardsigmoid": fixed("hardsigmoid"),
    "Tanh": fixed("tanh"),
    "Softplus": fixed("softplus"),
    "Softsign": fixed("softsign"),
    f"{GROUP}softsign": fixed("softsign"),
    f"{GROUP}step": fixed("step"),
    "Softmax": over_channels("softmax"),
    "LogSoftmax": over_channels("logsoftmax"),
    "ReduceMax": windows.over_pixels("gmp"),
    "BatchNormalization": norms.bn,
    "LayerNormalization": norms.layernorm,
    "GroupNormalization": norms.groupnorm,
    "InstanceNormalization": norms.groupnorm,
    f"{GROUP}groupnorm": norms.grouped,
    "LRN": norms.lrn,
    "Dropout": norms.dropout,
    "Add": add,
    "Sum": add,
    "Mul": mul,
    "Sub": subtract,
    "Neg": negate,
    "Div": div,
    "Max": maximum,
    "Mean": join("mean"),
    "Concat": concat,
}
