"""A call as source: of a function that is at hand, so that a wrong argument fails where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache


def written(function: Callable[..., object], arguments: Sequence[object], named: Mapping[str, object]) -> str:
    """The source of a call. Arguments are source, or numbers and tuples that are written as they are.

    written(np.multiply, ["b.x", "b.w"], {"out": "b.y"})    np.multiply(b.x, b.w, out=b.y)

    Raises TypeError if the function does not take these arguments.
    """
    known = signature(function)
    try:
        if known is not None:
            known.bind(*arguments, **named)
    except TypeError as error:
        raise TypeError(f"{function.__name__}{known}: {error}") from None
    called, arguments = name_of(function, arguments)
    parts = [argument_source(argument) for argument in arguments]
    parts += [f"{name}={argument_source(value)}" for name, value in named.items()]
    return f"{called}({', '.join(parts)})"


@cache
def signature(function: Callable[..., object]) -> inspect.Signature | None:
    """What a function takes; None for one of NumPy of which an older NumPy does not say it."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def name_of(function: Callable[..., object], arguments: Sequence[object]) -> tuple[str, Sequence[object]]:
    """What a plan calls a function: `maxpool2`, `np.multiply`, `np.add.reduce`; and with what.

    A method, `GradientSums.total`, is called of its first argument.
    """
    whose = getattr(function, "__self__", None)
    if whose is not None:
        return f"np.{whose.__name__}.{function.__name__}", arguments
    if not (getattr(function, "__module__", None) or "").startswith("cnnspec."):
        return f"np.{function.__name__}", arguments
    if "." in function.__qualname__:
        return f"{arguments[0]}.{function.__name__}", arguments[1:]
    return function.__name__, arguments


def argument_source(argument: object) -> str:
    return argument if isinstance(argument, str) else repr(argument)
