"""Activations of Keras as words, by the names of its functions."""

from __future__ import annotations

from .builders import axes_together, pointwise, rows
from .said import NotComparable, Said

PLAIN = {
    "relu": "relu", "relu6": "relu6", "selu": "selu", "silu": "swish", "swish": "swish", "softplus": "softplus",
    "softsign": "softsign", "sigmoid": "sigmoid", "tanh": "tanh", "mish": "mish", "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish", "hard_swish": "hardswish", "hard_tanh": "clip",
    "sparse_sigmoid": "hardsigmoid slope 0.5 offset 0.5", "tanh_shrink": "sub( id | tanh )",
    "log_sigmoid": "scale init -1 -> softplus -> scale init -1",
}  # fmt: skip
NO_WORD = (
    "exponential", "squareplus", "sparse_plus", "sparsemax", "hard_shrink", "threshold",
)  # fmt: skip


def rectifier(negative_slope=0.0, max_value=None, threshold=0.0) -> str:
    """A chain of `ReLU` with all its arguments."""
    if threshold:
        raise NotComparable("a rectifier that begins elsewhere than at 0")
    slope = float(negative_slope)
    if slope and not 0 <= slope <= 1:
        raise NotComparable("a slope below 0 or above 1")
    if max_value is None:
        return f"leaky slope {slope!r}" if slope else "relu"
    ceiling = float(max_value)
    return f"leaky slope {slope!r} -> clip low none high {ceiling!r}" if slope else f"clip low 0 high {ceiling!r}"


def chain(name: str, **settings) -> str:
    """The words of an activation that looks at each number alone."""
    if name == "linear":
        return "id"
    if name == "relu" and settings:
        return rectifier(**settings)
    if name in PLAIN:
        return PLAIN[name]
    if name == "leaky_relu":
        return rectifier(settings.get("negative_slope", 0.2))
    if name in ("elu", "celu"):
        return f"{name} alpha {float(settings.get('alpha', 1.0))!r}"
    if name == "gelu":
        return f"gelu form {'tanh' if settings.get('approximate', False) else 'exact'}"
    if name == "soft_shrink":
        bound = float(settings.get("threshold", 0.5))
        return f"sub( id | clip low {-bound!r} high {bound!r} )"
    raise NotComparable(f"no word for {name}" if name in NO_WORD else "an activation of its own")


def said(name: str, x, axis=-1, **settings) -> Said:
    """An activation of an array of any shape."""
    if x.size == 0:
        raise NotComparable("an array without numbers")
    if name in ("softmax", "log_softmax"):
        word = name.replace("_", "")
        if axis is None or isinstance(axis, (tuple, list)):
            inward, outward = axes_together(x, range(x.ndim) if axis is None else axis)
        else:
            inward, outward = rows(x, axis)
        if inward(x).shape[1] == 1:
            raise NotComparable("softmax of one class")
        return Said(word, [(x, inward)], outward)
    if name == "glu":
        inward, outward = rows(x, axis)
        half = x.shape[axis] // 2
        return Said(f"mul( take {half} | take {half} start {half} -> sigmoid )", [(x, inward)], outward)
    return pointwise(chain(name, **settings), x)


def after(activation, channels_last: bool = True) -> str:
    """What stands behind a layer for its argument `activation`."""
    name = getattr(activation, "__name__", type(activation).__name__)
    if activation is None or name == "linear":
        return ""
    if name in ("softmax", "log_softmax"):
        if not channels_last:
            raise NotComparable("softmax over the width")
        return f" -> {name.replace('_', '')}"
    settings = {"negative_slope": 0.2} if name == "leaky_relu" else {}
    return f" -> {chain(name, **settings)}"
