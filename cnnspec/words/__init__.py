"""Every word of the language, in the order of the reference: each family's file names its own in `OPS`."""

from __future__ import annotations

from ..ir.op import Op, Parameter, Window
from . import (
    affine,
    channels,
    conv,
    dense,
    merge,
    norm,
    pool,
    regularise,
    resample,
    shape,
    standardise,
    take,
    upconv,
)
from .activation import ACTIVATIONS

OPS: tuple[type[Op], ...] = (
    *conv.OPS,
    *upconv.OPS,
    *pool.OPS,
    *dense.OPS,
    *shape.OPS,
    *resample.OPS,
    *take.OPS,
    *ACTIVATIONS,
    *norm.OPS,
    *standardise.OPS,
    *affine.OPS,
    *channels.OPS,
    *regularise.OPS,
    *merge.OPS,
)

WORDS: dict[str, type[Op]] = {op.word: op for op in OPS}

__all__ = ["OPS", "WORDS", "Op", "Parameter", "Window"]
