"""An ONNX model as the importer wants it: its inputs, its known arrays, and the operators that matter.

Functions are unfolded, what can be computed now is computed, well-known groups of operators (`x * sigmoid(x)`)
become one, and what no output needs is dropped. Nothing of the file runs, and no array grows beyond what the
file itself holds: see `onnx_constants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ...data.files import need
from ...diagnostics import Diagnostic, Fault, SpecError
from ...plain_files import open_regular, size_of
from ...train.tensors import shown
from .page import INIT, PARTS, WORD

if TYPE_CHECKING:
    import numpy as np
    import onnx

MOST_STEPS = 10_000


def refuse(code: str, *, case: str = "", **fields: object) -> NoReturn:
    """Raise what a code says of a model; see `Diagnostic.of`."""
    raise SpecError((Diagnostic.of(code, None, case, (), **fields),))


@dataclass
class Step:
    """One operator: what it is, what it reads and makes, and its attributes as Python values."""

    op: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """How messages call it: "`Conv` (layer1.0.conv1)"."""
        name = self.name or (self.outputs[0] if self.outputs else "")
        return f"`{shown(self.op.removeprefix('cnnspec:'))}`" + (f" ({shown(name)})" if name else "")

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def input(self, index: int) -> str:
        """The name of an input; empty where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""


@dataclass
class Steps:
    """A model taken apart. Shapes are those of one image; None for a size that the model leaves open."""

    inputs: dict[str, tuple[int | None, ...]]
    outputs: list[str]
    steps: list[Step]
    arrays: dict[str, np.ndarray]
    opset: int
    batch: int | None  # the batch, where the model was made for one alone
    notes: tuple[str, ...] = ()  # what an importer should know of its inputs
    halves: bool = False  # whether its inputs are of half precision
    proto: onnx.ModelProto | None = None  # what was taken apart, its functions unfolded
    lone: bool = False  # whether the model sees one image alone, without an axis for the batch
    free: bool = False  # whether a form without a word is made of several, numbers moved to where a word takes them
    exact: bool = False  # whether inputs and outputs keep their axes in the model's order


def load(path: Path) -> onnx.ModelProto:
    """The model in a file; its faults are diagnostics."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        with open_regular(path) as file:
            need(2 * size_of(file), path.name, "model")
            model = onnx.load_model_from_string(file.read())
        onnx.load_external_data_for_model(model, str(path.parent))
    except OSError as error:
        refuse("CNN502", case="file", path=path, reason=(error.strerror or str(error)).lower())
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None
    except DecodeError:
        refuse("CNN502", case="other", path=path)
    except Exception as error:  # external data: any refusal of the package
        refuse("CNN502", case="file", path=path, reason=first_line(error))
    return model


def first_line(error: Exception) -> str:
    return shown((str(error).strip() or type(error).__name__).splitlines()[0])


def take_apart(model: onnx.ModelProto, given: Mapping[str, np.ndarray] | None = None, lone: bool = False) -> Steps:
    """The steps of a model; `given` are arrays for inputs that are known beforehand.

    With `lone` its inputs are images without an axis for the batch, of any number of axes.
    """
    from onnx import checker, inliner, numpy_helper

    try:
        checker.check_model(model)
        model = inliner.inline_local_functions(model)
        graph = model.graph
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    except Exception as error:  # the package's own classes, and protobuf's, and ValueError
        refuse("CNN502", case="invalid", reason=first_line(error))
    if len(graph.node) > MOST_STEPS:
        refuse("CNN502", case="operators", operators=len(graph.node), most=MOST_STEPS)
    arrays |= given or {}
    versions = {entry.domain: entry.version for entry in model.opset_import}
    inputs = {}
    batches = set()
    halves = False
    notes = []
    for entry in graph.input:
        if entry.name not in arrays:
            stored = entry.type.tensor_type.elem_type == BYTES and cast_to_floats(graph, entry.name)
            batch, *shape = [None] * lone + sizes(entry, (*FLOATS, BYTES) if stored else FLOATS, lone)
            if stored:
                notes.append(f"the input {shown(entry.name)} holds bytes in the model, floats here")
            halves = halves or entry.type.tensor_type.elem_type in HALVES
            inputs[entry.name] = tuple(shape)
            batches.add(batch)
    told = {entry.key: entry.value for entry in model.metadata_props}
    steps = [step(node, told) for node in graph.node]
    outputs = [entry.name for entry in graph.output]
    fixed = batches.pop() if len(batches) == 1 else None
    opset = versions.get("", versions.get("ai.onnx", 1))
    return Steps(inputs, outputs, steps, arrays, opset, fixed, tuple(notes), halves, model, lone)


def cast_to_floats(graph: onnx.GraphProto, name: str) -> bool:
    """Whether all that is done with a value's numbers is to make floats of them."""
    names, found = {name}, False
    for node in graph.node:
        if not names & set(node.input):
            continue
        if node.op_type == "Cast" and any(a.name == "to" and a.i in FLOATS for a in node.attribute):
            found = True
        elif node.op_type in ("Transpose", "Identity", "Reshape"):
            names |= set(node.output)
        else:
            return False
    return found


def sizes(entry: onnx.ValueInfoProto, kinds: tuple[int, ...], any_rank: bool = False) -> list[int | None]:
    """The sizes of an input of one of these types of numbers, None for those left open."""
    kind = entry.type.tensor_type
    if not entry.type.HasField("tensor_type") or kind.elem_type not in kinds:
        refuse("CNN505", case="type", name=shown(entry.name))
    known = kind.HasField("shape") and any_rank
    if kind.HasField("shape") and len(kind.shape.dim) == 5 and not any_rank:
        refuse("CNN509", case="volumes", name=shown(entry.name))
    if not known and not (kind.HasField("shape") and 2 <= len(kind.shape.dim) <= 4):
        wanted = "(n, c, h, w), (n, c, w) or (n, c)"
        refuse("CNN505", name=shown(entry.name), wanted=wanted)
    return [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in kind.shape.dim]


BYTES = 2
HALVES = (10, 16)
FLOATS = (1, 10, 11, 16)  # float, float16, double, bfloat16, as onnx.TensorProto numbers them


def step(node: onnx.NodeProto, told: Mapping[str, str] | None = None) -> Step:
    from onnx import helper

    domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
    found = Step(domain + node.op_type, node.name, list(node.input), list(node.output))
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        found.attributes[attribute.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    found.notes = {entry.key: entry.value for entry in getattr(node, "metadata_props", ())}
    ours = {key: (told or {}).get(f"{key} {node.name}", "") for key in (INIT, WORD, PARTS)}
    found.notes |= {key: text for key, text in ours.items() if text}
    return found


def needed(steps: Steps) -> list[Step]:
    """The steps that outputs need, in order."""
    wanted = set(steps.outputs)
    found = []
    for step in reversed(steps.steps):
        if wanted & set(step.outputs):
            wanted |= set(step.inputs)
            found.append(step)
    return found[::-1]
