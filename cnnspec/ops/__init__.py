"""Every word of the language, in the order of the reference."""

from __future__ import annotations

from .activation import Leaky, Relu, Sigmoid, Softmax, Tanh
from .base import Op, Parameter, Window
from .conv import Conv, DwConv
from .dense import Dense
from .merge import Add, Concat, Max, Mean, Mul
from .norm import Bn
from .pool import AvgPool, Gap, MaxPool, MinPool
from .regularise import Dropout
from .shape import Flatten, Reshape, Shuffle

OPS: tuple[type[Op], ...] = (
    Conv,
    DwConv,
    MaxPool,
    AvgPool,
    MinPool,
    Gap,
    Dense,
    Flatten,
    Reshape,
    Shuffle,
    Relu,
    Leaky,
    Sigmoid,
    Tanh,
    Softmax,
    Bn,
    Dropout,
    Add,
    Concat,
    Mul,
    Max,
    Mean,
)

WORDS: dict[str, type[Op]] = {op.word: op for op in OPS}

__all__ = ["OPS", "WORDS", "Op", "Parameter", "Window"]
