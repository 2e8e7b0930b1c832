"""A network as an ONNX model: `cnnspec compile --emit onnx`.

    model = onnx_model(spec.graph, weights)      # an onnx.ModelProto that onnx.checker passes
    onnx.save(model, "net.onnx")

Values are called as in the spec (`conv1`, `basic3.bn2`) and initialisers as our parameters (`conv1.weight`);
the batch stays open (`n`). What each word becomes stands in `words`. What ONNX has no place for is kept in the
model's metadata, where `importer` finds it: how weights begin, and words that only training knows.

The module `onnx` is imported where it is used: it is an extra (`pip install cnnspec[onnx]`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...data.preparation import Preparation
from ...diagnostics import Diagnostic, SpecError
from ...ir import Graph, Node
from ...ir.fields import settings
from ...ir.leaves import Input
from ...lang.exchange import node_as_json
from ...quoting import visible
from ...words.composed import spell_out
from .page import INIT, PARTS, OnnxPage
from .preparing import PREPARES, prepend
from .steps import refuse
from .words import known, writer

if TYPE_CHECKING:
    import numpy as np
    import onnx


LOWEST = 13  # opset: since 2020, and every runtime in use has it
PREPARATION = "cnnspec.preparation"  # in a model's metadata: JSON, by grammar/preparation.schema.json


def need_onnx() -> None:
    """Refuse, with what to install, where the package onnx is missing."""
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        raise SpecError((Diagnostic.of("CNN501"),))


def onnx_model(
    graph: Graph,
    weights: Mapping[str, np.ndarray],
    *,
    name: str = "net",
    dtype: str = "float32",
    opset: int | None = None,
    preparation: Preparation | None = None,
    raw: bool = False,
) -> onnx.ModelProto:
    """The network as an ONNX model with these weights, of the lowest opset and IR that it needs, 13 for most.

    With `opset` it is written for that one, or refused (CNN508) where it lacks an operator. The shapes of all
    values stand in it. With a `preparation` its first nodes prepare images, unless it is `raw`. Whether so, how
    images are prepared, and the classes stand in the model's metadata, and in words in its doc string.
    """
    need_onnx()
    from onnx import helper, numpy_helper

    from ..._version import __version__

    page = written(graph, weights, dtype, opset, None if raw else preparation)

    def value(name: str, of: str, told: str = "") -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, page.element, ["n", *graph.type(of).shape], told)

    outputs = []
    for output in graph.outputs:
        if output in graph.inputs:  # ONNX wants a node behind every output
            page.nodes.append(helper.make_node("Identity", [output], [f"{output}.same"], name=f"{output}.same"))
            outputs.append(value(f"{output}.same", output))
        else:
            outputs.append(value(output, output, graph.nodes[output].op.written()))
    inputs = page.inputs or [value(name, name, f"input {graph.type(name)}") for name in graph.inputs]
    whole = helper.make_graph(page.nodes, visible(name), inputs, outputs)
    versions = [helper.make_opsetid("", page.opset)]
    model = helper.make_model(
        whole,
        opset_imports=versions,
        ir_version=helper.find_min_ir_version_for(versions),
        producer_name="cnnspec",
        producer_version=__version__,
        doc_string=preparation.told(raw) if preparation else "",
    )
    made = [node.name for node in graph if node.name not in (*graph.inputs, *graph.outputs)]
    model.graph.value_info.extend(value(name, name) for name in made)
    keep_shapes(model, page.arrays)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in page.arrays.items())
    props = dict(page.notes)
    if preparation:
        props[PREPARATION] = json.dumps(preparation.to_json())
        props[PREPARES] = "no" if raw else "yes"
        if preparation.classes:
            props["classes"] = json.dumps(preparation.classes)
        if preparation.table:
            props["columns"] = json.dumps(preparation.table.inputs)
    if props:
        helper.set_model_props(model, props)
    return model


def written(
    graph: Graph, weights: Mapping[str, np.ndarray], dtype: str, opset: int | None, preparation: Preparation | None
) -> OnnxPage:
    """The page with every word on it, and what prepares images, for an opset that has all the operators."""
    from onnx import defs

    newest = defs.onnx_opset_version()
    if opset is not None and not LOWEST <= opset <= newest:
        refuse("CNN508", case="none", opset=opset, lowest=LOWEST, newest=newest)
    spelled = spell_out(graph, known)
    page = OnnxPage(spelled, weights, dtype, opset or LOWEST)
    for node in spelled:
        if not isinstance(node.op, Input):
            writer(node.op)(page, node, *node.inputs)
            word = graph.nodes.get(node.name, node)
            if word.op != node.op:
                page.note(PARTS, parts_note(word))
            op: Any = node.op
            init = settings(type(op)).get("init")
            if init and op.init != init.default:
                page.note(INIT, str(op.init))
    page.inputs = [prepend(page, name, preparation.of(name)) for name in graph.inputs] if preparation else []
    if page.needs == page.opset:
        return page
    if opset is not None:
        refuse("CNN508", word=page.needy, needs=page.needs, opset=opset)
    return written(graph, weights, dtype, page.needs, preparation)


def parts_note(node: Node) -> str:
    """What tells the way back which word it is that was written as the words that it is made of."""
    entry = node_as_json(node)
    return " ".join(node.inputs) + "\n" + json.dumps({key: entry[key] for key in ("word", "settings")})


def keep_shapes(model: onnx.ModelProto, arrays: Mapping[str, np.ndarray]) -> None:
    """Store the shapes of values within the words as well; large arrays are looked at by their shape alone."""
    from onnx import ModelProto, helper, numpy_helper, shape_inference

    skeleton = ModelProto()
    skeleton.CopyFrom(model)
    for name, array in arrays.items():
        if array.dtype.kind == "i":
            skeleton.graph.initializer.append(numpy_helper.from_array(array, name))
        else:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            skeleton.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
    found = shape_inference.infer_shapes(skeleton, strict_mode=True, data_prop=True)
    known = {entry.name for entry in model.graph.value_info}
    model.graph.value_info.extend(entry for entry in found.graph.value_info if entry.name not in known)
