"""Writing ONNX models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ...ir import Graph, Node, TensorType

if TYPE_CHECKING:
    import numpy as np
    import onnx

Writer = Callable[..., object]  # of the page, a node and the names of its inputs

INIT = "cnnspec.init"  # what a note tells: how weights begin
WORD = "cnnspec.word"  # a word that only training knows
PARTS = "cnnspec.parts"  # a word that is written as those it is made of: a line of what it reads, and JSON


class OnnxPage:
    """The model that words write: nodes, and the arrays that they read.

    A word may write in another way for another `opset`; `needs` is the lowest that has all operators so far.
    """

    def __init__(self, graph: Graph, weights: Mapping[str, np.ndarray], dtype: str, opset: int) -> None:
        from onnx import TensorProto

        self.graph, self.weights, self.dtype, self.opset = graph, weights, dtype, opset
        self.needs = opset
        self.needy = ""  # the node that asks for the highest opset
        self.notes: dict[str, str] = {}  # by key and node, as in the model's metadata
        self.element = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}[dtype]
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.names = set(graph.nodes)

    def kind(self, node: Node) -> TensorType:
        """The type of the node's first input."""
        return self.graph.type(node.inputs[0])

    def weight(self, node: Node, name: str) -> str:
        """A parameter of the node; shared ones are one array."""
        full = f"{node.owner}.{name}"
        self.arrays[full] = self.weights[full].astype(self.dtype)
        return full

    def constant(self, name: str, values: Any, dtype: str = "int64") -> str:
        """An array known now: shapes, ratios."""
        import numpy as np

        self.arrays[name] = np.asarray(values, dtype)
        return name

    def number(self, name: str, value: float) -> str:
        """A single number of the model's type."""
        return self.constant(name, value, self.dtype)

    def add(self, kind: str, node: Node, *inputs: str, part: str = "", **attributes: Any) -> str:
        """Add an ONNX node that makes the word's value, or with `part` something on the way to it."""
        from onnx import helper

        name = f"{node.name}.{part}" if part else node.name
        made = helper.make_node(kind, inputs, [name], name=name, **attributes)
        made.doc_string = node.op.written()
        self.ask_for(first_opset(kind), node.op.written())
        self.nodes.append(made)
        return name

    def ask_for(self, opset: int, needy: str) -> None:
        """What `needy` tells of the model cannot be written for less than this opset."""
        if opset > self.needs:
            self.needs, self.needy = opset, needy

    def note(self, key: str, text: str) -> None:
        """Keep something about the last node that ONNX has no place for."""
        self.notes[f"{key} {self.nodes[-1].name}"] = text


@cache
def first_opset(kind: str) -> int:
    """The opset that brought an operator."""
    from onnx import defs

    newest = defs.get_schema(kind).since_version
    return next(version for version in range(1, newest + 1) if defs.has(kind, max_inclusive_version=version))
