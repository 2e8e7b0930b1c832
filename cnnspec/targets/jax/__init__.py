"""Every word for JAX, by its name: a function of the op, its `Call` and its inputs, channels last (`layout`).

It stands in the module of its family, and has its entry in the `WORDS` there. A word without one is computed as the
words that it is made of, an activation or a pooling word by its formula.
"""

from __future__ import annotations

from ...ir import TensorType
from ...ir.op import Op
from ...primitives.activation import Activation
from ...words.pool import OfFormula
from . import activation, convolution, cost, join, normalise, pooling, regularise, resample, shape
from .call import Call, Word

WORDS: dict[str, Word] = {
    **convolution.WORDS,
    **pooling.WORDS,
    **shape.WORDS,
    **resample.WORDS,
    **activation.WORDS,
    **normalise.WORDS,
    **regularise.WORDS,
    **join.WORDS,
    **cost.WORDS,
}


def known(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Whether a word is computed as itself."""
    return op.word in WORDS or isinstance(op, OfFormula)


def meaning(op: Op) -> Word:
    """What a word is on JAX's arrays: its function, or the formula of an activation or of windows."""
    if isinstance(op, Activation):
        return activation.pointwise
    return WORDS.get(op.word, pooling.formula)


__all__ = ["WORDS", "Call", "Word", "known", "meaning"]
