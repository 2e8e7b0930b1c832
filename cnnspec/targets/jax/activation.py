"""Activations. Each condition decides as ours does where two pieces meet, and so does its gradient."""

from __future__ import annotations

from functools import reduce

import jax
import jax.numpy as jnp

from ...words import (
    Celu,
    Elu,
    Gelu,
    HardSigmoid,
    HardSwish,
    Leaky,
    LogSoftmax,
    Maxout,
    Mish,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Softmax,
    Softplus,
    Softsign,
    Step,
    Swish,
    Tanh,
)
from .call import Array, Call, wide


def relu(op: Relu, call: Call, x: Array) -> Array:
    return jnp.where(x <= 0, 0, x)  # NaN stays NaN, to be found


def relu6(op: Relu6, call: Call, x: Array) -> Array:
    return jnp.where(x <= 0, 0, jnp.where(x >= 6, 6, x))


def leaky(op: Leaky, call: Call, x: Array) -> Array:
    return jnp.where(x > 0, x, x * op.slope)


def elu(op: Elu | Selu, call: Call, x: Array) -> Array:
    low, high = op.numbers
    return jnp.where(x > 0, high * x, low * jnp.expm1(jnp.where(x > 0, 0, x)))


def celu(op: Celu, call: Call, x: Array) -> Array:
    return jnp.where(x > 0, x, op.alpha * jnp.expm1(jnp.where(x > 0, 0, x) / op.alpha))


def gelu(op: Gelu, call: Call, x: Array) -> Array:
    return jax.nn.gelu(x, approximate=op.form == "tanh")


def swish(op: Swish, call: Call, x: Array) -> Array:
    return x * jax.nn.sigmoid(x)


def hardswish(op: HardSwish, call: Call, x: Array) -> Array:
    return jnp.where(x <= -3, 0, jnp.where(x < 3, x * (x / 6 + 0.5), x))


def mish(op: Mish, call: Call, x: Array) -> Array:
    return x * jnp.tanh(jax.nn.softplus(x))


def sigmoid(op: Sigmoid, call: Call, x: Array) -> Array:
    return jax.nn.sigmoid(x)


def hardsigmoid(op: HardSigmoid, call: Call, x: Array) -> Array:
    return jnp.where(x <= -3, 0, jnp.where(x >= 3, 1, x / 6 + 0.5))


def tanh(op: Tanh, call: Call, x: Array) -> Array:
    return jnp.tanh(x)


def softplus(op: Softplus, call: Call, x: Array) -> Array:
    return jax.nn.softplus(x)


def softsign(op: Softsign, call: Call, x: Array) -> Array:
    return x / (1 + jnp.abs(x))


def step(op: Step, call: Call, x: Array) -> Array:
    return (x > 0).astype(x.dtype)


def softmax(op: Softmax, call: Call, x: Array) -> Array:
    return jax.nn.softmax(wide(x), axis=1).astype(x.dtype)


def logsoftmax(op: LogSoftmax, call: Call, x: Array) -> Array:
    return jax.nn.log_softmax(wide(x), axis=1).astype(x.dtype)


def maxout(op: Maxout, call: Call, x: Array) -> Array:
    pieces = x.reshape(len(x), -1, op.size, *x.shape[2:])
    return first_largest([pieces[:, :, k] for k in range(op.size)])


def first_largest(values: list[Array]) -> Array:
    """The largest, number by number; of a tie the first gets the gradient."""
    return reduce(lambda a, b: jnp.where(a >= b, a, b), values)
