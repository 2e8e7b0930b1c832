"""What each word becomes in ONNX: one node, or a few.

A function takes the page, the node and the names of its inputs; the last node that it adds carries the word's
name. To add a word: a function here and its entry in WORDS; the tests then hold the outputs against
onnxruntime's and the way back (`onnx_import`) against the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isinf

from ...ir import Node
from ...ir.expression import Apply, Expression, Number, X, in_order
from ...ir.op import Op
from ...primitives.activation import Activation
from ...words.activation import Clip, Gelu, HardSigmoid
from ...words.dense import Dense
from ...words.regularise import Dropout, DropPath
from .norm_words import bn, grn, groupnorm, layernorm, lrn, prelu, scale
from .page import WORD, OnnxPage
from .pixel_words import (
    channelmax,
    channelmean,
    crop,
    gap,
    gmp,
    maxout,
    pad,
    pixelshuffle,
    pixelunshuffle,
    radixsoftmax,
    resize,
    shuffle,
    take,
    upsample,
)
from .window_words import avgpool, biased, convolution, lppool, maxpool, minpool, upconv

Writer = Callable[..., object]


# ---- dense and shape -----------------------------------------------------------------------------------


def dense(page: OnnxPage, node: Node[Dense], x: str) -> None:
    page.add("Gemm", node, x, *biased(page, node), transB=1)


def flatten(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, x)


def reshape(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Reshape", node, x, page.constant(f"{node.name}.shape", [0, *node.type.shape]))


# ---- activations -------------------------------------------------------------------------------------


OPERATORS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "maximum": "Max",
    "minimum": "Min",
    "where": "Where",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
    "erf": "Erf",
    "absolute": "Abs",
    "sign": "Sign",
    "sigmoid": "Sigmoid",
    "softplus": "Softplus",
}


def in_operators(formula: Expression) -> Expression:
    """The formula without the functions that ONNX lacks."""
    if not isinstance(formula, Apply):
        return formula
    parts = tuple(map(in_operators, formula.parts))
    if formula.function == "expm1":
        return Apply("subtract", (Apply("exp", parts), Number(1.0)))
    if formula.function == "log1p":
        return Apply("log", (Apply("add", (parts[0], Number(1.0))),))
    return Apply(formula.function, parts)


def pointwise(page: OnnxPage, node: Node, x: str) -> None:
    """The formula of the node's word, which a note tells the way back."""
    assert isinstance(node.op, Activation)
    formula = in_operators(node.op.formula(X))
    names: dict[Expression, str] = {X: x}

    def name(part: Expression) -> str:
        if part not in names:
            assert isinstance(part, Number)
            names[part] = page.number(f"{node.name}.number{len(names)}", part.value)
        return names[part]

    steps = in_order(formula)
    if not steps:
        page.add("Identity", node, name(formula))
    for step in steps:
        part = "" if step is steps[-1] else f"{step.function}{len(names)}"
        names[step] = page.add(OPERATORS[step.function], node, *map(name, step.parts), part=part)
    page.note(WORD, node.op.written())


def operator(kind: str, **attributes: str) -> Writer:
    """An operator of its own; `attributes` name the settings that it takes."""

    def write(page: OnnxPage, node: Node, x: str) -> None:
        page.add(kind, node, x, **{name: getattr(node.op, field) for name, field in attributes.items()})

    return write


def over_channels(kind: str) -> Writer:
    """An operator along the axis of the channels."""

    def write(page: OnnxPage, node: Node, x: str) -> None:
        page.add(kind, node, x, axis=1)

    return write


def relu6(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Clip", node, x, page.number(f"{node.name}.low", 0), page.number(f"{node.name}.high", 6))


def newer(kind: str, since: int, **attributes: str) -> Writer:
    """An operator of its own from an opset on, and before it the formula."""

    def write(page: OnnxPage, node: Node, x: str) -> None:
        if page.opset >= since:
            operator(kind, **attributes)(page, node, x)
        else:
            pointwise(page, node, x)

    return write


def gelu(page: OnnxPage, node: Node[Gelu], x: str) -> None:
    if page.opset >= 20:
        form = node.op.form
        page.add("Gelu", node, x, approximate="none" if form == "exact" else form)
    else:
        pointwise(page, node, x)


def hardsigmoid(page: OnnxPage, node: Node[HardSigmoid], x: str) -> None:
    page.add("HardSigmoid", node, x, alpha=node.op.slope, beta=node.op.offset)


def clip(page: OnnxPage, node: Node[Clip], x: str) -> None:
    bounds = zip(("low", "high"), node.op.bounds, strict=True)
    given = ["" if isinf(bound) else page.number(f"{node.name}.{name}", bound) for name, bound in bounds]
    page.add("Clip", node, x, *given)
    page.note(WORD, node.op.written())


def step(page: OnnxPage, node: Node, x: str) -> None:
    positive = page.add("Greater", node, x, page.number(f"{node.name}.zero", 0), part="positive")
    page.add("Cast", node, positive, to=page.element)


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


def writer(op: Op) -> Writer:
    """What writes a word: its function below, or else the formula of an activation."""
    return WORDS.get(op.word, pointwise) if isinstance(op, Activation) else WORDS[op.word]


WORDS: dict[str, Writer] = {
    "conv": convolution,
    "dwconv": convolution,
    "upconv": upconv,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "minpool": minpool,
    "lppool": lppool,
    "gap": gap,
    "gmp": gmp,
    "channelmean": channelmean,
    "channelmax": channelmax,
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
    "pixelshuffle": pixelshuffle,
    "pixelunshuffle": pixelunshuffle,
    "shuffle": shuffle,
    "take": take,
    "relu": operator("Relu"),
    "relu6": relu6,
    "clip": clip,
    "leaky": operator("LeakyRelu", alpha="slope"),
    "prelu": prelu,
    "elu": operator("Elu", alpha="alpha"),
    "celu": operator("Celu", alpha="alpha"),
    "selu": operator("Selu"),
    "gelu": gelu,
    "hardswish": newer("HardSwish", 14),
    "mish": newer("Mish", 18),
    "sigmoid": operator("Sigmoid"),
    "hardsigmoid": hardsigmoid,
    "tanh": operator("Tanh"),
    "softplus": operator("Softplus"),
    "softsign": operator("Softsign"),
    "step": step,
    "softmax": over_channels("Softmax"),
    "logsoftmax": over_channels("LogSoftmax"),
    "radixsoftmax": radixsoftmax,
    "maxout": maxout,
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "grn": grn,
    "scale": scale,
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
