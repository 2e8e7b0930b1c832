"""Every word of the language, in the order of the reference."""

from __future__ import annotations

from ..ir.op import Op, Parameter, Window
from .activation import ACTIVATIONS
from .affine import ChannelScale, PRelu
from .channels import LogSoftmax, Maxout, Softmax
from .conv import Conv, DwConv
from .dense import Dense
from .merge import Add, Concat, Max, Mean, Mul
from .norm import Bn
from .pool import AvgPool, Gap, LpPool, MaxPool, MinPool
from .regularise import Dropout, DropPath
from .resample import Crop, Gmp, Pad, Resize, Upsample
from .shape import Flatten, Reshape, Shuffle
from .standardise import GroupNorm, LayerNorm, Lrn
from .take import Take
from .upconv import UpConv

OPS: tuple[type[Op], ...] = (
    Conv,
    DwConv,
    UpConv,
    MaxPool,
    AvgPool,
    MinPool,
    LpPool,
    Gap,
    Gmp,
    Dense,
    Flatten,
    Reshape,
    Pad,
    Crop,
    Upsample,
    Resize,
    Shuffle,
    Take,
    *ACTIVATIONS,
    PRelu,
    Softmax,
    LogSoftmax,
    Maxout,
    Bn,
    LayerNorm,
    GroupNorm,
    Lrn,
    ChannelScale,
    Dropout,
    DropPath,
    Add,
    Concat,
    Mul,
    Max,
    Mean,
)

WORDS: dict[str, type[Op]] = {op.word: op for op in OPS}

__all__ = ["OPS", "WORDS", "Op", "Parameter", "Window"]
