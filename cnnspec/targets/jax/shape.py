"""Dense layers, and the same numbers in other axes."""

from __future__ import annotations

from ...words.dense import Dense
from ...words.shape import Flatten, Reshape, Shuffle
from ...words.take import Take
from .call import Array, Call, Word
from .layout import channels_first, channels_last


def dense(op: Dense, call: Call, x: Array) -> Array:
    y = x @ call["weight"].T
    return y + call["bias"] if op.bias else y


def flatten(op: Flatten, call: Call, x: Array) -> Array:
    return channels_first(x).reshape(x.shape[0], -1)


def reshape(op: Reshape, call: Call, x: Array) -> Array:
    return channels_last(channels_first(x).reshape(x.shape[0], *op.size))


def shuffle(op: Shuffle, call: Call, x: Array) -> Array:
    return x.reshape(*x.shape[:-1], op.size, -1).swapaxes(-2, -1).reshape(x.shape)


def take(op: Take, call: Call, x: Array) -> Array:
    return x[..., op.start : op.start + op.size]


WORDS: dict[str, Word] = {
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "shuffle": shuffle,
    "take": take,
}
