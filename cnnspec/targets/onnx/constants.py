"""What an ONNX model computes from its own constants: the targets of reshapes, weights turned or scaled.

A batch's size is not known; where a model asks for it (`Shape`), it is -1, which `Reshape` understands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
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
    if step.op == "CastLike" and arrays[0] is not None:
        return arrays[0].astype(np.promote_types(arrays[0].dtype, "f4") if arrays[1] is None else arrays[1].dtype)
    if function is None or any(array is None for array, name in zip(arrays, step.inputs, strict=True) if name):
        return None
    grown = size_of(step, arrays)
    if grown > MOST_ELEMENTS:
        refuse("CNN504", case="large constant", step=step, numbers=grown)
    try:
        return np.asarray(function(step, *arrays))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        refuse("CNN502", step=step, reason=error)


def size_of(step: Step, arrays: Sequence[Array | None]) -> float:
    """How many numbers the result has, where that may be more than its inputs have."""
    given = [array for array in arrays if array is not None]
    try:
        match step.op:
            case "Expand":
                return float(np.prod(np.broadcast_shapes(given[0].shape, tuple(given[1].tolist())), dtype=float))
            case "Tile":
                return float(np.prod(given[1], dtype=float) * given[0].size)
            case "Range":
                return abs(float(given[1] - given[0]) / float(given[2]))
            case "ConstantOfShape":
                return float(np.prod(given[0], dtype=float))
            case op if op in BROADCAST:
                return float(np.prod(np.broadcast_shapes(*(array.shape for array in given)), dtype=float))
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        refuse("CNN502", step=step, reason=error)
    return 0.0


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

    value = numpy_helper.to_array(step.get("value")) if step.get("value") is not None else np.zeros(1, np.float32)
    return np.full(shape.tolist(), value.reshape(()))


def division(step: Step, a: Array, b: Array) -> Array:
    """Of whole numbers towards zero."""
    return np.trunc(a / b).astype(a.dtype) if a.dtype.kind in "iu" else a / b


def clipped(step: Step, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    low, high = (step.get(name) if bound is None else bound for name, bound in (("min", low), ("max", high)))
    x = x if low is None else np.maximum(x, np.asarray(low, x.dtype))
    return x if high is None else np.minimum(x, np.asarray(high, x.dtype))


def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
    """One number of many along some axes; of all axes where none is named."""

    def reduced(step: Step, x: Array, axes: Array | None = None) -> Array:
        along = axes_of(step, axes)
        if not along and step.get("noop_with_empty_axes", 0):
            return x
        return np.asarray(function(x, axis=along or None, keepdims=bool(step.get("keepdims", 1))), x.dtype)

    return reduced


def norm(x: Array, **along: Any) -> Array:
    return np.sqrt(np.square(x).sum(**along))


def item(array: Array) -> Any:
    return array.item()


def normalised(step: Step, x: Array, weight: Array, bias: Array, mean: Array, var: Array) -> Array:
    """Batch normalisation, in training mode by the array's own statistics: filters that are standardised."""
    column = (-1, *[1] * (x.ndim - 2))
    if step.get("training_mode", 0):
        along = (0, *range(2, x.ndim))
        mean, var = x.mean(along), x.var(along)
    factor = weight / np.sqrt(var + step.get("epsilon", 1e-5))
    return np.asarray((x - mean.reshape(column)) * factor.reshape(column) + bias.reshape(column), x.dtype)


def number_by_number(function: Callable[..., Any]) -> Callable[..., Array]:
    """A function of NumPy on arrays that broadcast; the result has the type of the first."""
    return lambda step, *arrays: np.asarray(function(*arrays), arrays[0].dtype)


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
    "Expand": lambda step, x, shape: x * np.ones(shape.tolist(), x.dtype),
    "Tile": lambda step, x, repeats: np.tile(x, repeats.tolist()),
    "Range": lambda step, start, limit, delta: np.arange(*map(item, (start, limit, delta)), dtype=start.dtype),
    "BatchNormalization": normalised,
    "Size": lambda step, x: np.array(x.size, "i8"),
    "ConstantOfShape": filled,
    "Div": division,
    "Mod": lambda step, a, b: np.fmod(a, b) if step.get("fmod", 0) else np.mod(a, b),
    "Clip": clipped,
    "Where": lambda step, condition, a, b: np.where(condition, a, b),
    "Equal": lambda step, a, b: a == b,
    "Less": lambda step, a, b: a < b,
    "LessOrEqual": lambda step, a, b: a <= b,
    "Greater": lambda step, a, b: a > b,
    "GreaterOrEqual": lambda step, a, b: a >= b,
    "Not": lambda step, x: ~x,
    "And": lambda step, a, b: a & b,
    "Or": lambda step, a, b: a | b,
    "Max": lambda step, *arrays: reduce(np.maximum, arrays),
    "Min": lambda step, *arrays: reduce(np.minimum, arrays),
    "Sum": lambda step, *arrays: reduce(np.add, arrays),
    "Mean": lambda step, *arrays: np.asarray(reduce(np.add, arrays) / len(arrays), arrays[0].dtype),
    "Relu": lambda step, x: np.maximum(x, x.dtype.type(0)),
    "Sigmoid": lambda step, x: np.asarray(np.exp(-np.logaddexp(0, -x)), x.dtype),
    "ReduceProd": reduction(np.prod),
    "ReduceSum": reduction(np.sum),
    "ReduceMean": reduction(np.mean),
    "ReduceMax": reduction(np.max),
    "ReduceMin": reduction(np.min),
    "ReduceL1": reduction(lambda x, **along: np.abs(x).sum(**along)),
    "ReduceL2": reduction(norm),
    "ReduceSumSquare": reduction(lambda x, **along: np.square(x).sum(**along)),
    **{
        name: number_by_number(function)
        for name, function in (
            ("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Pow", np.power), ("Neg", np.negative),
            ("Abs", np.abs), ("Sqrt", np.sqrt), ("Exp", np.exp), ("Log", np.log), ("Reciprocal", np.reciprocal),
            ("Floor", np.floor), ("Ceil", np.ceil), ("Round", np.rint), ("Sign", np.sign), ("Tanh", np.tanh),
            ("Sin", np.sin), ("Cos", np.cos),
        )
    },
}  # fmt: skip
BROADCAST = {"Add", "Sub", "Mul", "Div", "Mod", "Pow", "Max", "Min", "Sum", "Mean", "Where", "Clip"} | {
    *("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or"),
}
