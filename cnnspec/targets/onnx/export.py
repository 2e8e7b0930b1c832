"""A network as an ONNX model: `cnnspec compile --emit onnx`.

    model = onnx_model(spec.graph, weights)      # an onnx.ModelProto that onnx.checker passes
    onnx.save(model, "net.onnx")

Values are called as in the spec (`conv1`, `basic3.bn2`) and initialisers as our parameters (`conv1.weight`);
the batch stays open (`n`). What each word becomes stands in `onnx_words`. What ONNX has no place for is kept
in a node's metadata, where `importer` finds it: how weights begin, and words that only training knows.

The module `onnx` is imported where it is used: it is an extra (`pip install cnnspec[onnx]`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...data.preparation import Preparation
from ...diagnostics import Diagnostic, SpecError
from ...ir import Graph
from ...ir.fields import settings
from ...ops.leaves import Input
from ...quoting import visible
from .page import INIT, OnnxPage
from .words import WORDS

if TYPE_CHECKING:
    import numpy as np
    import onnx


PREPARATION = "cnnspec.preparation"  # in a model's metadata: JSON, by grammar/preparation.schema.json


def need_onnx() -> None:
    """Refuse, with what to install, where the package onnx is missing."""
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        help = "install the extra: pip install cnnspec[onnx]"
        raise SpecError((Diagnostic("CNN501", "the package onnx is not installed", help=help),))


def onnx_model(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    *,
    name: str = "net",
    dtype: str = "float32",
    opset: int | None = None,
    preparation: Preparation | None = None,
) -> onnx.ModelProto:
    """The network as an ONNX model with these weights; the newest opset that the package knows unless told.

    How images are prepared for it, and its classes, stand in the model's metadata, and in words in its doc string.
    """
    need_onnx()
    import onnx
    from onnx import helper, numpy_helper

    from ..._version import __version__

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
        visible(name),
        [value(name, name) for name in graph.inputs],
        outputs,
        [numpy_helper.from_array(array, name) for name, array in page.arrays.items()],
    )
    versions = [helper.make_opsetid("", opset or onnx.defs.onnx_opset_version())]
    model = helper.make_model(
        made,
        opset_imports=versions,
        ir_version=max(helper.find_min_ir_version_for(versions), 10),  # nodes have metadata since 10
        producer_name="cnnspec",
        producer_version=__version__,
        doc_string=preparation.told() if preparation else "",
    )
    if preparation:
        props = {PREPARATION: json.dumps(preparation.to_json())}
        if preparation.classes:
            props["classes"] = json.dumps(preparation.classes)
        helper.set_model_props(model, props)
    return model
