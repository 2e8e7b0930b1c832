"""Words in PyTorch: the source of its value, in terms of the variables it reads.

A function takes the page, the node and the variables of its inputs. It stands in the file of its family, and has
its entry in the `WORDS` there. A word without one is written as the words that it is made of, an activation as its
formula; the tests hold outputs and gradients against the engine.
"""

from __future__ import annotations

from ...ir import TensorType
from ...ir.op import Op
from ...primitives.activation import Activation
from . import activations, joins, norms, pixels, windows
from .formula import pointwise
from .page import Writer

WORDS: dict[str, Writer] = {
    **windows.WORDS,
    **pixels.WORDS,
    **activations.WORDS,
    **norms.WORDS,
    **joins.WORDS,
}


def known(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Whether a word is written as itself."""
    return op.word in WORDS


def writer(op: Op) -> Writer:
    """What writes a word: its function, or else the formula of an activation."""
    return WORDS.get(op.word, pointwise) if isinstance(op, Activation) else WORDS[op.word]
