"""What each word becomes in ONNX: one node, or a few.

A function takes the page, the node and the names of its inputs; the last node that it adds carries the word's
name. To add a word: a function here and its entry in WORDS; the tests then hold the outputs against
onnxruntime's and the way back (`onnx_import`) against the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir import Node
from ..ops.geometry import Geometry
from .onnx import OnnxPage

Writer = Callable[..., object]


# ---- convolution and dense ---------------------------------------------------------------------------


def sliding(geometry: Geometry, rank: int, dilated: bool = True) -> dict[str, Any]:
    """Kernel, stride and padding as attributes: pads are all beginnings, then all ends."""
    pads = geometry.pad[-rank:]
    found = {
        "kernel_shape": list(geometry.kernel[-rank:]),
        "strides": list(geometry.stride[-rank:]),
        "pads": [before for before, _ in pads] + [after for _, after in pads],
    }
    return {**found, "dilations": list(geometry.dilate[-rank:])} if dilated else found


def biased(page: OnnxPage, node: Node) -> list[str]:
    """The names of weight and bias."""
    op: Any = node.op
    return [page.weight(node, "weight")] + ([page.weight(node, "bias")] if op.bias else [])


def convolution(page: OnnxPage, node: Node, x: str) -> None:
    op: Any = node.op
    kind = page.kind(node)
    groups = kind["c"] if op.word == "dwconv" else op.groups
    attributes = sliding(op.geometry(kind), len(kind.spatial))
    page.add("Conv", node, x, *biased(page, node), group=groups, **attributes)


def dense(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Gemm", node, x, *biased(page, node), transB=1)


# ---- pooling and shape -------------------------------------------------------------------------------


def maxpool(page: OnnxPage, node: Node, x: str) -> None:
    op: Any = node.op
    kind = page.kind(node)
    page.add("MaxPool", node, x, **sliding(op.geometry(kind), len(kind.spatial), dilated=False))


def minpool(page: OnnxPage, node: Node, x: str) -> None:
    op: Any = node.op
    kind = page.kind(node)
    negated = page.add("Neg", node, x, part="negated")
    window = sliding(op.geometry(kind), len(kind.spatial), dilated=False)
    page.add("Neg", node, page.add("MaxPool", node, negated, part="largest", **window))


def avgpool(page: OnnxPage, node: Node, x: str) -> None:
    op: Any = node.op
    kind = page.kind(node)
    window = sliding(op.geometry(kind), len(kind.spatial), dilated=False)
    page.add("AveragePool", node, x, count_include_pad=int(op.count_pad), **window)


def gap(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, page.add("GlobalAveragePool", node, x, part="pixel"))


def flatten(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Flatten", node, x)


def reshape(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Reshape", node, x, page.constant(f"{node.name}.shape", [0, *node.type.shape]))


def shuffle(page: OnnxPage, node: Node, x: str) -> None:
    groups = node.op.size  # type: ignore[attr-defined]
    channels, *pixels = node.type.shape
    apart = page.constant(f"{node.name}.groups", [0, groups, channels // groups, *pixels])
    together = page.constant(f"{node.name}.shape", [0, channels, *pixels])
    rows = page.add("Reshape", node, x, apart, part="rows")
    order = [0, 2, 1, *range(3, 3 + len(pixels))]
    page.add("Reshape", node, page.add("Transpose", node, rows, part="columns", perm=order), together)


# ---- activations -------------------------------------------------------------------------------------


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


def gelu(page: OnnxPage, node: Node, x: str) -> None:
    form = {"exact": "none", "tanh": "tanh"}[node.op.form]  # type: ignore[attr-defined]
    page.add("Gelu", node, x, approximate=form)


def swish(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Mul", node, x, page.add("Sigmoid", node, x, part="gate"))


def hardsigmoid(page: OnnxPage, node: Node, x: str) -> None:
    page.add("HardSigmoid", node, x, alpha=1 / 6, beta=0.5)


def step(page: OnnxPage, node: Node, x: str) -> None:
    positive = page.add("Greater", node, x, page.number(f"{node.name}.zero", 0), part="positive")
    page.add("Cast", node, positive, to=page.element)


def maxout(page: OnnxPage, node: Node, x: str) -> None:
    piece = node.op.size  # type: ignore[attr-defined]
    shape = page.constant(f"{node.name}.shape", [0, node.type["c"], piece, *node.type.spatial])
    pieces = page.add("Reshape", node, x, shape, part="pieces")
    page.add("ReduceMax", node, pieces, page.constant(f"{node.name}.axes", [2]), keepdims=0)


# ---- normalisation and regularisation ----------------------------------------------------------------


def bn(page: OnnxPage, node: Node, x: str) -> None:
    op: Any = node.op
    learnt = [page.weight(node, name) for name in ("weight", "bias", "running_mean", "running_var")]
    page.add("BatchNormalization", node, x, *learnt, epsilon=op.eps, momentum=1 - op.momentum)


def dropout(page: OnnxPage, node: Node, x: str) -> None:
    page.add("Dropout", node, x, page.number(f"{node.name}.ratio", node.op.rate))  # type: ignore[attr-defined]


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


WORDS: dict[str, Writer] = {
    "conv": convolution,
    "dwconv": convolution,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "minpool": minpool,
    "gap": gap,
    "dense": dense,
    "flatten": flatten,
    "reshape": reshape,
    "shuffle": shuffle,
    "relu": operator("Relu"),
    "relu6": relu6,
    "leaky": operator("LeakyRelu", alpha="slope"),
    "elu": operator("Elu", alpha="alpha"),
    "selu": operator("Selu"),
    "gelu": gelu,
    "swish": swish,
    "hardswish": operator("HardSwish"),
    "mish": operator("Mish"),
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
    "dropout": dropout,
    "add": add,
    "concat": concat,
    "mul": mul,
    "max": join("Max"),
    "mean": join("Mean"),
}
