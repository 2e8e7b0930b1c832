"""How images are prepared, as the first nodes of an ONNX model; and the model without them again.

    input: uint8 [n, h, w, c]  ->  Transpose -> Cast -> Sub -> Mul -> Add  ->  input/prepared: float [n, c, h, w]
    input: uint8 [n, c, any h, any w]  ->  Cast -> Resize -> Round -> Mul  ->  input/prepared: float [n, c, h, w]

Of these a preparation has those that it needs. The input is what is stored: bytes as uint8, its axes as they are.
Pillow rounds twice where this rounds once, so a pixel of a resized picture may be one step of 255 away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.preparation import BYTES, Preparation
from .page import OnnxPage

if TYPE_CHECKING:
    import onnx

PREPARES = "cnnspec.prepares"  # in a model's metadata: `yes` where its first nodes prepare images, else `no`
PREPARED, PART = "/prepared", "/prepare/"
ANTIALIASED = 18  # the opset since which Resize averages all pixels that it covers


def prepend(page: OnnxPage, name: str, preparation: Preparation) -> onnx.ValueInfoProto:
    """Put the nodes that prepare images before all others; returns what the model's input is then."""
    import numpy as np
    from onnx import TensorProto, helper

    prepared, made = f"{name}{PREPARED}", []
    for node in page.nodes:
        node.input[:] = [prepared if value == name else value for value in node.input]

    def add(kind: str, part: str, value: str, *inputs: str, **attributes: Any) -> str:
        own = f"{name}{PART}{part}"
        made.append(helper.make_node(kind, [value, *inputs], [own], name=own, **attributes))
        return own

    def numbers(part: str, values: tuple[float, ...]) -> str:
        column = (
            np.array(values).reshape(-1, *(1,) * (len(preparation.input) - 1)) if len(values) > 1 else values[0]
        )
        return page.constant(f"{name}{PART}{part}.numbers", column, page.dtype)

    value, axes = name, preparation.stored_axes
    if "c" not in axes:
        shape = page.constant(f"{name}{PART}channel.shape", [0, *preparation.input])
        value = add("Reshape", "channel", value, shape)
    elif axes != preparation.axes_seen:
        value = add("Transpose", "axes", value, perm=[axes.index(axis) for axis in preparation.axes_seen])
    if preparation.stored == BYTES:
        value = add("Cast", "cast", value, to=page.element)
    if preparation.resize is not None:
        page.ask_for(ANTIALIASED, f"resize {'x'.join(map(str, preparation.resize))}")
        sizes = page.constant(f"{name}{PART}resize.sizes", preparation.resize)
        value = add(
            "Resize", "resize", value, "", "", sizes, mode="linear", antialias=1, exclude_outside=1,
            axes=[preparation.axes_seen.index(axis) for axis in "hw"],
        )  # fmt: skip
        value = add("Round", "round", value)
    if preparation.fill:
        missing, fill = (
            add("IsNaN", "missing", value),
            page.constant(f"{name}{PART}fill", preparation.fill, page.dtype),
        )
        value = add("Where", "filled", missing, fill, value)
    centre, scale, offset = preparation.scaling.steps(page.dtype)
    for kind, part, values, nothing in (
        ("Sub", "centre", centre, 0.0), ("Mul", "scale", scale, 1.0), ("Add", "offset", offset, 0.0),
    ):  # fmt: skip
        if any(number != nothing for number in values):
            value = add(kind, part, value, numbers(part, values))
    if not made:
        add("Identity", "same", value)
    made[-1].output[0] = prepared
    page.nodes[:0] = made
    stored = TensorProto.UINT8 if preparation.stored == BYTES else page.element
    return helper.make_tensor_value_info(name, stored, ["n", *preparation.fed_shape], preparation.fed())


def without(model: onnx.ModelProto, preparation: Preparation) -> onnx.ModelProto | None:
    """The model that takes images as the network sees them; None where its first nodes are others by now."""
    from onnx import ModelProto, TensorProto, helper

    found = ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    named = {entry.name for entry in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in named]
    heads = tuple(f"{entry.name}{PART}" for entry in inputs)
    seen = {f"{entry.name}{PREPARED}": entry.name for entry in inputs}
    own = [node for node in graph.node if node.name.startswith(heads)]
    made = {output for node in own for output in node.output}
    if not own or own != list(graph.node[: len(own)]) or not seen.keys() <= made:
        return None
    del graph.node[: len(own)]
    arrays = [entry for entry in graph.initializer if not entry.name.startswith(heads)]
    element = next(
        (entry.data_type for entry in arrays if entry.data_type == TensorProto.DOUBLE), TensorProto.FLOAT
    )
    infos = [entry for entry in graph.value_info if entry.name not in made]
    for field, entries in ((graph.initializer, arrays), (graph.value_info, infos)):
        del field[:]
        field.extend(entries)
    for node in graph.node:
        node.input[:] = [seen.get(value, value) for value in node.input]
    for entry in inputs:
        entry.CopyFrom(helper.make_tensor_value_info(entry.name, element, ["n", *preparation.of(entry.name).input]))
    return found
