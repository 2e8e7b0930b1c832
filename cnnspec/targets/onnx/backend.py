"""ONNX's own backend interface: models run by our plans.

    from cnnspec.targets.onnx import backend
    outputs = backend.run_model(model, inputs)

A model is read as words, compiled, and run for the batch that comes; optimisers and losses of the standard run
on ours (`training`). What the language has no word for raises `BackendIsNotSupposedToImplementIt` with the
reason, which ONNX's test runner counts as out of scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper
from onnx.backend.base import Backend, BackendRep, namedtupledict
from onnx.backend.test.runner import BackendIsNotSupposedToImplementIt

from ...diagnostics import SpecError
from ...runtime.engine import Engine
from ...settings.optimisers import Sgd
from . import training as onnx_training
from .importer import network

Array = np.ndarray
# operators that mind no shape: values of any rank become vectors for them
EACH_NUMBER = {
    *("Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Gelu", "Swish", "HardSwish", "Mish", "Softplus", "Softsign"),
    *("Sigmoid", "HardSigmoid", "Tanh", "Clip", "Identity", "Dropout", "Add", "Sum", "Max", "Mean", "Mul"),
    *("Min", "Abs"),
}
WEIGHTS = {  # from which input on an operator reads constants
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "PRelu"), 1),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "InstanceNormalization", "Dropout", "Clip"), 1),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Pad", "Slice", "Split", "Resize", "Upsample"), 1),
    **dict.fromkeys(("ReduceMean", "ReduceMax", "ReduceSum", "ReduceL2"), 1),
}


def beyond(reason: str) -> BackendIsNotSupposedToImplementIt:
    return BackendIsNotSupposedToImplementIt(reason)


class Prepared(BackendRep):
    """A model that is ready for whatever batch comes."""

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
        given = {name: np.asarray(array) for name, array in given.items()}
        try:
            made = onnx_training.run(self.model, given) or self.infer(given)
        except SpecError as refused:
            raise beyond(refused.diagnostics[0].message) from None
        return namedtupledict("Outputs", self.outputs)(*made)

    def infer(self, given: Mapping[str, Array]) -> list[Array]:
        constants = {name: array for name, array in given.items() if name in self.constants}
        data = {name: array for name, array in given.items() if name not in constants}
        for name, array in data.items():
            if array.dtype not in (np.float32, np.float64):
                raise beyond(f"`{name}` holds {array.dtype}; networks compute in float32 or float64")
        if not data:
            raise beyond("there is nothing to infer from")
        model, shaped, restore = as_batch(self.model, data)
        found = network(with_shapes(model, shaped), given=constants, exact=True)
        dtype = next(iter(data.values())).dtype
        engine = Engine(found.graph, (), Sgd(), dtype=dtype.name)
        for name, array in found.weights.items():
            engine.parameters[name] = array
        made = engine.forward(dict(zip(found.graph.inputs, shaped.values(), strict=True)))
        return [restore(np.array(values)) for values in made]


def as_batch(model: ModelProto, data: dict[str, Array]) -> tuple[ModelProto, dict[str, Array], Any]:
    """The model and its arrays as batches of vectors, sequences or images, and how an output gets its axes back.

    An operator that looks at one number at a time minds no axes; to one that looks along the last axis, all the
    others are the batch.
    """
    (only, *others), shapes = model.graph.node, {array.shape for array in data.values()}
    if others or len(shapes) != 1:
        return model, data, lambda y: y
    (shape,) = shapes
    rows: tuple[int, int] | None = None
    if only.op_type in EACH_NUMBER and not 2 <= len(shape) <= 4:
        rows = (shape[0] if shape else 1, prod(shape[1:]))
    axis = next((attribute.i for attribute in only.attribute if attribute.name == "axis"), -1)
    if only.op_type in ("Softmax", "LogSoftmax") and len(shape) > 2 and axis in (-1, len(shape) - 1):
        rows = (-1, shape[-1])
        changed = ModelProto()
        changed.CopyFrom(model)
        del changed.graph.node[0].attribute[:]
        model = changed
    if rows is None:
        return model, data, lambda y: y
    return model, {name: array.reshape(rows) for name, array in data.items()}, lambda y: y.reshape(shape)


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
