"""A model as plain data, from which another is made: for copies, here or in another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..lang import Spec

if TYPE_CHECKING:
    from .model import Model

KEPT = ("steps_per_epoch", "preparation")  # what a model knows beside its parameters and its state


def reduced(model: Model, how: Mapping[str, Any]) -> tuple[Callable[..., Model], tuple[Any, ...]]:
    """How a model is copied or pickled; `how` are the settings that it was made with.

    Parameters and state come along, those of a whole step. Workers, plans and memory are made anew.
    """
    with model.engine.turn:
        parameters, state = dict(model.parameters), model.state
    known = {name: getattr(model, name) for name in KEPT}
    return revived, (type(model), model.spec, how, parameters, state, known)


def revived(
    kind: type[Model],
    spec: Spec,
    how: Mapping[str, Any],
    parameters: Mapping[str, np.ndarray],
    state: Mapping[str, np.ndarray],
    known: Mapping[str, Any],
) -> Model:
    """The model that was reduced."""
    model = kind(spec, **how)
    for name, values in parameters.items():
        model.parameters[name] = values
    model.load_state(state)
    for name, value in known.items():
        setattr(model, name, value)
    return model
