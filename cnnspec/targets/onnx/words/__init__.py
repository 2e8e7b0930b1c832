"""Words in ONNX: one node each, or a few.

A function takes the page, the node and the names of its inputs; the last node that it adds carries the word's
name. It stands in the file of its family, those of few lines here, and has its entry in the table there. A word
without one is written as the words that it is made of, an activation as its formula. The tests hold the outputs
against onnxruntime's and the way back (`importer`) against the graph.
"""

from __future__ import annotations

from ....ir import Node, TensorType
from ....ir.op import Op
from ....primitives.activation import Activation
from ....words.dense import Dense
from ....words.regularise import Dropout, DropPath
from ..page import WORD, OnnxPage, Writer
from . import activation, norm, pixel, window
from .activation import pointwise
from .window import biased

# ---- dense and shape -----------------------------------------------------------------------------------


def dense(page: OnnxPage, node: Node[Dense], x: str) -> None:
    page.add("Gemm", node, x, *biased(page, node), transB=1)


def flatten(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, x)


def reshape(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Reshape", node, x, page.constant(f"{node.name}.shape", [0, *node.type.shape]))


# ---- regularisation ----------------------------------------------------------------------------------------


def droppath(page: OnnxPage, node: Node[DropPath], x: str) -> None:
    page.add("Identity", node, x)  # ONNX has no word for it; in use it does nothing
    page.note(WORD, node.op.written())


def dropout(page: OnnxPage, node: Node[Dropout], x: str) -> None:
    page.add("Dropout", node, x, page.number(f"{node.name}.ratio", node.op.rate))


# ---- joins -------------------------------------------------------------------------------------------


def add(page: OnnxPage, node: Node, *inputs: str) -> None:
    page.add("Add" if len(inputs) == 2 else "Sum", node, *inputs)


def sub(page: OnnxPage, node: Node, *inputs: str) -> None:
    left = inputs[0]
    for count, value in enumerate(inputs[1:], 2):
        left = page.add("Sub", node, left, value, part="" if count == len(inputs) else f"{count}")


def mul(page: OnnxPage, node: Node, *inputs: str) -> None:
    rank = len(node.type.shape)
    factors: list[str] = []
    for value in inputs:
        missing = rank - len(page.graph.type(value).shape)
        if missing:
            axes = page.constant(f"{node.name}.axes", list(range(rank + 1 - missing, rank + 1)))
            value = page.add("Unsqueeze", node, value, axes, part=f"gate{len(factors)}")
        factors.append(value)
    product = factors[0]
    for count, factor in enumerate(factors[1:], 1):
        product = page.add("Mul", node, product, factor, part="" if count == len(factors) - 1 else f"{count}")


def join(kind: str) -> Writer:
    """An operator that takes any number of values of one shape."""

    def write(page: OnnxPage, node: Node, *inputs: str) -> None:
        page.add(kind, node, *inputs)

    return write


def concat(page: OnnxPage, node: Node, *inputs: str) -> None:
    page.add("Concat", node, *inputs, axis=1)


WORDS: dict[str, Writer] = {
    **window.WORDS,
    **pixel.WORDS,
    **activation.WORDS,
    **norm.WORDS,
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "dropout": dropout,
    "droppath": droppath,
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": join("Max"),
    "min": join("Min"),
    "sub": sub,
    "mean": join("Mean"),
}


def known(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Whether a word is written as itself."""
    return op.word in WORDS


def writer(op: Op) -> Writer:
    """What writes a word: its function, or else the formula of an activation."""
    return WORDS.get(op.word, pointwise) if isinstance(op, Activation) else WORDS[op.word]
