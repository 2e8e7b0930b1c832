"""Joins: several branches become one value."""

from __future__ import annotations

from functools import reduce

import jax.numpy as jnp

from ...words.merge import Add, Concat, Max, Mean, Min, Mul, Sub
from .activation import first_largest
from .call import Array, Call, Word


def add(op: Add, call: Call, *branches: Array) -> Array:
    return sum(branches[1:], branches[0])


def mean(op: Mean, call: Call, *branches: Array) -> Array:
    return sum(branches[1:], branches[0]) / len(branches)


def max(op: Max, call: Call, *branches: Array) -> Array:
    return first_largest([*branches])


def min(op: Min, call: Call, *branches: Array) -> Array:
    return -first_largest([-x for x in branches])


def sub(op: Sub, call: Call, *branches: Array) -> Array:
    return reduce(jnp.subtract, branches)


def mul(op: Mul, call: Call, *branches: Array) -> Array:
    rank = len(call.node.type.shape) + 1
    return reduce(jnp.multiply, (x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in branches))


def concat(op: Concat, call: Call, *branches: Array) -> Array:
    return jnp.concatenate(branches, axis=-1)


WORDS: dict[str, Word] = {
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": max,
    "min": min,
    "sub": sub,
    "mean": mean,
}
