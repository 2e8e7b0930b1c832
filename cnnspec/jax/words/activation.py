"""Activations. Each condition decides as ours does where two pieces meet, and so does its gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ...ops import Leaky, Relu, Sigmoid, Tanh
from ...ops.channels import Softmax
from .call import Array, Call, wide


def relu(op: Relu, call: Call, x: Array) -> Array:
    return jnp.where(x <= 0, 0, x)  # NaN stays NaN, to be found


def leaky(op: Leaky, call: Call, x: Array) -> Array:
    return jnp.where(x > 0, x, x * op.slope)


def sigmoid(op: Sigmoid, call: Call, x: Array) -> Array:
    return jax.nn.sigmoid(x)


def tanh(op: Tanh, call: Call, x: Array) -> Array:
    return jnp.tanh(x)


def softmax(op: Softmax, call: Call, x: Array) -> Array:
    return jax.nn.softmax(wide(x), axis=1).astype(x.dtype)
