"""Every word for JAX, by its name: a function of the op, its `Call` and its inputs, in (n, c, h, w) order.

To add one: a function in the module of its family, an entry here. A test tells which words have none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import activation, convolution, cost, join, normalise, pooling, regularise, resample, shape
from .call import Call

Word = Callable[..., Any]

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
    "dense": shape.dense,
    "flatten": shape.flatten,
    "reshape": shape.reshape,
    "shuffle": shape.shuffle,
    "take": shape.take,
    "pad": resample.pad,
    "crop": resample.crop,
    "upsample": resample.upsample,
    "resize": resample.resize,
    "relu": activation.relu,
    "relu6": activation.relu6,
    "leaky": activation.leaky,
    "prelu": normalise.prelu,
    "elu": activation.elu,
    "celu": activation.celu,
    "selu": activation.elu,
    "gelu": activation.gelu,
    "swish": activation.swish,
    "hardswish": activation.hardswish,
    "mish": activation.mish,
    "sigmoid": activation.sigmoid,
    "hardsigmoid": activation.hardsigmoid,
    "tanh": activation.tanh,
    "softplus": activation.softplus,
    "softsign": activation.softsign,
    "step": activation.step,
    "softmax": activation.softmax,
    "logsoftmax": activation.logsoftmax,
    "maxout": activation.maxout,
    "bn": normalise.bn,
    "layernorm": normalise.layernorm,
    "groupnorm": normalise.groupnorm,
    "lrn": normalise.lrn,
    "scale": normalise.scale,
    "dropout": regularise.dropout,
    "droppath": regularise.droppath,
    "add": join.add,
    "concat": join.concat,
    "mul": join.mul,
    "max": join.max,
    "mean": join.mean,
    "cross_entropy": cost.cross_entropy,
    "binary_cross_entropy": cost.binary_cross_entropy,
    "mse": cost.mse,
    "mae": cost.mae,
    "huber": cost.huber,
    "hinge": cost.hinge,
}

__all__ = ["WORDS", "Call", "Word"]
