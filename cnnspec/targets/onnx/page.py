"""What a word writes an ONNX model with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...ir import Graph, Node, TensorType

if TYPE_CHECKING:
    import numpy as np
    import onnx

INIT = "cnnspec.init"  # keys of a node's metadata
WORD = "cnnspec.word"


class OnnxPage:
    """What a word writes with: nodes, and the arrays that they read."""

    def __init__(self, graph: Graph, weights: Mapping[str, np.ndarray], dtype: str) -> None:
        from onnx import TensorProto

        self.graph, self.weights, self.dtype = graph, weights, dtype
        self.element = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}[dtype]
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, np.ndarray] = {}
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
        self.nodes.append(made)
        return name

    def note(self, key: str, text: str) -> None:
        """Keep something with the last node that ONNX has no place for."""
        entry = self.nodes[-1].metadata_props.add()
        entry.key, entry.value = key, text
