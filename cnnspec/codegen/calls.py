"""A call as source: of a function that is at hand, so that a wrong argument fails where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any


def written(function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> str:
    """The source of a call. Arguments are source, or numbers and tuples that are written as they are.

    written(np.multiply, ["b.x", "b.w"], {"out": "b.y"})    np.multiply(b.x, b.w, out=b.y)

    Raises TypeError if the function does not take these arguments.
    """
    known = signature(function)
    if known is not None:
        known.bind(*arguments, **named)
    parts = [*map(source, arguments), *(f"{name}={source(value)}" for name, value in named.items())]
    return f"{name_of(function)}({', '.join(parts)})"


@cache
def signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """What a function takes; None for one of NumPy of which an older NumPy does not say it."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def name_of(function: Callable[..., Any]) -> str:
    """What a plan calls a function: `maxpool2`, `np.multiply`, `np.add.reduce`."""
    if (getattr(function, "__module__", None) or "").startswith("cnnspec."):
        return function.__name__
    whose = getattr(function, "__self__", None)
    return f"np.{whose.__name__}.{function.__name__}" if whose is not None else f"np.{function.__name__}"


def source(argument: Any) -> str:
    return argument if isinstance(argument, str) else repr(argument)
