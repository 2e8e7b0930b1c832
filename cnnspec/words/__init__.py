"""Every word of the language, in the order of the reference."""

from __future__ import annotations

from ..ir.op import Op, Parameter, Window
from .activation import ACTIVATIONS
from .affine import ChannelScale, PRelu
from .channels import ChannelMax, ChannelMean, LogSoftmax, Maxout, RadixSoftmax, Softmax
from .conv import Conv, DwConv
from .dense import Dense
from .merge import Add, Concat, Max, Mean, Min, Mul, Sub
from .norm import Bn
from .pool import AvgPool, Gap, LpPool, MaxPool, MinPool
from .regularise import Dropout, DropPath
from .resample import Crop, Gmp, Pad, PixelShuffle, PixelUnshuffle, Resize, Upsample
from .shape import Flatten, Reshape, Shuffle
from .standardise import Grn, GroupNorm, LayerNorm, Lrn
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
    ChannelMean,
    ChannelMax,
    Dense,
    Flatten,
    Reshape,
    Pad,
    Crop,
    Upsample,
    Resize,
    PixelShuffle,
    PixelUnshuffle,
    Shuffle,
    Take,
    *ACTIVATIONS,
    PRelu,
    Softmax,
    LogSoftmax,
    RadixSoftmax,
    Maxout,
    Bn,
    LayerNorm,
    GroupNorm,
    Lrn,
    Grn,
    ChannelScale,
    Dropout,
    DropPath,
    Add,
    Concat,
    Mul,
    Max,
    Min,
    Mean,
    Sub,
)

WORDS: dict[str, type[Op]] = {op.word: op for op in OPS}

__all__ = ["OPS", "WORDS", "Op", "Parameter", "Window"]
