"""Groups of ONNX operators that are one word: `x * sigmoid(x)` is `swish`.

A pattern is a tuple of the operator and what it reads: patterns, numbers, or "x", which is the same value
wherever it stands. Add and Mul are tried both ways round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .steps import Step, Steps

Pattern = tuple | float | str
WORD = "cnnspec:"  # the operator of a step that stands for a group

SHIFTED = ("Clip", ("Add", "x", 3.0), 0.0, 6.0)
HARD = ("Div", SHIFTED, 6.0)
ERF = ("Add", ("Erf", ("Div", "x", 2**0.5)), 1.0)
ERF_TIMES = ("Add", ("Erf", ("Mul", "x", 0.5**0.5)), 1.0)

PATTERNS: tuple[tuple[str, Pattern], ...] = (
    ("swish", ("Mul", "x", ("Sigmoid", "x"))),
    ("mish", ("Mul", "x", ("Tanh", ("Softplus", "x")))),
    ("hardswish", ("Mul", "x", HARD)),
    ("hardswish", ("Div", ("Mul", "x", SHIFTED), 6.0)),
    ("hardswish", ("Mul", "x", ("HardSigmoid", "x"))),
    ("hardsigmoid", HARD),
    ("gelu", ("Mul", ("Mul", "x", 0.5), ERF)),
    ("gelu", ("Mul", ("Mul", "x", ERF), 0.5)),
    ("gelu", ("Mul", "x", ("Mul", ERF, 0.5))),
    ("gelu", ("Mul", ("Mul", "x", 0.5), ERF_TIMES)),
    ("gelu", ("Mul", "x", ("Mul", ERF_TIMES, 0.5))),
    ("softsign", ("Div", "x", ("Add", ("Abs", "x"), 1.0))),
    ("step", ("Cast", ("Greater", "x", 0.0))),
    ("minpool", ("Neg", ("MaxPool", ("Neg", "x")))),
)


@dataclass
class Match:
    """What "x" is, and the attributes of the operators in the group."""

    x: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


class Groups:
    """Finds the patterns in a model."""

    def __init__(self, steps: Steps, known: Mapping[str, np.ndarray]) -> None:
        self.known = known
        self.makers = {output: step for step in steps.steps for output in step.outputs if output}

    def word(self, step: Step) -> Step:
        """The step, or the word that it ends."""
        if len(step.outputs) == 1:
            for word, pattern in PATTERNS:
                found = self.match(pattern, step.outputs[0], Match())
                if found is not None:
                    return Step(WORD + word, step.name, [found.x], step.outputs, found.attributes, step.notes)
        return step

    def match(self, pattern: Pattern, value: str, found: Match) -> Match | None:
        """What a value is made from, if it is made as the pattern says; `found` is what is known of that so far."""
        if isinstance(pattern, str):
            return replace(found, x=value) if found.x in ("", value) else None
        if not isinstance(pattern, tuple):
            array = self.known.get(value)
            alike = array is not None and array.size == 1 and np.isclose(array.item(), pattern, rtol=1e-3)
            return found if alike else None
        op, *parts = pattern
        step = self.makers.get(value)
        if step is None or step.op != op or not plain(step):
            return None
        found = replace(found, attributes={**found.attributes, **step.attributes})
        if op == "Clip" and len(step.inputs) == 1:  # older opsets write the bounds as attributes
            bounds = [step.get("min"), step.get("max")]
            return self.match(parts[0], step.inputs[0], found) if bounds == parts[1:] else None
        orders = [step.inputs, step.inputs[::-1]] if op in ("Add", "Mul") else [step.inputs]
        for order in orders:
            made = self.match_all(parts, order, found)
            if made is not None:
                return made
        return None

    def match_all(self, parts: Sequence[Pattern], values: Sequence[str], found: Match) -> Match | None:
        if len(parts) != len(values):
            return None
        made: Match | None = found
        for part, value in zip(parts, values, strict=True):
            made = None if made is None else self.match(part, value, made)
        return made


def plain(step: Step) -> bool:
    """Whether an operator is what a pattern means by its name."""
    if step.op == "HardSigmoid":
        return bool(np.isclose(step.get("alpha", 0.2), 1 / 6)) and step.get("beta", 0.5) == 0.5
    return True


def group(steps: Steps, known: Mapping[str, np.ndarray]) -> list[Step]:
    """The steps with those that end a group replaced by one that stands for it, reading what the group reads."""
    groups = Groups(steps, known)
    return [groups.word(step) for step in steps.steps]
