"""A model as plain data, from which another is made: for copies, here or in another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Protocol

import numpy as np

from ..lang import Spec
from .engines import Engine

COPIED_FIELDS = (
    "steps_per_epoch",
    "preparation",
    "fixed_rate",
    "begun",
)  # fields of a model beside its parameters and its state


class Copied(Protocol):
    """The part of a model that copying needs."""

    spec: Spec
    engine: Engine

    @property
    def parameters(self) -> MutableMapping[str, np.ndarray]: ...

    @property
    def state(self) -> Mapping[str, np.ndarray]: ...

    def load_state(self, state: Mapping[str, np.ndarray]) -> None: ...


def reduced(model: Copied, how: Mapping[str, object]) -> tuple[Callable[..., Copied], tuple[object, ...]]:
    """How a model is copied or pickled; `how` are the settings that it was made with.

    Parameters and state come along, those of a whole step. Workers, plans and memory are made anew.
    """
    with model.engine.turn:
        parameters, state = dict(model.parameters), model.state
    known = {name: getattr(model, name) for name in COPIED_FIELDS}
    return revived, (type(model), model.spec, how, parameters, state, known)


def revived(
    kind: Callable[..., Copied],
    spec: Spec,
    how: Mapping[str, object],
    parameters: Mapping[str, np.ndarray],
    state: Mapping[str, np.ndarray],
    known: Mapping[str, object],
) -> Copied:
    """The model that was reduced."""
    model = kind(spec, **how)
    for name, values in parameters.items():
        model.parameters[name] = values
    model.load_state(state)
    for name, value in known.items():
        setattr(model, name, value)
    return model
