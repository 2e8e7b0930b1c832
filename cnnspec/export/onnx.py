"""A network as an ONNX model: `cnnspec compile --emit onnx`.

    model = onnx_model(spec.graph, weights)      # an onnx.ModelProto that onnx.checker passes
    onnx.save(model, "net.onnx")

Values are called as in the spec (`conv1`, `basic3.bn2`) and initialisers as our parameters (`conv1.weight`);
the batch stays open (`n`). What each word becomes stands in `onnx_words`. What ONNX has no place for is kept
in a node's metadata, where `onnx_import` finds it: how weights begin, and words that only training knows.

The module `onnx` is imported where it is used: it is an extra (`pip install cnnspec[onnx]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..diagnostics import Diagnostic, SpecError
from ..ir import Graph, Node, TensorType
from ..ops.fields import settings
from ..ops.leaves import Input

if TYPE_CHECKING:
    import numpy as np
    import onnx

OLDEST = 21  # the first opset whose operators mean what is written here
INIT = "cnnspec.init"  # keys of a node's metadata
WORD = "cnnspec.word"


def need_onnx() -> None:
    """Refuse, with what to install, where the package onnx is missing."""
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        help = "install the extra: pip install cnnspec[onnx]"
        raise SpecError((Diagnostic("CNN501", "the package onnx is not installed", help=help),))


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


def onnx_model(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    *,
    name: str = "net",
    dtype: str = "float32",
    opset: int | None = None,
) -> onnx.ModelProto:
    """The network as an ONNX model with these weights; the newest opset that the package knows unless told."""
    need_onnx()
    import onnx
    from onnx import helper, numpy_helper

    from .. import __version__
    from .onnx_words import WORDS

    page = OnnxPage(graph, weights, dtype)
    for node in graph:
        if not isinstance(node.op, Input):
            WORDS[node.op.word](page, node, *node.inputs)
            op: Any = node.op
            init = settings(type(op)).get("init")
            if init and op.init != init.default:
                page.note(INIT, str(op.init))

    def value(name: str, of: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, page.element, ["n", *graph.type(of).shape])

    outputs = []
    for output in graph.outputs:
        if output in graph.inputs:  # ONNX wants a node behind every output
            page.nodes.append(helper.make_node("Identity", [output], [f"{output}.same"]))
            outputs.append(value(f"{output}.same", output))
        else:
            outputs.append(value(output, output))
    made = helper.make_graph(
        page.nodes,
        name,
        [value(name, name) for name in graph.inputs],
        outputs,
        [numpy_helper.from_array(array, name) for name, array in page.arrays.items()],
    )
    versions = [helper.make_opsetid("", opset or onnx.defs.onnx_opset_version())]
    return helper.make_model(
        made,
        opset_imports=versions,
        ir_version=max(helper.find_min_ir_version_for(versions), 10),  # nodes have metadata since 10
        producer_name="cnnspec",
        producer_version=__version__,
    )
