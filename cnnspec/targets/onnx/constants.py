"""What an ONNX model computes from its own constants: the targets of reshapes, weights turned or scaled.

A batch's size is not known; where a model asks for it (`Shape`), it is -1, which `Reshape` understands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .steps import Step, refuse

MOST_ELEMENTS = 1 << 28
Array = np.ndarray


def fold(step: Step, arrays: Sequence[Array | None]) -> Array | None:
    """The value of a step whose inputs are known, or None where it is none that is computed beforehand."""
    if step.op == "Constant":
        return constant(step)
    function = FOLDS.get(step.op)
    if function is None or any(array is None for array, name in zip(arrays, step.inputs, strict=True) if name):
        return None
    if step.op in BROADCAST:
        grown = np.prod(np.broadcast_shapes(*(a.shape for a in arrays if a is not None)), dtype=float)
        if grown > MOST_ELEMENTS:
            refuse("CNN504", f"{step} makes a constant of {grown:.0g} numbers")
    try:
        return np.asarray(function(step, *arrays))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        refuse("CNN502", f"{step} cannot be computed: {error}")


def constant(step: Step) -> Array | None:
    from onnx import numpy_helper

    attributes = step.attributes
    if "value" in attributes:
        return numpy_helper.to_array(attributes["value"])
    for name, dtype in (("value_float", "f4"), ("value_floats", "f4"), ("value_int", "i8"), ("value_ints", "i8")):
        if name in attributes:
            return np.asarray(attributes[name], dtype)
    return None


def axes_of(step: Step, given: Array | None) -> tuple[int, ...] | None:
    """Axes as an input (newer opsets) or an attribute (older ones)."""
    found = step.get("axes") if given is None else given.reshape(-1).tolist()
    return None if found is None else tuple(int(axis) for axis in found)


def unsqueeze(step: Step, x: Array, axes: Array | None = None) -> Array:
    wanted = axes_of(step, axes) or ()
    rank = x.ndim + len(wanted)
    for axis in sorted(axis % rank for axis in wanted):
        x = np.expand_dims(x, axis)
    return x


def sliced(
    step: Step,
    x: Array,
    starts: Array | None = None,
    ends: Array | None = None,
    axes: Array | None = None,
    steps: Array | None = None,
) -> Array:
    first = step.get("starts") if starts is None else starts.tolist()
    last = step.get("ends") if ends is None else ends.tolist()
    along = axes_of(step, axes) or range(len(first))
    by = [1] * len(first) if steps is None else steps.tolist()
    cut = [slice(None)] * x.ndim
    for axis, start, end, stride in zip(along, first, last, by, strict=True):
        cut[axis] = slice(start, end, stride)
    return x[tuple(cut)]


def reshaped(step: Step, x: Array, shape: Array | None = None) -> Array:
    target = step.get("shape") if shape is None else shape.tolist()
    return x.reshape([x.shape[k] if size == 0 else size for k, size in enumerate(target)])


def cast(step: Step, x: Array) -> Array:
    from onnx import helper

    return x.astype(helper.tensor_dtype_to_np_dtype(step.get("to")))


def filled(step: Step, shape: Array) -> Array:
    from onnx import numpy_helper

    if np.prod(shape, dtype=float) > MOST_ELEMENTS:
        refuse("CNN504", f"{step} makes a constant of {np.prod(shape, dtype=float):.0g} numbers")
    value = numpy_helper.to_array(step.get("value")) if step.get("value") is not None else np.zeros(1, np.float32)
    return np.full(shape.tolist(), value.reshape(()))


def division(step: Step, a: Array, b: Array) -> Array:
    return a // b if a.dtype.kind in "iu" else a / b


FOLDS: dict[str, Callable[..., Any]] = {
    "Identity": lambda step, x: x,
    "Cast": cast,
    "Reshape": reshaped,
    "Transpose": lambda step, x: x.transpose(step.get("perm")),
    "Unsqueeze": unsqueeze,
    "Squeeze": lambda step, x, axes=None: np.squeeze(x, axes_of(step, axes)),
    "Flatten": lambda step, x: x.reshape(int(np.prod(x.shape[: step.get("axis", 1)])), -1),
    "Concat": lambda step, *parts: np.concatenate(parts, step.get("axis", 0)),
    "Gather": lambda step, x, at: np.take(x, at, step.get("axis", 0)),
    "Slice": sliced,
    "Shape": lambda step, x: np.array(x.shape[step.get("start", 0) : step.get("end")], "i8"),
    "Add": lambda step, a, b: a + b,
    "Sub": lambda step, a, b: a - b,
    "Mul": lambda step, a, b: a * b,
    "Div": division,
    "Neg": lambda step, x: -x,
    "Sqrt": lambda step, x: np.sqrt(x),
    "Exp": lambda step, x: np.exp(x),
    "Mod": lambda step, a, b: np.fmod(a, b) if step.get("fmod", 0) else np.mod(a, b),
    "ReduceProd": lambda step, x, axes=None: x.prod(axes_of(step, axes), keepdims=bool(step.get("keepdims", 1))),
    "ConstantOfShape": filled,
    "Reciprocal": lambda step, x: 1 / x,
    "Floor": lambda step, x: np.floor(x),
    "Ceil": lambda step, x: np.ceil(x),
}
BROADCAST = {"Add", "Sub", "Mul", "Div", "Mod"}
