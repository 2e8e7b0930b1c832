"""An ONNX model as a spec: `cnnspec import model.onnx -o net.cnn`.

    found = import_onnx(Path("model.onnx"))
    found.text          # the .cnn
    found.weights       # by the names that the text gives, in our layouts

What the language cannot say is refused by the name of the operator (CNN503, CNN504), never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.preparation import KEY, Preparation
from .export import PREPARATION, need_onnx
from .preparing import PREPARES, without
from .steps import load, refuse, take_apart

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from .reader import Network


@dataclass(frozen=True)
class Imported:
    """A spec and its weights; how images are prepared for it where the model tells, as those that we write do."""

    text: str
    weights: dict[str, np.ndarray]
    preparation: Preparation | None = None


def import_onnx(path: Path, shape: tuple[int, ...] | None = None) -> Imported:
    """The spec and the weights of a model in a file; `shape` is its input's, where the model leaves that open."""
    need_onnx()
    return as_spec(load(path), path.name, shape)


def as_spec(model: onnx.ModelProto, name: str, shape: tuple[int, ...] | None = None) -> Imported:
    """The same for a model in memory; `name` is what the spec says it came from."""
    from ..spec.text import spec_text

    told = {entry.key: entry.value for entry in model.metadata_props}
    kept = Preparation.from_metadata({KEY: told[PREPARATION]} if PREPARATION in told else {}, name)
    if kept and told.get(PREPARES) == "yes":
        bare = without(model, kept)
        model, kept = (model, None) if bare is None else (bare, kept)  # what others changed prepares as it does now
    found = network(model, shape)
    written = spec_text(found.graph, found.sources, f"from {name}")
    weights = {}
    for parameter, array in found.weights.items():
        owner, _, own = parameter.rpartition(".")
        weights[f"{written.owners[owner]}.{own}"] = array
    return Imported(written.text, weights, kept)


def network(
    model: onnx.ModelProto, shape: tuple[int, ...] | None = None, given: Mapping[str, np.ndarray] | None = None
) -> Network:
    """The graph of words that a model is; `given` are arrays for inputs that hold weights."""
    need_onnx()
    from .operators import OPERATORS
    from .reader import Reader

    steps = take_apart(model, given)
    if not steps.inputs:
        refuse("CNN505", "the model has no input")
    if shape is not None and len(steps.inputs) > 1:
        refuse("CNN505", f"one shape was given, and the model has {len(steps.inputs)} inputs")
    inputs = {}
    for name, sizes in steps.inputs.items():
        known = sizes if shape is None else shape
        if None in known:
            shown = "x".join("?" if size is None else str(size) for size in known)
            help = "say what it is: `--input 3x224x224`"
            refuse("CNN505", f"the model leaves the size of its input {name} open ({shown})", help)
        if shape is not None and not fits(shape, sizes):
            refuse("CNN505", f"the input {name} of the model does not take {'x'.join(map(str, shape))}")
        inputs[name] = tuple(size for size in known if size is not None)
    return Reader(steps, inputs, OPERATORS).run()


def fits(shape: tuple[int, ...], sizes: tuple[int | None, ...]) -> bool:
    return len(shape) == len(sizes) and all(b in (None, a) for a, b in zip(shape, sizes, strict=True))
