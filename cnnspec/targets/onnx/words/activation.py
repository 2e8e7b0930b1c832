"""Activations in ONNX: an operator of its own, or the operators of their formula."""

from __future__ import annotations

from math import isinf

from ....ir import Node
from ....ir.expression import Apply, Expression, Number, X, in_order
from ....primitives.activation import Activation
from ....words.activation.gates import Gelu
from ....words.activation.rectifiers import Clip
from ....words.activation.sigmoids import HardSigmoid
from ..page import WORD, OnnxPage, Writer

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
    "power": "Pow",
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
    if node.op.word:
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


WORDS: dict[str, Writer] = {
    "relu": operator("Relu"),
    "relu6": relu6,
    "clip": clip,
    "leaky": operator("LeakyRelu", alpha="slope"),
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
}
