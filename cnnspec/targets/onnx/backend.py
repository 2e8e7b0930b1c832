"""ONNX's own backend interface: models run by our plans.

    from cnnspec.targets.onnx import backend
    outputs = backend.run_model(model, inputs)

A model is read as words, compiled, and run for the batch that comes; optimisers and losses of the standard run
on ours (`training`). What the language has no word for raises `BackendIsNotSupposedToImplementIt` with the
reason, which ONNX's test runner counts as out of scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper
from onnx.backend.base import Backend, BackendRep, namedtupledict
from onnx.backend.test.runner import BackendIsNotSupposedToImplementIt

from ...diagnostics import SpecError
from ...runtime.engine import Engine
from ...settings.optimisers.sgd import Sgd
from . import training as onnx_training
from .importer import network
from .reader import Network

Array = np.ndarray
WEIGHTS = {  # from which input on an operator reads constants
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "PRelu"), 1),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "InstanceNormalization", "Dropout", "Clip"), 1),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Pad", "Slice", "Split", "Resize", "Upsample"), 1),
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceSum", "ReduceL2"), 1),
}


def beyond(reason: str) -> BackendIsNotSupposedToImplementIt:
    return BackendIsNotSupposedToImplementIt(reason)


class Prepared(BackendRep):
    """A model that is compiled for the inputs that come.

    Whole numbers and single numbers among these (axes, shapes, a bound) are constants of the network, and so is
    what an operator reads as its weights: another value of them is another network.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        filled = {tensor.name for tensor in model.graph.initializer}
        self.inputs = [entry.name for entry in model.graph.input if entry.name not in filled]
        self.outputs = [entry.name for entry in model.graph.output]
        constant: set[str] = set()
        for node in model.graph.node:
            constant |= set(node.input[WEIGHTS.get(node.op_type, len(node.input)) :])
        self.constants = constant - {output for node in model.graph.node for output in node.output}

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The outputs for inputs in the model's order, or by name."""
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(self.inputs, inputs, strict=True))
        for name, value in given.items():
            if not isinstance(value, (np.ndarray, np.generic, int, float)):
                raise beyond(f"`{name}` is no array of numbers")
        given = {name: np.asarray(array) for name, array in given.items()}
        try:
            made = onnx_training.run(self.model, given, infer) or infer(self.model, given, self.constants)
        except SpecError as refused:
            raise beyond(refused.diagnostics[0].message) from None
        return namedtupledict("Outputs", self.outputs)(*made)


def infer(model: ModelProto, given: Mapping[str, Array], weights: Iterable[str] = ()) -> list[Array]:
    """The outputs of a model; `weights` are inputs that an operator reads as such."""
    data = {
        name: array
        for name, array in given.items()
        if name not in weights and array.dtype in FLOATS and array.ndim and array.size
    }
    constants = {name: array for name, array in given.items() if name not in data}
    for name, array in constants.items():
        if (array.dtype.kind == "f" and array.dtype not in FLOATS) or not data or array.dtype.kind not in "fiub":
            raise beyond(f"`{name}` holds {array.dtype}; networks compute in float32 or float64")
    if not data:
        raise beyond("there is nothing to infer from")
    kinds = [array.dtype for array in data.values()]
    shaped = with_shapes(model, data)
    found, lone = read(shaped, data, constants)
    engine = Engine(found.graph, (), Sgd(), dtype=np.result_type(*kinds).name)
    for name, array in found.weights.items():
        engine.parameters[name] = array
    fed = {
        ours: array.reshape(1 if lone else len(array), *found.graph.type(ours).shape)
        for ours, array in zip(found.graph.inputs, data.values(), strict=True)
    }
    made = engine.forward(fed)
    outputs = []
    for entry, sizes, values in zip(model.graph.output, found.sizes, made, strict=True):
        whole = sizes if lone else (len(values), *sizes)
        dtype = helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)
        if dtype not in FLOATS:
            raise beyond(f"`{entry.name}` holds {dtype}; networks compute in float32 or float64")
        outputs.append(np.array(values, dtype).reshape(whole))
    return outputs


FLOATS = (np.float32, np.float64)


def read(model: ModelProto, data: Mapping[str, Array], constants: Mapping[str, Array]) -> tuple[Network, bool]:
    """The network that a model is for these inputs: of a batch along the first axis, or of one image without it."""
    refused = None
    for lone in (False, True):
        if not lone and (len({array.shape[0] for array in data.values()}) > 1 or not shapes_of_batches(data)):
            continue
        try:
            return network(model, given=constants, exact=True, lone=lone), lone
        except SpecError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def shapes_of_batches(data: Mapping[str, Array]) -> bool:
    return all(2 <= array.ndim <= 4 for array in data.values())


def with_shapes(model: ModelProto, arrays: Mapping[str, Array]) -> ModelProto:
    """The model with the shapes of the arrays as those of its inputs."""
    changed = ModelProto()
    changed.CopyFrom(model)
    for entry in changed.graph.input:
        if entry.name in arrays:
            kind = entry.type.tensor_type
            entry.CopyFrom(helper.make_tensor_value_info(entry.name, kind.elem_type, arrays[entry.name].shape))
    return changed


class PlanBackend(Backend):
    """Our plans behind the interface that ONNX defines."""

    @classmethod
    def is_compatible(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether every operator has a word; what an operator's form asks for is only known with its inputs."""
        from .operators.table import OPERATORS

        known = OPERATORS.keys() | onnx_training.OPERATORS.keys()
        return device == "CPU" and all(node.op_type in known for node in model.graph.node)

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
        onnx.checker.check_model(model)
        return Prepared(model)

    @classmethod
    def run_node(
        cls, node: NodeProto, inputs: Any, device: str = "CPU", outputs_info: Any = None, **kwargs: Any
    ) -> tuple[Any, ...]:
        """One operator on some arrays."""
        arrays = [np.asarray(array) for array in inputs]
        names = [name for name in node.input if name]
        kinds = [helper.np_dtype_to_tensor_dtype(array.dtype) for array in arrays]
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(n, k, a.shape) for n, k, a in zip(names, kinds, arrays, strict=True)],
            [helper.make_tensor_value_info(name, kinds[0], ["n"]) for name in node.output if name],
        )
        version = kwargs.get("opset_version", onnx.defs.onnx_opset_version())
        domains = [helper.make_opsetid(node.domain, 1)] if node.domain else []
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version), *domains])
        return Prepared(model).run(arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device == "CPU"


prepare = PlanBackend.prepare
run_model = PlanBackend.run_model
run_node = PlanBackend.run_node
is_compatible = PlanBackend.is_compatible
supports_device = PlanBackend.supports_device

__all__: Sequence[str] = ["PlanBackend", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]
