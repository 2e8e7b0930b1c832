"""Outputs of detectors: numbers of several feature maps, put into one array.

    conv_a (n, a·4, 8, 8) -> Transpose -> Reshape (n, 64·a, 4) \\
                                                                Concat -> boxes
    conv_b (n, a·4, 4, 4) -> Transpose -> Reshape (n, 16·a, 4) /

A network of words gives images, so these are taken apart: `conv_a` and `conv_b` are two outputs of it, and a note
says of what `boxes` is made. Nothing is computed in between but what is done to each number by itself, and that is
done before.
"""

from __future__ import annotations

from dataclasses import replace

from ...train.tensors import shown
from .steps import Step, Steps

MOVES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice", "Gather", "Split"}
EACH_NUMBER = {
    "Sigmoid",
    "Tanh",
    "Relu",
    "LeakyRelu",
    "Clip",
    "HardSigmoid",
    "Exp",
    "Softplus",
    "Neg",
    "Sqrt",
    "Cast",
}


def apart(model: Steps) -> Steps | None:
    """The same model with the maps as outputs that its outputs are made of; None where they are made of none."""
    makers = {output: step for step in model.steps for output in step.outputs}
    steps, outputs, notes = list(model.steps), [], list(model.notes)

    def maps(value: str, ways: list[str]) -> list[str]:
        """The maps whose numbers a value holds; `ways` gets the operators between."""
        step = makers.get(value)
        if step is None or value in model.inputs:
            return [value]
        if step.op in MOVES or step.op == "Concat":
            read = (
                [name for name in step.inputs if name not in model.arrays]
                if step.op == "Concat"
                else step.inputs[:1]
            )
            ways.append(step.op)
            return list(dict.fromkeys(found for name in read for found in maps(name, ways)))
        if step.op not in EACH_NUMBER:
            return [value]
        inner: list[str] = []
        before = maps(step.inputs[0], inner)
        if not inner:
            return [value]  # of a map as it is
        ways += [step.op, *inner]
        made = []
        for name in before:
            made.append(f"{name}:{step.outputs[0]}")
            if made[-1] not in makers:
                makers[made[-1]] = Step(step.op, step.name, [name, *step.inputs[1:]], [made[-1]], step.attributes)
                steps.append(makers[made[-1]])
        return made

    for output in model.outputs:
        ways: list[str] = []
        found = maps(output, ways)
        outputs += found
        if ways:
            of = ", ".join(shown(name.partition(":")[0]) for name in found)
            by = ", ".join(dict.fromkeys(reversed(ways)))
            notes.append(f"the output {shown(output)} is made of {of} by {by}: the network gives these one by one")
    outputs = list(dict.fromkeys(outputs))
    if outputs == model.outputs or any(name in model.inputs for name in outputs):
        return None
    return replace(model, steps=steps, outputs=outputs, notes=tuple(notes))
