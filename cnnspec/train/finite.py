"""The origin of a non-finite number: the first tensor, in the order of the computation, that is not finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data.dataset import Given
from ..diagnostics import Diagnostic, SpecError
from .trainable import Trainable


def first_unfinite(arrays: Mapping[str, np.ndarray]) -> tuple[str, str] | None:
    """Name of the first array that holds a NaN or an infinity, and which; None where all are finite."""
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            return name, "NaN" if np.isnan(values).any() else "infinity"
    return None


def check_parameters(model: Trainable, when: str) -> None:
    """Refuse a model whose parameters are not finite, so that no good checkpoint is replaced by it."""
    found = first_unfinite(model.parameters)
    if found:
        name, what = found
        raise SpecError((Diagnostic.of("CNN302", name=name, what=what, when=when),))


def explain_nonfinite(model: Trainable, x: Given, y: Given, cost: float, when: str) -> SpecError:
    """The diagnostic for a cost that is not finite, naming the first tensor that made it so.

    Looks where the numbers come from, in order: the images, the targets, the parameters, what each layer
    makes of them, and the gradients.
    """
    what = f"{'NaN' if cost != cost else 'infinite'} {when}"
    with np.errstate(all="ignore"):
        return SpecError((_cause(model, x, y, what),))


def _named(what: str, given: Given) -> list[tuple[str, np.ndarray]]:
    """The arrays of a batch, with what to call each."""
    if isinstance(given, Mapping):
        return [(f"{what} of `{name}`", values) for name, values in given.items()]
    return [(what, np.asarray(given))]


def _cause(model: Trainable, x: Given, y: Given, what: str) -> Diagnostic:
    x = x if isinstance(x, Mapping) else np.asarray(x)
    for name, values in (*_named("images", x), *_named("targets", y)):
        bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if bad.any():
            at = int(np.argmax(bad))
            return Diagnostic.of("CNN302", case="data", what=what, name=name, number=at)
    if found := first_unfinite(model.parameters):
        name, kind = found
        return Diagnostic.of("CNN302", case="update", what=what, name=name, kind=kind)
    if found := first_unfinite(model.activations(x)):
        name, kind = found
        return Diagnostic.of("CNN302", case="layer", what=what, name=name, kind=kind)
    if found := first_unfinite(model.gradients(x, y)):
        name, kind = found
        return Diagnostic.of("CNN302", case="gradient", what=what, name=name, kind=kind)
    return Diagnostic.of("CNN302", case="cost", what=what)
