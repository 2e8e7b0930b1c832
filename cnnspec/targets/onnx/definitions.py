"""Operators without a word, written as the operators by which the standard itself defines them.

    y = RMSNormalization x, w      squares = Mul x, x;  mean = ReduceMean squares;  ...;  y = Mul normal, w

Only what is refused is written so, and only where fewer obstacles are left then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ...diagnostics import SpecError
from .obstacles import ATTENTION, RECURRENT
from .operators.table import OPERATORS
from .reader import Reader
from .steps import Step, Steps, take_apart
from .values import Seen

if TYPE_CHECKING:
    import onnx

DEPTH = 3  # how deep definitions of definitions are followed
FORMS = ("has_function", "has_context_dependent_function")  # of a schema that has a definition
KEPT = "cnnspec.kept"  # the domain of what stays as it is, meanwhile


def said(steps: Steps, inputs: Mapping[str, Seen], depth: int = DEPTH) -> Steps:
    """The model as it is, or with definitions in place of refused operators if more of it can be said so."""
    refused = obstacles(steps, inputs)
    if not refused or not depth:
        return steps
    kinds = dict.fromkeys(step.op for step in refused.values() if step)
    for chosen in [set(kinds), *({kind} for kind in kinds if len(kinds) > 1)]:
        model = defined(steps, (step.outputs[0] for step in refused.values() if step and step.op in chosen))
        if model is None:
            continue
        given = {entry.name: steps.arrays[entry.name] for entry in model.graph.input if entry.name in steps.arrays}
        made = replace(take_apart(model, given, steps.lone), exact=steps.exact, free=steps.free)
        found = said(made, inputs, depth - 1)
        left = obstacles(found, inputs)
        if left.keys() < refused.keys():
            steps, refused = found, left
        if not left:
            break
    return steps


def obstacles(steps: Steps, inputs: Mapping[str, Seen]) -> dict[str, Step | None]:
    """What is said of each obstacle of a model, and its step."""
    reader = Reader(steps, inputs, OPERATORS)
    with suppress(SpecError):
        reader.run()
    return {obstacle.found.message: obstacle.step for obstacle in reader.obstacles}


def defined(steps: Steps, outputs: Iterable[str]) -> onnx.ModelProto | None:
    """The model with the operators that make these values as the standard defines them; None if it has none."""
    from onnx import ModelProto, checker, defs, helper, inliner, shape_inference

    if steps.proto is None:
        return None
    wanted, chosen = set(outputs), set()
    try:
        model: ModelProto = shape_inference.infer_shapes(steps.proto)
        arrays = model.graph.initializer
        model.graph.value_info.extend(helper.make_tensor_value_info(a.name, a.data_type, a.dims) for a in arrays)
        for node in model.graph.node:
            if node.domain not in ("", "ai.onnx"):
                continue
            asked = node.output and node.output[0] in wanted and node.op_type not in ATTENTION | RECURRENT
            schema = defs.get_schema(node.op_type, steps.opset) if asked else None
            if schema is None or not any(getattr(schema, kind, False) for kind in FORMS):
                node.domain = KEPT
                continue
            chosen.add(("", node.op_type))
            named = {attribute.name for attribute in node.attribute}  # what is left out is unknown to a definition
            defaults = [attribute.default_value for attribute in schema.attributes.values()]
            node.attribute.extend(default for default in defaults if default.name and default.name not in named)
        if not chosen:
            return None
        model.opset_import.append(helper.make_opsetid(KEPT, 1))
        model = inliner.inline_selected_functions(model, sorted(chosen), inline_schema_functions=True)
        del model.graph.value_info[:]
        for node in model.graph.node:
            node.domain = "" if node.domain == KEPT else node.domain
        others = [entry for entry in model.opset_import if entry.domain != KEPT]
        del model.opset_import[:]
        model.opset_import.extend(others)
        checker.check_model(model)
    except Exception:  # an older package that cannot, or one that does not know a type or an operator
        return None
    return model
