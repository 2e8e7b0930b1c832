"""What a call of Keras is in the language, computed by our plans: values, gradients, shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

import cnnspec
from cnnspec.api import read_spec

Move = Callable[[np.ndarray], np.ndarray]
TOLERANCE = 1e-5  # Keras computes in float32, the plan in float64; beside the largest number, or 1
NORMALISED = 5e-5
NAMES = "abcdefgh"


class NotComparable(Exception):
    """A call that no word says; the text is the reason, for the table."""


@dataclass
class Said:
    """A call as a chain.

    chain     of words, whose layer with weights is called `layer`; several inputs are @a, @b, ...
    given     what Keras is given, each with how it is put into (n, c, h, w), (n, c, w) or (n, c)
    outward   how our output is put into Keras' layout
    weights   by our names: what Keras has, and how it is put into our layout
    smooth    whether gradients may be compared where the inputs are drawn
    tolerance beside the largest number, or 1; NORMALISED where differences of float32 are divided by a deviation
    """

    chain: str
    given: list[tuple[np.ndarray, Move]]
    outward: Move
    weights: dict[str, tuple[object, Move]] = field(default_factory=dict)
    smooth: bool = True
    tolerance: float = TOLERANCE

    @property
    def arrays(self) -> list[np.ndarray]:
        return [np.asarray(inward(array), np.float64) for array, inward in self.given]

    def text(self) -> str:
        shapes = ["x".join(map(str, array.shape[1:])) for array in self.arrays]
        if len(shapes) == 1:
            return f"input {shapes[0]}\n{self.chain}\n"
        lines = [f"input {shape} as {name}" for name, shape in zip(NAMES, shapes, strict=False)]
        return "\n".join([*lines, self.chain, ""])


@lru_cache(maxsize=256)
def compiled(text: str):
    return cnnspec.compile(text=text, dtype="float64", seed=0)


def fill(model, said: Said, numbers: Callable[[object], np.ndarray]) -> None:
    for name, (value, inward) in said.weights.items():
        model.parameters[name] = np.asarray(inward(numbers(value)), np.float64)


def values(said: Said, numbers: Callable[[object], np.ndarray]) -> np.ndarray:
    """What the plan answers, in Keras' layout."""
    model, arrays = compiled(said.text()), said.arrays
    fill(model, said, numbers)
    x = arrays[0] if len(arrays) == 1 else dict(zip(NAMES, arrays, strict=False))
    return said.outward(np.array(model.predict(x)))


def shape(said: Said) -> tuple[int, ...]:
    """The shape of what would be answered, in Keras' layout."""
    graph = read_spec(text=said.text()).graph
    kind = graph.type(graph.outputs[0])
    return said.outward(np.zeros((len(said.arrays[0]), *kind.shape))).shape


def gradients(said: Said, numbers: Callable[[object], np.ndarray], wanted: Move, drawn: np.random.Generator):
    """The gradients of a squared error: of the input, added up over the batch, and of each weight.

    `wanted` is given the targets in Keras' layout and answers nothing; the input is `said.given`.
    """
    (array,) = said.arrays
    sizes = "x".join(map(str, array.shape[1:]))
    count = array[0].size
    view = f" -> reshape {sizes}" if array.ndim > 2 else ""
    text = f"input {count}\nscale bias on as given{view} -> {said.chain}\ntrain {{ cost mse }}\n"
    model = compiled(text)
    fill(model, said, numbers)
    model.parameters["given.weight"] = np.ones(count)
    model.parameters["given.bias"] = np.zeros(count)
    y = drawn.normal(size=(len(array), *model.graph.type(model.graph.outputs[0]).shape))
    wanted(said.outward(y))
    found = model.gradients(array.reshape(len(array), -1), y)
    return found["given.bias"], {name: found[name] for name in said.weights if name in found}


def apart(ours: np.ndarray, theirs: np.ndarray, tolerance: float = TOLERANCE) -> str:
    """How far two arrays are from each other, in words; nothing where they agree."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, and {theirs.shape} in Keras"
    known = np.isfinite(theirs)
    if not np.array_equal(ours[~known], theirs[~known], equal_nan=True):
        return "what is not finite differs"
    error = np.abs(ours - theirs)[known].max(initial=0) / max(1.0, np.abs(theirs[known]).max(initial=0))
    return "" if error <= tolerance else f"off by {error:.3g}"
