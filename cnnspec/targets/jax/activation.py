"""Activations: their formulas on JAX's arrays, and those that look at all channels of a pixel.

Each condition decides as ours does where two pieces meet, and so does its gradient, which JAX derives: `maximum`
is a choice here, since the gradient of JAX's own is halved at a tie. NaN stays NaN, to be found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import jax
import jax.numpy as jnp
from jax import lax

from ...ir.expression import Expression, X, walk
from ...primitives.activation import Activation
from ...words.channels import ChannelMax, ChannelMean, LogSoftmax, Maxout, RadixSoftmax, Softmax
from .call import Array, Call, Word, wide

FUNCTIONS: dict[str, Callable[..., Array]] = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "multiply": jnp.multiply,
    "divide": jnp.divide,
    "negative": jnp.negative,
    "less": jnp.less,
    "less_equal": jnp.less_equal,
    "greater": jnp.greater,
    "greater_equal": jnp.greater_equal,
    "where": jnp.where,
    "maximum": lambda a, b: jnp.where(a <= b, b, a),
    "minimum": lambda a, b: jnp.where(a >= b, b, a),
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "sqrt": jnp.sqrt,
    "tanh": jnp.tanh,
    "erf": jax.scipy.special.erf,
    "absolute": lambda a: a * jnp.sign(lax.stop_gradient(a)),  # the gradient of JAX's own at 0 is 1
    "sign": jnp.sign,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "power": lambda a, p: a ** (int(p) if p == int(p) else p),
}


def pointwise(op: Activation, call: Call, x: Array) -> Array:
    """The formula of an activation; a number in it takes the dtype of x."""
    return computed(op.formula(X), x=x).astype(x.dtype)


def computed(formula: Expression, **given: Array) -> Array:
    """A formula of some arrays."""
    symbols: dict[str, Array | float] = {**given}
    return jnp.asarray(walk(formula, symbols, FUNCTIONS, float))


def softmax(op: Softmax, call: Call, x: Array) -> Array:
    return jax.nn.softmax(wide(x), axis=-1).astype(x.dtype)


def logsoftmax(op: LogSoftmax, call: Call, x: Array) -> Array:
    return jax.nn.log_softmax(wide(x), axis=-1).astype(x.dtype)


def maxout(op: Maxout, call: Call, x: Array) -> Array:
    pieces = x.reshape(*x.shape[:-1], -1, op.size)
    return first_largest([pieces[..., k] for k in range(op.size)])


def first_largest(values: list[Array]) -> Array:
    """The largest, number by number; of a tie the first gets the gradient."""
    return reduce(lambda a, b: jnp.where(a >= b, a, b), values)


def radix_softmax(op: RadixSoftmax, call: Call, x: Array) -> Array:
    parts = wide(x).reshape(*x.shape[:-1], op.size, -1)
    return jax.nn.softmax(parts, axis=-2).reshape(x.shape).astype(x.dtype)


def channel_mean(op: ChannelMean, call: Call, x: Array) -> Array:
    return x.mean(axis=-1, keepdims=True)


def channel_max(op: ChannelMax, call: Call, x: Array) -> Array:
    return first_largest([x[..., k : k + 1] for k in range(x.shape[-1])])


WORDS: dict[str, Word] = {
    "channelmean": channel_mean,
    "channelmax": channel_max,
    "softmax": softmax,
    "logsoftmax": logsoftmax,
    "radixsoftmax": radix_softmax,
    "maxout": maxout,
}
