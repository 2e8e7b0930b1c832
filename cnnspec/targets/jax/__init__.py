"""Every word for JAX, by its name: a function of the op, its `Call` and its inputs, in (n, c, h, w) order.

To add one: a function in the module of its family, an entry here. A test tells which words have none.
"""

from __future__ import annotations

from collections.abc import Callable

from jax import Array

from ...ir.op import Op
from ...primitives.activation import Activation
from . import activation, convolution, cost, join, normalise, pooling, regularise, resample, shape
from .call import Call

Word = Callable[..., Array]


def meaning(op: Op) -> Word:
    """What a word is on JAX's arrays: its function below, or the formula of an activation."""
    return activation.pointwise if isinstance(op, Activation) else WORDS[op.word]


WORDS: dict[str, Word] = {
    "conv": convolution.conv,
    "dwconv": convolution.dwconv,
    "upconv": convolution.upconv,
    "maxpool": pooling.maxpool,
    "avgpool": pooling.avgpool,
    "minpool": pooling.minpool,
    "lppool": pooling.lppool,
    "gap": pooling.gap,
    "gmp": pooling.gmp,
    "channelmean": activation.channel_mean,
    "channelmax": activation.channel_max,
    "dense": shape.dense,
    "flatten": shape.flatten,
    "reshape": shape.reshape,
    "shuffle": shape.shuffle,
    "take": shape.take,
    "pad": resample.pad,
    "crop": resample.crop,
    "upsample": resample.upsample,
    "resize": resample.resize,
    "pixelshuffle": resample.pixel_shuffle,
    "pixelunshuffle": resample.pixel_unshuffle,
    "prelu": normalise.prelu,
    "softmax": activation.softmax,
    "logsoftmax": activation.logsoftmax,
    "radixsoftmax": activation.radix_softmax,
    "maxout": activation.maxout,
    "bn": normalise.bn,
    "layernorm": normalise.layernorm,
    "groupnorm": normalise.groupnorm,
    "lrn": normalise.lrn,
    "grn": normalise.grn,
    "scale": normalise.scale,
    "dropout": regularise.dropout,
    "droppath": regularise.droppath,
    "add": join.add,
    "concat": join.concat,
    "mul": join.mul,
    "max": join.max,
    "min": join.min,
    "sub": join.sub,
    "mean": join.mean,
    "cross_entropy": cost.cross_entropy,
    "binary_cross_entropy": cost.binary_cross_entropy,
    "mse": cost.mse,
    "mae": cost.mae,
    "huber": cost.huber,
    "hinge": cost.hinge,
}

__all__ = ["WORDS", "Call", "Word", "meaning"]
