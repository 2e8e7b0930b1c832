"""An ONNX model as a spec: `cnnspec import model.onnx -o net.cnn`.

    found = import_onnx(Path("model.onnx"))
    found.text          # the .cnn
    found.weights       # by the names that the text gives, in our layouts

What the language cannot say is refused by the name of the operator (CNN503, CNN504), never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.preparation import KEY, Preparation
from ...diagnostics import Diagnostic, SpecError
from ...ir.owned import owner_of
from ...train.tensors import shown
from .export import PREPARATION, need_onnx
from .heads import apart
from .preparing import PREPARES, without
from .steps import Steps, load, refuse, take_apart
from .values import Seen

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
    notes: tuple[str, ...] = ()
    missing: tuple[Diagnostic, ...] = ()


def import_onnx(path: Path, shape: tuple[int, ...] | None = None, partial: bool = False) -> Imported:
    """The spec and the weights of a model in a file; `shape` is its input's, where the model leaves that open.

    What the language cannot say is one error with every reason; with `partial` the longest part that it can say
    is imported, and the reasons are in `missing`.
    """
    need_onnx()
    return as_spec(load(path), path.name, shape, partial)


def as_spec(
    model: onnx.ModelProto, name: str, shape: tuple[int, ...] | None = None, partial: bool = False
) -> Imported:
    """The same for a model in memory; `name` is what the spec says it came from."""
    from ..spec.text import spec_text

    told = {entry.key: entry.value for entry in model.metadata_props}
    preparation = Preparation.from_metadata({KEY: told[PREPARATION]} if PREPARATION in told else {}, name)
    if preparation and told.get(PREPARES) == "yes":
        bare = without(model, preparation)
        model, preparation = (
            (model, None) if bare is None else (bare, preparation)
        )  # what others changed prepares as it does now
    found = network(model, shape, partial=partial)
    written = spec_text(found.graph, found.sources, "; ".join((f"from {name}", *found.notes)))
    weights = {}
    for parameter, array in found.weights.items():
        owner = owner_of(parameter, written.owners)
        weights[written.owners[owner] + parameter.removeprefix(owner)] = array
    return Imported(written.text, weights, preparation, found.notes, found.missing)


def network(
    model: onnx.ModelProto,
    shape: tuple[int, ...] | None = None,
    given: Mapping[str, np.ndarray] | None = None,
    exact: bool = False,
    partial: bool = False,
    lone: bool = False,
) -> Network:
    """The graph of words that a model is; `given` are arrays for inputs that hold weights.

    Where inputs and outputs are channels-last in the model, they are channels-first here and a note says so; where
    outputs hold several maps in one array, the maps are the outputs (`heads.py`). With `exact` they are refused.
    A form without a word is made of several, and an operator without one is read as the operators by which the
    standard defines it. With `lone` the model sees one image, without an axis for the batch.
    """
    need_onnx()
    from .definitions import said
    from .operators.table import OPERATORS
    from .reader import Reader

    steps = replace(take_apart(model, given, lone), exact=exact)
    inputs = seen_inputs(steps, shape)
    if not lone:
        with suppress(SpecError):
            return Reader(steps, inputs, OPERATORS).run()
        maps = None if exact else apart(steps)
        if maps is not None:
            with suppress(SpecError):
                return Reader(maps, inputs, OPERATORS).run()
    return Reader(said(replace(steps, free=True), inputs), inputs, OPERATORS).run(partial)


def seen_inputs(steps: Steps, shape: tuple[int, ...] | None) -> dict[str, Seen]:
    """The inputs as the model sees them, all sizes known."""
    if not steps.inputs:
        refuse("CNN505", case="none")
    if shape is not None and len(steps.inputs) > 1:
        refuse("CNN505", case="several", inputs=len(steps.inputs))
    inputs = {}
    for name, sizes in steps.inputs.items():
        last = not steps.exact and channels_last(steps, name, sizes)
        open_sizes = (*sizes[-1:], *sizes[:-1]) if last else sizes
        known = open_sizes if shape is None else shape
        if None in known:
            seen_sizes = "x".join("?" if size is None else str(size) for size in known)
            refuse("CNN505", case="open", name=shown(name), sizes=seen_sizes)
        if shape is not None and not fits(shape, open_sizes):
            refuse("CNN505", case="given", name=shown(name), shape="x".join(map(str, shape)))
        whole = tuple(size for size in known if size is not None)
        axes = tuple(range(len(whole)))
        inputs[name] = Seen("", whole, (*axes[1:], 0) if last else axes)
    return inputs


def channels_last(model: Steps, name: str, sizes: tuple[int | None, ...]) -> bool:
    """Whether an input is made channels-first before a layer reads it: by a Transpose, or a Reshape of one channel.

    A sequence could be turned for a layer over its channels as well, so there a window must come next.
    """
    rank = len(sizes) + 1
    to_first = [0, rank - 1, *range(1, rank - 1)]
    open_names, found = [name], False
    while open_names:
        value = open_names.pop()
        for step in model.steps:
            if value not in step.inputs:
                continue
            if step.op == "Transpose" and step.get("perm") == to_first and rank > 2:
                after = [reader.op for reader in model.steps if step.outputs[0] in reader.inputs]
                if rank == 3 and not all(op in WINDOWS for op in after):
                    return False
                found = True
            elif step.op == "Reshape" and rank == 4 and sizes[-1] == 1 and None not in sizes:
                target = model.arrays.get(step.input(1))
                found = target is not None and target.tolist()[1:] == [1, *sizes[:-1]]
                if not found:
                    return False
            elif step.op in EACH_NUMBER:
                open_names += step.outputs
            elif step.op != "Shape":
                return False
    return found


EACH_NUMBER = {"Cast", "Identity", "Mul", "Div", "Add", "Sub", "Neg", "Clip", "Relu", "Dropout", "Pad"}
WINDOWS = {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "Pad", "BatchNormalization"}


def fits(shape: tuple[int, ...], sizes: tuple[int | None, ...]) -> bool:
    return len(shape) == len(sizes) and all(b in (None, a) for a, b in zip(shape, sizes, strict=True))
