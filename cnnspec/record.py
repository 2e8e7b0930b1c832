"""Frozen dataclasses that are quick to declare.

    @record
    class Relu(Activation):
        slope: float = 0.0

is `@dataclass(frozen=True)`: `fields`, `replace` and `__post_init__` work as ever. But where `dataclass`
writes and compiles six methods for each class, a third of a millisecond, `record` lets all classes share
the ones below. A language has more than a hundred words and settings, and `cnnspec check` declares them all
before it reads its first line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import Any, Protocol, TypeVar, dataclass_transform

T = TypeVar("T")


class Made(Protocol):
    """What `record` keeps of the fields of a class, for the methods that all classes share."""

    _names: tuple[str, ...]
    _known: frozenset[str]
    _defaults: dict[str, object]
    _factories: dict[str, Callable[[], object]]
    _checks: bool

    def __post_init__(self) -> None: ...


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make a frozen dataclass of a class; what the class defines itself stays."""
    # dataclass would write two methods more for each class that is frozen, and refuses to make one that is
    # not out of one that is: so it is told afterwards that all of them are
    above = [base.__dict__["__dataclass_params__"] for base in cls.__mro__ if is_made(base)]
    for params in above:
        params.frozen = False
    try:
        made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    finally:
        for params in above:
            params.frozen = True
    made.__dataclass_params__.frozen = True
    made._names = tuple(field.name for field in fields(made))
    made._known = frozenset(made._names)
    made._defaults = {f.name: f.default for f in fields(made) if f.default is not MISSING}
    made._factories = {f.name: f.default_factory for f in fields(made) if f.default_factory is not MISSING}
    made._checks = hasattr(made, "__post_init__")
    for method in (__init__, __repr__, __eq__, __hash__, __setattr__, __delattr__):
        if method.__name__ not in cls.__dict__:
            setattr(made, method.__name__, method)
    return made


def is_made(cls: type) -> bool:
    """Whether a class itself, and not one above it, was made a frozen dataclass."""
    params = cls.__dict__.get("__dataclass_params__")
    return params is not None and bool(params.frozen)


def __init__(self: Made, *values: object, **named: object) -> None:
    names, mine = self._names, self.__dict__
    mine.update(self._defaults)
    mine.update(zip(names, values))  # noqa: B905  the rest may be named or left out
    if named:
        mine.update(named)
    if self._factories:
        mine.update({name: make() for name, make in self._factories.items() if name not in mine})
    if len(mine) != len(names) or len(values) > len(names) or (named and wrong(self, values, named)):
        raise TypeError(f"{type(self).__name__} wants {', '.join(names)}; got {values} and {named}")
    if self._checks:
        self.__post_init__()


def wrong(self: Made, values: tuple[object, ...], named: dict[str, object]) -> bool:
    """Whether a name is unknown, or has a value already."""
    return not named.keys() <= self._known or not named.keys().isdisjoint(self._names[: len(values)])


def __repr__(self: Made) -> str:
    shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._names)
    return f"{type(self).__qualname__}({shown})"


def __eq__(self: Made, other: object) -> bool:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def __hash__(self: Made) -> int:
    return hash(_values(self))


def __setattr__(self: Made, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Made, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _values(self: Made) -> tuple[object, ...]:
    return tuple(map(self.__dict__.__getitem__, self._names))
