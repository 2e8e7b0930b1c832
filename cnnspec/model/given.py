"""What callers give a model, as arrays by the names of inputs and outputs: lists, tuples, dictionaries, arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..data.changes import Mixed
from ..data.dataset import Given, Stored, Weighted
from ..data.sources.by_name import called
from ..diagnostics import Diagnostic, SpecError
from .targets import CanonicalTargets

Array = np.ndarray


One = Array | Stored | Mixed  # the array or file for one input or output


class Outputs(dict[str, Array]):
    """The outputs of a network by their names, and found by those of their nets too.

    found["digit.softmax1"] is found["digit"]           net digit = ... -> softmax
    """

    def __missing__(self, net: str) -> Array:
        named = {short: name for name, short in called(tuple(self)).items()}
        if net not in named or named[net] == net:
            raise KeyError(net)
        return self[named[net]]


def by_name(given: Given, names: tuple[str, ...], what: str) -> dict[str, One]:
    """Arrays by the names of inputs or outputs, or of their nets; a single array is that of the only one."""
    # first, since every step of a training comes by here
    if isinstance(given, (np.ndarray, Stored)) and len(names) == 1 and given.shape and not hasattr(given, "mask"):
        return {names[0]: given}
    if isinstance(given, Weighted):
        given = given.y
    if isinstance(given, Mixed) and len(names) == 1:
        return {names[0]: given}
    if isinstance(given, Mapping):
        given = {**given, **{name: given[net] for name, net in called(names).items() if net in given}}
        missing = [name for name in names if name not in given]
        if missing:
            raise SpecError(
                (
                    Diagnostic.of(
                        "CNN408",
                        case="lacking",
                        what=what,
                        name=missing[0],
                        names=", ".join(called(names).values()),
                    ),
                )
            )
        return {name: as_array(given[name], name) for name in names}
    if isinstance(given, tuple) and len(given) == len(names) and len(names) > 1:
        return {name: as_array(part, name) for name, part in zip(names, given, strict=True)}
    if len(names) == 1:
        return {names[0]: as_array(given, names[0])}
    raise SpecError(
        (
            Diagnostic.of(
                "CNN408", case="several", count=len(names), what=what, names=", ".join(called(names).values())
            ),
        )
    )


def as_array(given: object, name: str) -> Array | Stored:
    """The argument for an input or output, as an array with an axis for the images."""
    if isinstance(given, Stored):
        return given
    try:
        array = np.asarray(given)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise SpecError((Diagnostic.of("CNN408", case="given", name=name, reason=reason),)) from None
    if np.any(getattr(given, "mask", False)):  # of np.ma: what lies below a mask is no number
        raise SpecError((Diagnostic.of("CNN408", case="masked", name=name),))
    if not array.shape:
        raise SpecError((Diagnostic.of("CNN408", case="no axis", name=name, given=given),))
    return array


def ensure_fit(count: int, answers: Mapping[str, CanonicalTargets]) -> None:
    """Refuse no images, and answers of which there are fewer or more."""
    if not count:
        raise SpecError((Diagnostic.of("CNN303", case="mean"),))
    for name, (values, _) in answers.items():
        if len(values) != count:
            raise SpecError(
                (Diagnostic.of("CNN410", case="targets", images=count, targets=len(values), name=name),)
            )


def length(arrays: Mapping[str, Array | Stored]) -> int:
    return len(next(iter(arrays.values())))
