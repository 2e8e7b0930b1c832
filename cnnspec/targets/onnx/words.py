"""What each word becomes in ONNX: one node, or a few.

A function takes the page, the node and the names of its inputs; the last node that it adds carries the word's
name. To add a word: a function here and its entry in WORDS; the tests then hold the outputs against
onnxruntime's and the way back (`onnx_import`) against the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isinf

from ...ir import Node
from ...ir.expression import Apply, Expression, Number, X, in_order
from ...ir.op import Op
from ...primitives.activation import Activation
from ...words.activation import Clip, Gelu, HardSigmoid
from ...words.channels import Maxout
from ...words.dense import Dense
from ...words.regularise import Dropout, DropPath
from ...words.resample import Crop, Pad, Resize, Upsample
from ...words.shape import Shuffle
from ...words.take import Take
from .norm_words import bn, groupnorm, layernorm, lrn, prelu, scale
from .page import WORD, OnnxPage
from .window_words import avgpool, biased, convolution, lppool, maxpool, minpool, upconv

Writer = Callable[..., object]


# ---- dense and shape -----------------------------------------------------------------------------------


def dense(page: OnnxPage, node: Node[Dense], x: str) -> None:
    page.add("Gemm", node, x, *biased(page, node), transB=1)


def gap(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, page.add("GlobalAveragePool", node, x, part="pixel"))


def gmp(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, page.add("GlobalMaxPool", node, x, part="pixel"))


def pad(page: OnnxPage, node: Node[Pad], x: str) -> None:
    """Noted, so that no window behind it takes the padding as its own."""
    op = node.op
    kind = page.kind(node)
    sides = op.sides(kind)[-len(kind.spatial) :]
    before, after = ([0, op.channels, *(pair[k] for pair in sides)] for k in (0, 1))
    mode = "constant" if op.mode == "zeros" else op.mode
    page.add("Pad", node, x, page.constant(f"{node.name}.sides", before + after), mode=mode)
    page.note(WORD, "pad")


def crop(page: OnnxPage, node: Node[Crop], x: str) -> None:
    kind = page.kind(node)
    rank = len(kind.spatial)
    starts = node.op.before(kind)[-rank:]
    ends = [start + size for start, size in zip(starts, node.type.spatial, strict=True)]
    cut(page, node, x, starts, ends, range(2, 2 + rank))


def take(page: OnnxPage, node: Node[Take], x: str) -> None:
    op = node.op
    cut(page, node, x, [op.start], [op.start + op.size], [1])


def cut(page: OnnxPage, node: Node, x: str, *parts: Iterable[int]) -> None:
    """A part of the value; `parts` are starts, ends and axes."""
    named = zip(("starts", "ends", "axes"), parts, strict=True)
    page.add("Slice", node, x, *(page.constant(f"{node.name}.{name}", list(values)) for name, values in named))


def upsample(page: OnnxPage, node: Node[Upsample], x: str) -> None:
    factors = node.op.factors(page.kind(node))[-len(node.type.spatial) :]
    scales = page.constant(f"{node.name}.scales", [1, 1, *factors], "float32")
    page.add("Resize", node, x, "", scales, **NEAREST)


def resize(page: OnnxPage, node: Node[Resize], x: str) -> None:
    nearest = node.op.mode == "nearest"
    how = NEAREST if nearest else {"mode": "linear"}
    if page.opset >= 18:
        sizes = page.constant(f"{node.name}.sizes", [*node.type.spatial])
        page.add("Resize", node, x, "", "", sizes, axes=list(range(2, 2 + len(node.type.spatial))), **how)
        return
    whole = page.add("Shape", node, x, part="whole")
    ends = [page.constant(f"{node.name}.{name}", [k]) for name, k in (("first", 0), ("second", 1))]
    images = page.add("Slice", node, whole, *ends, part="images")
    size = page.constant(f"{node.name}.size", [*node.type.shape])
    sizes = page.add("Concat", node, images, size, axis=0, part="sizes")
    page.add("Resize", node, x, "", "", sizes, **how)


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def flatten(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, x)


def reshape(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Reshape", node, x, page.constant(f"{node.name}.shape", [0, *node.type.shape]))


def shuffle(page: OnnxPage, node: Node[Shuffle], x: str) -> None:
    groups = node.op.size
    channels, *pixels = node.type.shape
    apart = page.constant(f"{node.name}.groups", [0, groups, channels // groups, *pixels])
    together = page.constant(f"{node.name}.shape", [0, channels, *pixels])
    rows = page.add("Reshape", node, x, apart, part="rows")
    order = [0, 2, 1, *range(3, 3 + len(pixels))]
    page.add("Reshape", node, page.add("Transpose", node, rows, part="columns", perm=order), together)


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


def maxout(page: OnnxPage, node: Node[Maxout], x: str) -> None:
    piece = node.op.size
    shape = page.constant(f"{node.name}.shape", [0, node.type["c"], piece, *node.type.spatial])
    pieces = page.add("Reshape", node, x, shape, part="pieces")
    if page.opset >= 18:
        page.add("ReduceMax", node, pieces, page.constant(f"{node.name}.axes", [2]), keepdims=0)
    else:
        page.add("ReduceMax", node, pieces, axes=[2], keepdims=0)


# ---- regularisation ----------------------------------------------------------------------------------------


def droppath(page: OnnxPage, node: Node[DropPath], x: str) -> None:
    page.add("Identity", node, x)  # ONNX has no word for it; in use it does nothing
    page.note(WORD, node.op.written())


def dropout(page: OnnxPage, node: Node[Dropout], x: str) -> None:
    page.add("Dropout", node, x, page.number(f"{node.name}.ratio", node.op.rate))


# ---- joins -------------------------------------------------------------------------------------------


def add(page: OnnxPage, node: Node, *inputs: str) -> None:
    page.add("Add" if len(inputs) == 2 else "Sum", node, *inputs)


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
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": resize,
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
    "maxout": maxout,
    "bn": bn,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "lrn": lrn,
    "scale": scale,
    "dropout": dropout,
    "droppath": droppath,
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": join("Max"),
    "mean": join("Mean"),
}
