"""ONNX operators and our words for them.

A function takes the reader and the step and returns the value that it makes; where an operator's form has no
word it refuses, by name. To add an operator: a function here and its entry in OPERATORS.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..layout import fronted
from ..page import WORD
from ..patterns import WORD as GROUP
from ..reader import Reader
from ..steps import Step, refuse
from ..values import Seen, word
from . import Operator, axes, joins, made, norms, parts, resample, response, windows
from .affine import Affine, affine
from .norms import shortest

FAR = 3e38  # a bound beyond it is none


# ---- dense -----------------------------------------------------------------------------------------------


def gemm(r: Reader, step: Step) -> Seen:
    if step.get("transA", 0):
        refuse("CNN504", case="transA", step=step)
    weight = r.array(step, 1, "matrix") * step.get("alpha", 1.0)
    bias = r.optional(step, 2, "bias")
    weight = weight if step.get("transB", 0) else weight.T
    if bias is not None:
        bias = broadcast(step, bias * step.get("beta", 1.0), len(weight))
    return dense(r, step, weight, bias)


def broadcast(step: Step, bias: np.ndarray, outputs: int) -> np.ndarray:
    """One number for each output, from what broadcasts to it."""
    if bias.size not in (1, outputs) or (bias.size == outputs > 1 and bias.shape[-1] != outputs):
        refuse("CNN504", case="each image", step=step)
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
    if r.model.free and not x.ravel:
        rows, front = fronted(r, x, [x.perm[-1]])
        op = word("conv", (len(weight), 1), bias=bias is not None)
        arrays["weight"] = weight[:, :, None]
        value = r.learnt(step, op, rows, arrays, sources).value
        return Seen(value, (len(weight), *front.shape[1:]), front.perm)
    refuse("CNN504", case="last axis", step=step, sizes=x.sizes)


def places(r: Reader, x: Seen) -> np.ndarray:
    """Where each of our numbers stands in the model's row of them."""
    shape = r.type(x.value).shape
    theirs = np.arange(prod(shape)).reshape([shape[axis] for axis in x.ravel])
    return theirs.transpose(np.argsort(x.ravel)).reshape(-1)


def matmul(r: Reader, step: Step) -> Seen:
    if step.input(1) not in r.known:
        refuse("CNN509", step=step)
    weight = r.array(step, 1, "matrix")
    if weight.ndim != 2:
        refuse("CNN504", case="weights", step=step, axes=weight.ndim)
    return dense(r, step, weight.T, None)


# ---- activations -----------------------------------------------------------------------------------------


def each_number(name: str, **settings: tuple[str, Any]) -> Operator:
    """A pointwise word; settings by attribute and the attribute's default."""

    def read(r: Reader, step: Step) -> Seen:
        x = r.loose(step, any_order=True)
        found = {key: shortest(step.get(*attribute)) for key, attribute in settings.items()}
        return r.like(x, r.add(word(name, **found), x.value))

    return read


def over_channels(name: str) -> Operator:
    """A word that looks along the channels."""

    def read(r: Reader, step: Step) -> Seen:
        axis = step.get("axis", 1 if r.opset < 13 else -1)
        apart = parts.softmax(r, r.at(step.input(0), step), axis) if name == "softmax" and r.opset >= 13 else None
        if apart:
            return apart
        x = r.at(step.input(0), step) if r.model.free else r.loose(step)
        channel = r.axis(x, axis)
        place = axis % (len(x.sizes) + r.lead) - r.lead
        trailing = prod(x.sizes[place + 1 :])
        plain = channel == 0 and not (r.opset < 13 and trailing > 1) and r.type(x.value)["c"] == x.shape[0]
        if channel >= 0 and r.model.free and not (plain or x.ravel):
            made, front = fronted(r, x, [channel] if r.opset >= 13 else x.perm[place:])
            return r.like(front, r.add(word(name), made))
        if not plain:
            refuse("CNN504", case="channels of an axis", step=step, axis=axis)
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
    if low is not None and high is not None and low >= high:  # the upper one decides
        x = r.like(x, r.add(word("clip", low=shortest(low), high="none"), x.value))
        low = None
    bounds = ["none" if bound is None else shortest(bound) for bound in (low, high)]
    return r.like(x, r.add(word("clip", low=bounds[0], high=bounds[1]), x.value))


def hardsigmoid(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    slope, offset = step.get("alpha", 0.2), step.get("beta", 0.5)
    if slope <= 0:
        refuse("CNN504", case="alpha", step=step, slope=slope)
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
                refuse(
                    "CNN504",
                    case="setting",
                    step=step,
                    attribute=attribute,
                    found=shortest(found),
                    name=name,
                    wanted=wanted,
                )
        x = r.loose(step, any_order=True)
        return r.like(x, r.add(word(name), x.value))

    return read


def formula(r: Reader, step: Step) -> Seen:
    """An activation of ours that ONNX has no operator for."""
    x = r.loose(step)
    return r.like(x, r.add(step.attributes["word"], x.value))


def selu(r: Reader, step: Step) -> Seen | Affine:
    """With other constants than its own an `elu` that is scaled."""
    alpha, gamma = step.get("alpha", 1.6732632), step.get("gamma", 1.050701)
    x = r.loose(step, any_order=True)
    if np.allclose((alpha, gamma), (1.6732632, 1.050701), rtol=1e-5):
        return r.like(x, r.add(word("selu"), x.value))
    if alpha <= 0:
        refuse("CNN504", case="alpha", step=step, slope=alpha)
    inner = f"{step.outputs[0]}/elu"
    r.hold(inner, r.like(x, r.add(word("elu", alpha=shortest(alpha)), x.value)))
    return affine(r, replace(step, inputs=[inner]), 0, scale=gamma)


def power(r: Reader, step: Step) -> Seen:
    """A whole power is a product, one of a half a square root."""
    exponent = r.array(step, 1, "exponent")
    known = {0.5: ("sqrt",), -1.0: ("reciprocal",), -0.5: ("sqrt", "reciprocal")}
    x = r.loose(step, any_order=True)
    if exponent.ndim > len(x.perm) + r.lead or exponent.size != 1:
        refuse("CNN504", case="power", step=step)
    number = float(exponent.reshape(()))
    if number in known:
        for name in known[number]:
            x = r.like(x, r.add(word(name), x.value))
        return x
    if number not in (1, 2, 3, 4):
        refuse("CNN504", case="power", step=step)
    made = x.value
    for _ in range(int(number) - 1):
        made = r.add(word("mul"), made, x.value)
    return r.like(x, made)


def gelu(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    form = "tanh" if step.get("approximate", "none") == "tanh" else "exact"
    return r.like(x, r.add(word("gelu", form=form), x.value))


def gelu_tanh(r: Reader, step: Step) -> Seen:
    x = r.loose(step, any_order=True)
    return r.like(x, r.add(word("gelu", form="tanh"), x.value))


OPERATORS: dict[str, Operator] = {
    **resample.OPERATORS,
    **windows.OPERATORS,
    **made.OPERATORS,
    **axes.OPERATORS,
    **norms.OPERATORS,
    **joins.OPERATORS,
    **parts.OPERATORS,
    **response.OPERATORS,
    f"{GROUP}formula": formula,
    "Gemm": gemm,
    "MatMul": matmul,
    "Relu": fixed("relu"),
    "Clip": clip,
    "LeakyRelu": each_number("leaky", slope=("alpha", 0.01)),
    "Elu": each_number("elu", alpha=("alpha", 1.0)),
    "Celu": each_number("celu", alpha=("alpha", 1.0)),
    "Selu": selu,
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
    "Abs": fixed("abs"),
    **{kind: fixed(kind.lower()) for kind in ("Exp", "Log", "Sqrt", "Reciprocal")},
    "Pow": power,
    "Shrink": each_number("shrink", threshold=("lambd", 0.5), bias=("bias", 0.0)),
    "ThresholdedRelu": each_number("thresholdedrelu", threshold=("alpha", 1.0)),
}
